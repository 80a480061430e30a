/** MQTT 3.1.1, chapters 2.3, 3.3 to 3.7 and 4.1 to 4.6: PUBLISH, acknowledgements, delivery. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PUBACK, PUBCOMP, PUBREC, PUBREL, ack, frame, hex, publish as publishBytes, u16 } from './bytes.ts';
import type { ConnectFields, PublishFields } from './bytes.ts';
import { openLab, unique } from './lab.ts';
import type { Peer } from './raw.ts';

const lab = await openLab({ listeners: [[], ['max_qos 1']] });

const publish = (fields: PublishFields): Buffer => publishBytes({ version: 4, ...fields });
const client = (fields: ConnectFields = {}): Promise<Peer> => lab.client({ version: 4, ...fields });

async function closes(...packets: (Buffer | string)[]): Promise<void> {
  for (const packet of packets) {
    const peer = await client();
    peer.send(packet);
    await peer.expectClose();
  }
}

/** A subscriber whose session lasts, a publisher, and a function that connects the subscriber again. */
async function lasting(qos: number): Promise<{ first: Peer; topic: string; from: Peer; again: () => Promise<Peer> }> {
  const clientId = unique('lasting');
  const topic = unique('topic');
  const first = await client({ clientId, clean: false });
  await first.subscribe(topic, qos);
  return { first, topic, from: await client(), again: () => client({ clientId, clean: false }) };
}

async function retained(topic: string): Promise<string[]> {
  const late = await client();
  await late.subscribe(topic);
  return late.drain();
}

test('[MQTT-2.3.1-4] messages in flight to one client have different packet identifiers', async () => {
  const { first, topic, from } = await lasting(2);
  const ids = new Set<number>();
  for (let n = 0; n < 10; n += 1) {
    await from.publish(topic, 'm', { qos: 1 + (n % 2) });
    ids.add((await first.receive('PUBLISH')).packetId);
  }
  assert.equal(ids.size, 10);
  assert.ok(!ids.has(0));
});

test('[MQTT-2.3.1-5] a QoS 0 PUBLISH has no packet identifier', async () => {
  const { first, topic, from } = await lasting(0);
  await from.publish(topic, 'm');
  assert.deepEqual((await first.receive('PUBLISH')).bytes, publish({ topic, payload: 'm' }));
});

test('[MQTT-2.3.1-6] PUBACK, PUBREC and PUBCOMP carry the identifier of the PUBLISH', async () => {
  const peer = await client();
  peer.send(publish({ topic: 't', qos: 1, packetId: 0xabcd }));
  await peer.expectBytes('40 02 ab cd');
  peer.send(publish({ topic: 't', qos: 2, packetId: 0xffff }));
  await peer.expectBytes('50 02 ff ff');
  peer.send(ack(PUBREL, 0xffff));
  await peer.expectBytes('70 02 ff ff');
});

test('[MQTT-3.3.1-1] a PUBLISH sent again has DUP and the same identifier', async () => {
  const { first, topic, from, again } = await lasting(2);
  for (const qos of [1, 2]) await from.publish(topic, 'm', { qos });
  const sent = [await first.receive('PUBLISH'), await first.receive('PUBLISH')];
  assert.ok(sent.every(message => !message.dup));
  first.destroy();
  const second = await again();
  for (const { packetId, qos } of sent) {
    const message = await second.receive('PUBLISH');
    assert.deepEqual([message.dup, message.packetId, message.qos], [true, packetId, qos]);
  }
});

test('[MQTT-3.3.1-2] DUP at QoS 0 closes', () => closes(publish({ topic: 't', dup: true })));

test('[MQTT-3.3.1-3] DUP of the publisher is not passed on', async () => {
  const { first, topic, from } = await lasting(1);
  from.sendPublish(topic, 'm', { qos: 1, dup: true });
  assert.equal((await first.receive('PUBLISH')).dup, false);
});

test('[MQTT-3.3.1-4] QoS 3 closes', () => closes(publish({ topic: 't', qos: 3 })));

test('[MQTT-3.3.1-5] [MQTT-3.3.1-6] [MQTT-3.3.1-8] a new subscription gets the last retained message with its QoS and the flag', async () => {
  const peer = await client();
  const topic = unique('retained');
  for (const qos of [1, 2]) {
    await peer.publish(topic, `${qos}`, { qos, retain: true });
    const late = await client();
    await late.subscribe(topic, 2);
    const message = await late.receive('PUBLISH');
    assert.deepEqual(
      [message.payload.toString(), message.qos, message.retain, message.dup],
      [`${qos}`, qos, true, false],
    );
  }
});

