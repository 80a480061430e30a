/**
 * The log as an operator meets it: who never became a client and why, floods folded, JSON that any reader takes, a code
 * for whatever goes wrong and the help that explains it.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import test, { type TestContext } from 'node:test';
import {
  type Broker,
  type BrokerOptions,
  connect,
  makeCertificates,
  RawClient,
  run,
  startBroker,
  temporaryDirectory,
  zancudo,
} from './harness/mod.ts';

async function start(t: TestContext, options: BrokerOptions): Promise<Broker> {
  const broker = await startBroker(options);
  t.after(() => broker.stop());
  return broker;
}

/** Says `bytes` to a port and waits for the end, or hangs up when there is nothing to say. */
async function knock(port: number, bytes: string | Buffer | null): Promise<void> {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  if (bytes === null) socket.end();
  else socket.write(bytes);
  socket.resume();
  await once(socket, 'close');
}

const clientHello = Buffer.from('16030100050100000100', 'hex');
const webSocketRequest = 'GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';

/** What comes to a plain MQTT port, and what the log makes of it. */
const strangers: readonly [bytes: string | Buffer | null, told: RegExp][] = [
  [null, /127\.0\.0\.1:\d+ on port \d+ connected and closed without sending.*health check.*\[connection\.silent\]$/],
  [clientHello, /port \d+ speaks plain MQTT: connect to a TLS listener.*\[connection\.tls-on-plain-port\]$/],
  ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', /sent an HTTP request to port \d+.*\[connection\.http-on-mqtt-port\]$/],
  [webSocketRequest, /sent a WebSocket request.*protocol websockets.*\[connection\.websocket-on-mqtt-port\]$/],
  ['SSH-2.0-OpenSSH_9.2\r\n', /sent the greeting of an SSH client.*\[connection\.ssh-on-mqtt-port\]$/],
  ['PROXY TCP4 192.0.2.7 192.0.2.1 5555 1883\r\n', /a PROXY protocol header.*\[connection\.proxy-on-mqtt-port\]$/],
  [Buffer.from('00ff1b5b', 'hex'), /began with "\\x00\\xff\\x1b\[", which is not MQTT.*\[connection\.not-mqtt\]$/],
];

test('whoever never becomes a client is told of with address, listener, first bytes, likely cause and code', async t => {
  const broker = await start(t, {});
  for (const [bytes, told] of strangers) {
    await knock(broker.ports[0]!, bytes);
    await broker.logged(told);
  }
  assert.ok(!broker.lines.some(line => line.includes('<unknown>')));
  const silent = broker.lines.findIndex(line => line.includes('connection.silent'));
  // Mosquitto's own line stays as Mosquitto writes it; what log readers search for is not ours to change.
  assert.match(
    broker.lines[silent - 1]!,
    /: Client 127\.0\.0\.1 \[127\.0\.0\.1:\d+\] disconnected: connection closed by client\.$/,
  );
});

test('plain MQTT, HTTP and nonsense on a TLS port each have their own code', async t => {
  const directory = temporaryDirectory();
  t.after(() => directory.remove());
  const pathOf = await makeCertificates(directory.path);
  const tls = `certfile ${pathOf('server.crt')}\nkeyfile ${pathOf('server.key')}\n`;
  const broker = await start(t, { conf: at => `listener ${at.port()} 127.0.0.1\nallow_anonymous true\n${tls}` });
  await knock(broker.ports[0]!, 'GET / HTTP/1.1\r\n\r\n');
  await broker.logged(/HTTP without TLS on a TLS port.*\[tls\.http-on-tls-port\]$/);
  await knock(broker.ports[0]!, 'hello?');
  await broker.logged(/neither TLS nor MQTT on a TLS port, but "hello\?".*\[tls\.not-tls\]$/);
  const client = await RawClient.dial({ port: broker.ports[0]! });
  client.send(connect({ clientId: 'plain' }));
  await broker.logged(/plain MQTT on a TLS port.*\[tls\.plain-on-tls-port\]$/);
  client.destroy();
});

