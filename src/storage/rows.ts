/**
 * What the routing thread remembers of the rows in the file: enough to find a row again, and to know whether a message
 * still has a use. The values themselves are the heart's objects; a row points to them and is written from them.
 */
import type { Page, StoredDelivery, StoredMessage, StoredSession, StoredSubscription } from '../broker/ports.ts';

/** One row of base_msgs: one message, however many deliveries, exchanges and retained topics point to it. */
export interface MessageRow {
  readonly id: number;
  message: StoredMessage;
  /** Rows in memory that point to it. How many do in the file, the worker counts (uses.ts). */
  uses: number;
  /** Handed to the worker. */
  stored: boolean;
}

/** One row of client_msgs, or of zancudo_exchanges for an exchange that delivers nothing. */
export interface QueueRow {
  /** 0 in a tail, until a batch takes it. */
  row: number;
  readonly client: ClientRows;
  readonly message: MessageRow;
  /** Null for an exchange: a QoS 2 message on its way in. */
  delivery: StoredDelivery | null;
  /** Of the exchange. */
  readonly packetId: number;
  readonly deliver: boolean;
  stored: boolean;
}

export interface RetainedRow {
  readonly topicName: string;
  /** Null when it is to be removed. */
  message: MessageRow | null;
  stored: boolean;
}

export interface ClientRows {
  readonly clientId: string;
  readonly deliveries: Map<StoredDelivery, QueueRow>;
  readonly exchanges: Map<number, QueueRow>;
  /** As it is to be written; null when the file has it already. */
  session: StoredSession | null;
  /** By filter, as they are to be written; null for one that is to be removed. */
  subscriptions: Map<string, StoredSubscription | null>;
  /** The file's name of subscriptions whose listener puts something in front, by filter. */
  mounted: Map<string, string> | null;
  /** The file has rows of it. */
  stored: boolean;
  tail: TailRows;
}

/**
 * What waits for a client in the file alone.
 *
 *   row numbers   … in flight, window … │ rows …  handed … │ appended …
 *                                     cursor      to the worker, and not
 */
export interface TailRows {
  /** Rows up to this number are in memory, or of an earlier session. */
  cursor: number;
  /** That the worker was given, and how many of these are in the batch at hand. */
  rows: number;
  handed: number;
  /** That no batch has taken yet. */
  appended: QueueRow[];
  /** The page that is being fetched. */
  page: Page | null;
}

export function newClientRows(clientId: string, stored: boolean, cursor: number): ClientRows {
  return {
    clientId,
    deliveries: new Map(),
    exchanges: new Map(),
    session: null,
    subscriptions: new Map(),
    mounted: null,
    stored,
    tail: { cursor, rows: 0, handed: 0, appended: [], page: null },
  };
}

/** How Mosquitto writes a filter: the mount point in front of the topic part, after `$share/group/`. */
export function fullFilter(filter: string, mountPoint: string): string {
  const start = topicPartOf(filter);
  return mountPoint === '' ? filter : filter.slice(0, start) + mountPoint + filter.slice(start);
}

export function withoutMountPoint(full: string, mountPoint: string): string {
  const start = topicPartOf(full);
  return full.startsWith(mountPoint, start) ? full.slice(0, start) + full.slice(start + mountPoint.length) : full;
}

function topicPartOf(filter: string): number {
  return filter.startsWith('$share/') ? filter.indexOf('/', 7) + 1 : 0;
}
