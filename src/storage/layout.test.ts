/** The file as others see it: Mosquitto's layout, made by either broker, and read with another SQLite. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import test from 'node:test';
import { type Stage, settled, staged, wholeTail } from './durable.contract.ts';
import { sampleDelivery, sampleMessage, sampleSession, sampleSubscription } from './store.contract.ts';

const python = '/usr/bin/python3';
const needsPython = { skip: existsSync(python) ? false : 'missing here: python3' };

/** Rows of the file as lists, read by Python's sqlite3. */
function readByPython(file: string, sql: string): unknown {
  const script =
    'import json,sqlite3,sys\nprint(json.dumps(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchall()))';
  return JSON.parse(execFileSync(python, ['-c', script, file, sql], { encoding: 'utf8' }));
}

test(
  "another program reads the file in Mosquitto's layout (docs/compat/persist-sqlite.md, 3)",
  needsPython,
  staged(async stage => {
    const { store } = await stage.open();
    const message = sampleMessage({ expiresAt: 1_900_000_000, retain: true, qos: 2 });
    store.putSession(sampleSession('a', { expiryInterval: 0xffffffff }));
    store.putSubscription(
      'a',
      sampleSubscription('$share/g/x', { mountPoint: 'm/', qos: 2, noLocal: true, identifier: 4 }),
    );
    store.putDelivery(
      'a',
      sampleDelivery(message, { qos: 2, packetId: 9, state: 2, dup: true, subscriptionIdentifier: 4 }),
    );
    store.putDelivery('a', sampleDelivery(message));
    store.putExchange('a', 5, message, true);
    store.putRetained(message);
    await stage.close();
    const read = (sql: string): unknown => readByPython(stage.file, sql);
    const columns = 'expiry_time, topic, CAST(payload AS TEXT), source_id, source_username, payloadlen, source_mid';
    assert.deepEqual(read(`SELECT ${columns}, source_port, qos, retain, properties FROM base_msgs`), [
      [1_900_000_000, 'sport/tennis', '15:30', 'umpire', null, 5, 0, 1883, 2, 1, null],
    ]);
    assert.deepEqual(read('SELECT r.topic FROM retains r JOIN base_msgs b USING (store_id)'), [['sport/tennis']]);
    assert.deepEqual(read('SELECT * FROM clients'), [['a', 'alice', 1_800_000_000, 0, 0, 1883, 0, 2, 1, -1, 0]]);
    assert.deepEqual(read('SELECT * FROM subscriptions'), [['a', '$share/g/m/x', 6, 4]]);
    const rows = 'SELECT client_id, dup, direction, qos, retain, state, subscription_identifier FROM client_msgs';
    assert.deepEqual(read(`${rows} ORDER BY rowid`), [
      ['a', 1, 1, 2, 0, 9, 4],
      ['a', 0, 1, 1, 0, 11, 0],
      ['a', 0, 0, 2, 1, 7, 0],
    ]);
    assert.deepEqual(read('SELECT count(*) FROM client_msgs WHERE mid = 0'), [[0]]);
    assert.deepEqual(read('SELECT * FROM version_info'), [['database_schema', 1, 1, 0]]);
    assert.deepEqual(read('PRAGMA journal_mode'), [['wal']]);
  }),
);

/** A file as Mosquitto 2.1 leaves it. */
function mosquittoFile(stage: Stage, rows: string): void {
  const db = new DatabaseSync(stage.file);
  db.exec(`
    CREATE TABLE base_msgs (store_id INT64 PRIMARY KEY, expiry_time INT64, topic STRING NOT NULL, payload BLOB, source_id STRING, source_username STRING, payloadlen INTEGER, source_mid INTEGER, source_port INTEGER, qos INTEGER, retain INTEGER, properties STRING);
    CREATE TABLE retains (topic STRING PRIMARY KEY, store_id INT64);
    CREATE TABLE clients (client_id TEXT PRIMARY KEY, username TEXT, connection_time INT64, will_delay_time INT64, session_expiry_time INT64, listener_port INT, max_packet_size INT, max_qos INT, retain_available INT, session_expiry_interval INT, will_delay_interval INT);
    CREATE TABLE subscriptions (client_id TEXT NOT NULL, topic TEXT NOT NULL, subscription_options INTEGER, subscription_identifier INTEGER, PRIMARY KEY (client_id, topic));
    CREATE TABLE client_msgs (client_id TEXT NOT NULL, cmsg_id INT64, store_id INT64, dup INTEGER, direction INTEGER, mid INTEGER, qos INTEGER, retain INTEGER, state INTEGER, subscription_identifier INTEGER);
    CREATE TABLE version_info (component TEXT NOT NULL, major INTEGER NOT NULL, minor INTEGER NOT NULL, patch INTEGER NOT NULL);
    CREATE INDEX client_msgs_client_id ON client_msgs (client_id);
    CREATE INDEX client_msgs_store_id ON client_msgs (store_id, client_id);
    INSERT INTO version_info VALUES ('database_schema', 1, 0, 0);
    ${rows}`);
  db.close();
}