test('[MQTT-3.3.1-6] a wildcard subscription gets the retained message of each topic that matches', async () => {
  const peer = await client();
  const prefix = unique('retained');
  for (const name of ['a', 'b', 'b/c', 'd']) await peer.publish(`${prefix}/${name}`, name, { retain: true });
  assert.deepEqual((await retained(`${prefix}/+`)).sort(), ['a', 'b', 'd']);
  assert.deepEqual((await retained(`${prefix}/#`)).sort(), ['a', 'b', 'b/c', 'd']);
  assert.deepEqual((await retained(`${prefix}/b/#`)).sort(), ['b', 'b/c']);
});

test('[MQTT-3.3.1-7] a retained QoS 0 message replaces the one before', async () => {
  const peer = await client();
  const topic = unique('retained');
  await peer.publish(topic, 'old', { qos: 2, retain: true });
  await peer.publish(topic, 'new', { retain: true });
  assert.deepEqual(await retained(topic), ['new']);
});

test('[MQTT-3.3.1-9] messages for an established subscription have no retain flag', async () => {
  const { first, topic, from } = await lasting(1);
  await from.publish(topic, 'm', { qos: 1, retain: true });
  assert.equal((await first.receive('PUBLISH')).retain, false);
});

test('[MQTT-3.3.1-10] [MQTT-3.3.1-11] an empty retained message is delivered, removes the stored one and is not stored', async () => {
  const { first, topic, from } = await lasting(0);
  await from.publish(topic, 'kept', { retain: true });
  await from.publish(topic, '', { retain: true });
  assert.deepEqual(await first.drain(), ['kept', '']);
  assert.deepEqual(await retained(topic), []);
});

test('[MQTT-3.3.1-12] a message that is not retained leaves the stored one alone', async () => {
  const peer = await client();
  const topic = unique('retained');
  await peer.publish(topic, 'kept', { retain: true });
  for (const payload of ['live', '']) await peer.publish(topic, payload);
  assert.deepEqual(await retained(topic), ['kept']);
});

test('[MQTT-3.3.2-1] a topic that is cut off, missing, empty or not UTF-8 closes', () =>
  closes(frame(0x30, hex('0009 61')), frame(0x30), publish({ topic: '' }), publish({ topic: hex('ff') })));

test('[MQTT-3.3.2-2] a topic with a wildcard closes', () =>
  closes(publish({ topic: 'a/+' }), publish({ topic: '#' }), publish({ topic: 'a/b#' })));

test('[MQTT-3.3.2-3] the topic sent is the topic published', async () => {
  const prefix = unique('topic');
  const to = await client();
  await to.subscribe(`${prefix}/+/x`);
  const from = await client();
  for (const topic of [`${prefix}/a/x`, `${prefix}/a/y`, `${prefix}//x`]) await from.publish(topic, topic);
  assert.deepEqual(await to.drain(), [`${prefix}/a/x`, `${prefix}//x`]);
});

test('[MQTT-3.3.4-1] QoS 0 is answered with nothing, QoS 1 with PUBACK, QoS 2 with PUBREC', async () => {
  const peer = await client();
  peer.sendPublish('t', 'm');
  await peer.expectNothing();
  peer.sendPublish('t', 'm', { qos: 1, packetId: 1 });
  await peer.expectBytes('40 02 00 01');
  peer.sendPublish('t', 'm', { qos: 2, packetId: 2 });
  await peer.expectBytes('50 02 00 02');
});

test('[MQTT-3.3.5-1] overlapping subscriptions deliver at the highest QoS that matches, one copy for each', async () => {
  const prefix = unique('overlap');
  const to = await client();
  await to.subscribe([
    [`${prefix}/#`, 2],
    [`${prefix}/+`, 1],
    [`${prefix}/a`, 0],
  ]);
  await (await client()).publish(`${prefix}/a`, 'm', { qos: 2 });
  const seen = [];
  for (let n = 0; n < 3; n += 1) seen.push((await to.receive('PUBLISH')).qos);
  assert.deepEqual(seen, [0, 1, 2]);
});

