/** Reads everything that the file keeps, in pieces that cross the thread border as they are. */
import type { DatabaseSync } from 'node:sqlite';
import { messageColumns } from './message-cells.ts';
import type { Cell, StateChunk } from './protocol.ts';

/** The largest row number and message identifier that we can speak of. */
export const idsMax = Number.MAX_SAFE_INTEGER;

/** A piece ends at so many rows or payload bytes, whichever comes first. */
const ROWS_PER_CHUNK = 4096;
const BYTES_PER_CHUNK = 262_144;

/** Whatever is not queued: in flight to a client, or on its way in from one. It is few; what is queued may be millions. */
const notQueued = 'state <> 11';

/**
 * What is read, in an order in which nothing is met before what it points to. Texts under NUMERIC affinity are cast:
 * Mosquitto's own rows may hold numbers, ours hold blobs where a number would not do.
 */
const queries: { table: StateChunk['table']; sql: string; payload: boolean }[] = [
  {
    table: 'messages',
    payload: true,
    sql: `SELECT payload, store_id, ${messageColumns} FROM base_msgs b
      WHERE store_id IN (SELECT store_id FROM retains UNION SELECT store_id FROM zancudo_exchanges
        UNION SELECT store_id FROM client_msgs WHERE ${notQueued})`,
  },
  { table: 'retained', payload: false, sql: `SELECT CAST(topic AS TEXT), store_id FROM retains ORDER BY topic` },
  // A session that was to end with its connection is given back too: what it had left in the file must go with it.
  {
    table: 'sessions',
    payload: false,
    sql: `SELECT client_id, c.username, c.listener_port, version, session_expiry_interval, session_expiry_time,
        c.will_delay_interval, c.will_delay_time, will_message_expiry
      FROM clients c LEFT JOIN zancudo_sessions z USING (client_id)
      UNION ALL
      SELECT client_id, username, listener_port, version, 0, 0, will_delay_interval, will_due, will_message_expiry
      FROM (SELECT client_id FROM wills UNION SELECT client_id FROM zancudo_sessions)
        LEFT JOIN zancudo_sessions USING (client_id)
      WHERE client_id NOT IN (SELECT client_id FROM clients)`,
  },
  {
    table: 'wills',
    payload: true,
    sql: `SELECT payload, client_id, CAST(topic AS TEXT), qos, retain, CAST(properties AS TEXT) FROM wills`,
  },
  {
    table: 'subscriptions',
    payload: false,
    sql: `SELECT client_id, topic, subscription_options, subscription_identifier, mount_point
      FROM subscriptions LEFT JOIN zancudo_mount_points USING (client_id, topic)`,
  },
  {
    table: 'rows',
    payload: false,
    sql: `SELECT rowid, client_id, store_id, dup, direction, mid, qos, retain, state, subscription_identifier
      FROM client_msgs WHERE ${notQueued} ORDER BY rowid`,
  },
  // A client of which rows of an earlier session are still to be removed is summed up again, without those.
  {
    table: 'tails',
    payload: false,
    sql: `SELECT client_id, count(*), sum(cmsg_id), 0 FROM client_msgs WHERE state = 11 GROUP BY client_id`,
  },
  {
    table: 'tails',
    payload: false,
    sql: `SELECT w.client_id, count(cmsg_id), coalesce(sum(cmsg_id), 0), up_to FROM zancudo_wiped w
      LEFT JOIN client_msgs c ON c.client_id = w.client_id AND state = 11 AND c.rowid > up_to GROUP BY w.client_id`,
  },
  { table: 'silentExchanges', payload: false, sql: `SELECT client_id, packet_id, store_id FROM zancudo_exchanges` },
];

export function* stateChunks(db: DatabaseSync): Generator<StateChunk> {
  for (const query of queries) yield* chunksOf(db, query);
}

function* chunksOf(db: DatabaseSync, { table, sql, payload }: (typeof queries)[number]): Generator<StateChunk> {
  let chunk = new ChunkWriter();
  for (const row of rowsOf(db, sql)) {
    chunk.add(row, payload);
    if (!chunk.isFull) continue;
    yield { kind: 'chunk', table, ...chunk.finish() };
    chunk = new ChunkWriter();
  }
  yield { kind: 'chunk', table, ...chunk.finish() };
}

/** Integers that do not fit into a number stop a read; only then is the rest read the slower way that knows them. */
function* rowsOf(db: DatabaseSync, sql: string): Generator<unknown[]> {
  const statement = db.prepare(sql);
  statement.setReturnArrays(true);
  let passed = 0;
  try {
    for (const row of statement.iterate() as unknown as Iterable<unknown[]>) {
      yield row;
      passed++;
    }
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_OUT_OF_RANGE') throw error;
    statement.setReadBigInts(true);
    for (const row of statement.iterate() as unknown as Iterable<unknown[]>) if (passed-- <= 0) yield row;
  }
}

/** Gathers rows as cells, and their payloads as one block. */
class ChunkWriter {
  readonly #cells: Cell[] = [];
  readonly #payloads: Uint8Array[] = [];
  bytes = 0;
  #rows = 0;

  get isFull(): boolean {
    return this.#rows >= ROWS_PER_CHUNK || this.bytes >= BYTES_PER_CHUNK;
  }

  /** A payload, which is the first column where there is one, is replaced by its length. */
  add(row: unknown[], payload: boolean): void {
    this.#rows++;
    for (let i = payload ? 1 : 0; i < row.length; i++) this.#cells.push(cellOf(row[i]));
    if (!payload) return;
    const bytes = bytesOf(row[0]);
    this.#cells.push(bytes.length);
    this.#payloads.push(bytes);
    this.bytes += bytes.length;
  }

  finish(): { cells: Cell[]; bytes: Uint8Array<ArrayBuffer> } {
    const bytes = new Uint8Array(this.bytes);
    let at = 0;
    for (const payload of this.#payloads) {
      bytes.set(payload, at);
      at += payload.length;
    }
    return { cells: this.#cells, bytes };
  }
}

/** What cannot be a cell becomes null, which whoever reads the row takes for nonsense. */
function cellOf(value: unknown): Cell {
  if (typeof value === 'bigint') return value >= -idsMax && value <= idsMax ? Number(value) : null;
  return typeof value === 'string' || typeof value === 'number' ? value : null;
}

export function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
    ? Buffer.from(String(value))
    : new Uint8Array(0);
}
