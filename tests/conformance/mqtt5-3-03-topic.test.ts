/** MQTT 5.0, chapter 3.3.2: topic name, packet identifier and properties of PUBLISH. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { frame, hex, publish } from './bytes.ts';
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
