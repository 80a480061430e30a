/**
 * What crosses the border between the routing thread and the store's thread.
 *
 *   routing thread ── Batch ──────────────> worker      one transaction each, one at a time
 *                  <── settled, trouble ────
 *                  ── page, expired ──────>             reading: what waits for a client, what nobody need get any more
 *                  <── page, expired ───────
 *                  <── StateChunk … opened ─            once, at the start
 *
 * Rows travel as flat lists of cells, a fixed number per row, and payloads as one block that changes its owner: a
 * structured clone of one long list costs a fraction of a clone of many small objects.
 */
export type Cell = string | number | null;

/** Everything that one transaction does, in the order of the fields. */
export interface Batch {
  /** Clients whose session, will, subscriptions and silent exchanges go; their other rows are named one by one. */
  wipedClients: string[];
  /** Clients whose tail goes, and the highest row number of theirs that is meant, alternating. */
  wipedTails: Cell[];
  /** Row number of client_msgs and store_id in it, alternating. A message goes with the last row that points to it. */
  removedRows: number[];
  /** Client identifier and full filter, alternating. */
  removedSubscriptions: string[];
  removedRetained: string[];
  /** Client and packet identifier, alternating. */
  removedSilentExchanges: Cell[];
  /** See MESSAGE_CELLS; the payloads stand in `bytes`, one after the other. */
  messages: Cell[];
  /** See ROW_CELLS. */
  rows: Cell[];
  /** Row number, dup, mid, state. */
  rowUpdates: number[];
  /** Client, packet identifier, store_id: exchanges that are answered but delivered to nobody. */
  silentExchanges: Cell[];
  /** Topic and store_id, alternating. */
  retained: Cell[];
  /** See SUBSCRIPTION_CELLS. */
  subscriptions: Cell[];
  /** See SESSION_CELLS. */
  sessions: Cell[];
  /** See WILL_CELLS; their payloads follow those of the messages in `bytes`. */
  wills: Cell[];
  bytes: Uint8Array<ArrayBuffer>;
}

/** store_id, expiry, topic, payload bytes, client, user name, port, qos, retain, properties. */
export const MESSAGE_CELLS = 10;
/** Row number, client, payload bytes, store_id, dup, direction, mid, qos, retain, state, subscription identifier. */
export const ROW_CELLS = 11;
/** Client, full filter, options, identifier, mount point. */
export const SUBSCRIPTION_CELLS = 5;
/** Client, user name, port, version, expiry interval, ends at, will delay, will due, will's message expiry, now. */
export const SESSION_CELLS = 10;
/** Client, topic, payload bytes, qos, retain, properties. */
export const WILL_CELLS = 6;

/** Rows of one kind as the file has them, so many at a time. `bytes` holds their payloads one after the other. */
export interface StateChunk {
  kind: 'chunk';
  table: 'messages' | 'rows' | 'tails' | 'silentExchanges' | 'retained' | 'subscriptions' | 'sessions' | 'wills';
  cells: Cell[];
  bytes: Uint8Array<ArrayBuffer>;
}

export type WorkerReply =
  | StateChunk
  /** The state is complete and the file is ours. */
  | { kind: 'opened'; nextRow: number; nextMessage: number; remarks: string[] }
  /** `full` when a limit ended it. */
  | ({ kind: 'page'; id: number; full: boolean } & PageRows)
  /** See EXPIRED_CELLS; `last` with the last piece. */
  | { kind: 'expired'; cells: Cell[]; last: boolean }
  /** Damage showed while the state was read: the file has been repaired, and the state comes again from the start. */
  | { kind: 'again' }
  | { kind: 'refused'; code: string; lines: string[]; exitCode: number }
  | { kind: 'settled' }
  /** The batch at hand does not get onto the disk; it is tried again by itself. */
  | { kind: 'trouble'; lines: string[] }
  | { kind: 'healed'; lines: string[] };

/**
 * Rows of a page. What is a number travels in one block; texts that are those of the row before do not travel at all:
 * as plain cells a drain of 100,000 messages spent a third of its time on their way.
 */
export interface PageRows {
  /** See pageNumbers. */
  numbers: Float64Array<ArrayBuffer>;
  /** Topic, client, user name, properties of each row whose texts are new. */
  texts: (string | null)[];
  /** The payloads, one after the other. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** Where they stand in a row of `numbers`, and how many there are. */
export const pageNumbers = {
  row: 0,
  message: 1,
  qos: 2,
  retain: 3,
  identifier: 4,
  expiresAt: 5,
  port: 6,
  messageQos: 7,
  messageRetain: 8,
  payloadBytes: 9,
  hasTexts: 10,
} as const;
export const PAGE_NUMBERS = 11;
export const PAGE_TEXTS = 4;

/** Client, row number, store_id, payload bytes. */
export const EXPIRED_CELLS = 4;

export interface PageRequest {
  kind: 'page';
  id: number;
  clientId: string;
  /** Row number behind which the tail begins. */
  after: number;
  messages: number;
  bytes: number;
}

export type WorkerRequest =
  | { kind: 'batch'; batch: Batch }
  | PageRequest
  /** Tails are looked through for what expired before this second. */
  | { kind: 'expired'; second: number }
  | { kind: 'close' };

export interface WorkerStart {
  file: string;
  /** Unix millisecond at which the store is opened. */
  wall: number;
  /** Each transaction waits until the disk says that it has it; otherwise the system writes when it likes. */
  sync: boolean;
}