test('a flood is told by its first lines and its last, and no line of it is lost count of', async t => {
  const floodSize = 300;
  const broker = await start(t, {
    conf: at => `listener ${at.port()} 127.0.0.1\nallow_anonymous true\nlog_fold_after 2`,
  });
  const scan = (): Promise<void> => knock(broker.ports[0]!, 'SSH-2.0-scan\r\n');
  // One after another until it is a flood: of many at once, all connections may be told of before the first greeting.
  for (let n = 0; n < 50; n++) await scan();
  for (let left = floodSize - 50; left > 0; left -= 50) await Promise.all(Array.from({ length: 50 }, scan));
  const greeting = await RawClient.dial({ port: broker.ports[0]! });
  greeting.send(connect({ clientId: 'lamp1' }));
  await broker.logged(/as lamp1 /);
  await broker.stop();
  const told = broker.lines.filter(line => line.includes('greeting of an SSH client'));
  assert.equal(told.length, 10 + 1);
  assert.match(
    told.at(-1)!,
    /^\d+: {3}\.\.\. 290 times more in \d+ s, last at \d+: 127\.0\.0\.1:\d+ sent the greeting/,
  );
  assert.ok(broker.lines.length < 60, `${broker.lines.length} lines`);
});

test('log_format json is one object a line, whatever clients call themselves, and says who and why in fields', async t => {
  const broker = await start(t, {
    conf: at =>
      `listener ${at.port()} 127.0.0.1\nallow_anonymous true\nlog_type all\nlog_format json\nclientid_prefixes lamp\n`,
    isReady: ({ lines }) => lines.some(line => line.includes('running')),
  });
  const hostile = `lamp" ,"code":"forged\u2028\u202e${'x'.repeat(60_000)}`;
  const client = await RawClient.dial({ port: broker.ports[0]! });
  client.send(connect({ clientId: hostile, username: 'ana"\\' }));
  const stranger = await RawClient.dial({ port: broker.ports[0]! });
  stranger.send(connect({ clientId: 'other' }));
  await knock(broker.ports[0]!, Buffer.from('00ff0a', 'hex'));
  await broker.logged(/connection\.not-mqtt/);
  await broker.stop();
  const objects = broker.lines.map(line => JSON.parse(line) as Record<string, unknown>);
  const withCode = (code: string): Record<string, unknown> => objects.find(each => each['code'] === code) ?? {};
  const { client: name, user, address, listener, level } = withCode('client.connected');
  assert.deepEqual([user, address, listener, level], ['ana"\\', '127.0.0.1', `port ${broker.ports[0]}`, 'notice']);
  assert.equal(String(name).slice(0, 500), hostile.slice(0, 500));
  assert.deepEqual(
    [withCode('client.refused')['client'], withCode('client.refused')['reason']],
    ['other', 'not authorised'],
  );
  assert.deepEqual(
    [withCode('connection.not-mqtt')['bytes'], withCode('connection.not-mqtt')['phase']],
    ['\\x00\\xff\\n', 'CONNECT'],
  );
  assert.ok(
    objects.every(({ time, level, message }) => [time, level, message].every(each => typeof each === 'string')),
  );
  assert.ok(broker.lines.every(line => Buffer.byteLength(line) <= 8192 && !/[\u2028\u202e]/.test(line)));
});

test('zancudo help explains a code, and a line of the log that carries one', async () => {
  const byCode = await run(zancudo, ['help', 'connection.silent']);
  assert.match(byCode.stdout, /^connection\.silent\n {2}A connection that sent nothing/);
  const byLine = await run(zancudo, [
    'help',
    '1795301780:   10.0.0.5:41022 on port 1883 connected. [connection.silent]',
  ]);
  assert.equal(byLine.stdout, byCode.stdout);
  assert.equal((await run(zancudo, ['help', 'xyzzy'])).code, 1);
});
