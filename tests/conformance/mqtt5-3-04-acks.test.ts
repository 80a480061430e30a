/** MQTT 5.0, chapters 3.4 to 3.7: PUBACK, PUBREC, PUBREL, PUBCOMP. The short forms are those of Mosquitto 2.1. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PUBACK, PUBCOMP, PUBREC, PUBREL, ack, frame, hex, publish, u16, u8 } from './bytes.ts';
import type { Received } from './bytes.ts';
import { openLab, unique } from './lab.ts';
import type { Peer } from './raw.ts';

const lab = await openLab();

/** A subscriber that was sent one message of this QoS and has not answered. */
async function waiting(qos: number): Promise<{ to: Peer; from: Peer; topic: string; message: Received }> {
  const topic = unique('topic');
  const to = await lab.client();
  await to.subscribe(topic, qos);
  const from = await lab.client();
  await from.publish(topic, 'first', { qos });
  return { to, from, topic, message: await to.receive('PUBLISH') };
}

test('[MQTT-3.4.2-1] PUBACK says 0x00 in two bytes and any other reason in three, without properties', async () => {
  const { from, topic } = await waiting(1);
  from.sendPublish(topic, 'm', { qos: 1, packetId: 0x0102 });
  await from.expectBytes('40 02 01 02');
  from.sendPublish(unique('nobody'), 'm', { qos: 1, packetId: 0x0103 });
  await from.expectBytes('40 03 01 03 10');
  from.sendPublish('$SYS/x', 'm', { qos: 1, packetId: 0x0104 });
  await from.expectBytes('40 03 01 04 87');
});

test('[MQTT-3.5.2-1] PUBREC says 0x00 in two bytes and any other reason in three, without properties', async () => {
  const { from, topic } = await waiting(2);
  from.sendPublish(topic, 'm', { qos: 2, packetId: 0x0102 });
  await from.expectBytes('50 02 01 02');
  from.sendPublish('$SYS/x', 'm', { qos: 2, packetId: 0x0103 });
  await from.expectBytes('50 03 01 03 87');
});

test('[MQTT-3.4.2-2] [MQTT-3.4.2-3] PUBACK to a client with a small maximum packet size stays small', async () => {
  const client = await lab.client({ properties: [['maximumPacketSize', 20]] });
  client.sendPublish('$SYS/x', 'm', { qos: 1, packetId: 1 });
  await client.expectBytes('40 03 00 01 87');
});

test('[MQTT-3.5.2-2] [MQTT-3.5.2-3] PUBREC to a client with a small maximum packet size stays small', async () => {
  const client = await lab.client({ properties: [['maximumPacketSize', 20]] });
  client.sendPublish('$SYS/x', 'm', { qos: 2, packetId: 1 });
  await client.expectBytes('50 03 00 01 87');
});

test('[MQTT-3.6.2-1] [MQTT-3.6.2-2] [MQTT-3.6.2-3] PUBREL is sent in its two-byte form', async () => {
  const { to, message } = await waiting(2);
  to.send(ack(PUBREC, message.packetId));
  const pubrel = await to.receive('PUBREL');
  assert.deepEqual(pubrel.bytes, ack(PUBREL, message.packetId));
});

test('[MQTT-3.7.2-1] [MQTT-3.7.2-2] [MQTT-3.7.2-3] PUBCOMP is sent in its two-byte form', async () => {
  const client = await lab.client();
  client.send(publish({ topic: unique('nobody'), qos: 2, packetId: 9 }));
  await client.receive('PUBREC');
  client.send(ack(PUBREL, 9));
  await client.expectBytes('70 02 00 09');
});

test('[MQTT-3.6.1-1] PUBREL with flags other than 0010 is malformed', async () => {
  for (const first of [0x60, 0x61, 0x63, 0x6a]) {
    const client = await lab.client();
    client.send(frame(first, u16(1)));
    await client.expectDisconnect(0x81);
  }
});

test('PUBACK, PUBREC and PUBCOMP with flags are malformed', async () => {
  for (const first of [0x42, 0x51, 0x71]) {
    const client = await lab.client();
    client.send(frame(first, u16(1)));
    await client.expectDisconnect(0x81);
  }
});

