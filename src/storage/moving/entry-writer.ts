/**
 * EntryWriter puts entries into an open store, inside a transaction of whoever asks. What is there already stays: a
 * session of the same client, a retained message on the same topic; unless the new ones are to replace them.
 *
 * Messages get numbers of this store. Which number stands for which of the source is kept in a temporary table, which
 * SQLite moves out of memory when it grows: a million messages cost no more memory than ten.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { forStringColumn } from '../affinity.ts';
import { deliveryState, exchangeState, placeholderPacketId, subscriptionOptions } from '../columns.ts';
import { idsMax } from '../read-state.ts';
import { fullFilter, withoutMountPoint } from '../rows.ts';
import {
  type DeliveryEntry,
  type Entry,
  type ExchangeEntry,
  type MessageEntry,
  type MessageId,
  neverExpires,
  type RetainedEntry,
  type SessionEntry,
  type SubscriptionEntry,
  type WillEntry,
} from './entry.ts';

export interface WriterOptions {
  /** Replace what is there already. */
  replace: boolean;
  /** A subscription or message of a session that never came makes one that never ends. */
  makesUpSessions: boolean;
  /** Mount points of listeners by port, for filters that have them inside; empty when they say so themselves. */
  mountPoints: ReadonlyMap<number, string>;
  /** Unix second. */
  now: number;
}

/** What came of it. */
export class Tally {
  sessions = 0;
  subscriptions = 0;
  retained = 0;
  waiting = 0;
  /** QoS 2 messages from clients, between PUBREC and PUBREL. */
  exchanges = 0;
  wills = 0;
  /** Sessions and retained topics that are there already and stayed; the first few by name. */
  readonly stayedSessions: string[] = [];
  readonly stayedTopics: string[] = [];
  stayed = 0;
  /** Entries that point to nothing or break a rule of MQTT. */
  unusable = 0;
}

const NAMES_KEPT = 5;

const temporaryTables = `
CREATE TEMP TABLE came_messages (old PRIMARY KEY, new INTEGER) WITHOUT ROWID;
CREATE TEMP TABLE came_sessions (client_id TEXT PRIMARY KEY, taken INTEGER) WITHOUT ROWID;
`;

const wipes = ['clients', 'wills', 'subscriptions', 'client_msgs', 'zancudo_sessions', 'zancudo_mount_points', 'zancudo_exchanges']; // prettier-ignore

export class EntryWriter {
  readonly tally = new Tally();
  readonly #db: DatabaseSync;
  readonly #options: WriterOptions;
  readonly #statements = new Map<string, StatementSync>();
  #nextMessage: number;
  #nextRow: number;
  /** The session that was asked for last: what belongs to one comes in one piece. */
  #last: { clientId: string; taken: boolean } | null = null;

