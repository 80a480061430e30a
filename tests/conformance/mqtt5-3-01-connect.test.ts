/** MQTT 5.0, chapter 3.1: CONNECT. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, field, frame, hex, publish, u16, u8 } from './bytes.ts';
import type { Property } from './bytes.ts';
import { openLab, unique } from './lab.ts';
import type { Peer } from './raw.ts';

const lab = await openLab();

const SESSION_60 = [['sessionExpiry', 60]] as const satisfies readonly Property[];

/** A subscriber to a topic of its own, for watching wills. */
async function watcher(filterOptions = 0): Promise<{ watch: Peer; topic: string }> {
  const watch = await lab.client();
  const topic = unique('will');
  await watch.subscribe(topic, filterOptions);
  return { watch, topic };
}

test('[MQTT-3.1.0-1] a first packet other than CONNECT closes the connection without a packet', async () => {
  for (const bytes of [hex('c0 00'), publish({ topic: 't' }), hex('e0 00'), hex('f0 00')]) {
    const peer = await lab.peer();
    peer.send(bytes);
    await peer.expectClose();
  }
});

test('[MQTT-3.1.0-2] a second CONNECT is a protocol error and closes the connection', async () => {
  const client = await lab.client({ clientId: 'twice' });
  client.send(connect({ clientId: 'twice' }));
  await client.expectClose();
});

test('[MQTT-3.1.2-1] a protocol name other than MQTT closes the connection', async () => {
  for (const protocolName of ['MQTTX', 'mqtt', 'HTTP', '']) {
    const peer = await lab.peer();
    peer.send(connect({ clientId: unique('client'), protocolName }));
    await peer.expectClose();
  }
});

for (const level of [0, 2, 6, 0x7f])
  test(`[MQTT-3.1.2-2] protocol version ${level} is answered with 0x84 and a close`, async () => {
    const peer = await lab.peer();
    peer.send(connect({ clientId: unique('client'), level }));
    await peer.expectBytes('20 03 00 84 00');
    await peer.expectClose();
  });

test('[MQTT-3.1.2-3] the reserved connect flag must be 0', async () => {
  const peer = await lab.peer();
  peer.send(connect({ clientId: unique('client'), flipFlags: 0x01 }));
  await peer.expectClose();
});

test('[MQTT-3.1.2-4] Clean Start 1 discards the session, its subscriptions and its messages', async () => {
  const clientId = unique('session');
  const topic = unique('topic');
  const old = await lab.client({ clientId, properties: SESSION_60 });
  await old.subscribe(topic, 1);
  await old.disconnect();
  const publisher = await lab.client();
  await publisher.publish(topic, 'queued', { qos: 1 });
  const fresh = await lab.client({ clientId, clean: true, properties: SESSION_60 });
  await publisher.publish(topic, 'live', { qos: 1 });
  await fresh.expectNothing();
});

test('[MQTT-3.1.2-5] Clean Start 0 resumes the session with its subscriptions and its messages', async () => {
  const clientId = unique('session');
  const topic = unique('topic');
  const old = await lab.client({ clientId, properties: SESSION_60 });
  await old.subscribe(topic, 1);
  await old.disconnect();
  const publisher = await lab.client();
  await publisher.publish(topic, 'queued', { qos: 1 });
  const peer = await lab.peer();
  assert.equal((await peer.connect({ clientId, clean: false, properties: SESSION_60 })).sessionPresent, true);
  await peer.expectMessage('queued');
  await publisher.publish(topic, 'live', { qos: 1 });
  await peer.expectMessage('live');
});

test('[MQTT-3.1.2-6] Clean Start 0 without a session makes a new one', async () => {
  const peer = await lab.peer();
  const connack = await peer.connect({ clientId: unique('session'), clean: false });
  assert.deepEqual([connack.code, connack.sessionPresent], [0, false]);
});

