/** An open store of our layout as a source of entries: rows in the order in which nothing is met before what it needs. */
import type { DatabaseSync } from 'node:sqlite';
import { qosOf, stateOfRow } from '../columns.ts';
import { withoutMountPoint } from '../rows.ts';
import type { Entry, MessageId, WillEntry } from './entry.ts';

type Row = Record<string, unknown>;

const queries: readonly { sql: string; entry: (row: Row) => Entry | null }[] = [
  {
    sql: `SELECT store_id, expiry_time, CAST(topic AS TEXT) AS topic, payload, CAST(source_id AS TEXT) AS source,
      CAST(source_username AS TEXT) AS username, source_port, qos, retain, CAST(properties AS TEXT) AS properties
      FROM base_msgs ORDER BY store_id`,
    entry: messageEntry,
  },
  {
    sql: 'SELECT store_id FROM retains ORDER BY topic',
    entry: row => ({ kind: 'retained', message: row['store_id'] as MessageId }),
  },
  {
    sql: `SELECT client_id, c.username, c.listener_port AS port, version, session_expiry_interval AS expiry,
        session_expiry_time AS ends, c.will_delay_interval AS delay, c.will_delay_time AS due,
        will_message_expiry, w.payload, CAST(w.topic AS TEXT) AS topic, w.qos, w.retain,
        CAST(w.properties AS TEXT) AS properties
      FROM clients c LEFT JOIN zancudo_sessions z USING (client_id) LEFT JOIN wills w USING (client_id)
      UNION ALL
      SELECT client_id, username, listener_port, version, 0, 0, will_delay_interval, will_due, will_message_expiry,
        payload, CAST(topic AS TEXT), qos, retain, CAST(properties AS TEXT)
      FROM wills LEFT JOIN zancudo_sessions USING (client_id) WHERE client_id NOT IN (SELECT client_id FROM clients)`,
    entry: sessionEntry,
  },
  {
    sql: `SELECT client_id, topic, subscription_options AS options, subscription_identifier AS identifier, mount_point
      FROM subscriptions LEFT JOIN zancudo_mount_points USING (client_id, topic)`,
    entry: subscriptionEntry,
  },
  {
    sql: `SELECT client_id, store_id, dup, direction, mid, qos, retain, state, subscription_identifier AS identifier
      FROM client_msgs m LEFT JOIN zancudo_wiped w USING (client_id)
      WHERE up_to IS NULL OR m.rowid > up_to ORDER BY m.rowid`,
    entry: waitingEntry,
  },
  {
    sql: 'SELECT client_id, packet_id, store_id FROM zancudo_exchanges',
    entry: row => ({
      kind: 'exchange',
      clientId: text(row['client_id']) ?? '',
      message: row['store_id'] as MessageId,
      packetId: number(row['packet_id']),
      deliver: false,
    }),
  },
];

/** The file must have been opened by openFile, which leaves no row that points to nothing. */
export function* storeEntries(db: DatabaseSync): Generator<Entry> {
  for (const { sql, entry } of queries) {
    for (const row of db.prepare(sql).iterate()) {
      const made = entry(row);
      if (made !== null) yield made;
    }
  }
}

function messageEntry(row: Row): Entry {
  const [clientId, username, port] = [text(row['source']) ?? '', text(row['username']), number(row['source_port'])];
  const isOwn = clientId === '' && username === null && port === 0;
  return {
    kind: 'message',
    id: row['store_id'] as MessageId,
    topic: text(row['topic']) ?? '',
    payload: bytes(row['payload']),
    qos: qosOf(row['qos']),
    retain: row['retain'] === 1,
    expiresAt: number(row['expiry_time']),
    publisher: isOwn ? null : { clientId, username, port },
    properties: text(row['properties']),
  };
}

function sessionEntry(row: Row): Entry {
  const version = row['version'];
  return {
    kind: 'session',
    clientId: text(row['client_id']) ?? '',
    username: text(row['username']),
    port: number(row['port']),
    version: version === 3 || version === 4 || version === 5 ? version : null,
    expiryInterval: number(row['expiry']) >>> 0,
    endsAt: number(row['ends']),
    will: willOf(row),
  };
}

/**
 * Mosquitto leaves wills behind that were sent long ago (docs/compat/persist-sqlite.md, 4): a client that is away, and
 * whose will is not waiting for its delay, has none.
 */
function willOf(row: Row): WillEntry | null {
  const topic = text(row['topic']);
  if (topic === null || (number(row['ends']) !== 0 && number(row['due']) === 0)) return null;
  const expiry = row['will_message_expiry'];
  return {
    topic,
    payload: bytes(row['payload']),
    qos: qosOf(row['qos']),
    retain: row['retain'] === 1,
    properties: text(row['properties']),
    delayInterval: number(row['delay']) >>> 0,
    messageExpiryInterval: typeof expiry === 'number' ? expiry : -1,
    dueAt: number(row['due']),
  };
}

function subscriptionEntry(row: Row): Entry {
  const options = number(row['options']);
  const mountPoint = text(row['mount_point']) ?? '';
  return {
    kind: 'subscription',
    clientId: text(row['client_id']) ?? '',
    filter: withoutMountPoint(text(row['topic']) ?? '', mountPoint),
    mountPoint,
    qos: qosOf(options & 3),
    noLocal: (options & 4) !== 0,
    retainAsPublished: (options & 8) !== 0,
    identifier: number(row['identifier']),
  };
}

function waitingEntry(row: Row): Entry {
  const [clientId, message] = [text(row['client_id']) ?? '', row['store_id'] as MessageId];
  const packetId = number(row['mid']);
  if (row['direction'] === 0) return { kind: 'exchange', clientId, message, packetId, deliver: true };
  const qos = qosOf(row['qos']);
  const state = packetId === 0 ? 0 : stateOfRow(qos, number(row['state']));
  return {
    kind: 'delivery',
    clientId,
    message,
    qos,
    retain: row['retain'] === 1,
    packetId: state === 0 ? 0 : packetId,
    state,
    dup: row['dup'] === 1,
    subscriptionIdentifier: number(row['identifier']),
  };
}

function text(cell: unknown): string | null {
  return typeof cell === 'string' ? cell : null;
}

function number(cell: unknown): number {
  return typeof cell === 'number' ? cell : 0;
}

function bytes(cell: unknown): Uint8Array {
  if (cell instanceof Uint8Array) return cell;
  return Buffer.from(typeof cell === 'string' || typeof cell === 'number' ? String(cell) : '');
}