  constructor(db: DatabaseSync, options: WriterOptions) {
    this.#db = db;
    this.#options = options;
    db.exec(temporaryTables);
    this.#nextMessage = 1 + this.#number(`SELECT max(store_id) AS n FROM base_msgs WHERE store_id <= ${idsMax}`);
    // Rows up to up_to are those of sessions that have ended.
    this.#nextRow =
      1 +
      this.#number(`SELECT max(n) AS n FROM
      (SELECT max(rowid) AS n FROM client_msgs WHERE rowid <= ${idsMax} UNION ALL SELECT max(up_to) FROM zancudo_wiped)`);
  }

  add(entry: Entry): void {
    if (!this.#write(entry)) this.tally.unusable++;
  }

  /** Messages that nothing points to, those of sessions and topics that stayed as they were, are left to a sweep. */
  finish(): void {
    this.#db.exec('DROP TABLE came_messages; DROP TABLE came_sessions');
  }

  #write(entry: Entry): boolean {
    switch (entry.kind) {
      case 'message':
        return this.#message(entry);
      case 'retained':
        return this.#retained(entry);
      case 'session':
        return this.#session(entry);
      case 'subscription':
        return this.#subscription(entry);
      case 'delivery':
        return this.#delivery(entry);
      case 'exchange':
        return this.#exchange(entry);
    }
  }

  #message({ id, topic, payload, qos, retain, expiresAt, publisher, properties }: MessageEntry): boolean {
    if (!isTopicName(topic)) return false;
    const number = this.#nextMessage;
    const { changes } = this.#run('INSERT OR IGNORE INTO came_messages VALUES (?, ?)', id, number);
    if (Number(changes) === 0) return false;
    this.#nextMessage++;
    const source = publisher === null ? '' : forStringColumn(publisher.clientId);
    const username = typeof publisher?.username === 'string' ? forStringColumn(publisher.username) : null;
    const [bytes, length] = [payload.length === 0 ? null : payload, payload.length];
    this.#run(
      'INSERT INTO base_msgs (store_id, expiry_time, topic, payload, source_id, source_username, payloadlen, source_mid, source_port, qos, retain, properties) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)',
      ...[number, expiresAt, forStringColumn(topic), bytes, source, username, length],
      ...[publisher?.port ?? 0, qos, Number(retain), properties],
    );
    return true;
  }

  #retained({ message }: RetainedEntry): boolean {
    const number = this.#messageNumber(message);
    if (number === null) return false;
    const topic = String(this.#get('SELECT CAST(topic AS TEXT) AS t FROM base_msgs WHERE store_id = ?', number)?.['t']);
    // What the broker says of itself is said anew.
    if (topic.startsWith('$SYS/')) return true;
    const column = forStringColumn(topic);
    if (!this.#options.replace && this.#get('SELECT 1 FROM retains WHERE topic = ?', column) !== undefined) {
      this.#stayed(this.tally.stayedTopics, topic);
      return true;
    }
    this.#run('INSERT OR REPLACE INTO retains (topic, store_id) VALUES (?, ?)', column, number);
    this.tally.retained++;
    return true;
  }

  #session(session: SessionEntry): boolean {
    const { clientId } = session;
    if (clientId === '' || this.#status(clientId) !== undefined) return false;
    const isThere =
      this.#get('SELECT 1 FROM clients WHERE client_id = ?1 UNION SELECT 1 FROM wills WHERE client_id = ?1', clientId) !== undefined; // prettier-ignore
    if (isThere && !this.#options.replace) {
      this.#remember(clientId, false);
      this.#stayed(this.tally.stayedSessions, clientId);
      return true;
    }
    // A session that was to end with its connection has ended; only its will may be left.
    const lasts = session.expiryInterval > 0;
    this.#remember(clientId, lasts);
    if (isThere) for (const table of wipes) this.#run(`DELETE FROM ${table} WHERE client_id = ?`, clientId);
    if (lasts || session.will !== null) this.#insertSession(session, lasts);
    return true;
  }

  #insertSession(session: SessionEntry, lasts: boolean): void {
    const { clientId, username, port, version, expiryInterval, endsAt, will } = session;
    const [delay, due, willExpiry] = [will?.delayInterval ?? 0, will?.dueAt ?? 0, will?.messageExpiryInterval ?? -1];
    this.#run('INSERT OR REPLACE INTO zancudo_sessions VALUES (?, ?, ?, ?, ?, ?, ?)', clientId, username, port, version, delay, due, willExpiry); // prettier-ignore
    if (lasts) {
      this.tally.sessions++;
      this.#run(
        'INSERT INTO clients VALUES (?, ?, ?, ?, ?, ?, 0, 2, 1, ?, ?)',
        ...[clientId, username, this.#options.now, due, endsAt, port, expiryInterval | 0, delay | 0],
      );
    }
    if (will !== null && isTopicName(will.topic)) this.#will(clientId, will);
  }

  #will(clientId: string, { topic, payload, qos, retain, properties }: WillEntry): void {
    const bytes = payload.length === 0 ? null : payload;
    this.#run('INSERT OR REPLACE INTO wills VALUES (?, ?, ?, ?, ?, ?, ?)', clientId, bytes, forStringColumn(topic), payload.length, qos, Number(retain), properties); // prettier-ignore
    this.tally.wills++;
  }

  #subscription(subscription: SubscriptionEntry): boolean {
    const { clientId, filter, identifier } = subscription;
    if (filter === '') return false;
    const taken = this.#isTaken(clientId);
    if (taken !== true) return taken === false;
    const full = fullFilter(filter, subscription.mountPoint);
    const mountPoint = subscription.mountPoint || this.#mountPointIn(full, clientId);
    const { changes } = this.#run('INSERT OR IGNORE INTO subscriptions VALUES (?, ?, ?, ?)', clientId, full, subscriptionOptions(subscription), identifier); // prettier-ignore
    if (Number(changes) === 0) return false;
    if (mountPoint !== '')
      this.#run('INSERT OR REPLACE INTO zancudo_mount_points VALUES (?, ?, ?)', clientId, full, mountPoint);
    this.tally.subscriptions++;
    return true;
  }

  /** What the listener of the client had put in front, if anything. */
  #mountPointIn(full: string, clientId: string): string {
    if (this.#options.mountPoints.size === 0) return '';
    const port = this.#get('SELECT listener_port AS n FROM clients WHERE client_id = ?', clientId)?.['n'];
    const mountPoint = this.#options.mountPoints.get(Number(port)) ?? '';
    return withoutMountPoint(full, mountPoint) === full ? '' : mountPoint;
  }

  #delivery(entry: DeliveryEntry): boolean {
    const { clientId, message, qos, retain, packetId, dup, subscriptionIdentifier } = entry;
    const taken = this.#isTaken(clientId);
    if (taken !== true) return taken === false;
    const number = this.#messageNumber(message);
    if (number === null) return false;
    const row = this.#nextRow++;
    const mid = packetId === 0 ? placeholderPacketId(row) : packetId;
    const state = deliveryState(entry);
    this.#insertRow([row, clientId, row, number, Number(dup), 1, mid, qos, Number(retain), state, subscriptionIdentifier]); // prettier-ignore
    this.tally.waiting++;
    return true;
  }

  #exchange({ clientId, message, packetId, deliver }: ExchangeEntry): boolean {
    const taken = this.#isTaken(clientId);
    if (taken !== true) return taken === false;
    const number = this.#messageNumber(message);
    if (number === null || packetId === 0) return false;
    if (deliver) {
      const row = this.#nextRow++;
      this.#insertRow([row, clientId, row, number, 0, 0, packetId, 2, 0, exchangeState, 0]);
    } else this.#run('INSERT OR REPLACE INTO zancudo_exchanges VALUES (?, ?, ?)', clientId, packetId, number);
    this.tally.exchanges++;
    return true;
  }

  #insertRow(values: SQLInputValue[]): void {
    this.#run(
      'INSERT INTO client_msgs (rowid, client_id, cmsg_id, store_id, dup, direction, mid, qos, retain, state, subscription_identifier) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      ...values,
    );
  }

  #messageNumber(id: MessageId): number | null {
    return (this.#get('SELECT new FROM came_messages WHERE old = ?', id)?.['new'] as number | undefined) ?? null;
  }

  /** Whether what belongs to the session is to come; undefined when the source does not know it. */
  #isTaken(clientId: string): boolean | undefined {
    const status = this.#status(clientId);
    if (status !== undefined || !this.#options.makesUpSessions || clientId === '') return status;
    const rest = { username: null, port: 0, version: null, endsAt: 0, will: null };
    this.#session({ kind: 'session', clientId, expiryInterval: neverExpires, ...rest });
    return this.#status(clientId);
  }

  #status(clientId: string): boolean | undefined {
    if (this.#last?.clientId === clientId) return this.#last.taken;
    const row = this.#get('SELECT taken FROM came_sessions WHERE client_id = ?', clientId);
    if (row === undefined) return undefined;
    this.#last = { clientId, taken: row['taken'] === 1 };
    return this.#last.taken;
  }

  #remember(clientId: string, taken: boolean): void {
    this.#last = { clientId, taken };
    this.#run('INSERT INTO came_sessions VALUES (?, ?)', clientId, Number(taken));
  }

  #stayed(names: string[], name: string): void {
    this.tally.stayed++;
    if (names.length < NAMES_KEPT) names.push(name);
  }

  #number(sql: string): number {
    return Number(this.#get(sql)?.['n'] ?? 0);
  }

  #run(sql: string, ...values: SQLInputValue[]): ReturnType<StatementSync['run']> {
    return this.#statement(sql).run(...values);
  }

  #get(sql: string, ...values: SQLInputValue[]): ReturnType<StatementSync['get']> {
    return this.#statement(sql).get(...values);
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }
}

function isTopicName(topic: string): boolean {
  return topic !== '' && !/[+#\0]/.test(topic);
}
