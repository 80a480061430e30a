/** A bridge as an operator sees it. */
import type { HeldBack } from './counters.ts';

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
  /** Each topic line as it would be written. */
  topics: { text: string; out: number; in: number }[];
  /** Messages that did not pass, by cause. */
  heldBack: Record<HeldBack, number>;
  /** Messages that wait here to go out. */
  waiting: number;
}