test('[MQTT-3.1.2-16] [MQTT-3.1.2-18] a user name or password without its flag is malformed', async () => {
  const peer = await lab.peer();
  peer.send(connect({ clientId: unique('client'), trailing: field('someone') }));
  await peer.expectBytes('20 03 00 81 00');
  await peer.expectClose();
});

test('[MQTT-3.1.2-17] a user name flag without a user name closes the connection', async () => {
  const peer = await lab.peer();
  peer.send(connect({ clientId: unique('client'), flipFlags: 0x80 }));
  await peer.expectClose();
});

test('[MQTT-3.1.2-19] a password flag without a password is malformed', async () => {
  const peer = await lab.peer();
  peer.send(connect({ clientId: unique('client'), username: 'u', flipFlags: 0x40 }));
  await peer.expectEnd();
});

test('MQTT 5 allows a password without a user name', async () => {
  const peer = await lab.peer();
  assert.equal((await peer.connect({ clientId: unique('client'), password: hex('00 ff 80') })).code, 0);
});

test('[MQTT-3.1.2-24] [MQTT-3.1.2-25] a message too large for the client is not sent and counts as delivered', async () => {
  const client = await lab.client({ properties: [['maximumPacketSize', 40]] });
  const topic = unique('size');
  await client.subscribe(topic, 1);
  const publisher = await lab.client();
  // Fixed header 2, topic field, packet identifier 2, property length 1: the rest is payload.
  const room = 40 - 2 - (2 + topic.length) - 2 - 1;
  await publisher.publish(topic, 'x'.repeat(room + 1), { qos: 1 });
  await publisher.publish(topic, 'y'.repeat(room), { qos: 1 });
  const message = await client.receive('PUBLISH');
  assert.equal(message.bytes.length, 40);
  assert.equal(message.payload.toString(), 'y'.repeat(room));
});

test('[MQTT-3.1.2-25] messages dropped as too large do not use up the receive maximum', async () => {
  const properties = [
    ['maximumPacketSize', 40],
    ['receiveMaximum', 1],
  ] as const;
  const client = await lab.client({ properties });
  const topic = unique('size');
  await client.subscribe(topic, 1);
  const publisher = await lab.client();
  for (let n = 0; n < 3; n += 1) await publisher.publish(topic, 'x'.repeat(100), { qos: 1 });
  await publisher.publish(topic, 'fits', { qos: 1 });
  await client.expectMessage('fits');
});

test('[MQTT-3.1.2-26] no topic alias above the topic alias maximum of the client is used', async () => {
  const client = await lab.client({ properties: [['topicAliasMaximum', 2]] });
  const prefix = unique('alias');
  await client.subscribe(`${prefix}/#`);
  const publisher = await lab.client();
  for (const round of [1, 2])
    for (const name of ['a', 'b', 'c']) await publisher.publish(`${prefix}/${name}`, `${name}${round}`);
  for (let n = 0; n < 6; n += 1) {
    const { properties } = await client.receive('PUBLISH');
    for (const [name, value] of properties) if (name === 'topicAlias') assert.ok((value as number) <= 2);
  }
});

test('[MQTT-3.1.2-27] without a topic alias maximum no alias is used', async () => {
  for (const properties of [[], [['topicAliasMaximum', 0]]] as (readonly Property[])[]) {
    const client = await lab.client({ properties });
    const topic = unique('alias');
    await client.subscribe(topic);
    const publisher = await lab.client();
    for (const payload of ['1', '2']) await publisher.publish(topic, payload);
    for (const payload of ['1', '2']) {
      const message = await client.expectMessage(payload);
      assert.deepEqual([message.topic, message.properties], [topic, []]);
    }
  }
});

test('[MQTT-3.1.2-28] no response information is returned, asked for or not', async () => {
  for (const asked of [0, 1]) {
    const peer = await lab.peer();
    const properties = [['requestResponseInformation', asked]] as const;
    const connack = await peer.connect({ clientId: unique('client'), properties });
    assert.ok(!connack.properties.some(([name]) => name === 'responseInformation'));
  }
});