test('[MQTT-3.3.5-2] a PUBLISH that is not allowed is acknowledged like any other and goes nowhere', async () => {
  const watch = await client();
  await watch.subscribe('$SYS/mine');
  const peer = await client();
  peer.sendPublish('$SYS/mine', 'm', { qos: 1, packetId: 1 });
  await peer.expectBytes('40 02 00 01');
  peer.sendPublish('$SYS/mine', 'm', { qos: 2, packetId: 2 });
  await peer.expectBytes('50 02 00 02');
  peer.send(ack(PUBREL, 2));
  await peer.expectBytes('70 02 00 02');
  await watch.expectNothing();
});

test('a PUBLISH above the maximum QoS of the listener closes', async () => {
  const peer = await lab.client({ version: 4 }, 1);
  peer.send(publish({ topic: 't', qos: 2 }));
  await peer.expectClose();
});

test('[MQTT-3.6.1-1] PUBREL with other flags closes', () => closes(frame(0x60, u16(1)), frame(0x63, u16(1))));

test('acknowledgements that are not exactly two bytes long close', () =>
  closes('40 03 00 01 00', '50 01 00', '62 03 00 01 00', '70 00'));

test('acknowledgements of unknown identifiers are passed over, PUBREC and PUBREL are answered', async () => {
  const peer = await client();
  peer.send(ack(PUBACK, 9), ack(PUBCOMP, 9));
  await peer.expectNothing();
  peer.send(ack(PUBREC, 9));
  await peer.expectBytes('62 02 00 09');
  peer.send(ack(PUBREL, 9));
  await peer.expectBytes('70 02 00 09');
});

test('an acknowledgement of the wrong kind closes', async () => {
  for (const [qos, first] of [
    [1, PUBREC],
    [2, PUBACK],
    [2, PUBCOMP],
  ] as const) {
    const { first: to, topic, from } = await lasting(2);
    await from.publish(topic, 'm', { qos });
    to.send(ack(first, (await to.receive('PUBLISH')).packetId));
    await to.expectClose();
  }
});

test('[MQTT-4.1.0-1] [MQTT-4.1.0-2] the session lasts as long as its connection, and with CleanSession 0 longer', async () => {
  const { first, topic, from, again } = await lasting(1);
  await from.publish(topic, 'a', { qos: 1 });
  await first.expectMessage('a');
  await first.settle();
  first.destroy();
  await from.publish(topic, 'b', { qos: 1 });
  await (await again()).expectMessage('b');
});

test('[MQTT-4.3.1-1] QoS 0 is sent with QoS 0 and DUP 0, once', async () => {
  const { first, topic, from, again } = await lasting(0);
  await from.publish(topic, 'm', { qos: 2 });
  assert.equal((await first.receive('PUBLISH')).flags, 0);
  first.destroy();
  await (await again()).expectNothing();
});

test('[MQTT-4.3.2-1] QoS 1 is unacknowledged until PUBACK', async () => {
  const { first, topic, from, again } = await lasting(1);
  await from.publish(topic, 'a', { qos: 1 });
  await from.publish(topic, 'b', { qos: 1 });
  const a = await first.receive('PUBLISH');
  assert.deepEqual([a.qos, a.dup], [1, false]);
  await first.receive('PUBLISH');
  first.send(ack(PUBACK, a.packetId));
  await first.settle();
  first.destroy();
  const second = await again();
  assert.deepEqual(await second.drain(), ['b']);
});

test('[MQTT-4.3.2-2] after PUBACK the identifier stands for a new message, DUP or not', async () => {
  const { first, topic, from } = await lasting(1);
  for (const dup of [false, true]) {
    from.sendPublish(topic, 'm', { qos: 1, packetId: 7, dup });
    await from.expectBytes('40 02 00 07');
    await first.expectMessage('m');
  }
});

test('[MQTT-4.3.3-1] QoS 2: PUBLISH until PUBREC, then PUBREL until PUBCOMP', async () => {
  const { first, topic, from, again } = await lasting(2);
  await from.publish(topic, 'm', { qos: 2 });
  const { packetId } = await first.receive('PUBLISH');
  first.destroy();
  const second = await again();
  const copy = await second.receive('PUBLISH');
  assert.deepEqual([copy.packetId, copy.dup], [packetId, true]);
  second.send(ack(PUBREC, packetId));
  assert.deepEqual((await second.receive('PUBREL')).bytes, ack(PUBREL, packetId));
  second.destroy();
  const third = await again();
  assert.equal((await third.receive('PUBREL')).packetId, packetId);
  third.send(ack(PUBCOMP, packetId));
  await third.expectNothing();
  third.destroy();
  await (await again()).expectNothing();
});

