/** A damaged file costs at most what was damaged, and never the start. */
import assert from 'node:assert/strict';
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import test from 'node:test';
import type { DurableStore } from './durable.ts';
import { type Stage, settled, staged, wholeState, wholeTail } from './durable.contract.ts';
import { sampleDelivery, sampleMessage, sampleSession } from './store.contract.ts';

const MESSAGES = 400;

/** A closed file with a session for which so many messages wait. */
async function fill(stage: Stage, payloadBytes = 100): Promise<void> {
  const { store } = await stage.open();
  store.putSession(sampleSession('a'));
  for (let n = 0; n < MESSAGES; n++) {
    store.putDelivery(
      'a',
      sampleDelivery(sampleMessage({ payload: Buffer.alloc(payloadBytes, n & 0xff), topicName: `t/${n}` })),
    );
  }
  store.putRetained(sampleMessage({ topicName: 'r' }));
  await stage.close();
}

function overwrite(file: string, at: number, bytes: Buffer): void {
  const fd = openSync(file, 'r+');
  writeSync(fd, bytes, 0, bytes.length, at);
  closeSync(fd);
}

const setAside = (stage: Stage): string[] => readdirSync(stage.directory).filter(name => name.includes('.damaged-'));

/** Page numbers of the leaves of a table, by SQLite's own account. */
function leafPages(file: string, table: string): number[] {
  const { root } = { root: pageOf(file, table) };
  const bytes = readFileSync(file);
  const page = (n: number): Buffer => bytes.subarray((n - 1) * 4096, n * 4096);
  const start = page(root);
  if (start[0] === 0x0d) return [root];
  const cells = start.readUInt16BE(3);
  return Array.from({ length: cells }, (_, i) => start.readUInt32BE(start.readUInt16BE(12 + 2 * i)));
}

function pageOf(file: string, table: string): number {
  const db = new DatabaseSync(file);
  const row = db.prepare('SELECT rootpage FROM sqlite_master WHERE name = ?').get(table);
  db.close();
  return Number(row!['rootpage']);
}

test(
  'pages lost in the middle cost the messages on them: the rest is kept, in order, and the operator is told',
  staged(async stage => {
    await fill(stage);
    const leaves = leafPages(stage.file, 'base_msgs');
    for (const page of [leaves[2]!, leaves[3]!, leaves[6]!])
      overwrite(stage.file, (page - 1) * 4096, Buffer.alloc(4096, 0xff));
    const opened = await stage.open();
    const { state, remarks } = opened;
    const told = remarks.join('\n');
    assert.match(
      told,
      /is damaged\. What could be read was kept; the damaged file was set aside as .*\.damaged-20270115T080000Z/,
    );
    assert.match(told, /base_msgs: \d+ of \d+ rows kept/);
    const numbers = (await wholeTail(opened.store, 'a')).map(({ message }) => Number(message.topicName.slice(2)));
    assert.deepEqual(
      numbers,
      [...numbers].sort((a, b) => a - b),
    );
    assert.ok(numbers.length > MESSAGES / 2 && numbers.length < MESSAGES, `${numbers.length} kept`);
    assert.equal(numbers.includes(0) && numbers.includes(MESSAGES - 1), true);
    assert.equal(state.retained.length, 1);
    assert.equal(setAside(stage).length, 1);
    const again = await stage.reopen();
    assert.deepEqual(again.remarks, []);
    assert.deepEqual(again.state, state);
  }),
);

test(
  'a file that is no database is set aside, and a new one begun',
  staged(async stage => {
    writeFileSync(stage.file, 'mosquitto db, but not this kind\n'.repeat(300));
    const { store, state, remarks } = await stage.open();
    assert.match(remarks.join('\n'), /no database at all/);
    assert.deepEqual(state, { sessions: [], retained: [] });
    store.putSession(sampleSession('a'));
    const again = await stage.reopen();
    assert.equal(again.state.sessions.length, 1);
    const [name] = setAside(stage);
    assert.match(readFileSync(`${stage.directory}/${name}`, 'utf8'), /^mosquitto db, but not/);
  }),
);

test(
  'a file whose tables are not what they are called is set aside; what fits is kept',
  staged(async stage => {
    const db = new DatabaseSync(stage.file);
    db.exec(`CREATE TABLE clients (client_id TEXT PRIMARY KEY, username TEXT); CREATE TABLE client_msgs (x)`);
    db.exec(`INSERT INTO clients VALUES ('a', 'alice')`);
    db.close();
    const { state } = await stage.open();
    assert.deepEqual(
      state.sessions.map(({ clientId, username }) => [clientId, username]),
      [['a', 'alice']],
    );
    assert.equal(setAside(stage).length, 1);
  }),
);

test(
  'an empty file is a new one',
  staged(async stage => {
    writeFileSync(stage.file, '');
    const { remarks } = await stage.open();
    assert.deepEqual([remarks, setAside(stage)], [[], []]);
  }),
);

