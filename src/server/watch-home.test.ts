import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { watchHome } from './watch-home.ts';

function home(t: TestContext) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'zancudo-watch-'));
  for (const name of ['clients', 'server']) fs.mkdirSync(path.join(folder, name));
  const seen = { count: 0, running: 0, wake: (): void => {} };
  const stop = watchHome(folder, async () => {
    assert.equal(++seen.running, 1, 'one reload at a time');
    await new Promise(resolve => setImmediate(resolve));
    seen.running--;
    seen.count++;
    seen.wake();
  });
  t.after(() => {
    stop();
    fs.rmSync(folder, { recursive: true, force: true });
  });
  const reloads = async (wanted: number): Promise<void> => {
    while (seen.count < wanted) await new Promise<void>(resolve => (seen.wake = resolve));
  };
  const write = (name: string): void => fs.writeFileSync(path.join(folder, name), `${Math.random()}`);
  return { folder, write, reloads, seen };
}

// The watcher itself does not keep a process alive, and a test that waits for it needs something that does.
const keepAlive = (t: TestContext): void => {
  const timer = setInterval(() => {}, 1000);
  t.after(() => clearInterval(timer));
};

test('a change of the revocation list or of the access rules is noticed, also one by renaming', async t => {
  keepAlive(t);
  const { folder, write, reloads } = home(t);
  write('clients/revoked.crl');
  await reloads(1);
  write('access');
  await reloads(2);
  write('clients/x.tmp-1');
  fs.renameSync(path.join(folder, 'clients/x.tmp-1'), path.join(folder, 'clients/revoked.crl'));
  await reloads(3);
});

test('several files written one after the other are one reload', async t => {
  keepAlive(t);
  const { write, reloads, seen } = home(t);
  for (const name of ['clients/trusted.crt', 'clients/revoked.crl', 'access']) write(name);
  await reloads(1);
  write('access');
  await reloads(2);
  assert.equal(seen.count, 2);
});

test('what else is written in a home is nobody to reload for', async t => {
  keepAlive(t);
  const { write, reloads, seen } = home(t);
  for (const name of ['lock', 'passwords', 'clients/revoked.crl.tmp-7']) write(name);
  await new Promise(resolve => setTimeout(resolve, 150));
  assert.equal(seen.count, 0);
  write('access');
  await reloads(1);
});
