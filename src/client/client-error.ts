/**
 * What can go wrong between a client and a broker, as one family of errors.
 *
 *   code      stable, for programs                     `tls.unknown-ca`
 *   message   the cause in plain words, one line
 *   remedy    lines that say what to do; may be empty
 *
 * `kind` is the coarse answer to "what now": it decides whether trying again can help.
 */
export type ErrorKind =
  /** The host's name could not be resolved. */
  | 'lookup'
  /** The system refused: nobody listens, no route, no such socket. */
  | 'socket'
  | 'tls'
  | 'proxy'
  | 'websocket'
  /** The broker answered CONNECT with a refusal. */
  | 'refused'
  /** The link broke. */
  | 'lost'
  /** MQTT 5: the broker ended the connection with a reason. */
  | 'disconnected'
  | 'keep-alive'
  | 'timeout'
  /** The peer's bytes are not MQTT, or break its rules. */
  | 'protocol'
  | 'authentication'
  | 'oversize'
  | 'not-connected'
  /** Bounds of this client: too many messages wait. */
  | 'queue-full'
  /** What the caller asked for cannot be. */
  | 'invalid';

export interface ClientErrorParts {
  code: string;
  kind: ErrorKind;
  message: string;
  remedy?: readonly string[];
  /** CONNACK's or DISCONNECT's code. */
  reasonCode?: number;
  /** The broker's own words (MQTT 5). */
  reasonString?: string;
  /** Such as ECONNREFUSED. */
  systemCode?: string;
}

export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: string;
  readonly kind: ErrorKind;
  readonly remedy: readonly string[];
  readonly reasonCode: number | undefined;
  readonly reasonString: string | undefined;
  readonly systemCode: string | undefined;

  constructor(parts: ClientErrorParts) {
    super(parts.message);
    this.code = parts.code;
    this.kind = parts.kind;
    this.remedy = parts.remedy ?? [];
    this.reasonCode = parts.reasonCode;
    this.reasonString = parts.reasonString;
    this.systemCode = parts.systemCode;
  }
}

/** Kinds after which another try can end otherwise. */
const passing: readonly ErrorKind[] = ['lookup', 'socket', 'lost', 'disconnected', 'keep-alive', 'timeout', 'proxy'];

export function mayPass(error: ClientError): boolean {
  return passing.includes(error.kind);
}

/** MQTT 5 reason codes after which a client that comes back would only disturb. */
const finalReasons: readonly number[] = [0x8e, 0x8a, 0x98, 0x9c, 0x9d];

export function isFinalReason(reasonCode: number): boolean {
  return finalReasons.includes(reasonCode);
}