test(
  'a file cut short anywhere never keeps the store from opening, and what is not cut off is kept',
  staged(async stage => {
    await fill(stage);
    const whole = readFileSync(stage.file);
    for (let part = 0; part < 8; part++) {
      writeFileSync(stage.file, whole);
      truncateSync(stage.file, Math.floor((whole.length * part) / 8) + part * 37);
      const opened = await stage.open();
      const { store } = opened;
      for (const { deliveries } of (await wholeState(opened)).sessions)
        assert.equal(new Set(deliveries.map(d => d.message.topicName)).size, deliveries.length);
      store.putSession(sampleSession('after'));
      const again = await stage.reopen();
      assert.equal(
        again.state.sessions.some(({ clientId }) => clientId === 'after'),
        true,
      );
      await stage.close();
    }
  }),
);

test(
  'bytes flipped anywhere never keep the store from opening, nor from storing afterwards',
  staged(async stage => {
    await fill(stage);
    const whole = readFileSync(stage.file);
    for (let n = 1; n <= 16; n++) {
      const damaged = Buffer.from(whole);
      // A walk over the file that visits headers, trees and cells alike, the same in every run.
      for (let flip = 0; flip < 8; flip++) {
        const at = (n * 2_654_435_761 + flip * 40_503 * n) % whole.length;
        damaged[at] = damaged[at]! ^ (1 << (flip & 7));
      }
      writeFileSync(stage.file, damaged);
      const { store } = await stage.open();
      store.putSession(sampleSession('after'));
      const again = await stage.reopen();
      assert.equal(
        again.state.sessions.some(({ clientId }) => clientId === 'after'),
        true,
        `round ${n}`,
      );
      again.store.forgetUnadopted();
      await stage.close();
    }
  }),
);

test(
  'a repair that was cut short between its two renames is completed, even if an empty file was made meanwhile',
  staged(async stage => {
    await fill(stage);
    renameSync(stage.file, `${stage.file}-repaired`);
    writeFileSync(stage.file, '');
    const { state } = await stage.open();
    assert.equal(state.sessions[0]!.waiting.messages, MESSAGES);
  }),
);

test(
  'a repair that was cut short before is begun again',
  staged(async stage => {
    await fill(stage);
    writeFileSync(`${stage.file}-repaired`, 'half of it');
    const { state } = await stage.open();
    assert.equal(state.sessions[0]!.waiting.messages, MESSAGES);
    assert.deepEqual(
      readdirSync(stage.directory).filter(name => name.endsWith('-repaired')),
      [],
    );
  }),
);

/** An open store whose first messages are damaged now: more than SQLite keeps in memory, so that it reads them again. */
async function openThenDamage(stage: Stage): Promise<DurableStore> {
  await fill(stage, 20_000);
  const leaves = leafPages(stage.file, 'base_msgs');
  const { store } = await stage.open();
  for (const page of leaves.slice(0, 5)) overwrite(stage.file, (page - 1) * 4096, Buffer.alloc(4096, 0xff));
  return store;
}

const toldOfRepair = /is damaged[^]*base_msgs: .*rows kept[^]*the repaired file is in use/;

test(
  'damage that shows only while a queue is read is repaired on the way, and what was not damaged is given',
  staged(async stage => {
    const store = await openThenDamage(stage);
    const deliveries = await wholeTail(store, 'a');
    assert.match(stage.said.join('\n'), toldOfRepair);
    const numbers = deliveries.map(({ message }) => Number(message.topicName.slice(2)));
    assert.ok(numbers.length > MESSAGES / 2 && numbers.length < MESSAGES, `${numbers.length} kept`);
    assert.equal(numbers.at(-1), MESSAGES - 1);
  }),
);

test(
  'damage that shows only while writing is repaired on the way, and the change is stored',
  staged(async stage => {
    const store = await openThenDamage(stage);
    store.removeSession('a');
    store.putSession(sampleSession('b'));
    const again = await stage.reopen();
    assert.match(stage.said.join('\n'), toldOfRepair);
    assert.deepEqual(
      again.state.sessions.map(({ clientId, waiting }) => [clientId, waiting.messages]),
      [['b', 0]],
    );
    await stage.close();
    assert.deepEqual([stage.count('client_msgs'), stage.count('base_msgs')], [0, 1]);
  }),
);

test(
  'what is in the write-ahead log only comes back, up to where it is damaged',
  staged(async stage => {
    const { store } = await stage.open();
    for (const name of ['first', 'second', 'third']) {
      store.putSession(sampleSession(name));
      await settled(store);
    }
    // A copy of both files, as after a power cut; the last transaction loses its tail.
    const [main, log] = [readFileSync(stage.file), readFileSync(`${stage.file}-wal`)];
    await stage.close();
    writeFileSync(stage.file, main);
    writeFileSync(`${stage.file}-wal`, log);
    const { size } = statSync(`${stage.file}-wal`);
    truncateSync(`${stage.file}-wal`, size - 100);
    const { state } = await stage.open();
    const names = state.sessions.map(({ clientId }) => clientId);
    assert.deepEqual(names, ['first', 'second']);
  }),
);
