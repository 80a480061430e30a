import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { openFile } from '../open-file.ts';
import { backUp, restore } from './backup.ts';
import { folderFor } from './shared.test.ts';

const wall = Date.UTC(2026, 0, 1);

/**
 * Pairs of rows, some in each transaction, some twenty megabytes a second: the log begins anew several times a second. Without
 * a pause a busy machine would have a store that grows faster than anything could copy it.
 */
const writer = `
  const { workerData, parentPort } = require('node:worker_threads');
  Promise.all(workerData.modules.map(it => import(it))).then(([{ openFile }, { CheckpointHold }]) => {
    const { db } = openFile(workerData.file, 0);
    db.exec('PRAGMA wal_autocheckpoint = 300');
    const hold = new CheckpointHold(db, workerData.file, 300);
    const message = db.prepare("INSERT INTO base_msgs (store_id, topic, payload, payloadlen) VALUES (?, 't', zeroblob(900), 900)");
    const retained = db.prepare('INSERT INTO retains VALUES (?, ?)');
    let next = 1;
    const pairs = count => {
      hold.look();
      db.exec('BEGIN');
      for (const end = next + count; next < end; next++) {
        message.run(next);
        retained.run('t' + next, next);
      }
      db.exec('COMMIT');
    };
    pairs(40000);
    parentPort.postMessage('busy');
    const never = new Int32Array(new SharedArrayBuffer(4));
    for (;;) {
      pairs(20);
      Atomics.wait(never, 0, 0, 1);
    }
  });
`;

test('a backup of a store that is written to all the time is whole transactions up to one moment', async t => {
  const folder = folderFor(t);
  const file = join(folder, 'store.sqlite3');
  const modules = ['../open-file.ts', '../checkpoint-hold.ts'].map(it => new URL(it, import.meta.url).href);
  const worker = new Worker(writer, { eval: true, workerData: { file, modules } });
  t.after(() => worker.terminate());
  await new Promise(resolve => worker.once('message', resolve));
  let last = 0;
  for (let round = 0; round < 4; round++) {
    const backup = join(folder, `backup-${round}`);
    await backUp(file, backup);
    const db = new DatabaseSync(backup, { readOnly: true });
    const { messages, top, retained } = db
      .prepare(
        `SELECT count(*) AS messages, max(store_id) AS top, (SELECT count(*) FROM retains) AS retained FROM base_msgs`,
      )
      .get() as { messages: number; top: number; retained: number };
    db.close();
    assert.equal(messages, top, 'no hole');
    assert.equal(retained, messages, 'no half of a transaction');
    assert.ok(messages >= last);
    last = messages;
    assert.equal(statSync(backup).mode & 0o777, 0o600);
  }
});

test('restore checks the backup, sets the present store aside, and refuses a store in use', async t => {
  const folder = folderFor(t);
  const [store, backup] = [join(folder, 'store.sqlite3'), join(folder, 'backup')];
  const { db } = openFile(store, wall);
  db.exec(`INSERT INTO base_msgs (store_id, topic) VALUES (1, 'then'); INSERT INTO retains VALUES ('then', 1)`);
  await backUp(store, backup);
  db.exec(`UPDATE base_msgs SET topic = 'now'`);
  await assert.rejects(restore(backup, store, new Date(wall)), { code: 'moving.in-use' });
  db.close();
  const aside = await restore(backup, store, new Date(wall));
  assert.equal(aside, `${store}.before-restore-20260101T000000Z`);
  const topicOf = (file: string): unknown => {
    const opened = new DatabaseSync(file);
    const row = opened.prepare('SELECT topic FROM base_msgs').get();
    opened.close();
    return row?.['topic'];
  };
  assert.deepEqual([topicOf(store), topicOf(aside)], ['then', 'now']);
});

test('a damaged store is no backup, a damaged backup is not restored, and both stay as they are', async t => {
  const folder = folderFor(t);
  const [store, backup] = [join(folder, 'store.sqlite3'), join(folder, 'backup')];
  const { db } = openFile(store, wall);
  db.exec(
    `INSERT INTO base_msgs (store_id, topic) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999) SELECT i, 'topic/' || i FROM n`,
  );
  db.close();
  const bytes = readFileSync(store);
  bytes.fill(0xee, 4096 * 3, 4096 * 6);
  writeFileSync(backup, bytes);
  await assert.rejects(restore(backup, store, new Date(wall)), { code: 'moving.damaged' });
  await assert.rejects(backUp(backup, join(folder, 'other')), { code: 'moving.damaged' });
  assert.deepEqual(readdirSync(folder).sort(), ['backup', 'store.sqlite3']);
});

test('a backup replaces a backup, and never anything else', async t => {
  const folder = folderFor(t);
  const store = join(folder, 'store.sqlite3');
  openFile(store, wall).db.close();
  const notes = join(folder, 'notes.txt');
  writeFileSync(notes, 'mine');
  await assert.rejects(backUp(store, notes), { code: 'moving.foreign-target' });
  await assert.rejects(backUp(store, store), { code: 'moving.same-file' });
  mkdirSync(join(folder, 'd'));
  await assert.rejects(backUp(store, join(folder, 'd')), { code: 'moving.foreign-target' });
  assert.equal(readFileSync(notes, 'utf8'), 'mine');
  for (let i = 0; i < 2; i++) await backUp(store, join(folder, 'backup'));
  assert.ok(existsSync(join(folder, 'backup')));
});
