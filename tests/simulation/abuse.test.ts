/** The heart against those who send too much and those who throw each other out, in simulated time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BrokerSettings } from '../../src/broker/mod.ts';
import { connect, publish, type RawPacket, readPacket, type Version } from '../harness/mod.ts';
import { type SimulatedLink, World } from './world.ts';

/** Everything the broker has written, as packets. */
function packetsOf(link: SimulatedLink, version: Version): RawPacket[] {
  let bytes = link.read(Infinity);
  const packets: RawPacket[] = [];
  for (let read = readPacket(bytes, version); read; read = readPacket(bytes, version)) {
    packets.push(read.packet);
    bytes = read.rest;
  }
  return packets;
}

const codesOf = (link: SimulatedLink, version: Version): (number | undefined)[] =>
  packetsOf(link, version).map(each => each.reasonCode);

function connected(world: World, version: Version, clientId: string, address = '192.0.2.1'): SimulatedLink {
  const link = world.dial(Infinity, { peer: { address } });
  link.send(connect({ version, clientId, keepAliveSeconds: 0 }));
  link.arrive(Infinity);
  return link;
}

function flood(link: SimulatedLink, version: Version, qos: number, count: number, payload = ''): void {
  const one = (n: number): Buffer =>
    publish({ version, topic: 't', qos, payload, ...(qos > 0 ? { packetId: n } : {}) });
  link.send(Buffer.concat(Array.from({ length: count }, (_, n) => one(n + 1))));
  link.arrive(Infinity);
}

const limited = (settings: Partial<BrokerSettings>): World => new World({ settings });

test('who publishes too fast is not read for a while, and nothing of it is lost', () => {
  const world = limited({ maxPublishRate: 10 });
  const link = connected(world, 4, 'a');
  packetsOf(link, 4);
  flood(link, 4, 1, 40);
  assert.equal(packetsOf(link, 4).length, 11);
  world.advance(1000);
  const afterOne = packetsOf(link, 4).length;
  assert.ok(afterOne >= 8 && afterOne <= 12, String(afterOne));
  world.advance(3000);
  assert.equal(world.meter.publishReceived, 40);
  assert.ok(world.meter.publishersSlowed > 0);
});

test('connections from one address share what it may publish, and those from another do not', () => {
  const world = limited({ maxPublishRate: 10, publishRateBy: 'address' });
  const [a, b] = [connected(world, 4, 'a'), connected(world, 4, 'b')];
  const other = connected(world, 4, 'c', '192.0.2.2');
  flood(a, 4, 1, 11);
  flood(b, 4, 1, 10);
  assert.equal(world.meter.publishReceived, 12);
  flood(other, 4, 1, 10);
  assert.equal(world.meter.publishReceived, 22);
  world.advance(3000);
  assert.equal(world.meter.publishReceived, 31);
});

test('bytes count like messages, and one large message only delays the next', () => {
  const world = limited({ maxPublishByteRate: 1000 });
  const link = connected(world, 4, 'a');
  flood(link, 4, 1, 3, 'x'.repeat(3000));
  assert.equal(world.meter.publishReceived, 1);
  world.advance(2250);
  assert.equal(world.meter.publishReceived, 2);
  world.advance(10_000);
  assert.equal(world.meter.publishReceived, 3);
});

test('where too fast is refused, MQTT 5 is told 0x97, QoS 0 is dropped and counted, and older clients are slowed', () => {
  const world = limited({ maxPublishRate: 10, publishRateExceeded: 'refuse' });
  const five = connected(world, 5, 'five');
  packetsOf(five, 5);
  flood(five, 5, 1, 12);
  assert.deepEqual(codesOf(five, 5).slice(9), [0x10, 0x97, 0x97]);
  flood(five, 5, 0, 5);
  assert.equal(world.meter.drops['over-rate'], 7);
  const four = connected(world, 4, 'four');
  packetsOf(four, 4);
  flood(four, 4, 1, 15);
  assert.equal(packetsOf(four, 4).length, 11);
  world.advance(2000);
  assert.equal(packetsOf(four, 4).length, 4);
  assert.equal(five.ended, false);
});

/** Takes over again and again, from these addresses in turn; what each was answered. */
async function fight(world: World, addresses: readonly string[], rounds: number): Promise<number[]> {
  const codes: number[] = [];
  for (let n = 0; n < rounds; n++) {
    const link = connected(world, 5, 'twin', addresses[n % addresses.length]);
    world.advance(2500);
    await new Promise(setImmediate);
    codes.push(codesOf(link, 5)[0]!);
  }
  return codes;
}

test('two places that throw each other out are told of once, and by default go on as MQTT says', async () => {
  const world = limited({ takeoverRounds: 3 });
  assert.deepEqual(new Set(await fight(world, ['192.0.2.1', '192.0.2.2'], 12)), new Set([0]));
  assert.equal(world.meter.takeoverFights, 1);
});

test('held off, the newcomer is told 0x97 and the other one stays; later it may try again, and has to wait longer', async () => {
  const world = limited({ takeoverRounds: 3, takeoverNewcomer: 'hold' });
  assert.deepEqual(await fight(world, ['192.0.2.1', '192.0.2.2'], 6), [0, 0, 0, 0x97, 0, 0x97]);
  world.advance(20_000);
  assert.deepEqual(await fight(world, ['192.0.2.2'], 1), [0x97]);
  world.advance(16_000);
  assert.deepEqual(await fight(world, ['192.0.2.2'], 1), [0x97]);
  assert.equal(world.broker.sessions.get('twin')?.connection?.peer.address, '192.0.2.1');
});

test('one device that comes back from where it was is never held, however often', async () => {
  const world = limited({ takeoverRounds: 3, takeoverNewcomer: 'hold' });
  assert.deepEqual(new Set(await fight(world, ['192.0.2.1'], 40)), new Set([0]));
});
