/** MQTT 5.0, chapter 3.3: PUBLISH. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
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
  hex,
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

test('[MQTT-3.3.2-1] a topic name that is not UTF-8, is cut off or is missing is malformed', async () => {
  for (const bytes of [
    publish({ topic: hex('ff') }),
    frame(0x30, hex('00 09 61')),
    frame(0x30),
    frame(0x30, hex('00')),
  ]) {
    const client = await lab.client();
    client.send(bytes);
    await client.expectDisconnect(0x81);
  }
});

test('[MQTT-3.3.2-2] a topic name with a wildcard is malformed', async () => {
  for (const topic of ['a/+', '#', 'a/b#', '+', 'a+b']) {
    const client = await lab.client();
    client.send(publish({ topic }));
    await client.expectDisconnect(0x81);
  }
});

test('[MQTT-3.3.2-3] subscribers get only topic names that match their filter, in full', async () => {
  const prefix = unique('match');
  const to = await lab.client();
  await to.subscribe(`${prefix}/+/c`);
  const from = await lab.client();
  for (const topic of [`${prefix}/b/c`, `${prefix}/b`, `${prefix}/b/c/d`, `${prefix}//c`])
    await from.publish(topic, topic);
  for (const topic of [`${prefix}/b/c`, `${prefix}//c`]) assert.equal((await to.expectMessage(topic)).topic, topic);
  await to.expectNothing();
});

test('[MQTT-3.3.2-4] the payload format indicator is passed on unaltered and the payload is not judged', async () => {
  const { from, to, topic } = await pair();
  for (const value of [0, 1]) {
    from.send(publish({ topic, payload: hex('ff fe'), properties: [['payloadFormat', value]] }));
    const message = await to.receive('PUBLISH');
    assert.deepEqual(message.properties, [['payloadFormat', value]]);
    assert.deepEqual(message.payload, hex('ff fe'));
  }
});

describe('message expiry', { concurrency: 6 }, () => {
  const EXPIRY_1 = [['messageExpiry', 1]] as const;

  test('[MQTT-3.3.2-5] a message that expired in the queue of an offline session is not delivered', async () => {
    const clientId = unique('offline');
    const topic = unique('topic');
    const first = await lab.client({ clientId, properties: SESSION_60 });
    await first.subscribe(topic, 1);
    await first.disconnect();
    const publisher = await lab.client();
    await publisher.publish(topic, 'short-lived', { qos: 1, properties: EXPIRY_1 });
    await publisher.publish(topic, 'lasting', { qos: 1 });
    await sleep(2600);
    const second = await lab.client({ clientId, clean: false, properties: SESSION_60 });
    await second.expectMessage('lasting');
    await second.expectNothing();
  });

  test('[MQTT-3.3.2-5] a retained message that expired is not delivered', async () => {
    const topic = unique('retained');
    await (await lab.client()).publish(topic, 'short-lived', { retain: true, properties: EXPIRY_1 });
    await sleep(2600);
    assert.equal(await retained(topic), null);
  });

  test('[MQTT-3.3.2-6] the interval sent is the one received minus the time waited', async () => {
    const topic = unique('retained');
    await (await lab.client()).publish(topic, 'm', { retain: true, properties: [['messageExpiry', 100]] });
    await sleep(2100);
    const late = await lab.client();
    await late.subscribe(topic);
    const { properties } = await late.expectMessage('m');
    const left = new Map(properties).get('messageExpiry') as number;
    assert.ok(left >= 80 && left <= 98, `${left} s are left of 100`);
  });

  test('[MQTT-3.3.2-6] a message that did not wait carries the interval received', async () => {
    const { from, to, topic } = await pair();
    await from.publish(topic, 'm', { properties: [['messageExpiry', 1000]] });
    const left = new Map((await to.expectMessage('m')).properties).get('messageExpiry') as number;
    assert.ok(left >= 990 && left <= 1000, `${left} s are left of 1000`);
  });

  test('an interval of 0 or 4294967295 means no expiry and is not passed on, as in Mosquitto', async () => {
    const { from, to, topic } = await pair();
    for (const value of [0, 4294967295]) {
      await from.publish(topic, 'm', { properties: [['messageExpiry', value]] });
      assert.deepEqual((await to.expectMessage('m')).properties, []);
    }
  });
});

test('[MQTT-3.3.2-7] topic aliases end with the connection', async () => {
  const clientId = unique('alias');
  const topic = unique('topic');
  const first = await lab.client({ clientId, properties: SESSION_60 });
  await first.publish(topic, 'set', { properties: [['topicAlias', 1]] });
  await first.disconnect();
  const second = await lab.client({ clientId, clean: false, properties: SESSION_60 });
  second.send(publish({ topic: '', properties: [['topicAlias', 1]] }));
  await second.expectDisconnect(0x82);
});

test('[MQTT-3.3.2-7] aliases towards a client start anew with each connection', async () => {
  const clientId = unique('alias');
  const topic = unique('topic');
  const properties = [...SESSION_60, ['topicAliasMaximum', 5]] as const;
  const publisher = await lab.client();
  for (const clean of [true, false]) {
    const client = await lab.client({ clientId, clean, properties });
    await client.subscribe(topic);
    for (const expected of [topic, '']) {
      await publisher.publish(topic, 'm');
      const message = await client.expectMessage('m');
      assert.deepEqual([message.topic, message.properties], [expected, [['topicAlias', 1]]]);
    }
    client.destroy();
  }
});

test('[MQTT-3.3.2-8] topic alias 0 is a protocol error', async () => {
  const client = await lab.client();
  client.send(publish({ topic: 't', properties: [['topicAlias', 0]] }));
  await client.expectDisconnect(0x82);
});

test('[MQTT-3.3.2-9] a topic alias above the maximum is refused with 0x94', async () => {
  const client = await lab.client();
  client.send(publish({ topic: 't', properties: [['topicAlias', 65535]] }));
  await client.expectDisconnect(0x94);
});

test('an empty topic without an alias is malformed, with an alias never set a protocol error', async () => {
  const without = await lab.client();
  without.send(publish({ topic: '' }));
  await without.expectDisconnect(0x81);
  const unset = await lab.client();
  unset.send(publish({ topic: '', properties: [['topicAlias', 3]] }));
  await unset.expectDisconnect(0x82);
});

test('[MQTT-3.3.2-11] the broker gives aliases 1, 2, 3 up to its maximum of 10 and sends later topics whole', async () => {
  const prefix = unique('alias');
  const to = await lab.client({ properties: [['topicAliasMaximum', 100]] });
  await to.subscribe(`${prefix}/#`);
  const from = await lab.client();
  for (let n = 1; n <= 11; n += 1) {
    await from.publish(`${prefix}/${n}`, 'first');
    const message = await to.expectMessage('first');
    assert.deepEqual(message.properties, n <= 10 ? [['topicAlias', n]] : []);
    assert.equal(message.topic, `${prefix}/${n}`);
  }
  await from.publish(`${prefix}/4`, 'again');
  const again = await to.expectMessage('again');
  assert.deepEqual([again.topic, again.properties], ['', [['topicAlias', 4]]]);
});

test('[MQTT-3.3.2-11] a message dropped as too large does not use up an alias the client never learnt', async () => {
  const topic = unique('alias');
  const properties = [
    ['topicAliasMaximum', 5],
    ['maximumPacketSize', 60],
  ] as const;
  const to = await lab.client({ properties });
  await to.subscribe(topic);
  const from = await lab.client();
  await from.publish(topic, 'x'.repeat(100));
  await from.publish(topic, 'small');
  assert.equal((await to.expectMessage('small')).topic, topic);
});

test('[MQTT-3.3.2-12] every alias from 1 to the maximum told is accepted, and can be set anew', async () => {
  const prefix = unique('alias');
  const to = await lab.client();
  await to.subscribe(`${prefix}/#`);
  const from = await lab.client();
  for (const round of ['a', 'b'])
    for (let alias = 1; alias <= 10; alias += 1) {
      const topic = `${prefix}/${round}${alias}`;
      await from.publish(topic, 'set', { properties: [['topicAlias', alias]] });
      await from.publish('', 'used', { properties: [['topicAlias', alias]] });
      assert.equal((await to.expectMessage('set')).topic, topic);
      assert.equal((await to.expectMessage('used')).topic, topic);
    }
});

test('[MQTT-3.3.2-13] a response topic that is not UTF-8 closes the connection', async () => {
  const client = await lab.client();
  client.send(publish({ topic: 't', properties: [['responseTopic', hex('c0 80')]] }));
  await client.expectClose();
});

test('[MQTT-3.3.2-14] a response topic with a wildcard, or an empty one, is a protocol error', async () => {
  for (const responseTopic of ['r/+', 'r/#', '']) {
    const client = await lab.client();
    client.send(publish({ topic: 't', properties: [['responseTopic', responseTopic]] }));
    await client.expectDisconnect(0x82);
  }
});

const FORWARDED: [clause: string, properties: readonly Property[]][] = [
  ['MQTT-3.3.2-15', [['responseTopic', 'answers/ä']]],
  ['MQTT-3.3.2-16', [['correlationData', hex('00 01 fe ff')]]],
  ['MQTT-3.3.2-17', [['userProperty', ['name', 'value']]]],
  [
    'MQTT-3.3.2-18',
    [
      ['userProperty', ['b', '1']],
      ['userProperty', ['a', '2']],
      ['userProperty', ['b', '1']],
      ['userProperty', ['', '']],
    ],
  ],
  ['MQTT-3.3.2-20', [['contentType', 'application/json']]],
];

for (const [clause, properties] of FORWARDED)
  test(`[${clause}] ${properties[0]![0]} reaches live and late subscribers unaltered and in order`, async () => {
    const { from, to, topic } = await pair(2);
    await from.publish(topic, 'm', { qos: 2, retain: true, properties });
    assert.deepEqual((await to.expectMessage('m')).properties, properties);
    const late = await lab.client();
    await late.subscribe(topic, 1);
    assert.deepEqual((await late.expectMessage('m')).properties, properties);
  });

test('stored properties keep the order of the publisher; expiry, alias and subscription identifier follow', async () => {
  const topic = unique('order');
  const to = await lab.client({ properties: [['topicAliasMaximum', 1]] });
  await to.subscribe(topic, 0, [['subscriptionIdentifier', 300]]);
  const from = await lab.client();
  const mixed = [
    ['userProperty', ['u', '1']],
    ['contentType', 'c'],
    ['userProperty', ['u', '2']],
    ['payloadFormat', 1],
  ] as const satisfies readonly Property[];
  await from.publish(topic, 'm', { properties: [['messageExpiry', 1000], ...mixed] });
  const { properties } = await to.expectMessage('m');
  assert.deepEqual(properties.slice(0, 4), mixed);
  assert.deepEqual(
    properties.slice(4).map(([name]) => name),
    ['messageExpiry', 'topicAlias', 'subscriptionIdentifier'],
  );
});

test('[MQTT-3.3.2-19] a content type that is not UTF-8 closes the connection', async () => {
  const client = await lab.client();
  client.send(publish({ topic: 't', properties: [['contentType', hex('ff')]] }));
  await client.expectClose();
});

test('a payload format indicator above 1 is a protocol error', async () => {
  const client = await lab.client();
  client.send(publish({ topic: 't', properties: [['payloadFormat', 2]] }));
  await client.expectDisconnect(0x82);
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
