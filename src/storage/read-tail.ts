/** Reads what waits for clients in the file alone: a page of one client's, or what has expired of everybody's. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { PageWriter } from './page-writer.ts';
import type { Cell, PageRequest, WorkerReply } from './protocol.ts';

/** Rows of client_msgs that are looked at in one go, some 20 ms: batches do not wait longer for it. */
const ROWS_AT_ONCE = 20_000;

/** Numbers first, in the order of pageNumbers, then texts, then the payload. */
const pageQuery = `SELECT c.rowid, c.store_id, c.qos, c.retain, subscription_identifier, expiry_time, source_port, b.qos,
    b.retain, CAST(topic AS TEXT), CAST(source_id AS TEXT), CAST(source_username AS TEXT), CAST(properties AS TEXT), payload
  FROM client_msgs c JOIN base_msgs b USING (store_id)
  WHERE client_id = ? AND state = 11 AND c.rowid > ? ORDER BY c.rowid LIMIT ?`;

const lastRowQuery = `SELECT max(n) AS last, count(*) AS count FROM
  (SELECT rowid AS n FROM client_msgs WHERE rowid > ? ORDER BY rowid LIMIT ${ROWS_AT_ONCE})`;

const expiredQuery = `SELECT client_id, c.rowid, c.store_id, cmsg_id
  FROM client_msgs c CROSS JOIN base_msgs b USING (store_id)
  WHERE c.rowid > ? AND c.rowid <= ? AND state = 11 AND expiry_time > 0 AND expiry_time < ?`;

export class TailReader {
  readonly #page: StatementSync;
  readonly #anyExpired: StatementSync;
  readonly #lastRow: StatementSync;
  readonly #expired: StatementSync;

  constructor(db: DatabaseSync) {
    this.#page = db.prepare(pageQuery);
    this.#page.setReturnArrays(true);
    this.#anyExpired = db.prepare('SELECT 1 FROM base_msgs WHERE expiry_time > 0 AND expiry_time < ? LIMIT 1');
    this.#lastRow = db.prepare(lastRowQuery);
    this.#expired = db.prepare(expiredQuery);
    this.#expired.setReturnArrays(true);
  }

  page({ id, clientId, after, messages, bytes }: PageRequest): WorkerReply {
    const writer = new PageWriter();
    const found = this.#page.iterate(clientId, after, messages) as unknown as Iterable<unknown[]>;
    for (const row of found) {
      writer.add(row);
      if (writer.bytes >= bytes) break;
    }
    const full = writer.rows >= messages || writer.bytes >= bytes;
    return { kind: 'page', id, ...writer.finish(), full };
  }

  /** What has expired among the rows behind `after`, and where to go on; null at the end. */
  expired(second: number, after: number): { cells: Cell[]; next: number | null } {
    const nothing = { cells: [], next: null };
    if (after === 0 && this.#anyExpired.get(second) === undefined) return nothing;
    const found = this.#lastRow.get(after)!;
    if (found['last'] === null) return nothing;
    const last = Number(found['last']);
    const cells = this.#expired.all(after, last, second).flat() as unknown as Cell[];
    return { cells, next: Number(found['count']) < ROWS_AT_ONCE ? null : last };
  }
}