test('[MQTT-3.1.2-29] acks carry neither reason string nor user property', async () => {
  const client = await lab.client({ properties: [['requestProblemInformation', 0]] });
  client.send(publish({ topic: unique('nobody'), qos: 1, packetId: 1 }));
  await client.expectBytes('40 03 00 01 10');
  client.send('a2 06 00 02 00 00 01 78');
  await client.expectBytes('b0 04 00 02 00 11');
});

test('[MQTT-3.1.3-1] [MQTT-3.1.3-3] the payload is client id, will, user name, password, in this order', async () => {
  const { watch, topic } = await watcher();
  const clientId = unique('order');
  const will = { topic, payload: 'will', properties: [['contentType', 'text']] } as const;
  const client = await lab.client({ clientId, will, username: 'user', password: 'secret' });
  client.destroy();
  assert.deepEqual((await watch.expectMessage('will')).properties, [['contentType', 'text']]);
});

test('[MQTT-3.1.3-2] the client id alone names the session', async () => {
  const clientId = unique('named');
  const first = await lab.client({ clientId, properties: SESSION_60, username: 'one' });
  await first.disconnect();
  const other = await lab.peer();
  assert.equal((await other.connect({ clientId: `${clientId}x`, clean: false })).sessionPresent, false);
  const same = await lab.peer();
  assert.equal((await same.connect({ clientId, clean: false, username: 'two' })).sessionPresent, true);
});

test('[MQTT-3.1.3-4] a client id that is not UTF-8 is refused as not valid', async () => {
  const peer = await lab.peer();
  peer.send(connect({ clientId: hex('61 ff') }));
  await peer.expectBytes('20 03 00 85 00');
  await peer.expectClose();
});

test('[MQTT-3.1.3-5] client ids of 1 to 23 letters and digits are accepted, and longer ones too', async () => {
  const letters = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
  for (const clientId of ['z', letters.slice(0, 23), letters.slice(39), letters, `sensor/ä ${'x'.repeat(500)}`])
    assert.equal((await (await lab.peer()).connect({ clientId })).code, 0);
});

test('[MQTT-3.1.3-6] [MQTT-3.1.3-7] an empty client id gets a unique one, told in the CONNACK and usable', async () => {
  const seen = new Set<string>();
  for (const clean of [true, false]) {
    const peer = await lab.peer();
    const connack = await peer.connect({ clientId: '', clean, properties: SESSION_60 });
    assert.equal(connack.code, 0);
    const assigned = connack.properties.find(([name]) => name === 'assignedClientId')?.[1] as string;
    assert.ok(assigned.length > 0);
    seen.add(assigned);
    await peer.disconnect();
    const again = await lab.peer();
    assert.equal((await again.connect({ clientId: assigned, clean: false })).sessionPresent, true);
  }
  assert.equal(seen.size, 2);
});

test('[MQTT-3.1.3-8] a refused client id is answered with 0x85 and a close', async () => {
  const peer = await lab.peer();
  peer.send(connect({ clientId: 'nul\0' }));
  await peer.expectBytes('20 03 00 85 00');
  await peer.expectClose();
});

test('[MQTT-3.1.3-12] a user name that is not UTF-8 closes the connection', async () => {
  const peer = await lab.peer();
  peer.send(connect({ clientId: unique('client'), username: hex('61 ff') }));
  await peer.expectClose();
});

test('[MQTT-3.1.4-1] a CONNECT cut off in the middle of a field closes the connection', async () => {
  const whole = connect({ clientId: 'abcdef', username: 'user' });
  const body = whole.subarray(2, whole.length - 2);
  const peer = await lab.peer();
  peer.send(frame(0x10, body));
  await peer.expectEnd();
});

test('[MQTT-3.1.4-1] a CONNECT that ends behind the protocol name closes the connection', async () => {
  const peer = await lab.peer();
  peer.send(frame(0x10, field('MQTT')));
  await peer.expectEnd();
});

