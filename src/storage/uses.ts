/**
 * MessageUses keeps account of how many rows of the file point to each message, so that a message goes with the last of
 * them, in the same transaction, without anybody having to hold a million of them in memory.
 *
 *   rows inserted +1, rows removed -1 ──> settle(): nobody's any more │ exactly one's │ shared
 *                                          message removed            │ no entry      │ entry in zancudo_uses
 *
 * Nearly every message is somebody's alone, and costs nothing here.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { deleteRuns } from './delete-runs.ts';

export class MessageUses {
  readonly #changes = new Map<number, number>();
  readonly #find: StatementSync;
  readonly #put: StatementSync;
  readonly #forget: StatementSync;
  readonly #removeMessages: StatementSync;
  #unused: number[] = [];
  /** False spares the look-ups. */
  #anyShared: boolean;

  constructor(db: DatabaseSync) {
    this.#find = db.prepare('SELECT uses FROM zancudo_uses WHERE store_id = ?');
    this.#put = db.prepare('INSERT OR REPLACE INTO zancudo_uses VALUES (?, ?)');
    this.#forget = db.prepare('DELETE FROM zancudo_uses WHERE store_id = ?');
    this.#removeMessages = db.prepare('DELETE FROM base_msgs WHERE store_id BETWEEN ? AND ?');
    this.#anyShared = db.prepare('SELECT 1 FROM zancudo_uses LIMIT 1').get() !== undefined;
  }

  /** A new transaction: what an earlier one could not write is told again. */
  begin(): void {
    this.#changes.clear();
    this.#unused = [];
  }

  count(id: number, change: 1 | -1): void {
    this.#changes.set(id, (this.#changes.get(id) ?? 0) + change);
  }

  /** Messages of `firstNew` and above are in the file since this transaction. */
  settle(firstNew: number): void {
    for (const [id, change] of this.#changes) {
      if (id >= firstNew) this.#write(id, change, 1);
      else if (change !== 0) this.#settleOld(id, change);
    }
    this.#changes.clear();
    deleteRuns(this.#removeMessages, this.#unused);
    this.#unused = [];
  }

  #settleOld(id: number, change: number): void {
    const known = this.#anyShared ? Number(this.#find.get(id)?.['uses'] ?? 1) : 1;
    this.#write(id, known + change, known);
  }

  #write(id: number, uses: number, before: number): void {
    if (uses > 1) {
      this.#anyShared = true;
      this.#put.run(id, uses);
      return;
    }
    if (before > 1) this.#forget.run(id);
    if (uses < 1) this.#unused.push(id);
  }
}

/** What the file says of itself, when somebody has changed it who keeps no account. */
export const recountUses = `
DELETE FROM zancudo_uses;
INSERT INTO zancudo_uses SELECT store_id, count(*) FROM
  (SELECT store_id FROM client_msgs UNION ALL SELECT store_id FROM retains UNION ALL SELECT store_id FROM zancudo_exchanges)
  GROUP BY store_id HAVING count(*) > 1;
`;
