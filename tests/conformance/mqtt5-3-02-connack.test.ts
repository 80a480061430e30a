/** MQTT 5.0, chapter 3.2: CONNACK. Property order and values are those of Mosquitto 2.1. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connect, publish, u16 } from './bytes.ts';
import type { Property } from './bytes.ts';
import { openLab, unique } from './lab.ts';
import type { Peer } from './raw.ts';

const lab = await openLab({ listeners: [[], ['max_qos 1'], ['max_qos 0']] });
const limited = await openLab({
  global: ['retain_available false', 'max_keepalive 30', 'max_packet_size 500', 'max_inflight_messages 7'],
  listeners: [['max_topic_alias 0'], ['listener_allow_anonymous false']],
});
const unlimited = await openLab({ global: ['max_inflight_messages 0'], listeners: [['max_topic_alias 0']] });

const SESSION_60 = [['sessionExpiry', 60]] as const satisfies readonly Property[];

async function refused(peer: Peer, code: string): Promise<void> {
  await peer.expectBytes(code);
  await peer.expectClose();
}

test('the default CONNACK is byte for byte that of Mosquitto 2.1', async () => {
  const peer = await lab.peer();
  peer.send(connect({ clientId: unique('client') }));
  await peer.expectBytes('20 0e 00 00 0b 22 000a 27 001e8480 21 0014');
});

test('the CONNACK for an empty client id carries the assigned one behind the topic alias maximum', async () => {
  const peer = await lab.peer();
  const { properties } = await peer.connect({ clientId: '' });
  const order = properties.map(([name]) => name);
  assert.deepEqual(order, ['topicAliasMaximum', 'assignedClientId', 'maximumPacketSize', 'receiveMaximum']);
});

test('every limit that differs from the default is told, in the order of Mosquitto 2.1', async () => {
  const peer = await limited.peer();
  peer.send(connect({ clientId: unique('client'), keepAlive: 60 }));
  await peer.expectBytes('20 10 00 00 0d 13 001e 25 00 27 000001f4 21 0007');
});

test('limits that are switched off are not told', async () => {
  const peer = await unlimited.peer();
  peer.send(connect({ clientId: unique('client') }));
  await peer.expectBytes('20 08 00 00 05 27 001e8480');
});

test('the maximum QoS comes last, and with errors too', async () => {
  const peer = await lab.peer(1);
  peer.send(connect({ clientId: unique('client') }));
  await peer.expectBytes('20 10 00 00 0d 22 000a 27 001e8480 21 0014 24 01');
  const wrong = await lab.peer(1);
  wrong.send(connect({ clientId: unique('client'), level: 6 }));
  await refused(wrong, '20 05 00 84 02 24 01');
});

test('[MQTT-3.2.0-1] CONNACK comes before the messages of a resumed session', async () => {
  const clientId = unique('session');
  const topic = unique('topic');
  const old = await lab.client({ clientId, properties: SESSION_60 });
  await old.subscribe(topic, 1);
  await old.disconnect();
  await (await lab.client()).publish(topic, 'waiting', { qos: 1 });
  const peer = await lab.peer();
  await peer.connect({ clientId, clean: false, properties: SESSION_60 });
  await peer.expectMessage('waiting');
});

test('[MQTT-3.2.0-2] there is one CONNACK and no second', async () => {
  const clientId = unique('client');
  const client = await lab.client({ clientId });
  client.send(connect({ clientId }));
  await client.expectClose();
});

test('[MQTT-3.2.2-1] the reserved acknowledge flags are 0', async () => {
  const peer = await lab.peer();
  const connack = await peer.connect({ clientId: unique('client') });
  assert.equal(connack.bytes[2], 0);
});

test('[MQTT-3.2.2-2] Clean Start 1 is answered with session present 0 even if there was a session', async () => {
  const clientId = unique('session');
  await (await lab.client({ clientId, properties: SESSION_60 })).disconnect();
  const peer = await lab.peer();
  assert.equal((await peer.connect({ clientId, clean: true })).sessionPresent, false);
});

test('[MQTT-3.2.2-3] Clean Start 0 is answered with session present 1 exactly when there is a session', async () => {
  const clientId = unique('session');
  const first = await lab.peer();
  const before = await first.connect({ clientId, clean: false, properties: SESSION_60 });
  assert.equal(before.sessionPresent, false);
  await first.disconnect();
  const second = await lab.peer();
  assert.equal((await second.connect({ clientId, clean: false, properties: SESSION_60 })).sessionPresent, true);
});

test('a session of expiry 0 is gone with its connection', async () => {
  const clientId = unique('session');
  await (await lab.client({ clientId })).disconnect();
  const peer = await lab.peer();
  assert.equal((await peer.connect({ clientId, clean: false })).sessionPresent, false);
});

test('[MQTT-3.2.2-6] [MQTT-3.2.2-7] a refusal has session present 0 even if there is a session, and closes', async () => {
  const clientId = unique('session');
  await (await lab.client({ clientId, properties: SESSION_60 })).disconnect();
  const peer = await lab.peer();
  peer.send(connect({ clientId, clean: false, properties: [['authenticationMethod', 'none such']] }));
  await refused(peer, '20 03 00 8c 00');
});

test('[MQTT-3.2.2-8] refusals use the reason codes of CONNACK', async () => {
  const anonymous = await limited.peer(1);
  anonymous.send(connect({ clientId: unique('client') }));
  await refused(anonymous, '20 03 00 87 00');
});

test('[MQTT-3.2.2-9] a listener without QoS 2 says so in CONNACK', async () => {
  for (const [listener, maximum] of [
    [1, 1],
    [2, 0],
  ] as const) {
    const peer = await lab.peer(listener);
    const connack = await peer.connect({ clientId: unique('client') });
    assert.deepEqual(connack.properties.at(-1), ['maximumQos', maximum]);
  }
});

test('[MQTT-3.2.2-10] a listener without QoS 2 still takes subscriptions of every QoS and grants what it has', async () => {
  const client = await lab.client({}, 1);
  const codes = await client.subscribe([
    [unique('t'), 0],
    [unique('t'), 1],
    [unique('t'), 2],
  ]);
  assert.deepEqual(codes, [0, 1, 1]);
});

test('[MQTT-3.2.2-11] a PUBLISH above the maximum QoS is refused with 0x9B', async () => {
  const client = await lab.client({}, 1);
  client.send(publish({ topic: 't', qos: 2, packetId: 1 }));
  await client.expectDisconnect(0x9b);
  const zero = await lab.client({}, 2);
  zero.send(publish({ topic: 't', qos: 1, packetId: 1 }));
  await zero.expectDisconnect(0x9b);
});

test('[MQTT-3.2.2-12] a will above the maximum QoS is refused with 0x9B', async () => {
  const peer = await lab.peer(1);
  peer.send(connect({ clientId: unique('client'), will: { topic: 't', qos: 2 } }));
  await refused(peer, '20 05 00 9b 02 24 01');
});

test('[MQTT-3.2.2-13] a retained will is refused with 0x9A where nothing is retained', async () => {
  const peer = await limited.peer();
  peer.send(connect({ clientId: unique('client'), keepAlive: 10, will: { topic: 't', retain: true } }));
  await refused(peer, '20 03 00 9a 00');
});

test('[MQTT-3.2.2-14] a retained PUBLISH is refused with 0x9A where nothing is retained', async () => {
  const client = await limited.client({ keepAlive: 10 });
  client.send(publish({ topic: 't', payload: 'x', retain: true }));
  await client.expectDisconnect(0x9a);
});

test('[MQTT-3.2.2-15] a packet of exactly the maximum size is taken, one byte more is refused with 0x95', async () => {
  const client = await limited.client({ keepAlive: 10 });
  const topic = unique('size');
  const overhead = publish({ topic, payload: 'x'.repeat(200) }).length - 200;
  client.send(publish({ topic, payload: 'x'.repeat(500 - overhead) }));
  await client.expectNothing();
  client.send(publish({ topic, payload: 'x'.repeat(501 - overhead) }));
  await client.expectDisconnect(0x95);
});

test('[MQTT-3.2.2-16] assigned client ids are used by nobody else', async () => {
  const ids = new Set<unknown>();
  for (let n = 0; n < 20; n += 1) {
    const { properties } = await (await lab.peer()).connect({ clientId: '' });
    ids.add(new Map(properties).get('assignedClientId'));
  }
  assert.equal(ids.size, 20);
});

test('[MQTT-3.2.2-17] a topic alias above the maximum is refused with 0x94', async () => {
  const client = await lab.client();
  client.send(publish({ topic: 't', properties: [['topicAlias', 11]] }));
  await client.expectDisconnect(0x94);
});

test('[MQTT-3.2.2-18] where no topic alias maximum is told, every alias is refused', async () => {
  const client = await limited.client({ keepAlive: 10 });
  client.send(publish({ topic: 't', properties: [['topicAlias', 1]] }));
  await client.expectDisconnect(0x94);
});

test('[MQTT-3.2.2-19] [MQTT-3.2.2-20] CONNACK grows by neither reason string nor user properties', async () => {
  const peer = await lab.peer();
  const properties = [['maximumPacketSize', 16]] as const;
  const connack = await peer.connect({ clientId: unique('client'), properties });
  assert.equal(connack.bytes.length, 16);
});

test('a CONNACK larger than the client allows is not sent: the connection closes', async () => {
  const peer = await lab.peer();
  peer.send(connect({ clientId: unique('client'), properties: [['maximumPacketSize', 10]] }));
  await peer.expectClose();
});

describe('server keep alive', { concurrency: 4 }, () => {
  test('[MQTT-3.2.2-21] a server keep alive is told to whoever asked for more, or for none', async () => {
    for (const keepAlive of [31, 0, 65535]) {
      const peer = await limited.peer();
      const { properties } = await peer.connect({ clientId: unique('client'), keepAlive });
      assert.deepEqual(properties[0], ['serverKeepAlive', 30]);
    }
  });

  test('[MQTT-3.2.2-22] without a server keep alive the one of the client counts', async () => {
    const peer = await limited.peer();
    const { properties } = await peer.connect({ clientId: unique('client'), keepAlive: 1 });
    assert.equal(new Map(properties).get('serverKeepAlive'), undefined);
    await peer.expectClose();
  });
});

test('a client id that is too short a field for its length closes the connection', async () => {
  const peer = await lab.peer();
  const whole = connect({ clientId: 'abc' });
  u16(40).copy(whole, whole.length - 5);
  peer.send(whole);
  await peer.expectClose();
});