test('[MQTT-3.1.4-2] a CONNECT that fails a further check is refused and closed', async () => {
  const peer = await lab.peer();
  peer.send(connect({ clientId: unique('client'), properties: [['authenticationMethod', 'none such']] }));
  await peer.expectBytes('20 03 00 8c 00');
  await peer.expectClose();
});

test('[MQTT-3.1.4-3] a second connection with the same client id takes over: 0x8E to the old one, then the close', async () => {
  const clientId = unique('taken');
  const old = await lab.client({ clientId });
  const newcomer = await lab.client({ clientId });
  await old.expectDisconnect(0x8e);
  await newcomer.expectNothing();
});

test('[MQTT-3.1.4-4] Clean Start is honoured at take-over too', async () => {
  for (const clean of [true, false]) {
    const clientId = unique('taken');
    await lab.client({ clientId, properties: SESSION_60 });
    const peer = await lab.peer();
    assert.equal((await peer.connect({ clientId, clean, properties: SESSION_60 })).sessionPresent, !clean);
  }
});

test('[MQTT-3.1.4-5] a valid CONNECT is acknowledged with CONNACK 0x00', async () => {
  const peer = await lab.peer();
  assert.equal((await peer.connect({ clientId: unique('client') })).code, 0);
});

test('[MQTT-3.1.4-6] what follows a refused CONNECT is not processed', async () => {
  const watch = await lab.client();
  const topic = unique('refused');
  await watch.subscribe(topic);
  const peer = await lab.peer();
  const refused = connect({ clientId: unique('client'), properties: [['authenticationMethod', 'none such']] });
  peer.send(refused, publish({ topic, payload: 'smuggled' }));
  await peer.expectBytes('20 03 00 8c 00');
  await peer.expectClose();
  await watch.expectNothing();
});

test('packets sent behind CONNECT without waiting are processed after the CONNACK', async () => {
  const watch = await lab.client();
  const topic = unique('pipelined');
  await watch.subscribe(topic);
  const peer = await lab.peer();
  peer.send(connect({ clientId: unique('client') }), publish({ topic, payload: 'early' }), 'c0 00');
  await peer.receive('CONNACK');
  await peer.receive('PINGRESP');
  await watch.expectMessage('early');
});

test('a CONNECT that arrives one byte at a time is understood', async () => {
  const peer = await lab.peer();
  for (const byte of connect({ clientId: unique('slow') })) {
    peer.send(u8(byte));
    await sleep(1);
  }
  assert.equal((await peer.receive('CONNACK')).code, 0);
});

const BAD_PROPERTIES: [what: string, properties: readonly Property[]][] = [
  ['receive maximum 0', [['receiveMaximum', 0]]],
  ['maximum packet size 0', [['maximumPacketSize', 0]]],
  ['request response information 2', [['requestResponseInformation', 2]]],
  ['request problem information 2', [['requestProblemInformation', 2]]],
  ['authentication data without a method', [['authenticationData', 'x']]],
  ['a property of another packet', [['topicAlias', 1]]],
  [
    'a property given twice',
    [
      ['sessionExpiry', 1],
      ['sessionExpiry', 1],
    ],
  ],
];

for (const [what, properties] of BAD_PROPERTIES)
  test(`${what} in CONNECT is a protocol error`, async () => {
    const peer = await lab.peer();
    peer.send(connect({ clientId: unique('client'), properties }));
    await peer.expectBytes('20 03 00 82 00');
    await peer.expectClose();
  });

test('an unknown property or a property length beyond the packet in CONNECT is malformed', async () => {
  const head = [field('MQTT'), u8(5), u8(2), u16(60)];
  for (const rest of [
    [u8(2), hex('7e 00'), field('id')],
    [hex('ff 7f'), field('id')],
  ]) {
    const peer = await lab.peer();
    peer.send(frame(0x10, ...head, ...rest));
    await peer.expectBytes('20 03 00 81 00');
    await peer.expectClose();
  }
});
