/**
 * BatchApplier writes one batch as one transaction: removals first, then messages, then what points to them. Every
 * insert replaces, so that a batch that has to be tried again cannot stumble over its own first half.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { forStringColumn } from './affinity.ts';
import { runsOf } from './delete-runs.ts';
import {
  type Batch,
  type Cell,
  MESSAGE_CELLS,
  ROW_CELLS,
  SESSION_CELLS,
  SUBSCRIPTION_CELLS,
  WILL_CELLS,
} from './protocol.ts';
import { MessageUses } from './uses.ts';

/** Columns that Mosquitto fills from CONNECT and the listener, and that mean "no limit of its own" like this. */
const NO_PACKET_LIMIT = '0, 2, 1';

export class BatchApplier {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #uses: MessageUses;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#uses = new MessageUses(db);
  }

  apply(batch: Batch): void {
    this.#transaction(() => this.#write(batch));
  }

  /** Removes up to so many rows that a session which has ended left waiting; false when there are none. */
  purge(rows: number): boolean {
    const [wiped] = this.#statement('SELECT client_id, up_to FROM zancudo_wiped LIMIT 1').all();
    if (wiped === undefined) return false;
    const [clientId, upTo] = [String(wiped['client_id']), Number(wiped['up_to'])];
    this.#transaction(() => {
      const removed = this.#statement(purgeSome).all(clientId, upTo, rows);
      for (const { store_id: id } of removed) this.#uses.count(Number(id), -1);
      if (removed.length < rows) this.#run('DELETE FROM zancudo_wiped WHERE client_id = ?', clientId);
      this.#uses.settle(Infinity);
    });
    return true;
  }

  #transaction(write: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE');
    this.#uses.begin();
    try {
      write();
      this.#db.exec('COMMIT');
    } catch (error) {
      // Some errors have ended the transaction already.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  #write(batch: Batch): void {
    this.#removeRows(batch);
    for (const topic of batch.removedRetained) this.#removeRetained(forStringColumn(topic));
    this.#removeSilentExchanges(batch);
    for (const clientId of batch.wipedClients) for (const sql of wipes) this.#run(sql, clientId);
    this.#each('INSERT OR REPLACE INTO zancudo_wiped VALUES (?, ?)', batch.wipedTails, 2);
    this.#each('DELETE FROM subscriptions WHERE client_id = ? AND topic = ?', batch.removedSubscriptions, 2);
    this.#each('DELETE FROM zancudo_mount_points WHERE client_id = ? AND topic = ?', batch.removedSubscriptions, 2);
    const end = this.#messages(batch);
    this.#rows(batch);
    this.#each('UPDATE client_msgs SET dup = ?2, mid = ?3, state = ?4 WHERE rowid = ?1', batch.rowUpdates, 4);
    this.#silentExchanges(batch);
    this.#retained(batch);
    this.#subscriptions(batch);
    this.#sessions(batch);
    this.#wills(batch, end);
    this.#uses.settle(firstMessage(batch));
  }

  /** A row that a damaged page has taken along is not counted twice: then its neighbours are removed one by one. */
  #removeRows({ removedRows }: Batch): void {
    const rows = removedRows.filter((_, at) => at % 2 === 0);
    const ids = removedRows.filter((_, at) => at % 2 === 1);
    let at = 0;
    for (const [first, last] of runsOf(rows)) {
      const count = last - first + 1;
      this.#removeRun(first, last, ids.slice(at, at + count));
      at += count;
    }
  }

  #removeRun(first: number, last: number, ids: readonly number[]): void {
    const present = this.#statement('SELECT count(*) AS n FROM client_msgs WHERE rowid BETWEEN ? AND ?');
    if (ids.length === 1 || present.get(first, last)!['n'] === ids.length) {
      const { changes } = this.#statement('DELETE FROM client_msgs WHERE rowid BETWEEN ? AND ?').run(first, last);
      if (changes !== 0) for (const id of ids) this.#uses.count(id, -1);
    } else for (const [n, id] of ids.entries()) this.#removeRun(first + n, first + n, [id]);
  }

  #removeRetained(topic: SQLInputValue): void {
    const before = this.#statement('DELETE FROM retains WHERE topic = ? RETURNING store_id').get(topic);
    if (before !== undefined) this.#uses.count(Number(before['store_id']), -1);
  }

  #removeSilentExchanges({ removedSilentExchanges: cells }: Batch): void {
    for (let i = 0; i < cells.length; i += 2) this.#removeSilentExchange(cells[i]!, cells[i + 1]!);
  }

  #removeSilentExchange(clientId: Cell, packetId: Cell): void {
    const remove = 'DELETE FROM zancudo_exchanges WHERE client_id = ? AND packet_id = ? RETURNING store_id';
    const before = this.#statement(remove).get(clientId, packetId);
    if (before !== undefined) this.#uses.count(Number(before['store_id']), -1);
  }

  #silentExchanges({ silentExchanges: cells }: Batch): void {
    for (let i = 0; i < cells.length; i += 3) {
      const [clientId, packetId, id] = [cells[i]!, cells[i + 1]!, cells[i + 2] as number];
      this.#removeSilentExchange(clientId, packetId);
      this.#run('INSERT INTO zancudo_exchanges VALUES (?, ?, ?)', clientId, packetId, id);
      this.#uses.count(id, 1);
    }
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
    const insert = this.#statement(
      'INSERT OR REPLACE INTO client_msgs (rowid, client_id, cmsg_id, store_id, dup, direction, mid, qos, retain, state, subscription_identifier) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    );
    for (let i = 0; i < rows.length; i += ROW_CELLS) {
      insert.run(...rows.slice(i, i + ROW_CELLS));
      this.#uses.count(rows[i + 3] as number, 1);
    }
  }

  #retained({ retained }: Batch): void {
    for (let i = 0; i < retained.length; i += 2) {
      const [topic, id] = [string(retained[i]!), retained[i + 1] as number];
      this.#removeRetained(topic);
      this.#run('INSERT INTO retains (topic, store_id) VALUES (?, ?)', topic, id);
      this.#uses.count(id, 1);
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

const purgeSome = `DELETE FROM client_msgs WHERE rowid IN
  (SELECT rowid FROM client_msgs WHERE client_id = ? AND state = 11 AND rowid <= ? LIMIT ?) RETURNING store_id`;

/** Identifiers rise: what has this one or a higher is new in the file. */
function firstMessage({ messages }: Batch): number {
  let first = Infinity;
  for (let i = 0; i < messages.length; i += MESSAGE_CELLS) first = Math.min(first, messages[i] as number);
  return first;
}

function string(cell: Cell): SQLInputValue {
  return typeof cell === 'string' ? forStringColumn(cell) : cell;
}

/** Mosquitto keeps its unsigned intervals in signed 32 bits: never is -1. */
function signed(seconds: Cell | undefined): number {
  return Number(seconds) | 0;
}
