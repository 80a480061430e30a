import type { LogCode } from '../../base/mod.ts';
import type { Connect } from '../../codec/mod.ts';
import type { Broker } from '../broker.ts';
import type { Connection } from '../connection.ts';
import type { BrokerSession } from '../types.ts';

/** One CONNECT on its way through the stages; each stage fills in what it found out. */
export interface ConnectAttempt {
  readonly broker: Broker;
  readonly connection: Connection;
  readonly packet: Connect;
  clientId: string;
  /** True when we made the client identifier up. */
  assigned: boolean;
  username: string | null;
  password: Buffer | null;
  /** True when a certificate or PSK has proved the name, so that no password is asked. */
  proved: boolean;
  /** Seconds; what the server keep alive says when it differs from what was asked. */
  keepAlive: number;
  /** Data of the last step of enhanced authentication, for the CONNACK. */
  authenticationData: Buffer | null;
  sessionPresent: boolean;
  /** True when an open connection of the same client identifier had to go. */
  tookOver: boolean;
  session: BrokerSession | null;
}

/** Why a CONNECT is refused, and what each version is told. */
export interface ConnectRefusal {
  /** A 3.x return code, or null to close without a word. */
  v3: number | null;
  /** An MQTT 5 reason code, or null to close without a word. */
  v5: number | null;
  /** What stands behind `disconnected: `. */
  reason: string;
  /** For the operator: the true cause, on a line of its own. Never sent. */
  because?: string;
  /** For the peer, where MQTT 5 can carry it. */
  reasonString?: string;
  /** For the line `Protocol error from ...`. */
  protocolText?: string;
  /** For the log; `client.refused` if absent. */
  code?: LogCode;
}

/** Undefined lets the attempt go on to the next stage. */
export type StageOutcome = ConnectRefusal | undefined | void;
export type Stage = (attempt: ConnectAttempt) => StageOutcome | Promise<StageOutcome>;
