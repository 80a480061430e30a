/** What takes long in a real broker: time-outs, expiry, delays and the round of packet identifiers, in simulated time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as bytes from '../conformance/bytes.ts';
import { Quick } from './quick.ts';
import { World } from './world.ts';

const SECOND = 1000;
const DAY = 86_400 * SECOND;

const watcher = (world: World, filter: string): Quick => new Quick(world, { clientId: 'watcher' }).subscribe(filter, 0);

test('a link that says nothing is closed after connect_timeout, and not before', () => {
  const world = new World({ settings: { connectTimeoutSeconds: 30 } });
  const silent = new Quick(world, null);
  world.advance(29 * SECOND);
  assert.equal(silent.link.ended, false);
  world.advance(2 * SECOND);
  assert.equal(silent.link.ended, true);
});

test('half a CONNECT does not buy more time', () => {
  const world = new World({ settings: { connectTimeoutSeconds: 30 } });
  const slow = new Quick(world, null);
  const connect = bytes.connect({ clientId: 'slow' });
  for (let n = 0; n < 10; n += 1) {
    slow.say(connect.subarray(n, n + 1));
    world.advance(4 * SECOND);
  }
  assert.equal(slow.link.ended, true);
});

for (const [keepAlive, lives, dies] of [
  [10, 14, 17],
  [60, 89, 92],
  [65535, 98_300, 98_310],
] as const)
  test(`keep alive ${keepAlive}: alive after ${lives} s of silence, closed after ${dies} s`, () => {
    const world = new World();
    const client = new Quick(world, { keepAlive });
    world.advance(lives * SECOND);
    assert.equal(client.link.ended, false);
    world.advance((dies - lives) * SECOND);
    assert.equal(client.link.ended, true);
  });

test('a session lives for exactly its expiry interval, be it ten days', () => {
  for (const [away, present] of [
    [10 * DAY - 5 * SECOND, true],
    [10 * DAY + 5 * SECOND, false],
  ] as const) {
    const world = new World();
    const first = new Quick(world, { properties: [['sessionExpiry', 10 * 86_400]] });
    first.link.close();
    world.advance(away);
    const [connack] = new Quick(world, { clean: false }).hear();
    assert.equal(connack?.sessionPresent, present);
  }
});

test('a session that ended leaves nothing behind', () => {
  const world = new World();
  for (let n = 0; n < 50; n += 1) {
    const client = new Quick(world, { clientId: `c${n}`, properties: [['sessionExpiry', 5]] });
    client.subscribe(`t/${n}/#`, 1).subscribe(`$share/g/t/${n}`, 1);
    client.link.close();
  }
  assert.equal(world.broker.sessions.size, 50);
  world.advance(10 * SECOND);
  assert.deepEqual([world.broker.sessions.size, world.broker.groups.size], [0, 0]);
  assert.equal(world.broker.gauges().subscriptions, 0);
});

test('delayed wills come out in the order in which they are due', () => {
  const world = new World();
  const watch = watcher(world, 'will/#');
  for (const [clientId, delay] of [
    ['late', 30],
    ['early', 10],
    ['middle', 20],
  ] as const) {
    const will = { topic: `will/${clientId}`, payload: clientId, properties: [['willDelay', delay]] } as const;
    new Quick(world, { clientId, properties: [['sessionExpiry', 600]], will }).link.close();
  }
  watch.hear();
  world.advance(9 * SECOND);
  assert.deepEqual(watch.messages(), []);
  for (const expected of ['early', 'middle', 'late']) {
    world.advance(10 * SECOND);
    assert.deepEqual(watch.messages(), [expected]);
  }
});

test('a will with a message expiry expires from when it was sent, not from CONNECT', () => {
  const world = new World();
  const watch = watcher(world, 'will');
  const will = { topic: 'will', payload: 'w', properties: [['messageExpiry', 10]] } as const;
  const client = new Quick(world, { will });
  world.advance(100 * SECOND);
  client.link.close();
  const message = watch.hear().at(-1)!;
  assert.deepEqual(message.properties, [['messageExpiry', 10]]);
});

test('a message in a queue says how much of its expiry is left, and goes when nothing is', () => {
  const world = new World();
  const session = { clean: false, properties: [['sessionExpiry', 3600]] } as const;
  new Quick(world, session).subscribe('t', 1).link.close();
  const publisher = new Quick(world, { clientId: 'p' });
  for (const seconds of [50, 100])
    publisher.publish('t', `${seconds}`, { qos: 1, packetId: seconds, properties: [['messageExpiry', seconds]] });
  world.advance(60 * SECOND);
  const messages = new Quick(world, session).hear().filter(packet => packet.name === 'PUBLISH');
  assert.deepEqual(
    messages.map(message => [message.payload.toString(), message.properties]),
    [['100', [['messageExpiry', 40]]]],
  );
});

test('a message that waits for the receive maximum of a connected client expires there too', () => {
  const world = new World();
  const to = new Quick(world, { clientId: 'to', properties: [['receiveMaximum', 1]] }).subscribe('t', 1);
  const from = new Quick(world, { clientId: 'from' });
  for (const [payload, expiry] of [
    ['in flight', 5],
    ['expires', 5],
    ['lasts', 500],
  ] as const)
    from.publish('t', payload, { qos: 1, packetId: 1, properties: [['messageExpiry', expiry]] });
  const first = to.hear().find(packet => packet.name === 'PUBLISH')!;
  world.advance(10 * SECOND);
  assert.deepEqual(to.say(bytes.ack(bytes.PUBACK, first.packetId)).messages(), ['lasts']);
});

test('retained messages that expired are swept away without being asked for', () => {
  const world = new World({ settings: { retainExpirySweepSeconds: 60 } });
  const publisher = new Quick(world, { clientId: 'p' });
  for (let n = 0; n < 20; n += 1)
    publisher.publish(`t/${n}`, 'm', { retain: true, properties: [['messageExpiry', 10]] });
  publisher.publish('t/kept', 'm', { retain: true });
  world.advance(130 * SECOND);
  assert.equal(world.broker.gauges().retainedMessages, 1);
});

test('packet identifiers go round from 65535 to 1, and one that is still in use is not given out again', () => {
  const world = new World();
  const to = new Quick(world, { clientId: 'to' }).subscribe('t', 1);
  const from = new Quick(world, { clientId: 'from' });
  to.hear();
  /** Publishes, and gives the identifier under which it was delivered; 0 when it waits. */
  const next = (): number => {
    from.publish('t', 'm', { qos: 1, packetId: 1 }).hear();
    return to.hear()[0]?.packetId ?? 0;
  };
  for (let n = 0; n < 65_540; n += 1) {
    const packetId = next();
    assert.equal(packetId, (n % 65_535) + 1);
    to.say(bytes.ack(bytes.PUBACK, packetId));
  }
  const held = next();
  let packetId = next();
  for (; packetId !== 0 && packetId !== held; packetId = next()) to.say(bytes.ack(bytes.PUBACK, packetId));
  assert.equal(packetId, 0, `identifier ${held} was given out twice`);
  assert.equal(to.say(bytes.ack(bytes.PUBACK, held)).hear()[0]?.packetId, held);
});

test('a QoS 1 message is acknowledged when the store has it, not before', () => {
  const world = new World();
  const to = new Quick(world, { clientId: 'to', properties: [['sessionExpiry', 60]] }).subscribe('t', 1);
  const from = new Quick(world, { clientId: 'from' });
  to.hear();
  from.hear();
  world.store.late = true;
  from.publish('t', 'm', { qos: 1, packetId: 1 }).publish('t', 'n', { qos: 2, packetId: 2 });
  assert.deepEqual(from.hear(), []);
  world.store.late = false;
  world.store.settle();
  assert.deepEqual(
    from.hear().map(packet => [packet.name, packet.packetId]),
    [
      ['PUBACK', 1],
      ['PUBREC', 2],
    ],
  );
});

test('one process runs many brokers that know nothing of each other', () => {
  const worlds = Array.from({ length: 50 }, () => new World());
  const watchers = worlds.map(world => watcher(world, '#'));
  for (const watch of watchers) watch.hear();
  worlds.forEach((world, n) => new Quick(world, { clientId: 'p' }).publish('t', `${n}`));
  watchers.forEach((watch, n) => assert.deepEqual(watch.messages(), [`${n}`]));
});
