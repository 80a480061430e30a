import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { Witness, linkPair, receive, type Pair } from './shared.test.ts';
import { WebSocketFrames, type FrameOwner } from './websocket-frames.ts';
import { answerUpgrade, type UpgradeRules } from './websocket-handshake.ts';
import { WebSocketLink } from './websocket.ts';

const FIN = 0x80;

/** A frame as a client sends it: masked, with whatever is wrong with it. */
function frame(first: number, payload: Buffer, mask: Buffer | null = Buffer.from([1, 2, 3, 4])): Buffer {
  const flag = mask === null ? 0 : 0x80;
  const length = payload.length;
  const head =
    length < 126
      ? Buffer.from([first, flag | length])
      : length < 65_536
        ? Buffer.from([first, flag | 126, length >> 8, length & 255])
        : Buffer.from([
            first,
            flag | 127,
            0,
            0,
            0,
            0,
            length >>> 24,
            (length >> 16) & 255,
            (length >> 8) & 255,
            length & 255,
          ]);
  if (mask === null) return Buffer.concat([head, payload]);
  return Buffer.concat([head, mask, payload.map((byte, i) => byte ^ mask[i & 3]!)]);
}

class FrameWitness implements FrameOwner {
  bytes: Buffer[] = [];
  controls: [number, string][] = [];
  fault: [number, string] | null = null;

  data(payload: Buffer): void {
    this.bytes.push(Buffer.from(payload));
  }

  control(opcode: number, payload: Buffer): void {
    this.controls.push([opcode, payload.toString()]);
  }

  broken(closeCode: number, why: string): void {
    this.fault = [closeCode, why];
  }
}

function readFrames(...chunks: Buffer[]): FrameWitness {
  const witness = new FrameWitness();
  const reader = new WebSocketFrames(witness);
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  return witness;
}

test('frames cut anywhere give the same bytes, masked or not, with pings among the fragments', () => {
  const piece = fc.record({
    payload: fc.oneof(fc.uint8Array({ maxLength: 8 }), fc.uint8Array({ minLength: 120, maxLength: 200 })),
    masked: fc.boolean(),
    ping: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(piece, { minLength: 1, maxLength: 6 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
      (pieces, cuts) => {
        const stream = pieces.flatMap(({ payload, masked, ping }, i) => {
          const first = (i === 0 ? 2 : 0) | (i === pieces.length - 1 ? FIN : 0);
          const bytes = frame(first, Buffer.from(payload), masked ? Buffer.from([9, 8, 7, 6]) : null);
          return ping ? [frame(FIN | 9, Buffer.from('?')), bytes] : [bytes];
        });
        const whole = Buffer.concat(stream);
        const chunks: Buffer[] = [];
        for (let at = 0; at < whole.length;) {
          const end = at + (cuts.next().value as number);
          chunks.push(whole.subarray(at, end));
          at = end;
        }
        const witness = readFrames(...chunks);
        assert.equal(witness.fault, null);
        assert.ok(Buffer.concat(witness.bytes).equals(Buffer.concat(pieces.map(({ payload }) => payload))));
        assert.equal(witness.controls.length, pieces.filter(({ ping }) => ping).length);
      },
    ),
    { numRuns: 200 },
  );
});

const BROKEN: [string, Buffer, number][] = [
  ['a text frame', frame(FIN | 1, Buffer.from('hi')), 1003],
  ['a reserved bit', frame(FIN | 0x40 | 2, Buffer.from('hi')), 1002],
  ['an unknown data opcode', frame(FIN | 3, Buffer.alloc(0)), 1002],
  ['an unknown control opcode', frame(FIN | 11, Buffer.alloc(0)), 1002],
  ['a fragmented ping', frame(9, Buffer.alloc(0)), 1002],
  ['a ping over 125 bytes', frame(FIN | 9, Buffer.alloc(126)), 1002],
  ['a continuation of nothing', frame(FIN | 0, Buffer.from('hi')), 1002],
  ['a new message inside another', Buffer.concat([frame(2, Buffer.from('a')), frame(FIN | 2, Buffer.from('b'))]), 1002],
  ['a length over 2^53', Buffer.from('82ff7fffffffffffffff00000000', 'hex'), 1002],
];

for (const [what, bytes, code] of BROKEN) {
  test(`${what} ends the stream with close code ${code}, and nothing after it is read`, () => {
    const witness = readFrames(bytes, frame(FIN | 2, Buffer.from('after')));
    assert.equal(witness.fault?.[0], code);
    assert.doesNotMatch(Buffer.concat(witness.bytes).toString(), /after/);
  });
}

test('no sequence of bytes makes the frame reader throw', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 }), chunks => {
      readFrames(...chunks.map(chunk => Buffer.from(chunk)));
    }),
  );
});

