/** A broker that lies in one way at a time: the generator has to tell on it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import {
  encodeConnack,
  encodeSuback,
  FrameReader,
  frameStatus,
  packetTypes,
  PINGRESP,
  readSubscribe,
} from '../codec/mod.ts';
import { runBench, type Draft, type Outcome } from './mod.ts';

/** What becomes of the nth message on its way to the subscriber. */
type Lie = (packet: Buffer, n: number, held: Buffer[]) => Buffer[];

const honest: Lie = packet => [packet];

/** Sends every PUBLISH to the one who subscribed last. QoS 0 only: that is all a lie needs. */
async function withBroker(lie: Lie, use: (port: number) => Promise<void>): Promise<void> {
  const sockets: Socket[] = [];
  let subscriber: Socket | null = null;
  let count = 0;
  const held: Buffer[] = [];
  const server = createServer(socket => {
    sockets.push(socket);
    const reader = new FrameReader(new Uint32Array(16));
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      reader.push(chunk);
      while (reader.next() === frameStatus.packet) {
        const { bytes, first, start, end } = reader;
        const type = first >> 4;
        if (type === packetTypes.connect)
          socket.write(encodeConnack({ sessionPresent: false, reasonCode: 0, properties: {} }, 4));
        if (type === packetTypes.pingreq) socket.write(PINGRESP);
        if (type === packetTypes.subscribe) {
          subscriber = socket;
          const { packetId } = readSubscribe(bytes, first, start, end, 4);
          socket.write(encodeSuback('suback', { packetId, properties: {}, reasonCodes: [0] }, 4));
        }
        if (type !== packetTypes.publish) continue;
        // A body below 128 bytes: the header is two bytes.
        const packet = Buffer.from(bytes.subarray(start - 2, end));
        for (const each of lie(packet, count++, held)) subscriber?.write(each);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await use((server.address() as AddressInfo).port);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

async function told(lie: Lie, more: Partial<Draft> = {}): Promise<Outcome> {
  let outcome: Outcome | undefined;
  await withBroker(lie, async port => {
    const draft: Draft = { scenario: 'p2p', publishers: 1, count: 500, size: 32, cap: 50, ...more };
    outcome = await runBench(draft, { host: '127.0.0.1', port });
  });
  return outcome!;
}

test('a broker that delivers everything once and in order is believed', async () => {
  const { ok, sent, delivered, lost, repeated, disordered } = await told(honest);
  assert.deepEqual({ ok, sent, delivered, lost, repeated, disordered }, { ok: true, sent: 500, delivered: 500, lost: 0, repeated: 0, disordered: 0 }); // prettier-ignore
});

test('a message that is lost on the way is counted and fails the run', async () => {
  const { ok, lost, fault } = await told((packet, n) => (n === 100 || n === 101 ? [] : [packet]));
  assert.deepEqual([ok, lost], [false, 2]);
  assert.match(fault ?? '', /^2 of 500 deliveries were lost/);
});

test('a message that comes twice is counted and fails the run at QoS 0', async () => {
  const { ok, repeated, lost, fault } = await told((packet, n) => (n === 77 ? [packet, packet] : [packet]));
  assert.deepEqual([ok, repeated, lost], [false, 1, 0]);
  assert.match(fault ?? '', /twice/);
});

test('two messages that changed places are counted as disorder, and not as loss', async () => {
  const swap: Lie = (packet, n, held) => (n === 40 ? (held.push(packet), []) : [packet, ...held.splice(0)]);
  const { ok, disordered, lost, fault } = await told(swap);
  assert.deepEqual([ok, disordered, lost], [false, 1, 0]);
  assert.match(fault ?? '', /out of order/);
});

test('where a group shares, a message that comes to two of it is a repeat', async () => {
  const { repeated } = await told((packet, n) => (n === 9 ? [packet, packet] : [packet]), {
    scenario: 'shared',
    publishers: 1,
    subscribers: 1,
  });
  assert.equal(repeated, 1);
});

test('a payload that came changed fails the run', async () => {
  const spoil = (packet: Buffer): Buffer => {
    packet[packet.length - 1]! ^= 1;
    return packet;
  };
  const { ok, fault } = await told((packet, n) => [n === 5 ? spoil(packet) : packet]);
  assert.deepEqual([ok, fault], [false, 'a payload came changed']);
});

test('a message of somebody else is counted apart and fails nothing', async () => {
  const foreign = Buffer.concat([Buffer.from([0x30, 2 + 5 + 32, 0, 5]), Buffer.from('other'), Buffer.alloc(32)]);
  const { ok, foreign: seen, lost } = await told((packet, n) => (n === 3 ? [foreign, packet] : [packet]));
  assert.deepEqual([ok, seen, lost], [true, 1, 0]);
});

test('a latency counts from when the message was due, also for those behind one that was held up', async () => {
  // Behind 500 to warm up come 400 that count, one each millisecond; sixty of them are held until the last has come.
  const hold: Lie = (packet, n, held) => {
    if (n >= 700 && n < 760) return (held.push(packet), []);
    return [...held.splice(0), packet];
  };
  const { latency, ok } = await told(hold, { scenario: 'latency', rate: 1000, count: 400 });
  assert.equal(ok, true);
  assert.equal(latency?.samples, 400);
  // Every one of the sixty waited for the last of them: that they waited shows in the tail, not in one sample.
  const late = latency?.histogram.filter(row => row.fromMicros >= 10_000).reduce((sum, row) => sum + row.count, 0) ?? 0;
  assert.ok(late >= 45, `${late} of the sixty show that they waited`);
});