const aClient = `INSERT INTO clients VALUES ('a', NULL, 1700000000, 0, 0, 1883, 0, 2, 1, -1, 0);`;
const message = (id: string, topic: string): string =>
  `INSERT INTO base_msgs VALUES (${id}, 0, ${topic}, 'text', 'pub', NULL, 4, 1, 1883, 1, 0, NULL);`;

test(
  "Mosquitto's file is taken over: numbers for topics, identifiers beyond 2^53, orphans, states of other rows",
  staged(async stage => {
    const big = String(2n ** 60n);
    mosquittoFile(
      stage,
      `${aClient} ${message('5', "'007'")} ${message(big, "'t/big'")} ${message('6', "'t/orphan'")}
      INSERT INTO retains VALUES ('007', 5), ('gone', 99);
      INSERT INTO subscriptions VALUES ('a', 't/#', 14, 3), ('nobody', 't', 0, 0);
      INSERT INTO client_msgs VALUES ('a', 1, ${big}, 0, 1, 4, 1, 0, 5, 0), ('a', 2, 5, 0, 1, 5, 2, 0, 9, 0),
        ('a', 3, 5, 0, 1, 6, 2, 0, 11, 0), ('a', 4, 5, 0, 0, 8, 2, 0, 7, 0), ('nobody', 1, 5, 0, 1, 1, 1, 0, 3, 0);`,
    );
    const { store, state, remarks } = await stage.open();
    assert.match(
      remarks.join('\n'),
      /another broker.*\n.*1 retained topics.*\n.*1 waiting messages.*\n.*1 subscriptions/,
    );
    assert.deepEqual(
      state.retained.map(({ topicName }) => topicName),
      ['7'],
    );
    const [session] = state.sessions;
    assert.deepEqual(
      [...session!.deliveries, ...(await wholeTail(store, 'a'))].map(
        ({ message: { topicName, payload }, packetId, state: sent }) => [topicName, String(payload), packetId, sent],
      ),
      [
        ['t/big', 'text', 4, 1],
        ['7', 'text', 5, 2],
        ['7', 'text', 0, 0],
      ],
    );
    assert.deepEqual(
      session!.exchanges.map(({ packetId, deliver }) => [packetId, deliver]),
      [[8, true]],
    );
    assert.deepEqual(session!.subscriptions, [
      sampleSubscription('t/#', { qos: 2, noLocal: true, retainAsPublished: true, identifier: 3 }),
    ]);
    store.removeSession('a');
    store.forgetUnadopted();
    await stage.close();
    assert.equal(stage.count('base_msgs') + stage.count('client_msgs') + stage.count('retains'), 0);
    assert.deepEqual(stage.query('SELECT major, minor FROM version_info'), [{ major: 1, minor: 1 }]);
  }),
);

test(
  'a session end that Mosquitto did not take back when its client returned is not believed; one of ours is',
  staged(async stage => {
    const past = Math.floor(stage.wall / 1000) - 10;
    mosquittoFile(stage, `INSERT INTO clients VALUES ('a', NULL, 1700000000, 0, ${past}, 1883, 0, 2, 1, 600, 0);`);
    const theirs = await stage.open();
    assert.equal(theirs.state.sessions[0]!.endsAt, 0);
    theirs.store.putSession(sampleSession('a', { endsAt: past }));
    const ours = await stage.reopen();
    assert.equal(ours.state.sessions[0]!.endsAt, past);
  }),
);

test(
  "a file of a newer layout is refused with Mosquitto's line and left as it was",
  staged(async stage => {
    mosquittoFile(stage, `UPDATE version_info SET minor = 2;`);
    const refused = { code: 'store.newer-schema', exitCode: 3, message: /Unknown database_schema version 1\.2\.0/ };
    await assert.rejects(() => stage.open(), refused);
    assert.deepEqual(stage.query('SELECT minor FROM version_info'), [{ minor: 2 }]);
    assert.equal(stage.query(`SELECT count(*) AS n FROM sqlite_master WHERE name LIKE 'zancudo%'`)[0]!['n'], 0);
  }),
);

test(
  'identifiers of messages go on rising over restarts, as do row numbers',
  staged(async stage => {
    const ids: number[] = [];
    for (let round = 0; round < 3; round++) {
      const { store, state } = await stage.reopen();
      for (const given of state.retained) store.adopt(given, given);
      store.forgetUnadopted();
      store.putRetained(sampleMessage({ topicName: `t/${round}` }));
      await settled(store);
      await stage.close();
      ids.push(...stage.query('SELECT max(store_id) AS id FROM base_msgs').map(({ id }) => Number(id)));
    }
    assert.deepEqual(
      ids,
      [...new Set(ids)].sort((a, b) => a - b),
    );
  }),
);
