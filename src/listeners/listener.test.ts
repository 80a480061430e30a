import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Link, ListenerRules } from '../broker/ports.ts';
import { ListenerError, type ListenerOptions } from './options.ts';
import { Broker, dial, listenerOptions } from './shared.test.ts';

function temporary(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'zancudo-listener-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** The lines and the exit code of a listener that cannot be opened. */
async function failure(
  broker: Broker,
  changes: Partial<ListenerOptions>,
  rules: Partial<ListenerRules>,
): Promise<ListenerError> {
  const failed = await broker.open(changes, rules).then(
    () => assert.fail('the listener opened'),
    (error: unknown) => error,
  );
  assert.ok(failed instanceof ListenerError);
  return failed;
}

test('a listener without a host serves IPv4 and IPv6 on sockets of their own, and says so in this order', async t => {
  const broker = new Broker(t);
  await broker.open({}, { host: null });
  const families = broker.listeners.opened[0]!.addresses.map(at => (typeof at === 'object' ? at.address : at));
  assert.deepEqual(families, ['0.0.0.0', '::']);
  assert.deepEqual(
    broker.lines.map(({ text }) => text),
    ['Opening ipv4 listen socket on port 0.', 'Opening ipv6 listen socket on port 0.'],
  );
});

test('socket_domain keeps one family', async t => {
  const broker = new Broker(t);
  await broker.open({ socketDomain: 'ipv6' }, { host: null });
  assert.equal(broker.text, 'Opening ipv6 listen socket on port 0.');
});

test('a host may be a name, an address of either family, or one of an interface', async t => {
  for (const [changes, rules] of [
    [{ socketDomain: 'ipv4' }, { host: 'localhost' }],
    [{}, { host: '::1' }],
    [{ bindInterface: 'LO', socketDomain: 'ipv4' }, { host: null }],
    [{ bindInterface: 'lo' }, { host: '127.0.0.1' }],
  ] as const) {
    const broker = new Broker(t);
    await broker.open(changes, rules);
    const [at] = broker.listeners.opened[0]!.addresses;
    assert.ok(typeof at === 'object' && ['127.0.0.1', '::1'].includes(at.address));
  }
});

const FAILURES: [string, Partial<ListenerOptions>, Partial<ListenerRules>, RegExp][] = [
  [
    'an address of another machine',
    {},
    { host: '192.0.2.1' },
    /^Error: Cannot assign requested address\n {2}192\.0\.2\.1 is not an address/,
  ],
  [
    'a name nobody knows',
    {},
    { host: 'nowhere.invalid' },
    /^Error creating listener: Name or service not known\.\n.*nowhere\.invalid/,
  ],
  [
    'an interface that is not there',
    { bindInterface: 'nope0' },
    { host: null },
    /^Error: Interface nope0 does not exist\.\n.*lo/,
  ],
  [
    'a host that is not on the interface',
    { bindInterface: 'lo' },
    { host: '192.0.2.1' },
    /^Error: Interface address for lo does not match specified listener host \(192\.0\.2\.1\)\./,
  ],
  [
    'a path longer than the system can bind',
    {},
    { unixPath: `/tmp/${'x'.repeat(110)}` },
    /^Error: Path to unix socket is too long "\/tmp\/x+"\./,
  ],
  [
    'a socket in a directory that is not there',
    {},
    { unixPath: '/nonexistent/sock' },
    /^Error binding unix socket: No such file or directory\n/,
  ],
];

for (const [what, changes, rules, lines] of FAILURES) {
  test(`${what} stops the start with Mosquitto's line, ours after it, and exit code 1`, async t => {
    const error = await failure(new Broker(t), changes, rules);
    assert.match(error.lines.join('\n'), lines);
    assert.equal(error.exitCode, 1);
  });
}

test('a port that is taken is named with the command that finds its owner, and nothing stays open', async t => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const { port } = other.address() as { port: number };
  const broker = new Broker(t);
  const options = [listenerOptions({}, {}), listenerOptions({}, { port })];
  const error = (await broker.listeners.open(options).catch((thrown: unknown) => thrown)) as ListenerError;
  assert.deepEqual(error.lines, [
    'Error: Address already in use',
    `  Another program already listens on 127.0.0.1 port ${port}. Find it with: ss -ltnp 'sport = :${port}'`,
  ]);
  assert.match(broker.text, new RegExp(`Opening ipv4 listen socket on port ${port}\\.$`));
  assert.equal(broker.listeners.opened.length, 0);
});

