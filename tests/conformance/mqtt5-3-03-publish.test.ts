/** MQTT 5.0, chapters 3.3.1 and 3.3.4: flags and actions of PUBLISH. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  NO_LOCAL,
  PUBACK,
  PUBREC,
  PUBREL,
  RETAIN_AS_PUBLISHED,
  RETAIN_IF_NEW,
  RETAIN_NEVER,
  ack,
  field,
  frame,
  propertyBytes,
  publish,
} from './bytes.ts';
import type { Property } from './bytes.ts';
import { openLab, unique } from './lab.ts';
import type { Peer } from './raw.ts';

const lab = await openLab();

const SESSION_60 = [['sessionExpiry', 60]] as const satisfies readonly Property[];

/** A publisher, a subscriber and a topic between them. */
async function pair(filterOptions = 0): Promise<{ from: Peer; to: Peer; topic: string }> {
  const topic = unique('topic');
  const to = await lab.client();
  await to.subscribe(topic, filterOptions);
  return { from: await lab.client(), to, topic };
}

async function retained(topic: string): Promise<string | null> {
  const late = await lab.client();
  await late.subscribe(topic);
  late.send('c0 00');
  const packet = await late.receiveAny();
  if (packet.name === 'PINGRESP') return null;
  assert.equal(packet.retain, true);
  return packet.payload.toString();
}

test('[MQTT-3.3.1-1] a PUBLISH sent again carries DUP, the same packet identifier and the same content', async () => {
  const clientId = unique('again');
  const topic = unique('topic');
  const first = await lab.client({ clientId, properties: SESSION_60 });
  await first.subscribe(topic, 2);
  const publisher = await lab.client();
  for (const qos of [1, 2]) await publisher.publish(topic, `qos ${qos}`, { qos });
  const sent = [await first.receive('PUBLISH'), await first.receive('PUBLISH')];
  first.destroy();
  const second = await lab.client({ clientId, clean: false, properties: SESSION_60 });
  for (const { packetId, payload, qos } of sent) {
    const again = await second.receive('PUBLISH');
    assert.deepEqual([again.dup, again.packetId, again.payload, again.qos], [true, packetId, payload, qos]);
  }
});

test('[MQTT-3.3.1-2] a QoS 0 PUBLISH with DUP is malformed', async () => {
  const client = await lab.client();
  client.send(publish({ topic: 't', dup: true }));
  await client.expectDisconnect(0x81);
});

test('[MQTT-3.3.1-3] the DUP flag of the publisher is not passed on', async () => {
  const { from, to, topic } = await pair(1);
  from.sendPublish(topic, 'dup', { qos: 1, dup: true });
  const message = await to.expectMessage('dup');
  assert.equal(message.dup, false);
});

test('[MQTT-3.3.1-4] QoS 3 is malformed', async () => {
  const client = await lab.client();
  client.send(publish({ topic: 't', qos: 3 }));
  await client.expectDisconnect(0x81);
});

test('[MQTT-3.3.1-5] a retained message is stored and replaces the one before, whatever its QoS', async () => {
  const client = await lab.client();
  const topic = unique('retained');
  for (const qos of [0, 1, 2]) {
    await client.publish(topic, `qos ${qos}`, { qos, retain: true });
    assert.equal(await retained(topic), `qos ${qos}`);
  }
});

test('[MQTT-3.3.1-6] [MQTT-3.3.1-7] an empty retained message removes the stored one and still reaches subscribers', async () => {
  const { from, to, topic } = await pair(RETAIN_AS_PUBLISHED);
  await from.publish(topic, 'kept', { retain: true });
  await to.expectMessage('kept');
  await from.publish(topic, '', { retain: true });
  const message = await to.expectMessage('');
  assert.equal(message.retain, true);
  assert.equal(await retained(topic), null);
});

test('[MQTT-3.3.1-8] a message without the retain flag neither stores nor replaces nor removes', async () => {
  const client = await lab.client();
  const topic = unique('retained');
  await client.publish(topic, 'live');
  assert.equal(await retained(topic), null);
  await client.publish(topic, 'kept', { retain: true });
  await client.publish(topic, 'live');
  await client.publish(topic, '');
  assert.equal(await retained(topic), 'kept');
});

test('[MQTT-3.3.1-9] retain handling 0 sends the retained messages at every subscription', async () => {
  const client = await lab.client();
  const topic = unique('retained');
  await client.publish(topic, 'kept', { retain: true });
  for (let n = 0; n < 2; n += 1) {
    await client.subscribe(topic, 0);
    assert.equal((await client.expectMessage('kept')).retain, true);
  }
});

test('[MQTT-3.3.1-10] retain handling 1 sends them to a new subscription only', async () => {
  const client = await lab.client();
  const topic = unique('retained');
  await client.publish(topic, 'kept', { retain: true });
  await client.subscribe(topic, RETAIN_IF_NEW);
  await client.expectMessage('kept');
  await client.subscribe(topic, RETAIN_IF_NEW | 1);
  await client.expectNothing();
  await client.unsubscribe(topic);
  await client.subscribe(topic, RETAIN_IF_NEW);
  await client.expectMessage('kept');
});

