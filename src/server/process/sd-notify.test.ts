import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { connectServiceManager } from './sd-notify.ts';

const environment = { NOTIFY_SOCKET: '/run/somewhere' };

test('without NOTIFY_SOCKET nobody is told anything', () => {
  const notify = () => assert.fail('told');
  const manager = connectServiceManager({ environment: {}, onProblem: notify, notify });
  manager.ready();
  void manager.stopping();
});

test('states are told one at a time and in order', async () => {
  const told: string[] = [];
  let running = 0;
  const notify = async (assignments: string[]) => {
    assert.equal(running++, 0);
    await new Promise(setImmediate);
    running--;
    told.push(assignments.map(text => text.replace(/USEC=\d+/, 'USEC=n')).join(' '));
  };
  const manager = connectServiceManager({ environment, onProblem: () => assert.fail(), notify });
  manager.ready();
  manager.reloading();
  manager.ready();
  void manager.stopping();
  while (told.length < 4) await new Promise(setImmediate);
  assert.deepEqual(told, ['READY=1', 'RELOADING=1 MONOTONIC_USEC=n', 'READY=1', 'STOPPING=1']);
});

test('the watchdog is fed twice per period while the broker runs, unless it belongs to another process', async () => {
  const told: string[] = [];
  const notify = async (assignments: string[]) => void told.push(...assignments);
  const forUs = { ...environment, WATCHDOG_USEC: '2000', WATCHDOG_PID: String(process.pid) };
  const manager = connectServiceManager({ environment: forUs, onProblem: () => assert.fail(), notify });
  while (told.length < 3) await new Promise(setImmediate);
  void manager.stopping();
  assert.equal(told[0], 'WATCHDOG=1');
  const others = { ...forUs, WATCHDOG_PID: '1' };
  connectServiceManager({ environment: others, onProblem: () => assert.fail(), notify: () => assert.fail('told') });
});

test('when systemd cannot be told, that is said once, with what the unit needs', async () => {
  const problems: string[][] = [];
  const notify = () => Promise.reject(new Error('spawn systemd-notify ENOENT'));
  const manager = connectServiceManager({ environment, onProblem: lines => void problems.push(lines), notify });
  manager.ready();
  manager.reloading();
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  assert.equal(problems.length, 1);
  assert.match(problems[0]?.join('\n') ?? '', /ENOENT[\s\S]*NotifyAccess=all/);
});

/** Prints every datagram; descriptors that come with it are closed, which is the receipt systemd-notify waits for. */
const systemd = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("listening", flush=True)
while True: print(s.recv(4096).decode(), flush=True)
`;
const python = '/usr/bin/python3';
const missing = [python, 'systemd-notify'].filter(program => spawnSync(program, ['--version']).status !== 0);

test('systemd hears READY=1', { skip: missing.length > 0 && `missing: ${missing.join(', ')}` }, async t => {
  const folder = await mkdtemp(join(tmpdir(), 'zancudo-notify-'));
  const socketPath = join(folder, 'notify');
  const server = spawn(python, ['-c', systemd, socketPath]);
  const before = process.env['NOTIFY_SOCKET'];
  process.env['NOTIFY_SOCKET'] = socketPath;
  t.after(async () => {
    if (before === undefined) delete process.env['NOTIFY_SOCKET'];
    else process.env['NOTIFY_SOCKET'] = before;
    server.kill();
    await rm(folder, { recursive: true });
  });
  const lines = createInterface(server.stdout)[Symbol.asyncIterator]();
  assert.equal((await lines.next()).value, 'listening');
  connectServiceManager({ environment: process.env, onProblem: problem => assert.fail(problem.join()) }).ready();
  assert.match(String((await lines.next()).value), /^READY=1/);
  // systemd-notify then asks whether it was heard; who goes before that makes it report a refused connection.
  assert.match(String((await lines.next()).value), /^BARRIER=1/);
});

test('the last word is said by a process that has nothing else left to do, after the word before it', () => {
  const program = `
    import { connectServiceManager } from ${JSON.stringify(new URL('sd-notify.ts', import.meta.url).href)};
    const notify = words => new Promise(told => setTimeout(() => (console.log(words[0]), told()), 50).unref());
    const manager = connectServiceManager({ environment: { NOTIFY_SOCKET: '/x' }, onProblem: console.log, notify });
    manager.ready();
    await manager.stopping();`;
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  assert.deepEqual([status, stdout], [0, 'READY=1\nSTOPPING=1\n']);
});
