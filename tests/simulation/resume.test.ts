/** Deliveries that are held up: by a quota, by a size, by the store, by a new connection. None may be held up for ever. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as bytes from '../conformance/bytes.ts';
import { CrashStore } from './crash-store.ts';
import { Quick } from './quick.ts';
import { World } from './world.ts';

const lasting = { clientId: 'reader', properties: [['sessionExpiry', 3600]] } as const;
const resumed = (receiveMaximum: number): bytes.ConnectFields => ({
  ...lasting,
  clean: false,
  properties: [...lasting.properties, ['receiveMaximum', receiveMaximum]],
});
const identifiers = (reader: Quick): number[] =>
  reader
    .hear()
    .filter(({ name }) => name === 'PUBLISH')
    .map(({ packetId }) => packetId);

for (const [qos, first] of [
  [1, bytes.PUBACK],
  [2, bytes.PUBREC],
] as const)
  test(`an answer at QoS ${qos} to what this connection was not sent again yet holds nothing up`, () => {
    const world = new World();
    const reader = new Quick(world, lasting).subscribe('t', qos);
    const writer = new Quick(world, { clientId: 'writer' });
    for (const payload of ['a', 'b', 'c']) writer.publish('t', payload, { qos: 1, packetId: 1 });
    if (qos === 2)
      for (const n of [1, 2, 3]) writer.publish('t', `${n}`, { qos: 2, packetId: n }).say(bytes.ack(bytes.PUBREL, n));
    const sent = identifiers(reader).length;
    reader.link.close();
    const again = new Quick(world, resumed(1));
    assert.equal(identifiers(again).length, 1);
    // The second was received over the first connection, and is answered before it was sent again.
    const last = sent;
    again.say(bytes.ack(first, last));
    if (qos === 2) again.say(bytes.ack(bytes.PUBCOMP, last));
    for (let id = 1; id < last; id += 1) {
      const kind = qos === 2 && id > 3 ? bytes.PUBREC : bytes.PUBACK;
      again.say(bytes.ack(kind, id));
      if (kind === bytes.PUBREC) again.say(bytes.ack(bytes.PUBCOMP, id));
    }
    again.hear();
    writer.publish('t', 'new', { qos: 1, packetId: 9 });
    assert.deepEqual(again.messages(), ['new']);
  });

test('a QoS 2 message that turns out too large once the store has answered does not hold up those behind it', () => {
  const store = new CrashStore();
  const world = new World({ store });
  const limits = [
    ['receiveMaximum', 1],
    ['maximumPacketSize', 60],
  ] as const;
  const reader = new Quick(world, { ...lasting, properties: [...lasting.properties, ...limits] }).subscribe('t', 2);
  const writer = new Quick(world, { clientId: 'writer' });
  store.commit();
  for (const [n, payload] of ['x'.repeat(100), 'small'].entries())
    writer.publish('t', payload, { qos: 2, packetId: n + 1 }).say(bytes.ack(bytes.PUBREL, n + 1));
  store.commit();
  store.commit();
  assert.deepEqual(reader.messages(), ['small']);
});

test('a QoS 2 message is not sent over a new connection before the store knows its identifier', () => {
  const store = new CrashStore();
  const world = new World({ store });
  const reader = new Quick(world, lasting).subscribe('t', 2);
  const writer = new Quick(world, { clientId: 'writer' });
  store.commit();
  writer.publish('t', 'once', { qos: 2, packetId: 1 }).say(bytes.ack(bytes.PUBREL, 1));
  reader.link.close();
  const again = new Quick(world, resumed(10));
  assert.deepEqual(again.messages(), []);
  store.commit();
  assert.deepEqual(again.messages(), ['once']);
});

test('a PUBREL is not sent over a new connection before the store knows of the PUBREC', () => {
  const store = new CrashStore();
  const world = new World({ store });
  const reader = new Quick(world, lasting).subscribe('t', 2);
  const writer = new Quick(world, { clientId: 'writer' });
  store.commit();
  writer.publish('t', 'once', { qos: 2, packetId: 1 }).say(bytes.ack(bytes.PUBREL, 1));
  store.commit();
  const [{ packetId }] = reader.hear().slice(-1) as [bytes.Received];
  reader.say(bytes.ack(bytes.PUBREC, packetId));
  reader.link.close();
  const again = new Quick(world, resumed(10));
  const names = (): string[] => again.hear().map(({ name }) => name);
  assert.deepEqual(names(), ['CONNACK']);
  store.commit();
  assert.deepEqual(names(), ['PUBREL']);
});

test('one copy for a 3.1.1 client whose filters overlap comes at the highest QoS of them [MQTT-3.3.5-1]', () => {
  const world = new World({ settings: { allowDuplicateMessages: false } });
  const reader = new Quick(world, { clientId: 'reader', version: 4 }).subscribe('a/b', 0).subscribe('a/#', 2);
  reader.hear();
  new Quick(world, { clientId: 'writer' }).publish('a/b', 'x', { qos: 1, packetId: 1 });
  assert.deepEqual(
    reader.hear().map(({ name, qos }) => [name, qos]),
    [['PUBLISH', 1]],
  );
});