test('[MQTT-3.3.1-11] retain handling 2 never sends them', async () => {
  const client = await lab.client();
  const topic = unique('retained');
  await client.publish(topic, 'kept', { retain: true });
  await client.subscribe(topic, RETAIN_NEVER);
  await client.expectNothing();
});

test('[MQTT-3.3.1-12] without retain as published the retain flag is 0 on live messages', async () => {
  const { from, to, topic } = await pair();
  await from.publish(topic, 'kept', { retain: true });
  assert.equal((await to.expectMessage('kept')).retain, false);
});

test('[MQTT-3.3.1-13] with retain as published the retain flag is that of the publisher', async () => {
  const { from, to, topic } = await pair(RETAIN_AS_PUBLISHED);
  for (const retain of [true, false]) {
    await from.publish(topic, 'm', { retain });
    assert.equal((await to.expectMessage('m')).retain, retain);
  }
});

test('[MQTT-3.3.4-1] QoS 0 is answered with nothing, QoS 1 with PUBACK, QoS 2 with PUBREC', async () => {
  const { from, topic } = await pair();
  from.sendPublish(topic, '0');
  await from.expectNothing();
  from.sendPublish(topic, '1', { qos: 1, packetId: 7 });
  await from.expectBytes('40 02 00 07');
  from.sendPublish(topic, '2', { qos: 2, packetId: 8 });
  await from.expectBytes('50 02 00 08');
});

test('without a subscriber QoS 1 is answered with 0x10 and QoS 2 with 0x00', async () => {
  const from = await lab.client();
  from.sendPublish(unique('nobody'), '1', { qos: 1, packetId: 7 });
  await from.expectBytes('40 03 00 07 10');
  from.sendPublish(unique('nobody'), '2', { qos: 2, packetId: 8 });
  await from.expectBytes('50 02 00 08');
});

test('a subscriber that no-local leaves out still counts as a subscriber', async () => {
  const client = await lab.client();
  const topic = unique('topic');
  await client.subscribe(topic, NO_LOCAL | 1);
  assert.equal(await client.publish(topic, 'own', { qos: 1 }), 0);
});

test('[MQTT-3.3.4-2] overlapping subscriptions deliver at the highest QoS that matches, one copy for each', async () => {
  const prefix = unique('overlap');
  const to = await lab.client();
  const filters: [string, number][] = [
    [`${prefix}/#`, 0],
    [`${prefix}/+`, 2],
    [`${prefix}/a`, 1],
  ];
  await to.subscribe(filters);
  await (await lab.client()).publish(`${prefix}/a`, 'm', { qos: 2 });
  const copies = [];
  for (let n = 0; n < 3; n += 1) copies.push((await to.receive('PUBLISH')).qos);
  assert.deepEqual(copies, [1, 2, 0], 'literal first, then +, then #');
  await to.expectNothing();
});

test('[MQTT-3.3.4-3] [MQTT-3.3.4-5] each copy carries the identifier of its own subscription', async () => {
  const prefix = unique('overlap');
  const to = await lab.client();
  await to.subscribe(`${prefix}/#`, 0, [['subscriptionIdentifier', 268435455]]);
  await to.subscribe(`${prefix}/+`, 0, [['subscriptionIdentifier', 1]]);
  await to.subscribe(`${prefix}/a`, 0);
  await (await lab.client()).publish(`${prefix}/a`, 'm');
  const copies = [await to.take(), await to.take(), await to.take()].map(message => message.properties);
  assert.deepEqual(copies, [[], [['subscriptionIdentifier', 1]], [['subscriptionIdentifier', 268435455]]]);
});

test('a subscription renewed without an identifier loses the one it had', async () => {
  const { from, to, topic } = await pair();
  await to.subscribe(topic, 0, [['subscriptionIdentifier', 5]]);
  await to.subscribe(topic, 0);
  await from.publish(topic, 'm');
  assert.deepEqual((await to.expectMessage('m')).properties, []);
});

test('a retained message carries the identifier of the subscription that called for it', async () => {
  const client = await lab.client();
  const topic = unique('retained');
  await client.publish(topic, 'kept', { retain: true });
  await client.subscribe(topic, 0, [['subscriptionIdentifier', 9]]);
  assert.deepEqual((await client.expectMessage('kept')).properties, [['subscriptionIdentifier', 9]]);
});

test('[MQTT-3.3.4-6] a subscription identifier in a PUBLISH from a client is a protocol error', async () => {
  const client = await lab.client();
  client.send(publish({ topic: 't', properties: propertyBytes([['subscriptionIdentifier', 1]]) }));
  await client.expectDisconnect(0x82);
});

