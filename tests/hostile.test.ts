/**
 * Malformed input by the thousand against a running broker, while a well-behaved pair goes on exchanging messages:
 * nobody but its sender pays for it.
 *
 * ZANCUDO_HOSTILE_INPUTS=1000000 asks for more of them, ZANCUDO_HOSTILE_SEED for other ones.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as dial } from 'node:net';
import { test } from 'node:test';
import { connect, field, frame, hex, publish, subscribe, u16, unsubscribe } from './conformance/bytes.ts';
import type { Version } from './conformance/bytes.ts';
import { openLab } from './conformance/lab.ts';
import { Random } from './simulation/random.ts';

const INPUTS = Number(process.env['ZANCUDO_HOSTILE_INPUTS'] ?? 20_000);
const SEED = Number(process.env['ZANCUDO_HOSTILE_SEED'] ?? 1);
/** Connections that attack at the same time. */
const ATTACKERS = 16;
/** Inputs that one connection sends before it gives up, if it is let live. */
const INPUTS_PER_CONNECTION = 25;

const lab = await openLab({ global: ['connection_messages false'] });

const VERSIONS = [3, 4, 5] as const;

/** Packets in order, for one version; what makes them hostile comes behind. */
function seedPackets(version: Version): Buffer[] {
  const topic = 'hostile/t';
  return [
    connect({ version, clientId: 'hostile', will: { topic, payload: 'w' }, username: 'u', password: 'p' }),
    publish({ version, topic, payload: 'payload' }),
    publish({ version, topic, qos: 1, packetId: 7, payload: 'payload', retain: true }),
    publish({
      version,
      topic,
      qos: 2,
      packetId: 8,
      properties: [
        ['userProperty', ['a', 'b']],
        ['topicAlias', 1],
      ],
    }),
    frame(0x40, u16(1)),
    frame(0x50, u16(1)),
    frame(0x62, u16(1)),
    frame(0x70, u16(1)),
    subscribe(version, 9, [
      ['hostile/#', 2],
      ['$share/g/hostile/+', 1],
    ]),
    unsubscribe(version, 10, ['hostile/#', 'x']),
    hex('c0 00'),
    frame(0xe0, hex('00 05 11 00000001')),
    frame(0xf0, hex('18 04 15 0001 6d')),
    frame(0x30, field('a'.repeat(300))),
  ];
}

type Spoil = (packet: Buffer, random: Random) => Buffer;

const SPOILS: readonly Spoil[] = [
  // A few bytes become others.
  (packet, random) => {
    for (let n = 1 + random.below(4); n > 0; n -= 1) packet[random.below(packet.length)] = random.below(256);
    return packet;
  },
  // The end is missing, and the length says so, or does not.
  (packet, random) => packet.subarray(0, random.below(packet.length + 1)),
  (packet, random) => frame(packet[0]!, packet.subarray(2, 2 + random.below(packet.length))),
  // Something is put in.
  (packet, random) => {
    const at = random.below(packet.length + 1);
    const more = Buffer.from(Array.from({ length: random.below(20) }, () => random.below(256)));
    return Buffer.concat([packet.subarray(0, at), more, packet.subarray(at)]);
  },
  // The first byte is another.
  (packet, random) => Buffer.concat([Buffer.of(random.below(256)), packet.subarray(1)]),
  // The length is another.
  (packet, random) => {
    const length = Array.from({ length: 1 + random.below(5) }, () => random.below(256));
    return Buffer.concat([packet.subarray(0, 1), Buffer.from(length), packet.subarray(2)]);
  },
  // Noise.
  (_packet, random) => Buffer.from(Array.from({ length: random.below(60) }, () => random.below(256))),
];

/** One connection sends its inputs until it is cut off or has sent them all. */
async function attack(random: Random): Promise<number> {
  const socket = dial(lab.broker.port, '127.0.0.1');
  socket.on('error', () => {}).resume();
  await once(socket, 'connect');
  const version = random.pick(VERSIONS);
  const packets = seedPackets(version);
  if (random.chance(0.7))
    socket.write(connect({ version, clientId: `hostile-${random.below(50)}`, clean: random.chance(0.5) }));
  let sent = 0;
  while (sent < INPUTS_PER_CONNECTION && !socket.destroyed && !socket.readableEnded) {
    socket.write(random.pick(SPOILS)(Buffer.from(random.pick(packets)), random));
    sent += 1;
    if (random.chance(0.3)) await new Promise(resolve => setImmediate(resolve));
  }
  // Half of them give the broker a moment to answer, the others are gone at once.
  if (random.chance(0.5)) await new Promise(resolve => setImmediate(resolve));
  socket.destroy();
  return sent;
}

test(`${INPUTS} malformed inputs cost nobody but their senders a connection`, async () => {
  const sender = await lab.client({ keepAlive: 0 });
  const receiver = await lab.client({ keepAlive: 0 });
  await receiver.subscribe('well/behaved', 2);
  let sent = 0;
  let exchanged = 0;
  let attacking = true;
  const wellBehaved = async (): Promise<void> => {
    for (; attacking; exchanged += 1) {
      await sender.publish('well/behaved', `${exchanged}`, { qos: exchanged % 3 });
      await receiver.expectMessage(`${exchanged}`);
    }
  };
  const attackers = Array.from({ length: ATTACKERS }, async (_, index) => {
    const random = new Random(SEED * 1000 + index);
    while (sent < INPUTS) sent += await attack(random);
  });
  const pair = wellBehaved();
  await Promise.all(attackers);
  attacking = false;
  await pair;
  assert.ok(exchanged > 10, `only ${exchanged} messages were exchanged`);
  assert.equal(lab.broker.hasEnded, false, lab.broker.log);
  assert.doesNotMatch(lab.broker.log, /internal fault/, lab.broker.log);
});

test('after all that the broker still takes clients and keeps its word', async () => {
  const client = await lab.client();
  await client.subscribe('afterwards', 1);
  await (await lab.client()).publish('afterwards', 'm', { qos: 1 });
  await client.expectMessage('m');
});
