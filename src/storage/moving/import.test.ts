import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { openFile } from '../open-file.ts';
import { rememberCookie } from '../sweep.ts';
import type { Entry } from './entry.ts';
import { entryToJson } from './json-entry.ts';
import { headerLine } from './json-source.ts';
import { dryRun, exportStore, importFile, type Imported, MovingError } from './mod.ts';
import { folderFor, mosquittoDb, propertiesToJson } from './shared.test.ts';

const wall = Date.UTC(2026, 0, 1);
const mountPoints = new Map([[8883, 'a/']]);

interface Stage {
  store: string;
  bring: (file: string, replace?: boolean) => Promise<Imported>;
  /** The lines of an export, the header aside. */
  kept: () => Promise<Record<string, unknown>[]>;
  lines: (name: string, entries: readonly object[]) => string;
  file: (name: string, bytes: Buffer) => string;
}

function stage(t: TestContext): Stage {
  const folder = folderFor(t);
  const store = join(folder, 'mosquitto.sqlite3');
  const file = (name: string, bytes: Buffer): string => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  return {
    store,
    file,
    bring: (from, replace = false) => importFile({ file: from, store, replace, propertiesToJson, mountPoints, wall }),
    async kept() {
      let text = '';
      await exportStore(store, wall, part => void (text += part));
      return text.trim().split('\n').slice(1).map(line => JSON.parse(line) as Record<string, unknown>); // prettier-ignore
    },
    lines: (name, entries) =>
      file(name, Buffer.from([headerLine(new Date(wall)), ...entries.map(entry => entryToJson(entry as Entry)), ''].join('\n'))), // prettier-ignore
  };
}

const kinds = (kept: Record<string, unknown>[]): Record<string, number> =>
  Object.fromEntries(
    Object.entries(Object.groupBy(kept, each => String(each['kind']))).map(([k, v]) => [k, v!.length]),
  );

test("Mosquitto's database becomes a store of ours, for its owner alone, and stays as it is", async t => {
  const { store, file, bring, kept } = stage(t);
  const database = file('mosquitto.db', mosquittoDb(6));
  const { what, tally } = await bring(database);
  assert.equal(what, "Mosquitto's database, format 6");
  assert.deepEqual(
    [tally.sessions, tally.subscriptions, tally.retained, tally.waiting, tally.exchanges],
    [1, 1, 1, 2, 1],
  );
  assert.deepEqual(kinds(await kept()), {
    message: 2,
    retained: 1,
    session: 1,
    subscription: 1,
    delivery: 2,
    exchange: 1,
  });
  const [first] = await kept();
  assert.equal(first?.['topic'], 'a/b');
  const subscription = (await kept()).find(each => each['kind'] === 'subscription');
  assert.deepEqual([subscription?.['filter'], subscription?.['mountPoint']], ['#', 'a/'], 'as its listener mounts it');
  const numeric = (await kept()).find(each => each['topic'] === '007');
  assert.equal(numeric?.['text'], 'num', 'a topic that looks like a number');
  assert.equal(statSync(store).mode & 0o777, 0o600);
  assert.deepEqual(readFileSync(database), mosquittoDb(6));
  assert.deepEqual(readdirSync(join(store, '..')).sort(), ['mosquitto.db', 'mosquitto.sqlite3']);
});

test('an export comes back as the same export', async t => {
  const [a, b] = [stage(t), stage(t)];
  await a.bring(a.file('mosquitto.db', mosquittoDb(6)));
  const before = await a.kept();
  await b.bring(b.file('e.json', Buffer.from([headerLine(new Date()), ...before.map(each => JSON.stringify(each))].join('\n')))); // prettier-ignore
  assert.deepEqual(await b.kept(), before);
});

test('what is there stays, and what replaces it replaces all of it', async t => {
  const { file, bring, kept, lines } = stage(t);
  await bring(file('mosquitto.db', mosquittoDb(6)));
  const other = lines('other.json', [
    { kind: 'message', id: 'm', topic: '007', payload: Buffer.from('new'), properties: null },
    { kind: 'retained', message: 'm' },
    { kind: 'session', clientId: 'c1', expiryInterval: 60, will: null },
    { kind: 'subscription', clientId: 'c1', filter: 'other' },
    { kind: 'session', clientId: 'c2', expiryInterval: 60, will: null },
    { kind: 'subscription', clientId: 'c2', filter: 'x' },
  ]);
  const filters = async (): Promise<unknown[]> => (await kept()).filter(each => each['kind'] === 'subscription').map(each => each['filter']); // prettier-ignore
  const { tally } = await bring(other);
  assert.deepEqual([tally.sessions, tally.stayedSessions, tally.stayedTopics], [1, ['c1'], ['007']]);
  assert.deepEqual(await filters(), ['#', 'x']);
  await bring(other, true);
  assert.deepEqual(await filters(), ['other', 'x']);
  assert.deepEqual(kinds(await kept()), { message: 1, retained: 1, session: 2, subscription: 2 });
});