test('a Unix socket is open to owner and group, replaces the one a dead broker left, and is gone after the end', async t => {
  const path = join(temporary(t), 'sock');
  const dead = createServer().listen(path);
  await once(dead, 'listening');
  t.after(() => dead.close());
  const broker = new Broker(t);
  await broker.open({}, { unixPath: path, host: null });
  assert.equal(statSync(path).mode & 0o777, 0o770);
  const client = connect(path);
  t.after(() => client.destroy());
  client.write('hi');
  const { peer } = await broker.next();
  assert.equal(peer.address, path);
  assert.equal(peer.port, 0);
  assert.match(
    broker.text,
    new RegExp(`Opening unix listen socket on path ${path}\\.\nNew connection from ${path}:0 on port 0\\.`),
  );
  await broker.listeners.close();
  assert.equal(existsSync(path), false);
});

test('a file that is no socket is not deleted for a Unix listener', async t => {
  const path = join(temporary(t), 'notes.txt');
  writeFileSync(path, 'mine');
  const error = await failure(new Broker(t), {}, { unixPath: path });
  assert.match(error.lines.join('\n'), /is not a socket, so it is not deleted/);
  assert.equal(existsSync(path), true);
});

test('a plain peer goes to the heart at once, with its address and the rules of its listener', async t => {
  const broker = new Broker(t);
  const port = await broker.open();
  const socket = dial(t, port);
  const { peer } = await broker.next();
  assert.equal(peer.address, '127.0.0.1');
  assert.equal(peer.port, socket.localPort);
  assert.equal(peer.listener, broker.listeners.opened[0]!.rules);
  assert.equal(peer.tls ?? peer.certificate ?? peer.refusal, null);
  assert.match(broker.text, /New connection from 127\.0\.0\.1:\d+ on port 0\.$/);
});

test('connection lines are left out when nobody wants them', async t => {
  const broker = new Broker(t);
  Object.assign(broker.options.log, { connections: false });
  const port = await broker.open();
  dial(t, port);
  await broker.next();
  assert.doesNotMatch(broker.text, /New connection/);
});

/** Opens a connection and waits until it is accepted, or closed by the other side. */
async function knock(t: TestContext, broker: Broker, port: number): Promise<{ socket: Socket; link: Link | null }> {
  const before = broker.arrived.length;
  const socket = dial(t, port).resume();
  let closed = false;
  socket.once('close', () => (closed = true));
  while (!closed && broker.arrived.length === before) await new Promise(resolve => setImmediate(resolve));
  return { socket, link: broker.arrived[before]?.link ?? null };
}

const LIMITS: [string, Partial<ListenerRules>, Partial<Broker['options']['limits']>, string][] = [
  ['max_connections', { maxConnections: 2 }, {}, 'max_connections'],
  ['global_max_connections', {}, { globalMaxConnections: 2 }, 'max_connections'],
];

for (const [what, rules, limits, name] of LIMITS) {
  test(`${what}: one too many is closed before any MQTT, logged and counted, and a freed seat is given again`, async t => {
    const broker = new Broker(t);
    Object.assign(broker.options.limits, limits);
    const port = await broker.open({}, rules);
    const first = await knock(t, broker, port);
    await knock(t, broker, port);
    assert.equal((await knock(t, broker, port)).link, null);
    assert.match(broker.text, new RegExp(`Client connection from 127\\.0\\.0\\.1 denied: ${name} exceeded\\.`));
    assert.equal(broker.meter.connectionsRefusedByLimit, 1);
    assert.equal(broker.meter.socketsAccepted, 3);
    first.socket.destroy();
    await broker.until(() => broker.listeners.connections === 1);
    assert.notEqual((await knock(t, broker, port)).link, null);
  });
}

test('max_pending_connections counts those that have not finished CONNECT, wherever they are', async t => {
  let waiting = 0;
  const broker = new Broker(t, { pendingConnects: () => waiting });
  broker.options.limits.maxPendingConnections = 3;
  const port = await broker.open();
  waiting = 2;
  assert.notEqual((await knock(t, broker, port)).link, null);
  waiting = 3;
  assert.equal((await knock(t, broker, port)).link, null);
  assert.match(broker.text, /denied: max_pending_connections exceeded\./);
});

test('limits of zero or less are none', async t => {
  const broker = new Broker(t);
  Object.assign(broker.options.limits, { globalMaxConnections: 0, maxPendingConnections: 0 });
  const port = await broker.open({}, { maxConnections: 0 });
  assert.notEqual((await knock(t, broker, port)).link, null);
});

test('a link lives on when the listeners are closed', async t => {
  const broker = new Broker(t);
  const port = await broker.open();
  const { socket, link } = await knock(t, broker, port);
  await broker.listeners.close();
  link!.write(Buffer.from('still here'), 0, 10);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  assert.equal(chunk.toString(), 'still here');
});
