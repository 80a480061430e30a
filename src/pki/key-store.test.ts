import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { canonicalAddress } from './inspect.ts';
import { diskStore, readIfThere, sweep } from './key-store.ts';
import { withLock } from './lock.ts';
import { machineNames } from './machine-names.ts';
import { temporaryFolder } from './shared.test.ts';

test('a file is written whole, for its owner alone, and replaces the old one in one step', t => {
  const file = path.join(temporaryFolder(t), 'key');
  fs.writeFileSync(file, 'old', { mode: 0o644 });
  const before = fs.openSync(file, 'r');
  diskStore.write(file, 'new');
  assert.equal(fs.readFileSync(file, 'utf8'), 'new');
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  assert.equal(fs.readFileSync(before, 'utf8'), 'old', 'whoever had the old one open keeps it');
  fs.closeSync(before);
  assert.deepEqual(fs.readdirSync(path.dirname(file)), ['key']);
});

test('what an interrupted write left behind is swept, and nothing else', t => {
  const folder = temporaryFolder(t);
  for (const name of ['key', 'key.tmp-123', 'notes.tmp-x']) fs.writeFileSync(path.join(folder, name), '');
  sweep(folder);
  assert.deepEqual(fs.readdirSync(folder).sort(), ['key', 'notes.tmp-x']);
});

test('a file that is absent is null, one that cannot be read is an error', t => {
  const folder = temporaryFolder(t);
  assert.equal(readIfThere(path.join(folder, 'nothing')), null);
  assert.throws(() => readIfThere(folder), /EISDIR/);
});

test('under a lock one works after the other, also when one fails', async t => {
  const folder = temporaryFolder(t);
  const seen: string[] = [];
  const work = (name: string) => async () => {
    seen.push(`${name} begins`);
    await new Promise(resolve => setImmediate(resolve));
    seen.push(`${name} ends`);
    if (name === 'a') throw new Error('a failed');
  };
  const results = await Promise.allSettled(['a', 'b', 'c'].map(name => withLock(folder, work(name))));
  assert.deepEqual(
    results.map(each => each.status),
    ['rejected', 'fulfilled', 'fulfilled'],
  );
  for (let i = 0; i < seen.length; i += 2) assert.equal(seen[i]?.[0], seen[i + 1]?.[0]);
  assert.deepEqual(fs.readdirSync(folder), []);
});

test('the lock of a process that died, or had our number in an earlier life, stops nobody', async t => {
  const folder = temporaryFolder(t);
  for (const pid of [process.pid, 2 ** 22 + 1]) {
    fs.writeFileSync(path.join(folder, 'lock'), `${pid}\n`);
    assert.equal(await withLock(folder, async () => 'done'), 'done');
  }
});

test('the names of the machine have no doubles and one spelling each', () => {
  const { names, hostName } = machineNames(['LOCALHOST', 'Example.ORG.', '::0001', '127.0.0.1', 'fe80::1%eth0']);
  const texts = names.map(each => `${each.kind}:${each.value}`);
  assert.equal(new Set(texts).size, texts.length);
  for (const wanted of [
    'dns:localhost',
    'dns:example.org',
    `dns:${hostName}.local`,
    'ip:::1',
    'ip:127.0.0.1',
    'ip:fe80::1',
  ])
    assert.ok(texts.includes(wanted), wanted);
  const own = Object.values(os.networkInterfaces()).flatMap(each => (each ?? []).map(({ address }) => address));
  for (const address of own) assert.ok(texts.includes(`ip:${canonicalAddress(address)}`), address);
});
