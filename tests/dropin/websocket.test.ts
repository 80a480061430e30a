/** WebSocket listeners, byte by byte: docs/compat/errors-logs.md 6, with what is marked there as a fault put right. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test, type TestContext } from 'node:test';
import {
  connect,
  disconnect,
  pingreq,
  publish,
  RawClient,
  readPacket,
  subscribe,
  type Broker,
  type Place,
} from '../harness/mod.ts';
import { assertInOrder, clientOf, rowsAtOnce, shared, start, texts } from './stage.ts';
import { accept, close, frame, request, WebPeer, type UpgradeFields } from './upgrade.ts';

const binary = 2;

const conf = (at: Place, lines = '', globals = ''): string =>
  `listener ${at.port()} 127.0.0.1\nprotocol websockets\n${lines}allow_anonymous true\n${globals}`;

function brokerWith(t: TestContext, lines = '', globals = ''): Promise<Broker> {
  return start(t, { conf: at => conf(at, lines, globals) });
}

/** Upgraded and let in. */
async function peerOf(broker: Broker, version: 4 | 5 = 4): Promise<WebPeer> {
  const peer = await WebPeer.dial(broker.port);
  peer.send(request());
  assert.match((await peer.answer())!, /^HTTP\/1\.1 101 /);
  peer.send(frame(binary, connect({ clientId: 'web', version })));
  assert.equal((await packetOf(peer)).type, 'connack');
  return peer;
}

async function packetOf(peer: WebPeer) {
  const found = await peer.frame();
  assert.ok(found, 'a frame was expected, the broker closed');
  assert.equal(
    found.opcode,
    binary,
    `a binary frame was expected, got ${found.opcode} ${found.payload.toString('hex')}`,
  );
  const read = readPacket(found.payload, 4);
  assert.ok(read, `one packet per frame: ${found.payload.toString('hex')}`);
  assert.equal(read.rest.length, 0, 'one packet per frame');
  return read.packet;
}