test('[MQTT-3.3.4-7] a client that exceeds the receive maximum is refused with 0x97 and stays connected', async () => {
  const { from, topic } = await pair();
  for (let id = 1; id <= 20; id += 1) {
    from.sendPublish(topic, `${id}`, { qos: 2, packetId: id });
    assert.equal((await from.receive('PUBREC')).code, 0);
  }
  from.sendPublish(topic, 'one too many', { qos: 2, packetId: 21 });
  await from.expectBytes('50 03 00 15 97');
  from.sendPublish(topic, 'one too many', { qos: 1, packetId: 22 });
  await from.expectBytes('40 03 00 16 97');
  from.sendPublish(topic, 'QoS 0 does not count');
  await from.expectNothing();
  from.send(ack(PUBREL, 1));
  await from.expectBytes('70 02 00 01');
  from.sendPublish(topic, 'room again', { qos: 1, packetId: 22 });
  await from.expectBytes('40 02 00 16');
});

test('[MQTT-3.3.4-9] no more than the receive maximum of the client is in flight, QoS 0 goes on', async () => {
  const topic = unique('flow');
  const to = await lab.client({ properties: [['receiveMaximum', 2]] });
  await to.subscribe(topic, 2);
  const from = await lab.client();
  for (const [payload, qos] of [
    ['a', 1],
    ['b', 2],
    ['c', 1],
    ['d', 2],
  ] as const)
    await from.publish(topic, payload, { qos });
  const a = await to.receive('PUBLISH');
  const b = await to.receive('PUBLISH');
  await to.expectNothing();
  await from.publish(topic, 'zero');
  assert.equal((await to.receive('PUBLISH')).payload.toString(), 'zero');
  to.send(ack(PUBACK, a.packetId));
  assert.equal((await to.receive('PUBLISH')).payload.toString(), 'c');
  to.send(ack(PUBREC, b.packetId, 0x80));
  assert.equal((await to.receive('PUBLISH')).payload.toString(), 'd');
});

test('[MQTT-3.3.4-10] other packets are answered while the receive maximum is used up', async () => {
  const topic = unique('flow');
  const to = await lab.client({ properties: [['receiveMaximum', 1]] });
  await to.subscribe(topic, 1);
  const from = await lab.client();
  for (const payload of ['a', 'b']) await from.publish(topic, payload, { qos: 1 });
  await to.receive('PUBLISH');
  await to.expectNothing();
  assert.deepEqual(await to.subscribe(unique('other'), 2), [2]);
  assert.equal(await to.publish(unique('nobody'), 'x', { qos: 1 }), 0x10);
});

test('a client that names no receive maximum gets 20 in flight, as from Mosquitto', async () => {
  const { from, to, topic } = await pair(1);
  for (let n = 0; n < 21; n += 1) await from.publish(topic, `${n}`, { qos: 1 });
  for (let n = 0; n < 20; n += 1) await to.receive('PUBLISH');
  await to.expectNothing();
});

test('a topic of 200 levels is taken, one with more is malformed', async () => {
  const client = await lab.client();
  client.send(publish({ topic: '/'.repeat(200) }));
  await client.expectNothing();
  client.send(publish({ topic: '/'.repeat(201) }));
  await client.expectDisconnect(0x81);
});

test('$SYS topics are not for clients to publish: QoS 1 and 2 are refused with 0x87', async () => {
  const client = await lab.client();
  assert.equal(await client.publish('$SYS/mine', 'x', { qos: 1 }), 0x87);
  assert.equal(await client.publish('$SYS/mine', 'x', { qos: 2 }), 0x87);
  assert.equal(await client.publish('$share/g/t', 'x', { qos: 1 }), 0x87);
  await client.publish('$SYS/mine', 'x');
});

test('a packet identifier still open is answered with PUBREC again and is not delivered twice', async () => {
  const { from, to, topic } = await pair(2);
  from.sendPublish(topic, 'once', { qos: 2, packetId: 5 });
  await from.expectBytes('50 02 00 05');
  from.sendPublish(topic, 'once', { qos: 2, packetId: 5, dup: true });
  await from.expectBytes('50 02 00 05');
  from.send('62 02 00 05');
  await from.expectBytes('70 02 00 05');
  await to.expectMessage('once');
  await to.expectNothing();
});

test('a large message goes through whole', async () => {
  const { from, to, topic } = await pair(1);
  const payload = Buffer.alloc(1_500_000, 'zancudo');
  await from.publish(topic, payload, { qos: 1 });
  assert.deepEqual((await to.take()).payload, payload);
});

test('a topic of 65535 bytes goes through whole', async () => {
  const prefix = unique('long');
  const topic = prefix + 'x'.repeat(65535 - prefix.length);
  const to = await lab.client();
  await to.subscribe(topic);
  await (await lab.client()).publish(topic, 'm');
  assert.equal((await to.expectMessage('m')).topic, topic);
});

test('a topic field longer than its packet is malformed', async () => {
  const client = await lab.client();
  client.send(frame(0x32, field('topic')));
  await client.expectDisconnect(0x81);
});
