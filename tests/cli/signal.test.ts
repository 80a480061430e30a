/** `zancudo signal` as a program, in front of our broker and of Debian's. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs, run, startBroker, temporaryDirectory, until, zancudo } from '../harness/mod.ts';
import { startDebianBroker } from './debian-broker.ts';

test('our broker is found by its port and by its pid file, reloads and stops', async t => {
  const directory = temporaryDirectory();
  t.after(() => directory.remove());
  const pidFile = join(directory.path, 'broker.pid');
  const broker = await startBroker({ conf: at => `listener ${at.port()} 127.0.0.1\npid_file ${pidFile}\n` });
  t.after(() => broker.stop());
  assert.deepEqual(await signal('--port', String(broker.port), 'config-reload'), [0, '']);
  await until('the reload', () => broker.log.includes('Reloading config.'));
  await until('the pid file', () => existsSync(pidFile));
  assert.deepEqual(await signal('--pid-file', pidFile, 'shutdown'), [0, '']);
  await until('the end', () => broker.hasEnded);
});

test("Debian's broker is found by its port", needs('mosquitto'), async t => {
  const broker = await startDebianBroker(t, 'allow_anonymous true\n');
  assert.deepEqual(await signal('--port', String(broker.port), 'shutdown'), [0, '']);
  await until('the end', () => broker.hasEnded());
});

test('a pid file that names a process that is no broker signals nobody', async t => {
  const directory = temporaryDirectory();
  t.after(() => directory.remove());
  const pidFile = join(directory.path, 'broker.pid');
  writeFileSync(pidFile, String(process.pid));
  const [code, complained] = await signal('--pid-file', pidFile, 'shutdown');
  assert.equal(code, 1);
  assert.match(complained ?? '', /^Error: Process \d+, which .+ names, is no broker: that is node\.\n/);
});

async function signal(...args: string[]): Promise<[number | null, string]> {
  const { code, output } = await run(zancudo, ['signal', ...args]);
  return [code, output];
}