test('a dry run tells names and counts, and touches nothing', async t => {
  const { store, file } = stage(t);
  const listed: string[] = [];
  const request = {
    file: file('mosquitto.db', mosquittoDb(6)),
    store,
    replace: false,
    propertiesToJson,
    mountPoints,
    wall,
  };
  const { tally } = await dryRun(request, line => listed.push(line));
  assert.deepEqual(listed, ['session   c1: 1 subscription, 3 messages waiting', 'retained  007: 3 bytes']);
  assert.equal(tally.sessions, 1);
  assert.ok(!existsSync(store));
  await importFile(request);
  const before = readFileSync(store);
  listed.length = 0;
  assert.equal((await dryRun(request, line => listed.push(line))).tally.stayed, 2);
  assert.deepEqual(listed, []);
  assert.deepEqual(readFileSync(store), before);
});

test('a store in use is not imported into, and an import that fails leaves nothing', async t => {
  const { store, file, bring, lines } = stage(t);
  const bad = lines('bad.json', [{ kind: 'session', clientId: 'c', expiryInterval: 60, will: null }]);
  writeFileSync(bad, readFileSync(bad, 'utf8').replace('"version":1', '"version":2'));
  await assert.rejects(bring(bad), /is an export of version 2/);
  assert.ok(!existsSync(store));
  await bring(file('mosquitto.db', mosquittoDb(6)));
  const { db } = openFile(store, wall);
  await assert.rejects(bring(file('mosquitto.db', mosquittoDb(6))), { code: 'store.in-use' });
  db.close();
});

test('what points to nothing or breaks the rules of MQTT is left out and counted', async t => {
  const { bring, kept, lines } = stage(t);
  const { tally } = await bring(
    lines('odd.json', [
      { kind: 'message', id: 1, topic: 'a/#', payload: Buffer.alloc(0), properties: null },
      { kind: 'retained', message: 9 },
      { kind: 'subscription', clientId: 'nobody', filter: 'x' },
      { kind: 'delivery', clientId: 'nobody', message: 1, state: 0 },
      { kind: 'session', clientId: '', expiryInterval: 60, will: null },
    ]),
  );
  assert.equal(tally.unusable, 5);
  assert.deepEqual(await kept(), []);
});

test("of Mosquitto's SQLite file, topics that SQLite took for numbers come, and wills that were sent long ago do not", async t => {
  const { store, bring, kept } = stage(t);
  const source = join(store, '..', 'theirs.sqlite3');
  const { db } = openFile(source, wall);
  db.exec(`INSERT INTO base_msgs (store_id, topic, payload, payloadlen, qos, retain, expiry_time) VALUES (1, '1.50', 'x', 1, 0, 1, 0);
    INSERT INTO retains VALUES ('1.50', 1);
    INSERT INTO clients VALUES ('away', NULL, 1, 0, 1900000000, 1883, 0, 2, 1, 3600, 0), ('here', NULL, 1, 0, 0, 1883, 0, 2, 1, -1, 0);
    INSERT INTO wills VALUES ('away', 'old', 'w', 3, 0, 0, NULL), ('here', 'due', 'w', 3, 0, 0, NULL)`);
  rememberCookie(db);
  db.close();
  const { tally } = await bring(source);
  assert.deepEqual([tally.sessions, tally.retained, tally.wills], [2, 1, 1]);
  const messages = (await kept()).filter(each => each['kind'] === 'message');
  assert.equal(messages[0]?.['topic'], '1.5', 'what Mosquitto itself would say');
});

test('of a damaged store what can be read is exported, and the rest is told', async t => {
  const { store, bring, lines } = stage(t);
  const many = Array.from({ length: 400 }, (_, i) => [
    { kind: 'message', id: i, topic: `t/${i}`, payload: Buffer.alloc(200, 'x'), properties: null },
    { kind: 'retained', message: i },
  ]);
  await bring(lines('many.json', many.flat()));
  const bytes = readFileSync(store);
  bytes.fill(0xee, 4096 * 10, 4096 * 12);
  writeFileSync(store, bytes);
  let text = '';
  const { remarks } = await exportStore(store, wall, part => void (text += part));
  assert.match(remarks[0] ?? '', /is damaged\. What could be read was kept/);
  assert.ok(text.split('\n').length > 400);
  assert.deepEqual(readFileSync(store), bytes, 'the file itself is left alone');
});

test('a file of another kind, and one of a newer layout, are refused by name', async t => {
  const { file, bring, store } = stage(t);
  await assert.rejects(bring(file('x', Buffer.from('hello'))), MovingError);
  await assert.rejects(bring(file('empty', Buffer.alloc(0))), /is empty/);
  const newer = join(store, '..', 'newer.sqlite3');
  const db = new DatabaseSync(newer);
  db.exec(
    `CREATE TABLE version_info (component, major, minor, patch); INSERT INTO version_info VALUES ('database_schema', 1, 2, 0)`,
  );
  db.close();
  await assert.rejects(bring(newer), /Unknown database_schema version 1\.2\.0/);
});