describe('the upgrade', rowsAtOnce, () => {
  test('is answered with exactly these lines', async t => {
    const broker = await brokerWith(t);
    const peer = await WebPeer.dial(broker.port);
    peer.send(request());
    assert.equal(
      await peer.answer(),
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n`,
    );
  });

  const accepted: readonly (readonly [what: string, fields: UpgradeFields, protocol?: string])[] = [
    ['any path', { path: '/' }],
    ['a path with a query', { path: '/some/where?a=b' }],
    ['HEAD', { method: 'HEAD' }],
    ['the subprotocol mqttv3.1', { headers: { 'Sec-WebSocket-Protocol': 'mqttv3.1' } }, 'mqttv3.1'],
    ['a list of subprotocols', { headers: { 'Sec-WebSocket-Protocol': 'wamp, mqtt, mqttv3.1' } }, 'mqtt'],
    ['a list without mqtt itself', { headers: { 'Sec-WebSocket-Protocol': 'wamp,mqttv3.1' } }, 'mqttv3.1'],
    ['no version', { headers: { 'Sec-WebSocket-Version': null } }],
    ['Connection with more than one word', { headers: { Connection: 'keep-alive, Upgrade' } }],
    ['names and values in any case', { headers: { Upgrade: null, UPGRADE: 'WebSocket', Connection: 'UPGRADE' } }],
    ['an Origin where any is allowed', { headers: { Origin: 'http://anywhere.example' } }],
    ['a large header block below the limit', { headers: { Cookie: 'x'.repeat(3500) } }],
  ];
  test('is granted', async t => {
    const broker = await brokerWith(t);
    for (const [what, fields, protocol = 'mqtt'] of accepted) {
      const peer = await WebPeer.dial(broker.port);
      peer.send(request(fields));
      const answer = await peer.answer();
      assert.ok(answer?.includes(`\r\nSec-WebSocket-Protocol: ${protocol}\r\n`), `${what}: ${answer}`);
      peer.socket.destroy();
    }
  });

  test('in pieces, one byte at a time, is granted', async t => {
    const broker = await brokerWith(t);
    const peer = await WebPeer.dial(broker.port);
    peer.socket.setNoDelay(true);
    for (const byte of request()) peer.send(Buffer.from([byte]));
    assert.match((await peer.answer())!, /^HTTP\/1\.1 101 /);
  });

  test('with a header block above packet_buffer_size gets no answer', async t => {
    const broker = await brokerWith(t, '', 'packet_buffer_size 300\nconnect_timeout 1\n');
    const small = await WebPeer.dial(broker.port);
    small.send(request({ headers: { Cookie: 'x'.repeat(300) } }));
    assert.equal(await small.answer(), null);
    await broker.logged(/disconnected/);
  });

  test('plain MQTT on a WebSocket port is named', async t => {
    const broker = await brokerWith(t);
    const client = await RawClient.dial({ port: broker.port });
    client.send(connect({ clientId: 'a' }));
    await client.next();
    await broker.logged(/WebSocket|websocket/);
    await broker.logged(/disconnected/);
  });

  test('a WebSocket client on a plain port is named', async t => {
    const broker = await start(t);
    const peer = await WebPeer.dial(broker.port);
    peer.send(request());
    assert.equal(await peer.answer(), null);
    await broker.logged(/First packet not CONNECT \(47\)\./);
  });
});

describe('an upgrade', () => {
  const broker = shared({ conf });
  const unknown = 'bad socket read/write: Unknown error';
  const refused: readonly (readonly [what: string, fields: UpgradeFields, reason: string])[] = [
    ['another method', { method: 'POST' }, unknown],
    ['no Upgrade', { headers: { Upgrade: null } }, unknown],
    ['no Connection', { headers: { Connection: null } }, unknown],
    ['no key', { headers: { 'Sec-WebSocket-Key': null } }, unknown],
    ['no subprotocol', { headers: { 'Sec-WebSocket-Protocol': null } }, unknown],
    ['another subprotocol', { headers: { 'Sec-WebSocket-Protocol': 'wamp' } }, unknown],
    ['a prefix of a subprotocol', { headers: { 'Sec-WebSocket-Protocol': 'mq' } }, unknown],
    ['the subprotocol in capitals', { headers: { 'Sec-WebSocket-Protocol': 'MQTT' } }, unknown],
    [
      'another version',
      { headers: { 'Sec-WebSocket-Version': '8' } },
      'used disallowed feature (QoS too high, retain not supported, or bad AUTH method).',
    ],
    ['bytes behind the header block', { behind: frame(binary, pingreq()) }, 'malformed packet.'],
  ];
  for (const [what, fields, reason] of refused) {
    test(`with ${what} is closed without an HTTP answer: ${reason}`, async () => {
      const from = broker().lines.length;
      const peer = await WebPeer.dial(broker().port);
      peer.send(request(fields));
      assert.equal(await peer.answer(), null);
      await broker().logged(/disconnected/, from);
      const line = texts(broker().lines.slice(from)).find(each => each.startsWith('Client 127.0.0.1 ['));
      assert.equal(line?.replace(/\[.*\]/, '[]'), `Client 127.0.0.1 [] disconnected: ${reason}`);
    });
  }
});

describe('websockets_origin', rowsAtOnce, () => {
  const origins = 'websockets_origin http://ok.example\nwebsockets_origin https://also.example:8443\n';
  const code = async (broker: Broker, origin: string | null): Promise<string | null> => {
    const peer = await WebPeer.dial(broker.port);
    peer.send(request({ headers: { Origin: origin } }));
    const answer = await peer.answer();
    peer.socket.destroy();
    return answer === null ? null : answer.slice(9, 12);
  };

  test('each one named is let in, and who sends none', async t => {
    const broker = await brokerWith(t, origins);
    assert.equal(await code(broker, 'http://ok.example'), '101');
    assert.equal(await code(broker, 'https://also.example:8443'), '101');
    assert.equal(await code(broker, null), '101');
  });

  test('others are closed, a prefix too, with Mosquitto’s reason', async t => {
    const broker = await brokerWith(t, origins);
    for (const origin of ['http://evil.example', 'http://ok', 'http://ok.example.evil', 'https://ok.example']) {
      assert.equal(await code(broker, origin), null, origin);
    }
    await broker.logged(/disconnected: non-matching http origin\.$/);
  });
});

describe('frames', rowsAtOnce, () => {
  test('packets may span frames and share them; each answer has its own', async t => {
    const broker = await brokerWith(t);
    const peer = await peerOf(broker);
    const bytes = Buffer.concat([
      subscribe({ filters: [['a', 0]] }),
      publish({ topic: 'a', payload: 'x'.repeat(300), qos: 1, packetId: 5 }),
      pingreq(),
    ]);
    peer.send(
      frame(binary, bytes.subarray(0, 3)),
      frame(binary, bytes.subarray(3, 200)),
      frame(binary, bytes.subarray(200)),
    );
    const types = [];
    for (let i = 0; i < 4; i++) types.push((await packetOf(peer)).type);
    assert.deepEqual([...types].sort(), ['pingresp', 'puback', 'publish', 'suback']);
  });

  test('one message in fragments, with a ping between them', async t => {
    const broker = await brokerWith(t);
    const peer = await peerOf(broker);
    const bytes = pingreq();
    peer.send(
      frame(binary, bytes.subarray(0, 1), { fin: false }),
      frame(9, Buffer.from('hi')),
      frame(0, bytes.subarray(1)),
    );
    const pong = await peer.frame();
    assert.equal(pong?.opcode, 10);
    assert.equal(pong.payload.toString(), 'hi');
    assert.equal((await packetOf(peer)).type, 'pingresp');
  });

  test('unmasked frames and empty frames are taken', async t => {
    const broker = await brokerWith(t);
    const peer = await peerOf(broker);
    peer.send(frame(binary, Buffer.alloc(0)), frame(binary, pingreq(), { masked: false }));
    assert.equal((await packetOf(peer)).type, 'pingresp');
  });

  test('a large message goes both ways', async t => {
    const broker = await brokerWith(t);
    const client = await clientOf(broker, { clientId: 'a' }, { websocket: {} });
    await client.subscribe([['a', 1]]);
    const payload = randomBytes(100_000);
    client.send(publish({ topic: 'a', payload }));
    assert.deepEqual((await client.expect('publish')).payload, payload);
  });

  const faults: readonly (readonly [what: string, bytes: Buffer, code: number])[] = [
    ['text', frame(1, Buffer.from('hi')), 1003],
    ['a reserved bit', frame(binary, pingreq(), { reserved: 4 }), 1002],
    ['an unknown opcode', frame(3, Buffer.alloc(0)), 1002],
    ['a fragmented ping', frame(9, Buffer.alloc(0), { fin: false }), 1002],
    ['a ping of more than 125 bytes', frame(9, Buffer.alloc(126)), 1002],
  ];
  for (const [what, bytes, code] of faults) {
    test(`${what} is closed with ${code}`, async t => {
      const broker = await brokerWith(t);
      const peer = await peerOf(broker);
      peer.send(bytes);
      const last = await peer.frame();
      assert.equal(last?.opcode, 8);
      assert.deepEqual(last.payload, close(code));
      assert.equal(await peer.frame(), null);
    });
  }

  test('after DISCONNECT and on other ends the close frame says 1000', async t => {
    const broker = await brokerWith(t);
    const peer = await peerOf(broker);
    peer.send(frame(binary, disconnect()));
    const last = await peer.frame();
    assert.equal(last?.opcode, 8);
    assert.deepEqual(last.payload, close(1000));
    assert.equal(await peer.frame(), null);
  });

  test('a v5 DISCONNECT stands in front of the close frame', async t => {
    const broker = await brokerWith(t);
    const peer = await peerOf(broker, 5);
    peer.send(frame(binary, publish({ version: 5, topic: 'a/#' })));
    assert.equal((await packetOf(peer)).bytes.toString('hex'), 'e00181');
    const last = await peer.frame();
    assert.equal(last?.opcode, 8);
    assert.equal(await peer.frame(), null);
  });

  test('a client that closes gets the connection closed', async t => {
    const broker = await brokerWith(t);
    const peer = await peerOf(broker);
    peer.send(frame(8, close(1000)));
    for (let next = await peer.frame(); next !== null; next = await peer.frame()) assert.equal(next.opcode, 8);
    await broker.logged(/Client web \[127\.0\.0\.1:\d+\] disconnected: connection closed by client\.$/);
  });
});

test('a WebSocket client shares messages with a plain one, and is logged alike', async t => {
  const broker = await start(t, {
    conf: at =>
      `listener ${at.port()} 127.0.0.1\nprotocol websockets\nlistener ${at.port(1)} 127.0.0.1\nallow_anonymous true\n`,
  });
  for (const version of [3, 4, 5] as const) {
    const web = await clientOf(
      broker,
      { clientId: `web${version}`, version },
      { websocket: { protocols: ['mqttv3.1'] } },
    );
    await web.subscribe([['a', 0]]);
    const plain = await clientOf(broker, { clientId: 'plain' }, { port: broker.ports[1]! });
    plain.send(publish({ topic: 'a', payload: 'hello' }));
    assert.equal((await web.expect('publish')).payload!.toString(), 'hello');
  }
  assertInOrder(
    texts(broker.lines),
    new RegExp(`^New connection from 127\\.0\\.0\\.1:\\d+ on port ${broker.port}\\.$`),
    /^New client connected from 127\.0\.0\.1:\d+ as web3 \(p3, c1, k60\)\.$/,
  );
});
