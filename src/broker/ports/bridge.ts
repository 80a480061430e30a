/** A bridge as an operator sees it: told by bridge/, shown by admin/ and observability/. */

/** Why a message did not pass. */
export type HeldBack =
  /** Came back to where it had been. */
  | 'loop'
  /** Larger than bridge_max_packet_size, the other broker's limit, or ours. */
  | 'too-large'
  /** The other broker said no (MQTT 5). */
  | 'refused'
  /** No topic line fits any more, or the name that results is not allowed. */
  | 'unmapped';

export type BridgeState =
  | 'connecting'
  | 'connected'
  /** For the next attempt. */
  | 'waiting'
  /** Lazy: until enough messages wait. */
  | 'idle'
  /** `start_type once` and over. */
  | 'stopped';

export interface BridgeFacts {
  name: string;
  state: BridgeState;
  /** Unix milliseconds, here and below. */
  since: number;
  /** The other broker, present or next. */
  address: string;
  remoteClientId: string;
  localClientId: string;
  /** MQTT level: 3, 4 or 5. */
  version: 3 | 4 | 5;
  encrypted: boolean;
  /** Times that it was connected. */
  connections: number;
  retryAt: number | null;
  /** Changed settings take effect at the next connection. */
  changeWaits: boolean;
  lastError: { message: string; remedy: readonly string[]; at: number } | null;
  /** Each topic line as it is written, with the messages that have passed by it. */
  topics: { text: string; out: number; in: number }[];
  /** Messages that did not pass, by cause. */
  heldBack: Record<HeldBack, number>;
  /** Messages that wait here to go out. */
  waiting: number;
}
