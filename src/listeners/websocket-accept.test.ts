import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { WebSocket, type ClientOptions } from 'ws';
import { Broker, CertificateDirectory, dial, missing, tlsOptions } from './shared.test.ts';

const REQUEST = [
  'GET /mqtt HTTP/1.1',
  'Host: localhost',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Protocol: mqtt',
];

const blockOf = (lines: readonly string[]): string => `${lines.join('\r\n')}\r\n\r\n`;

function webSocket(t: TestContext, url: string, protocols: string | string[], options: ClientOptions = {}): WebSocket {
  const socket = new WebSocket(url, protocols, options);
  socket.on('error', () => {});
  t.after(() => socket.terminate());
  return socket;
}

test('the ws client talks in both directions, with compression offered and not used', async t => {
  const broker = new Broker(t);
  const port = await broker.open({}, { protocol: 'websockets' });
  const socket = webSocket(t, `ws://127.0.0.1:${port}/whatever`, ['mqtt', 'mqttv3.1']);
  await once(socket, 'open');
  assert.equal(socket.protocol, 'mqtt');
  const arrived = await broker.next();
  socket.send(Buffer.from('hello'));
  socket.send(Buffer.alloc(200_000, 3));
  await broker.until(() => arrived.bytes.length === 200_005);
  const messages: Buffer[] = [];
  socket.on('message', (data: Buffer) => messages.push(data));
  arrived.link.write(Buffer.from('one'), 0, 3);
  arrived.link.write(Buffer.alloc(100_000, 4), 0, 100_000);
  while (messages.length < 2) await once(socket, 'message');
  assert.deepEqual(
    messages.map(message => message.length),
    [3, 100_000],
  );
});

test('closing goes both ways: the client sees our code, we see that it was the peer', async t => {
  const broker = new Broker(t);
  const port = await broker.open({}, { protocol: 'websockets' });
  const ours = webSocket(t, `ws://127.0.0.1:${port}`, 'mqttv3.1');
  const first = await broker.next(1);
  const closed = once(ours, 'close') as Promise<[number]>;
  first.link.end();
  assert.equal((await closed)[0], 1000);
  const theirs = webSocket(t, `ws://127.0.0.1:${port}`, 'mqtt');
  const second = await broker.next(2);
  await once(theirs, 'open');
  theirs.close(1001);
  assert.equal(((await once(theirs, 'close')) as [number])[0], 1001);
  await broker.until(() => second.end !== null);
  assert.deepEqual(second.end, { by: 'peer' });
});

test('WebSocket runs over TLS as it does without', { skip: missing('openssl', 'version') }, async t => {
  const certificates = new CertificateDirectory();
  t.after(() => certificates.remove());
  const broker = new Broker(t);
  const tls = tlsOptions(certificates);
  const port = await broker.open({ tls }, { protocol: 'websockets', requireCertificate: true });
  const file = (name: string): Buffer => readFileSync(certificates.file(name));
  const options = { ca: file('ca.crt'), cert: file('alice.crt'), key: file('alice.key') };
  const socket = webSocket(t, `wss://127.0.0.1:${port}`, 'mqtt', options);
  await once(socket, 'open');
  const { peer, link } = await broker.next();
  assert.equal(peer.certificate?.commonName, 'alice');
  link.write(Buffer.from('hi'), 0, 2);
  assert.equal(String(((await once(socket, 'message')) as [Buffer])[0]), 'hi');
});

test('a request that comes byte by byte is answered as one that comes whole', async t => {
  const broker = new Broker(t);
  const port = await broker.open({}, { protocol: 'websockets' });
  const socket = dial(t, port);
  socket.setNoDelay(true);
  for (const byte of blockOf(REQUEST)) {
    socket.write(byte);
    await new Promise(resolve => setImmediate(resolve));
  }
  await broker.next();
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(
    answer.toString(),
    /^HTTP\/1\.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n/,
  );
});

const without = (name: string): string[] => REQUEST.filter(line => !line.startsWith(name));

const REFUSED: [string, string, RegExp][] = [
  [
    'a page asked for by a browser',
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    /bad socket read\/write: Unknown error\n.*as from a browser's address bar/,
  ],
  [
    'no subprotocol',
    blockOf(without('Sec-WebSocket-Protocol')),
    /bad socket read\/write: Unknown error\n.*no subprotocol/,
  ],
  [
    'an unknown method',
    blockOf(['PUT / HTTP/1.1', ...REQUEST.slice(1)]),
    /bad socket read\/write: Unknown error\n.*not a WebSocket request/,
  ],
  [
    'version 12',
    blockOf([...without('Sec-WebSocket-Version'), 'Sec-WebSocket-Version: 12']),
    /used disallowed feature \(QoS too high.*\)\.\n/,
  ],
  [
    'a foreign origin',
    blockOf([...REQUEST, 'Origin: http://evil.example']),
    /non-matching http origin\.\n.*evil\.example.*websockets_origin/,
  ],
  ['bytes behind the request', `${blockOf(REQUEST)}\x82\x00`, /disconnected: malformed packet\.\n/],
  ['a request that is too long', `GET /${'x'.repeat(5000)}`, /longer than 4095 bytes/],
  ['TLS', '\x16\x03\x01\x02\x00', /appears to be using TLS to connect to a non-TLS listener\.\n.*protocol error\./],
];

for (const [what, bytes, line] of REFUSED) {
  test(`a WebSocket port closes without an HTTP answer and says why: ${what}`, async t => {
    const broker = new Broker(t);
    const port = await broker.open({ websocketOrigins: ['http://ok.example'] }, { protocol: 'websockets' });
    const socket = dial(t, port);
    const received: Buffer[] = [];
    socket.on('data', chunk => received.push(chunk));
    const closed = once(socket, 'close');
    socket.write(Buffer.from(bytes, 'latin1'));
    await broker.untilLine(line);
    await closed;
    assert.equal(Buffer.concat(received).length, 0);
    assert.equal(broker.arrived.length, 0);
  });
}

test('plain MQTT on a WebSocket port goes to the heart to be refused in words', async t => {
  const broker = new Broker(t);
  const port = await broker.open({}, { protocol: 'websockets' });
  dial(t, port).write(Buffer.from('100d00044d515454', 'hex'));
  const arrived = await broker.next();
  await broker.until(() => arrived.bytes.length === 8);
  assert.equal(arrived.peer.refusal?.code, 'listener.websocket-only');
  assert.match(broker.text, /plain MQTT on a WebSocket port/);
});

test('a request that never ends is cut off at the deadline', async t => {
  const broker = new Broker(t);
  // Long enough that what was written is there first, also where this process waits for its turn.
  broker.options.limits.handshakeTimeoutMs = 500;
  const port = await broker.open({}, { protocol: 'websockets' });
  dial(t, port).write('GET / HTTP/1.1\r\n');
  await broker.untilLine(/exceeded timeout\.\n.*WebSocket request was not complete/);
});