test('an ack of a packet identifier that is not in flight is passed over; PUBREC and PUBREL are answered', async () => {
  const client = await lab.client();
  client.send(ack(PUBACK, 99), ack(PUBCOMP, 98));
  await client.expectNothing();
  client.send(ack(PUBREC, 97));
  await client.expectBytes('62 02 00 61');
  client.send(ack(PUBREL, 96));
  await client.expectBytes('70 02 00 60');
});

test('packet identifier 0 in an ack is a protocol error', async () => {
  for (const first of [PUBACK, PUBREC, PUBREL, PUBCOMP]) {
    const client = await lab.client();
    client.send(ack(first, 0));
    await client.expectDisconnect(0x82);
  }
});

for (const [what, qos, first] of [
  ['PUBREC for a QoS 1 message', 1, PUBREC],
  ['PUBCOMP for a QoS 1 message', 1, PUBCOMP],
  ['PUBACK for a QoS 2 message', 2, PUBACK],
  ['PUBCOMP before PUBREC', 2, PUBCOMP],
] as const)
  test(`${what} is a protocol error`, async () => {
    const { to, message } = await waiting(qos);
    to.send(ack(first, message.packetId));
    await to.expectDisconnect(0x82);
  });

test('a reason code that its ack does not have is a protocol error', async () => {
  for (const [first, reason] of [
    [PUBACK, 0x92],
    [PUBACK, 0x01],
    [PUBREC, 0x92],
    [PUBREL, 0x10],
    [PUBCOMP, 0x10],
  ] as const) {
    const client = await lab.client();
    client.send(ack(first, 1, reason));
    await client.expectDisconnect(0x82);
  }
});

test('every reason code that an ack has is accepted', async () => {
  const client = await lab.client();
  for (const reason of [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99])
    client.send(ack(PUBACK, 1, reason), frame(PUBACK, u16(1), u8(reason), hex('00')));
  for (const reason of [0x00, 0x92]) client.send(ack(PUBCOMP, 1, reason));
  await client.expectNothing();
});

test('an ack may carry a reason string and user properties', async () => {
  const { to, message } = await waiting(1);
  const properties = hex('0c 1f 0002 6f6b 26 0001 61 0001 62');
  to.send(frame(PUBACK, u16(message.packetId), u8(0), properties));
  await to.expectNothing();
});

test('an ack that is too short, has bytes left over or an unknown property is malformed', async () => {
  for (const bytes of ['40 01 00', '40 00', '40 05 0001 00 00 00', '40 06 0001 00 02 7e00', '62 05 0001 00 00 00']) {
    const client = await lab.client();
    client.send(bytes);
    await client.expectDisconnect(0x81);
  }
});

test('a property of another packet in an ack is a protocol error', async () => {
  const client = await lab.client();
  client.send('40 06 0001 00 02 0100');
  await client.expectDisconnect(0x82);
});

test('PUBREC with an error ends the exchange: the slot is free and nothing is sent again', async () => {
  const topic = unique('topic');
  const clientId = unique('client');
  const properties = [
    ['receiveMaximum', 1],
    ['sessionExpiry', 60],
  ] as const;
  const to = await lab.client({ clientId, properties });
  await to.subscribe(topic, 2);
  const from = await lab.client();
  for (const payload of ['a', 'b']) await from.publish(topic, payload, { qos: 2 });
  to.send(ack(PUBREC, (await to.receive('PUBLISH')).packetId, 0x83));
  assert.equal((await to.take()).payload.toString(), 'b');
  to.destroy();
  const again = await lab.client({ clientId, clean: false, properties });
  await again.expectNothing();
});

test('packets that only a broker may send end the connection', async () => {
  for (const bytes of ['20 03 00 00 00', '90 04 0001 00 00', 'b0 04 0001 00 00', 'd0 00', '00 00']) {
    const client = await lab.client();
    client.send(bytes);
    await client.expectDisconnect(0x82);
  }
});
