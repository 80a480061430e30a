import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { FlightRecorder } from './flight-recorder.ts';
import { lastRunOf, recordsOf } from './read-record.ts';

function place(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'zancudo-record-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'record');
}

function recorderIn(folder: string | null, bytesMax = 1_000_000, said: string[] = []): FlightRecorder {
  const log = { write: (_: unknown, text: string) => void said.push(text) };
  const recorder = new FlightRecorder({ ring: folder === null ? null : { folder, bytesMax }, log, wall: Date.now });
  recorder.open();
  return recorder;
}

const subscribed = (recorder: FlightRecorder, client: string, filter = 'a/b'): void =>
  recorder.note('client.subscribed', { client, filters: [filter] });
const clientsIn = (folder: string): string[] => [...recordsOf(folder)].map(({ facts }) => String(facts['client']));

test('what was noted is read back in its order, from files for the owner alone', async t => {
  const folder = place(t);
  const recorder = recorderIn(folder);
  subscribed(recorder, 'lamp-1');
  subscribed(recorder, 'lamp\n"2"\u2028');
  await recorder.close();
  assert.deepEqual(clientsIn(folder), ['lamp-1', 'lamp\n"2"\u2028']);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.equal(statSync(join(folder, readdirSync(folder)[0]!)).mode & 0o777, 0o600);
});

test('the files never take more than they may, and the newest events stay', async t => {
  const folder = place(t);
  const recorder = recorderIn(folder, 80_000);
  for (let i = 0; i < 2000; i++) {
    subscribed(recorder, `lamp-${i}`, 'x'.repeat(100));
    if (i % 50 === 0) await new Promise(resolve => setTimeout(resolve, 0));
  }
  await recorder.close();
  // One batch may be larger than a part of the ring; from the next one on the bound holds.
  const again = recorderIn(folder, 80_000);
  for (let i = 2000; i < 2200; i++) subscribed(again, `lamp-${i}`, 'x'.repeat(100));
  await again.close();
  const last = recorderIn(folder, 80_000);
  subscribed(last, 'the last');
  await last.close();
  const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  assert.ok(bytes <= 80_000, `${bytes} bytes`);
  assert.equal(clientsIn(folder).at(-1), 'the last');
});

test('a torn line costs itself and nothing else', async t => {
  const folder = place(t);
  const before = recorderIn(folder);
  subscribed(before, 'lamp-1');
  await before.close();
  appendFileSync(join(folder, '00000001.jsonl'), '{"at":17,"event":"client.conn');
  const after = recorderIn(folder);
  subscribed(after, 'lamp-2');
  await after.close();
  assert.deepEqual(clientsIn(folder), ['lamp-1', 'lamp-2']);
});

test('a place that cannot be written costs one remark, and the last events stay in memory', async t => {
  const folder = place(t);
  writeFileSync(folder, 'a file where the folder should be');
  const said: string[] = [];
  const recorder = recorderIn(folder, 1_000_000, said);
  for (let i = 0; i < 20; i++) subscribed(recorder, `lamp-${i}`);
  await recorder.close();
  assert.equal(said.filter(line => line.startsWith('Warning:')).length, 1);
  assert.equal(recorder.inMemory.length, 20);
  assert.equal(recorder.inTrouble, true);
});

test('memory is bounded where there is no place for files', async () => {
  const recorder = recorderIn(null);
  for (let i = 0; i < 10_000; i++) subscribed(recorder, `lamp-${i}`, 'x'.repeat(900));
  await recorder.close();
  const kept = recorder.inMemory.reduce((sum, line) => sum + line.length, 0);
  assert.ok(kept > 500_000 && kept <= 1_000_000, `${kept} characters`);
  assert.match(recorder.inMemory.at(-1)!, /lamp-9999/);
});

test('a client that comes and goes a thousand times leaves room for the others, and its events are counted', async t => {
  const folder = place(t);
  const recorder = recorderIn(folder);
  for (let i = 0; i < 1000; i++) subscribed(recorder, 'flapping');
  subscribed(recorder, 'quiet');
  await recorder.close();
  const records = [...recordsOf(folder)];
  assert.equal(records.filter(({ facts }) => facts['client'] === 'quiet').length, 1);
  assert.equal(records.filter(({ event }) => event === 'client.subscribed').length, 61);
  assert.deepEqual(records.at(-1)?.facts, { client: 'flapping', events: 940 });
});

test('a run without an end has died; a start that failed says nothing about it', async t => {
  const folder = place(t);
  const run = recorderIn(folder);
  const started = { version: '1', node: 'v24', pid: 77, boot: 'b00t', configuration: 'a.conf' };
  run.note('broker.started', started);
  await run.close();
  assert.equal(lastRunOf(folder)?.stopped, false);
  const failing = recorderIn(folder);
  failing.note('broker.started', { ...started, pid: 78 });
  await failing.closeWith('broker.notStarted', { pid: 78, error: 'the port is taken' });
  assert.deepEqual({ ...lastRunOf(folder), last: 0 }, { stopped: false, last: 0, pid: 77, boot: 'b00t' });
  const stopping = recorderIn(folder);
  for (let i = 0; i < 100; i++) subscribed(stopping, 'flapping');
  stopping.note('broker.stopped', { pid: 79, because: 'a signal asked for it' });
  await stopping.close();
  assert.equal(lastRunOf(folder)?.stopped, true);
});

test('a crowd is not taken for one: forty thousand clients that come at once are all kept', async t => {
  const folder = place(t);
  const recorder = recorderIn(folder, 64_000_000);
  for (let i = 0; i < 40_000; i++) subscribed(recorder, `lamp-${i}`);
  await recorder.close();
  assert.equal([...recordsOf(folder)].filter(({ event }) => event === 'client.subscribed').length, 40_000);
});
