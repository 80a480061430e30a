/** MQTT 5.0, chapters 1 and 2: strings, variable byte integers, fixed headers, packet identifiers, properties. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  connect,
  field,
  frame,
  hex,
  propertyBytes,
  publish,
  subscribe,
  u16,
  u8,
  unsubscribe,
  varint,
} from './bytes.ts';
import { openLab, unique } from './lab.ts';

const lab = await openLab();

const ILL_FORMED: [what: string, bytes: string][] = [
  ['a lone continuation byte', '61 80 62'],
  ['a truncated sequence', '61 e2 82'],
  ['an overlong slash', '61 c0 af'],
  ['a surrogate U+D800', 'ed a0 80'],
  ['a surrogate U+DFFF', 'ed bf bf'],
  ['a code point above U+10FFFF', 'f4 90 80 80'],
  ['the byte 0xFF', '61 ff'],
];

for (const [what, bytes] of ILL_FORMED)
  test(`[MQTT-1.5.4-1] a topic name with ${what} is malformed`, async () => {
    const client = await lab.client();
    client.send(publish({ topic: hex(bytes) }));
    await client.expectDisconnect(0x81);
  });

test('[MQTT-1.5.4-1] a topic filter with a surrogate is malformed', async () => {
  const client = await lab.client();
  client.send(subscribe(5, 1, [[hex('ed a0 80'), 0]]));
  await client.expectDisconnect(0x81);
});

test('[MQTT-1.5.4-2] a topic name with U+0000 is malformed', async () => {
  const client = await lab.client();
  client.send(publish({ topic: 'a\0b' }));
  await client.expectDisconnect(0x81);
});

test('[MQTT-1.5.4-2] a client id with U+0000 is refused as not valid', async () => {
  const peer = await lab.peer();
  peer.send(connect({ clientId: 'a\0b' }));
  await peer.expectBytes('20 03 00 85 00');
  await peer.expectClose();
});

// The specification leaves these open (1.5.4): "MAY treat as malformed". Mosquitto does.
for (const [what, topic] of [
  ['a control character', 'a\u0001b'],
  ['a C1 control character', 'a\u0085b'],
  ['DEL', 'a\u007fb'],
  ['the non-character U+FDD0', 'a\ufdd0b'],
  ['the non-character U+FFFF', 'a\uffffb'],
  ['the non-character U+1FFFE', 'a\u{1fffe}b'],
] as const)
  test(`a topic name with ${what} is malformed`, async () => {
    const client = await lab.client();
    client.send(publish({ topic }));
    await client.expectDisconnect(0x81);
  });

test('[MQTT-1.5.4-3] U+FEFF in a topic is kept and never skipped', async () => {
  const client = await lab.client();
  const topic = unique('\ufeffbom\ufeff');
  await client.subscribe(topic);
  await client.publish(topic.replaceAll('\ufeff', ''), 'without', { qos: 1 });
  client.sendPublish(topic, 'with');
  const message = await client.expectMessage('with');
  assert.equal(message.topic, topic);
});

test('[MQTT-1.5.5-1] a property length in more bytes than it needs is malformed', async () => {
  const client = await lab.client();
  client.send(frame(0x30, field('t'), varint(0, 2), Buffer.from('x')));
  await client.expectDisconnect(0x81);
});

test('[MQTT-1.5.5-1] a fifth length byte closes the connection without a packet', async () => {
  const client = await lab.client();
  client.send('30 80 80 80 80 01');
  await client.expectClose();
});

test('[MQTT-1.5.7-1] ill-formed UTF-8 in a user property closes the connection without a packet', async () => {
  const client = await lab.client();
  const pair = Buffer.concat([u8(0x26), field('name'), field(hex('ed a0 80'))]);
  client.send(publish({ topic: 't', properties: pair }));
  await client.expectClose();
});

const RESERVED_FLAGS: [packet: string, bytes: Buffer][] = [
  ['PUBACK', frame(0x41, u16(1))],
  ['PUBREC', frame(0x52, u16(1))],
  ['PUBREL', frame(0x60, u16(1))],
  ['PUBCOMP', frame(0x78, u16(1))],
  ['SUBSCRIBE', subscribe(5, 1, [['t', 0]], [], 0x80)],
  ['UNSUBSCRIBE', unsubscribe(5, 1, ['t'], [], 0xa0)],
  ['PINGREQ', hex('c1 00')],
  ['DISCONNECT', hex('e1 00')],
];

for (const [packet, bytes] of RESERVED_FLAGS)
  test(`[MQTT-2.1.3-1] ${packet} with wrong reserved flags is malformed`, async () => {
    const client = await lab.client();
    client.send(bytes);
    await client.expectDisconnect(0x81);
  });

test('[MQTT-2.1.3-1] CONNECT with wrong reserved flags closes the connection', async () => {
  const peer = await lab.peer();
  peer.send(connect({ clientId: unique('client'), firstByte: 0x11 }));
  await peer.expectClose();
});

test('[MQTT-2.2.1-2] a QoS 0 PUBLISH carries no packet identifier in either direction', async () => {
  const client = await lab.client();
  const topic = unique('topic');
  await client.subscribe(topic, 2);
  client.sendPublish(topic, 'zero');
  const message = await client.receive('PUBLISH');
  assert.deepEqual(message.bytes, publish({ topic, payload: 'zero' }));
});

for (const [packet, bytes, reason] of [
  ['PUBLISH', publish({ topic: 't', qos: 1, packetId: 0 }), 0x82],
  ['SUBSCRIBE', subscribe(5, 0, [['t', 0]]), 0x81],
  ['UNSUBSCRIBE', unsubscribe(5, 0, ['t']), 0x81],
] as const)
  test(`[MQTT-2.2.1-3] ${packet} with packet identifier 0 ends the connection`, async () => {
    const client = await lab.client();
    client.send(bytes);
    await client.expectDisconnect(reason);
  });

test('[MQTT-2.2.1-4] messages in flight to one client all have different non-zero packet identifiers', async () => {
  const client = await lab.client();
  const topic = unique('topic');
  await client.subscribe(topic, 1);
  const publisher = await lab.client();
  for (let n = 0; n < 10; n += 1) await publisher.publish(topic, `${n}`, { qos: 1 });
  const ids = new Set<number>();
  for (let n = 0; n < 10; n += 1) ids.add((await client.receive('PUBLISH')).packetId);
  assert.equal(ids.size, 10);
  assert.ok(!ids.has(0));
});

test('[MQTT-2.2.1-5] PUBACK, PUBREC and PUBCOMP carry the packet identifier of the PUBLISH', async () => {
  const topic = unique('topic');
  await (await lab.client()).subscribe(topic);
  const client = await lab.client();
  client.send(publish({ topic, qos: 1, packetId: 0xabcd }));
  await client.expectBytes('40 02 ab cd');
  client.send(publish({ topic, qos: 2, packetId: 0xffff }));
  await client.expectBytes('50 02 ff ff');
  client.send('62 02 ff ff');
  await client.expectBytes('70 02 ff ff');
});

test('[MQTT-2.2.1-6] SUBACK and UNSUBACK carry the packet identifier of the request', async () => {
  const client = await lab.client();
  client.send(subscribe(5, 0xfffe, [['id/t', 1]]));
  await client.expectBytes('90 04 ff fe 00 01');
  client.send(unsubscribe(5, 0xfffd, ['id/t']));
  await client.expectBytes('b0 04 ff fd 00 00');
});

test('[MQTT-2.2.2-1] a packet without properties has the property length 0, and one without it is malformed', async () => {
  const client = await lab.client();
  const topic = unique('topic');
  await client.subscribe(topic);
  client.sendPublish(topic, 'plain');
  assert.deepEqual((await client.receive('PUBLISH')).properties, []);
  client.send(frame(0x30, field('t')));
  await client.expectDisconnect(0x81);
});

test('a property that MQTT does not know is malformed', async () => {
  const client = await lab.client();
  client.send(publish({ topic: 't', properties: hex('7e 00') }));
  await client.expectDisconnect(0x81);
});

test('a property that belongs to another packet is a protocol error', async () => {
  const client = await lab.client();
  client.send(publish({ topic: 't', properties: propertyBytes([['sessionExpiry', 1]]) }));
  await client.expectDisconnect(0x82);
});

test('a property given twice is a protocol error', async () => {
  const client = await lab.client();
  const twice = propertyBytes([
    ['contentType', 'a'],
    ['contentType', 'b'],
  ]);
  client.send(publish({ topic: 't', properties: twice }));
  await client.expectDisconnect(0x82);
});

test('a property length that runs over the packet is malformed', async () => {
  const client = await lab.client();
  client.send(frame(0x30, field('t'), varint(50), propertyBytes([['contentType', 'a']])));
  await client.expectDisconnect(0x81);
});