const RULES: UpgradeRules = { subprotocols: ['mqtt', 'mqttv3.1'], origins: [] };
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

function request(changes: Record<string, string | null> = {}, line = 'GET /any/path?x=1 HTTP/1.1'): Buffer {
  const headers: Record<string, string | null> = {
    Host: 'localhost',
    Upgrade: 'websocket',
    Connection: 'keep-alive, Upgrade',
    'Sec-WebSocket-Key': KEY,
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Protocol': 'mqtt',
    ...changes,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`]));
  return Buffer.from([line, ...lines, '', ''].join('\r\n'));
}

test('a request is answered with exactly the five lines mosquitto sends', () => {
  const upgrade = answerUpgrade(request(), RULES);
  assert.ok(upgrade.kind === 'accepted');
  const accept = createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  assert.equal(accept, 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  assert.equal(
    upgrade.answer.toString(),
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n`,
  );
});

const HANDSHAKES: [string, Buffer, Partial<UpgradeRules>, string][] = [
  [
    'a list of subprotocols is searched for one of ours',
    request({ 'Sec-WebSocket-Protocol': 'x, mqttv3.1' }),
    {},
    'mqttv3.1',
  ],
  [
    'header names and values ignore case',
    request({ UPGRADE: 'WebSocket', Upgrade: null, connection: 'UPGRADE' }),
    {},
    'mqtt',
  ],
  ['the version may be left out', request({ 'Sec-WebSocket-Version': null }), {}, 'mqtt'],
  ['any HTTP version and HEAD will do', request({}, 'HEAD / HTTP/1.0'), {}, 'mqtt'],
  ['an allowed origin passes', request({ Origin: 'http://ok' }), { origins: ['http://no', 'http://ok'] }, 'mqtt'],
  ['no origin passes where origins are limited', request(), { origins: ['http://ok'] }, 'mqtt'],
  [
    'an origin that only begins like an allowed one is refused',
    request({ Origin: 'http://ok.example' }),
    { origins: ['http://ok'] },
    'origin',
  ],
  [
    'a beginning of our subprotocol is not our subprotocol',
    request({ 'Sec-WebSocket-Protocol': 'mq' }),
    {},
    'no-subprotocol',
  ],
  ['the subprotocol does not ignore case', request({ 'Sec-WebSocket-Protocol': 'MQTT' }), {}, 'no-subprotocol'],
  ['no subprotocol is refused', request({ 'Sec-WebSocket-Protocol': null }), {}, 'no-subprotocol'],
  ['version 8 is refused', request({ 'Sec-WebSocket-Version': '8' }), {}, 'version'],
  ['no key is refused', request({ 'Sec-WebSocket-Key': null }), {}, 'no-key'],
  ['an upgrade to something else is refused', request({ Upgrade: 'h2c' }), {}, 'no-upgrade'],
  ['a Connection header that a proxy has changed is named', request({ Connection: 'close' }), {}, 'no-upgrade'],
  ['a page asked for by a browser is recognised', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), {}, 'browser'],
  ['POST is refused', request({}, 'POST / HTTP/1.1'), {}, 'not-http'],
  ['a header without a colon is refused', Buffer.from('GET / HTTP/1.1\r\nnonsense\r\n\r\n'), {}, 'not-http'],
];

for (const [what, block, rules, expected] of HANDSHAKES) {
  test(`WebSocket request: ${what}`, () => {
    const upgrade = answerUpgrade(block, { ...RULES, ...rules });
    assert.equal(upgrade.kind === 'accepted' ? upgrade.subprotocol : upgrade.fault, expected);
  });
}

