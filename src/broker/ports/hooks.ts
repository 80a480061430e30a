/** What plugins may do to messages, and what they are told of. Served by plugins/; null where nobody wants it. */
import type { Identity } from './access.ts';

export interface Hooks {
  /** Asked of every message that a client has published and may publish, before it is retained or routed. Never throws. */
  readonly incoming: ((message: HookedMessage, from: Identity) => HookAnswer) | null;
  /** Asked of every message once for each subscriber it is about to be given to, retained ones too. Never throws. */
  readonly outgoing: ((message: HookedMessage, to: Identity, from: Identity | null) => HookAnswer) | null;
  /** Told what has happened. Never throws, never waits. */
  readonly events: BrokerEvents | null;
}

/** A message in memory of its own, which whoever was asked may keep. */
export interface HookedMessage {
  /** With the mount point in front. */
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** Decoded when they are first asked for. */
  readonly properties: MessageProperties;
}

/** Properties of MQTT 5 that belong to a message; empty for one that came without. */
export interface MessageProperties {
  payloadFormatIndicator?: number;
  contentType?: string;
  responseTopic?: string;
  correlationData?: Buffer;
  userProperties?: [string, string][];
}

/** Null: as it is. */
export type HookAnswer = null | MessageKept | MessageChange;

/** The message goes no further. */
export interface MessageKept {
  /** For the operator. */
  readonly kept: string;
  /** What a publisher of version 5 is told; 0 when it is told nothing. */
  readonly reasonCode: number;
}

/** What is absent stays. */
export interface MessageChange {
  readonly topic?: string;
  readonly payload?: Buffer;
  readonly properties?: MessageProperties;
  readonly retain?: boolean;
  readonly qos?: 0 | 1 | 2;
}

export interface BrokerEvents {
  connected(who: Identity): void;
  /** Null after a DISCONNECT of the client. */
  disconnected(who: Identity, reason: string | null): void;
  /** `filter` as the client wrote it. */
  subscribed(who: Identity, filter: string, qos: 0 | 1 | 2): void;
  unsubscribed(who: Identity, filter: string): void;
  /** After it was routed; null where nobody wants to hear of messages, so that none is copied for it. */
  readonly published: ((message: HookedMessage, from: Identity, matched: number) => void) | null;
}
