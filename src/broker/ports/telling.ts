/** What time it is, what to tell the operator, and what to count. Served by base/ and observability/. */
import type { About, Code } from '../../base/mod.ts';

export interface Clock {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Unix time in milliseconds; may jump when somebody sets the clock. */
  wall(): number;
}

export type LogClass =
  'error' | 'warning' | 'notice' | 'information' | 'debug' | 'subscribe' | 'unsubscribe' | 'internal' | 'websockets';

export interface Log {
  /** False spares the caller the making of the text. */
  readonly debug: boolean;
  readonly subscribe: boolean;
  readonly unsubscribe: boolean;
  /** Whether connects and disconnects are wanted (`connection_messages`). */
  readonly connections: boolean;
  /** `about` goes with every error, warning and notice: its code, and who and what it is about. */
  write(as: LogClass, text: string, about?: About | Code): void;
}

/** Counters since the start, plain numbers that are only ever added to; gauges are asked of the broker itself. */
export interface Meter {
  /** MQTT packets of every type. */
  packetsReceived: number;
  packetsSent: number;
  bytesReceived: number;
  bytesSent: number;
  publishReceived: number;
  publishSent: number;
  publishBytesReceived: number;
  publishBytesSent: number;
  /** Dropped at a queue or link limit. */
  publishDropped: number;
  /** Publishes and deliveries that the access rules refused. */
  publishDenied: number;
  connectsReceived: number;
  socketsAccepted: number;
  /** Closed by a connection limit before any MQTT. */
  connectionsRefusedByLimit: number;
  /** Closed before any MQTT because their address was banned. */
  connectionsRefusedByBan: number;
  bansImposed: number;
  /** Times that a client was not read because it published faster than it may. */
  publishersSlowed: number;
  /** Two clients that throw each other out under one client identifier. */
  takeoverFights: number;
  /** Newcomers of such a pair that were held off. */
  takeoversHeldOff: number;
  /** CONNECTs refused, for whatever reason. */
  connectsRefused: number;
  /** Peers whose TLS handshake failed or whose certificate did not hold. */
  tlsRefused: number;
  connectTimeouts: number;
  keepAliveTimeouts: number;
  protocolErrors: number;
  oversizePackets: number;
  /** Times that a peer's requests were left unread because it did not read the answers. */
  slowLinksPaused: number;
  sessionsExpired: number;
  messagesExpired: number;
  /** Messages that somebody did not get, by cause. */
  drops: Record<DropCause, number>;
  /** CONNECTs, handshakes and certificates refused, by cause: fixed texts of ours, a few dozen, never a peer's own. */
  readonly refusals: Map<string, number>;
}

/** The counters that are plain numbers. */
export type CounterName = { [K in keyof Meter]: Meter[K] extends number ? K : never }[keyof Meter];

/** Why a client did not get a message, or nobody got one of its own. */
export type DropCause =
  /** max_queued_messages, max_queued_bytes, and what all queues together may hold. */
  | 'queue-messages'
  | 'queue-bytes'
  | 'total-bytes'
  /** QoS 0 for a client that does not read fast enough. */
  | 'slow-link'
  /** For the client's maximum packet size, or for message_size_limit. */
  | 'too-large'
  /** Published faster than max_publish_rate or max_publish_byte_rate, where such are refused. */
  | 'over-rate'
  /** The access rules said no, to its publish or to a delivery. */
  | 'denied'
  /** A plugin kept it back, on its way in or out. */
  | 'plugin'
  | 'expired'
  /** Still waiting when the session expired. */
  | 'session-expired'
  /** Delivered, but not retained: max_retained_messages or max_retained_bytes. */
  | 'not-retained';
