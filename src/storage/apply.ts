/**
 * BatchApplier writes one batch as one transaction: removals first, then messages, then what points to them. Every
 * insert replaces, so that a batch that has to be tried again cannot stumble over its own first half.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { forStringColumn } from './affinity.ts';
import {
  type Batch,
  type Cell,
  MESSAGE_CELLS,
  ROW_CELLS,
  SESSION_CELLS,
  SUBSCRIPTION_CELLS,
  WILL_CELLS,
} from './protocol.ts';

/** Columns that Mosquitto fills from CONNECT and the listener, and that mean "no limit of its own" like this. */
const NO_PACKET_LIMIT = '0, 2, 1';

export class BatchApplier {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  apply(batch: Batch): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      this.#write(batch);
      this.#db.exec('COMMIT');
    } catch (error) {
      // Some errors have ended the transaction already.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  #write(batch: Batch): void {
    for (const clientId of batch.wipedClients) for (const sql of wipes) this.#run(sql, clientId);
    for (const row of batch.removedRows) this.#run('DELETE FROM client_msgs WHERE rowid = ?', row);
    for (const id of batch.removedMessages) this.#run('DELETE FROM base_msgs WHERE store_id = ?', id);
    for (const topic of batch.removedRetained) this.#run('DELETE FROM retains WHERE topic = ?', forStringColumn(topic));
    this.#each('DELETE FROM zancudo_exchanges WHERE client_id = ? AND packet_id = ?', batch.removedSilentExchanges, 2);
    this.#each('DELETE FROM subscriptions WHERE client_id = ? AND topic = ?', batch.removedSubscriptions, 2);
    this.#each('DELETE FROM zancudo_mount_points WHERE client_id = ? AND topic = ?', batch.removedSubscriptions, 2);
    const end = this.#messages(batch);
    this.#rows(batch);
    this.#each('UPDATE client_msgs SET dup = ?2, mid = ?3, state = ?4 WHERE rowid = ?1', batch.rowUpdates, 4);
    this.#each('INSERT OR REPLACE INTO zancudo_exchanges VALUES (?, ?, ?)', batch.silentExchanges, 3);
    this.#retained(batch);
    this.#subscriptions(batch);
    this.#sessions(batch);
    this.#wills(batch, end);
  }

  /** Returns how many payload bytes the messages took. */
  #messages({ messages: cells, bytes }: Batch): number {
    const insert = this.#statement(
      'INSERT OR REPLACE INTO base_msgs (store_id, expiry_time, topic, payload, source_id, source_username, payloadlen, source_mid, source_port, qos, retain, properties) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)',
    );
    let at = 0;
    for (let i = 0; i < cells.length; i += MESSAGE_CELLS) {
      const length = cells[i + 3] as number;
      const payload = length === 0 ? null : bytes.subarray(at, at + length);
      at += length;
      const topic = string(cells[i + 2]!);
      const source = string(cells[i + 4]!);
      const username = string(cells[i + 5]!);
      const [port, qos, retain, properties] = [cells[i + 6]!, cells[i + 7]!, cells[i + 8]!, cells[i + 9]!];
      insert.run(cells[i]!, cells[i + 1]!, topic, payload, source, username, length, port, qos, retain, properties);
    }
    return at;
  }

  #rows({ rows }: Batch): void {
    this.#each(
      'INSERT OR REPLACE INTO client_msgs (rowid, client_id, cmsg_id, store_id, dup, direction, mid, qos, retain, state, subscription_identifier) VALUES (?1, ?2, ?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)',
      rows,
      ROW_CELLS,
    );
  }

  #retained({ retained }: Batch): void {
    for (let i = 0; i < retained.length; i += 2) {
      const topic = string(retained[i]!);
      this.#run('INSERT OR REPLACE INTO retains (topic, store_id) VALUES (?, ?)', topic, retained[i + 1]!);
    }
  }

  #subscriptions({ subscriptions: cells }: Batch): void {
    for (let i = 0; i < cells.length; i += SUBSCRIPTION_CELLS) {
      const [client, topic, options, identifier, mountPoint] = cells.slice(i, i + SUBSCRIPTION_CELLS);
      this.#run('INSERT OR REPLACE INTO subscriptions VALUES (?, ?, ?, ?)', client!, topic!, options!, identifier!);
      if (mountPoint === '')
        this.#run('DELETE FROM zancudo_mount_points WHERE client_id = ? AND topic = ?', client!, topic!);
      else this.#run('INSERT OR REPLACE INTO zancudo_mount_points VALUES (?, ?, ?)', client!, topic!, mountPoint!);
    }
  }

  /** A session of interval 0 is kept for its will alone: Mosquitto has only the wills row of it. */
  #sessions({ sessions: cells }: Batch): void {
    for (let i = 0; i < cells.length; i += SESSION_CELLS) {
      const row = cells.slice(i, i + SESSION_CELLS);
      const [client, username, port, version, interval, endsAt, delay, due, expiry, now] = row as [string, ...Cell[]];
      this.#run('DELETE FROM wills WHERE client_id = ?', client);
      this.#run(
        'INSERT OR REPLACE INTO zancudo_sessions VALUES (?, ?, ?, ?, ?, ?, ?)',
        client,
        username!,
        port!,
        version!,
        delay!,
        due!,
        expiry!,
      );
      if (interval === 0) this.#run('DELETE FROM clients WHERE client_id = ?', client);
      else
        this.#run(
          `INSERT OR REPLACE INTO clients VALUES (?, ?, ?, ?, ?, ?, ${NO_PACKET_LIMIT}, ?, ?)`,
          ...[client, username!, now!, due!, endsAt!, port!, signed(interval), signed(delay)],
        );
    }
  }

  #wills({ wills: cells, bytes }: Batch, start: number): void {
    let at = start;
    for (let i = 0; i < cells.length; i += WILL_CELLS) {
      const row = cells.slice(i, i + WILL_CELLS);
      const [client, topic, length, qos, retain, properties] = row as [string, string, number, ...Cell[]];
      const payload = length === 0 ? null : bytes.subarray(at, at + length);
      at += length;
      this.#run(
        'INSERT OR REPLACE INTO wills VALUES (?, ?, ?, ?, ?, ?, ?)',
        client,
        payload,
        string(topic),
        length,
        qos!,
        retain!,
        properties!,
      );
    }
  }

  #each(sql: string, cells: readonly Cell[], width: number): void {
    const statement = this.#statement(sql);
    for (let i = 0; i < cells.length; i += width) statement.run(...cells.slice(i, i + width));
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    this.#statement(sql).run(...values);
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }
}

const wipes = [
  'clients',
  'wills',
  'subscriptions',
  'zancudo_sessions',
  'zancudo_mount_points',
  'zancudo_exchanges',
].map(table => `DELETE FROM ${table} WHERE client_id = ?`);

function string(cell: Cell): SQLInputValue {
  return typeof cell === 'string' ? forStringColumn(cell) : cell;
}

/** Mosquitto keeps its unsigned intervals in signed 32 bits: never is -1. */
function signed(seconds: Cell | undefined): number {
  return Number(seconds) | 0;
}