test('[MQTT-4.3.3-2] QoS 2: every copy is answered with PUBREC, one message is delivered, PUBREL is answered', async () => {
  const { first, topic, from } = await lasting(2);
  for (let n = 0; n < 3; n += 1) {
    from.sendPublish(topic, 'once', { qos: 2, packetId: 3, dup: n > 0 });
    await from.expectBytes('50 02 00 03');
  }
  for (let n = 0; n < 2; n += 1) {
    from.send(ack(PUBREL, 3));
    await from.expectBytes('70 02 00 03');
  }
  await first.expectMessage('once');
  await first.expectNothing();
  await from.publish(topic, 'new', { qos: 2, packetId: 3 });
  await first.expectMessage('new');
});

test('[MQTT-4.4.0-1] [MQTT-4.6.0-1] what is unacknowledged is sent again in its order, then what is new', async () => {
  const { first, topic, from, again } = await lasting(1);
  for (let n = 0; n < 5; n += 1) await from.publish(topic, `${n}`, { qos: 1 });
  for (let n = 0; n < 5; n += 1) await first.receive('PUBLISH');
  await first.disconnect();
  for (let n = 5; n < 10; n += 1) await from.publish(topic, `${n}`, { qos: 1 });
  const second = await again();
  for (let n = 0; n < 10; n += 1) {
    const message = await second.receive('PUBLISH');
    assert.deepEqual([message.payload.toString(), message.dup], [`${n}`, n < 5]);
  }
});

test('[MQTT-4.5.0-1] a message is added to every session that matches', async () => {
  const topic = unique('topic');
  const peers = [await client(), await client()];
  for (const peer of peers) await peer.subscribe(topic, 1);
  await (await client()).publish(topic, 'm', { qos: 1 });
  for (const peer of peers) assert.deepEqual(await peer.drain(), ['m']);
});

test('[MQTT-4.6.0-2] [MQTT-4.6.0-3] PUBACK and PUBREC come in the order of PUBLISH', async () => {
  const peer = await client();
  const ids = [5, 3, 9, 1, 7];
  peer.send(...ids.map(packetId => publish({ topic: 't', qos: 1, packetId })));
  for (const packetId of ids) assert.equal((await peer.receive('PUBACK')).packetId, packetId);
  peer.send(...ids.map(packetId => publish({ topic: 't', qos: 2, packetId })));
  for (const packetId of ids) assert.equal((await peer.receive('PUBREC')).packetId, packetId);
});

test('[MQTT-4.6.0-4] PUBREL comes in the order of PUBREC', async () => {
  const { first, topic, from } = await lasting(2);
  const ids = [];
  for (let n = 0; n < 5; n += 1) {
    await from.publish(topic, 'm', { qos: 2 });
    ids.push((await first.receive('PUBLISH')).packetId);
  }
  first.send(...ids.map(packetId => ack(PUBREC, packetId)));
  for (const packetId of ids) assert.equal((await first.receive('PUBREL')).packetId, packetId);
});

test('[MQTT-4.6.0-5] [MQTT-4.6.0-6] every subscriber gets the messages of a topic in the order in which they came', async () => {
  const topic = unique('ordered');
  const peers = [await client(), await client()];
  for (const peer of peers) await peer.subscribe(topic, 1);
  const from = await client();
  const expected = Array.from({ length: 100 }, (_, n) => `${n}`);
  for (const payload of expected) from.sendPublish(topic, payload, { qos: 1 });
  for (const peer of peers)
    for (const payload of expected) assert.equal((await peer.take()).payload.toString(), payload);
});

test('a QoS 2 message above the twenty open ones is not lost although it is acknowledged', async () => {
  const { first, topic, from } = await lasting(0);
  for (let id = 1; id <= 25; id += 1) {
    from.sendPublish(topic, `${id}`, { qos: 2, packetId: id });
    await from.receive('PUBREC');
  }
  for (let id = 1; id <= 25; id += 1) {
    from.send(ack(PUBREL, id));
    await from.receive('PUBCOMP');
  }
  assert.deepEqual(
    await first.drain(),
    Array.from({ length: 25 }, (_, n) => `${n + 1}`),
  );
});