test('no header block makes the handshake throw', () => {
  fc.assert(fc.property(fc.string(), text => void answerUpgrade(Buffer.from(`GET ${text}\r\n\r\n`), RULES)));
});

async function webSocketPair(t: TestContext): Promise<Pair & { web: WebSocketLink }> {
  const pair = await linkPair(t);
  const web = new WebSocketLink(pair.link);
  web.handler = pair.witness;
  return { ...pair, web };
}

test('each write is one binary frame of its own, and the turn leaves in one piece', async t => {
  const { web, peer } = await webSocketPair(t);
  web.write(Buffer.from('abcdef'), 0, 3);
  web.write(Buffer.from('abcdef'), 3, 6);
  web.write(Buffer.alloc(300, 1), 0, 300);
  web.write(Buffer.alloc(70_000, 2), 0, 70_000);
  const bytes = await receive(peer, 5 + 5 + 304 + 70_010);
  const expected = [
    frame(FIN | 2, Buffer.from('abc'), null),
    frame(FIN | 2, Buffer.from('def'), null),
    frame(FIN | 2, Buffer.alloc(300, 1), null),
    frame(FIN | 2, Buffer.alloc(70_000, 2), null),
  ];
  assert.ok(bytes.equals(Buffer.concat(expected)));
});

test('a ping is answered with its own payload and the owner sees only data', async t => {
  const { witness, peer } = await webSocketPair(t);
  peer.write(Buffer.concat([frame(FIN | 9, Buffer.from('still there?')), frame(FIN | 2, Buffer.from('data'))]));
  assert.ok((await receive(peer, 14)).equals(frame(FIN | 10, Buffer.from('still there?'), null)));
  await witness.until(() => witness.bytes.length === 4);
  assert.equal(witness.bytes.toString(), 'data');
});

test('end() sends what is waiting, then a close frame with the code, then closes', async t => {
  const { web, witness, peer } = await webSocketPair(t);
  web.write(Buffer.from('bye'), 0, 3);
  web.end();
  web.write(Buffer.from('late'), 0, 4);
  assert.equal((await receive(peer, 9)).toString('hex'), '8203627965880203e8');
  await once(peer, 'end');
  await witness.until(() => witness.ends.length > 0);
  assert.deepEqual(witness.ends, [{ by: 'us' }]);
});

test('a close frame is confirmed and counts as closed by the peer', async t => {
  const { witness, peer } = await webSocketPair(t);
  peer.write(frame(FIN | 8, Buffer.from([0x03, 0xe9, 0x62])));
  assert.equal((await receive(peer, 4)).toString('hex'), '880203e9');
  await witness.until(() => witness.ends.length > 0);
  assert.deepEqual(witness.ends, [{ by: 'peer' }]);
});

test('a text frame is answered with close code 1003 and ends the link', async t => {
  const { witness, peer } = await webSocketPair(t);
  peer.write(frame(FIN | 1, Buffer.from('text')));
  assert.equal((await receive(peer, 4)).toString('hex'), '880203eb');
  await witness.until(() => witness.ends.length > 0);
  assert.deepEqual(witness.ends, [{ by: 'error', text: 'Protocol error' }]);
});

test('pings are not answered to a peer that does not read', async t => {
  const { web, link, peer, witness } = await webSocketPair(t);
  peer.pause();
  for (let i = 0; i < 8; i++) web.write(Buffer.alloc(1 << 20), 0, 1 << 20);
  web.flush();
  const waiting = link.pendingBytes;
  peer.write(Buffer.concat([frame(FIN | 9, Buffer.alloc(100)), frame(FIN | 2, Buffer.from('x'))]));
  await witness.until(() => witness.bytes.length === 1);
  assert.ok(link.pendingBytes <= waiting);
});

test('the owner of a WebSocket link hears of its end exactly once', async t => {
  const { web, witness } = await webSocketPair(t);
  assert.ok(witness instanceof Witness);
  web.destroy();
  web.end();
  await witness.until(() => witness.ends.length > 0);
  assert.deepEqual(witness.ends, [{ by: 'us' }]);
});
