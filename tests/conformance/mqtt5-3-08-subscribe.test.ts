/** MQTT 5.0, chapters 3.8 to 3.11: SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  NO_LOCAL,
  PUBREC,
  RETAIN_AS_PUBLISHED,
  ack,
  field,
  frame,
  hex,
  subscribe,
  u16,
  u8,
  unsubscribe,
} from './bytes.ts';
import type { FilterOptions } from './bytes.ts';
import { openLab, unique } from './lab.ts';

const lab = await openLab();

test('[MQTT-3.8.1-1] SUBSCRIBE with flags other than 0010 is malformed', async () => {
  for (const first of [0x80, 0x81, 0x83, 0x8a]) {
    const client = await lab.client();
    client.send(subscribe(5, 1, [['t', 0]], [], first));
    await client.expectDisconnect(0x81);
  }
});

test('[MQTT-3.8.3-1] a topic filter that is not UTF-8 is malformed', async () => {
  const client = await lab.client();
  client.send(subscribe(5, 1, [[hex('61 ff'), 0]]));
  await client.expectDisconnect(0x81);
});

test('[MQTT-3.8.3-2] SUBSCRIBE without a topic filter is malformed', async () => {
  const client = await lab.client();
  client.send(subscribe(5, 1, []));
  await client.expectDisconnect(0x81);
});

test('[MQTT-3.8.3-3] no-local keeps the messages of a client from itself, not from others', async () => {
  const topic = unique('topic');
  const client = await lab.client();
  await client.subscribe(topic, NO_LOCAL);
  await client.publish(topic, 'own');
  await client.expectNothing();
  await (await lab.client()).publish(topic, 'foreign');
  await client.expectMessage('foreign');
});

test('[MQTT-3.8.3-3] no-local holds for the session: a message of the time before take-over is not delivered', async () => {
  const topic = unique('topic');
  const clientId = unique('client');
  const properties = [['sessionExpiry', 60]] as const;
  const first = await lab.client({ clientId, properties });
  await first.subscribe(topic, NO_LOCAL | 1);
  await first.publish(topic, 'own', { qos: 1 });
  const second = await lab.client({ clientId, clean: false, properties });
  await second.expectNothing();
});

test('[MQTT-3.8.3-4] no-local on a shared subscription is a protocol error', async () => {
  const client = await lab.client();
  client.send(subscribe(5, 1, [['$share/g/t', NO_LOCAL]]));
  await client.expectDisconnect(0x82);
});

test('[MQTT-3.8.3-5] reserved bits, retain handling 3 and QoS 3 in the options are malformed', async () => {
  for (const options of [0x40, 0x80, 0xc0, 0x30, 0x03]) {
    const client = await lab.client();
    client.send(subscribe(5, 1, [['t', options]]));
    await client.expectDisconnect(0x81);
  }
});

test('[MQTT-3.8.4-1] [MQTT-3.8.4-2] SUBSCRIBE is answered with SUBACK of the same packet identifier', async () => {
  const client = await lab.client();
  client.send(subscribe(5, 0x1234, [[unique('t'), 2]]));
  await client.expectBytes('90 04 12 34 00 02');
});

test('SUBACK comes before the retained messages', async () => {
  const client = await lab.client();
  const topic = unique('retained');
  await client.publish(topic, 'kept', { retain: true });
  client.send(subscribe(5, 1, [[topic, 0]]));
  await client.receive('SUBACK');
  await client.receive('PUBLISH');
});

test('[MQTT-3.8.4-3] an identical filter replaces the subscription: new QoS and options, one copy', async () => {
  const topic = unique('topic');
  const client = await lab.client();
  await client.subscribe(topic, 2 | NO_LOCAL);
  await client.subscribe(topic, 0 | RETAIN_AS_PUBLISHED);
  await (await lab.client()).publish(topic, 'm', { qos: 2, retain: true });
  const message = await client.receive('PUBLISH');
  assert.deepEqual([message.qos, message.retain], [0, true]);
  await client.expectNothing();
});

test('[MQTT-3.8.4-4] renewing a subscription sends retained messages again and loses none', async () => {
  const topic = unique('topic');
  const client = await lab.client();
  const from = await lab.client();
  await from.publish(topic, 'kept', { retain: true });
  await client.subscribe(topic, 1);
  await client.expectMessage('kept');
  for (let n = 0; n < 5; n += 1) await from.publish(topic, `${n}`, { qos: 1 });
  const before = await client.drain();
  await client.subscribe(topic, 1);
  for (let n = 5; n < 10; n += 1) await from.publish(topic, `${n}`, { qos: 1 });
  const after = await client.drain();
  assert.deepEqual([...before, ...after], ['0', '1', '2', '3', '4', 'kept', '5', '6', '7', '8', '9']);
});

test('[MQTT-3.8.4-5] [MQTT-3.8.4-6] [MQTT-3.9.3-1] several filters get one SUBACK, a code for each in their order', async () => {
  const client = await lab.client();
  const filters: FilterOptions[] = [0, 2, 1, 0, 2].map(qos => [unique('t'), qos]);
  assert.deepEqual(await client.subscribe(filters), [0, 2, 1, 0, 2]);
  client.sendPublish(filters[1]![0].toString(), 'm');
  await client.expectMessage('m');
});

test('[MQTT-3.8.4-7] [MQTT-3.9.3-2] the code is the QoS granted', async () => {
  const client = await lab.client();
  for (const qos of [0, 1, 2]) assert.deepEqual(await client.subscribe(unique('t'), qos), [qos]);
});

test('[MQTT-3.8.4-8] the QoS of a delivery is the lower of published and granted', async () => {
  const from = await lab.client();
  for (const granted of [0, 1, 2]) {
    const topic = unique('topic');
    const to = await lab.client();
    await to.subscribe(topic, granted);
    for (const published of [0, 1, 2]) {
      await from.publish(topic, 'm', { qos: published });
      assert.equal((await to.expectMessage('m')).qos, Math.min(granted, published));
    }
  }
});

test('[MQTT-3.9.2-1] [MQTT-3.9.2-2] SUBACK carries neither reason string nor user property', async () => {
  const client = await lab.client({ properties: [['maximumPacketSize', 20]] });
  client.send(subscribe(5, 1, [[unique('t'), 0]]));
  await client.expectBytes('90 04 00 01 00 00');
});

test('a subscription identifier of 0 is a protocol error, and so are two', async () => {
  for (const bytes of ['02 0b00', '04 0b01 0b02']) {
    const client = await lab.client();
    client.send(frame(0x82, u16(1), hex(bytes), field('t'), u8(0)));
    await client.expectDisconnect(0x82);
  }
});

test('an unknown property or one of another packet in SUBSCRIBE is malformed', async () => {
  for (const bytes of ['02 7e00', '02 0100']) {
    const client = await lab.client();
    client.send(frame(0x82, u16(1), hex(bytes), field('t'), u8(0)));
    await client.expectDisconnect(0x81);
  }
});

test('SUBSCRIBE and UNSUBSCRIBE may carry user properties', async () => {
  const client = await lab.client();
  const topic = unique('t');
  assert.deepEqual(await client.subscribe(topic, 1, [['userProperty', ['a', 'b']]]), [1]);
  client.send(unsubscribe(5, 9, [topic], [['userProperty', ['a', 'b']]]));
  await client.expectBytes('b0 04 00 09 00 00');
});

test('a filter that is cut off, or has no options byte, is malformed', async () => {
  for (const payload of ['00 05 61', '00 01 61', '00']) {
    const client = await lab.client();
    client.send(frame(0x82, u16(1), hex('00'), hex(payload)));
    await client.expectDisconnect(0x81);
  }
});

test('[MQTT-3.10.1-1] UNSUBSCRIBE with flags other than 0010 is malformed', async () => {
  for (const first of [0xa0, 0xa1, 0xa3, 0xaa]) {
    const client = await lab.client();
    client.send(unsubscribe(5, 1, ['t'], [], first));
    await client.expectDisconnect(0x81);
  }
});

test('[MQTT-3.10.3-1] a filter in UNSUBSCRIBE that is not UTF-8 is malformed', async () => {
  const client = await lab.client();
  client.send(unsubscribe(5, 1, [hex('61 ff')]));
  await client.expectDisconnect(0x81);
});

test('[MQTT-3.10.3-2] UNSUBSCRIBE without a topic filter is malformed', async () => {
  const client = await lab.client();
  client.send(unsubscribe(5, 1, []));
  await client.expectDisconnect(0x81);
});

test('[MQTT-3.10.4-1] only the filter that is equal character by character is removed', async () => {
  const prefix = unique('t');
  const client = await lab.client();
  await client.subscribe(`${prefix}/+`);
  assert.deepEqual(await client.unsubscribe(`${prefix}/a`, `${prefix}/#`, `${prefix}/+/`), [0x11, 0x11, 0x11]);
  client.sendPublish(`${prefix}/a`, 'still');
  await client.expectMessage('still');
  assert.deepEqual(await client.unsubscribe(`${prefix}/+`), [0]);
  await client.publish(`${prefix}/a`, 'no more');
});

test('[MQTT-3.10.4-2] after UNSUBACK no new message is added', async () => {
  const topic = unique('t');
  const client = await lab.client();
  await client.subscribe(topic, 1);
  await client.unsubscribe(topic);
  assert.equal(await (await lab.client()).publish(topic, 'm', { qos: 1 }), 0x10);
  await client.expectNothing();
});

test('[MQTT-3.10.4-3] a delivery that has begun is completed after UNSUBSCRIBE', async () => {
  const topic = unique('t');
  const client = await lab.client();
  await client.subscribe(topic, 2);
  await (await lab.client()).publish(topic, 'm', { qos: 2 });
  const message = await client.receive('PUBLISH');
  await client.unsubscribe(topic);
  client.send(ack(PUBREC, message.packetId));
  assert.equal((await client.receive('PUBREL')).packetId, message.packetId);
});

test('[MQTT-3.10.4-4] [MQTT-3.10.4-5] UNSUBSCRIBE is answered with UNSUBACK even if nothing was removed', async () => {
  const client = await lab.client();
  client.send(unsubscribe(5, 0x4321, [unique('never')]));
  await client.expectBytes('b0 04 43 21 00 11');
});

test('[MQTT-3.10.4-6] [MQTT-3.11.3-1] several filters get one UNSUBACK, a code for each in their order', async () => {
  const client = await lab.client();
  const [a, b] = [unique('t'), unique('t')];
  await client.subscribe([
    [a, 0],
    [b, 0],
  ]);
  assert.deepEqual(await client.unsubscribe(a, unique('never'), b, a), [0, 0x11, 0, 0x11]);
});

test('[MQTT-3.11.3-2] a filter that begins with $ and was never subscribed is answered with 0x11', async () => {
  const client = await lab.client();
  const topic = unique('t');
  await client.subscribe(topic);
  assert.deepEqual(await client.unsubscribe(topic, '$nowhere/x', '$share/g/x', topic), [0, 0x11, 0x11, 0x11]);
});

test('[MQTT-3.11.2-1] [MQTT-3.11.2-2] UNSUBACK carries neither reason string nor user property', async () => {
  const client = await lab.client({ properties: [['maximumPacketSize', 20]] });
  client.send(unsubscribe(5, 1, [unique('never')]));
  await client.expectBytes('b0 04 00 01 00 11');
});

test('an invalid filter in UNSUBSCRIBE ends the connection', async () => {
  for (const [filter, reason] of [
    ['a/#/b', 0x81],
    ['', 0x81],
    ['$share/g', 0x82],
  ] as const) {
    const client = await lab.client();
    client.send(unsubscribe(5, 1, [filter]));
    await client.expectDisconnect(reason);
  }
});
