/** packaging/systemd: what is in it, held against systemd's own tools where they are, and the broker's side of the talk. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type TestContext } from 'node:test';
import { Background, needs, startBroker, temporaryDirectory } from './harness/mod.ts';

const folder = fileURLToPath(new URL('../packaging/systemd/', import.meta.url));
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

/** `Section.Directive` and its values, in the order of the file. */
function directives(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let section = '';
  for (const line of read('zancudo.service').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const head = /^\[(\w+)\]$/.exec(line);
    const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    assert.ok(head || name, `neither a section nor a directive: ${line}`);
    if (head) section = head[1]!;
    else found.set(`${section}.${name}`, [...(found.get(`${section}.${name}`) ?? []), value!]);
  }
  return found;
}

/** Run here, the unit must name a program that is here. */
function unitForHere(t: TestContext): string {
  const place = temporaryDirectory();
  t.after(() => place.remove());
  const path = join(place.path, 'zancudo.service');
  const text = read('zancudo.service').replace(/^ExecStart=.*/m, 'ExecStart=/bin/true').replace(/^Documentation=.*/m, ''); // prettier-ignore
  writeFileSync(path, text);
  return path;
}

test('the unit waits for the broker to be ready, reloads it by SIGHUP, and takes every right that it does not need', () => {
  const unit = directives();
  const value = (name: string): string => unit.get(`Service.${name}`)?.join(' ') ?? '';
  assert.equal(value('Type'), 'notify');
  assert.equal(value('NotifyAccess'), 'all', 'systemd-notify is a child of the broker');
  assert.equal(value('ExecReload'), '/bin/kill -HUP $MAINPID');
  assert.ok(Number(value('WatchdogSec')) > 0);
  assert.equal(value('StateDirectory'), 'zancudo');
  for (const on of ['NoNewPrivileges', 'ProtectHome', 'PrivateTmp', 'PrivateDevices', 'RestrictNamespaces']) {
    assert.equal(value(on), 'yes', on);
  }
  assert.equal(value('ProtectSystem'), 'strict');
  assert.equal(value('MemoryDenyWriteExecute'), '', 'V8 would be killed');
  assert.deepEqual(unit.get('Install.WantedBy'), ['multi-user.target']);
});

test('systemd finds nothing wrong with the unit, and little that is exposed', needs('systemd-analyze'), t => {
  const path = unitForHere(t);
  const verified = spawnSync('systemd-analyze', ['verify', '--recursive-errors=no', path], { encoding: 'utf8' });
  assert.deepEqual([verified.status, verified.stderr], [0, '']);
  const judged = spawnSync('systemd-analyze', ['security', '--offline=yes', '--threshold=20', path], {
    encoding: 'utf8',
  });
  assert.equal(judged.status, 0, judged.stdout);
});

test('its user and its folders come into being', needs('systemd-sysusers', 'systemd-tmpfiles', 'root'), t => {
  const place = temporaryDirectory();
  t.after(() => place.remove());
  mkdirSync(join(place.path, 'etc'));
  for (const [program, ...args] of [
    ['systemd-sysusers', join(folder, 'zancudo.sysusers')],
    ['systemd-tmpfiles', '--create', join(folder, 'zancudo.tmpfiles')],
  ]) {
    const { status, stderr } = spawnSync(program!, [`--root=${place.path}`, ...args], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  }
  assert.match(readFileSync(join(place.path, 'etc/passwd'), 'utf8'), /^zancudo:.*:\/var\/lib\/zancudo:.*nologin$/m);
  for (const path of ['etc/zancudo', 'var/lib/zancudo', 'var/log/zancudo']) {
    assert.ok(existsSync(join(place.path, path)), path);
  }
});

/** Prints every datagram that systemd would get. */
const manager = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("listening", flush=True)
while True: print(s.recv(4096).decode().replace("\\n", " "), flush=True)
`;

test(
  'a broker under systemd says that it is ready, alive, reading its files, ready again, and on its way out',
  needs('/usr/bin/python3', 'systemd-notify'),
  async t => {
    const place = temporaryDirectory();
    const socket = join(place.path, 'notify');
    const systemd = new Background('/usr/bin/python3', ['-c', manager, socket]);
    t.after(async () => {
      await systemd.stop();
      place.remove();
    });
    await systemd.says('listening');
    const broker = await startBroker({ env: { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '400000' } });
    t.after(() => broker.stop());
    await systemd.says(/READY=1/);
    await systemd.says(/WATCHDOG=1/);
    broker.signal('SIGHUP');
    await systemd.says(/RELOADING=1 MONOTONIC_USEC=\d+[^]*READY=1/);
    await broker.stop();
    await systemd.says(/STOPPING=1/);
  },
);
