import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { Syslog } from './syslog.ts';

/** A syslog daemon: prints every datagram on a line of its own. */
const daemon = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("ready", flush=True)
while True: print(s.recv(4096).decode(), flush=True)
`;

const python = '/usr/bin/python3';
const missing = [python, 'logger'].filter(program => spawnSync(program, ['--version']).status !== 0);
const skip = missing.length > 0 && `missing: ${missing.join(', ')}`;

test('syslog gets each line with facility, severity, name and process id', { skip }, async t => {
  const folder = await mkdtemp(join(tmpdir(), 'zancudo-syslog-'));
  const socketPath = join(folder, 'log');
  const server = spawn(python, ['-c', daemon, socketPath]);
  const lines = createInterface(server.stdout)[Symbol.asyncIterator]();
  const failures: string[] = [];
  const onFailure = (why: string) => void failures.push(why);
  const syslog = new Syslog({ ident: 'mosquitto', facility: null, format: text => text, onFailure, socketPath });
  t.after(async () => {
    syslog.close();
    server.kill();
    await rm(folder, { recursive: true });
  });
  assert.equal((await lines.next()).value, 'ready');
  syslog.write('5: Error: no.', 'error');
  syslog.write('5: <13>hello', 'notice');
  syslog.flush();
  const received = [await lines.next(), await lines.next()].map(({ value }) => String(value));
  assert.match(received[0] ?? '', new RegExp(`^<27>.* mosquitto\\[${process.pid}\\]: 5: Error: no\\.$`));
  assert.match(received[1] ?? '', /^<29>.* 5: <13>hello$/);
  assert.deepEqual(failures, []);
});

test('without a syslog daemon that is said once, and lines are dropped', { skip }, async () => {
  const told = new EventTarget();
  const failures: string[] = [];
  const onFailure = (why: string) => {
    failures.push(why);
    told.dispatchEvent(new Event('told'));
  };
  const socketPath = join(tmpdir(), 'zancudo-no-such-socket');
  const syslog = new Syslog({ ident: 'mosquitto', facility: 3, format: text => text, onFailure, socketPath });
  syslog.write('lost', 'error');
  syslog.flush();
  // The child does not keep the process alive; this test has to.
  const alive = setInterval(() => {}, 1000);
  await once(told, 'told');
  clearInterval(alive);
  syslog.write('lost too', 'error');
  syslog.flush();
  syslog.close();
  assert.equal(failures.length, 1);
  assert.match(failures[0] ?? '', /No such file or directory/);
});
