/** MQTT 3.1.1, chapters 3.8 to 3.14, 4.7, 4.8 and 6: subscriptions, PING, DISCONNECT, topics, errors, WebSocket. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { WebSocket, createWebSocketStream } from 'ws';
import { PUBREC, ack, connect, frame, hex, publish, subscribe, u16, u8, unsubscribe } from './bytes.ts';
import type { ConnectFields } from './bytes.ts';
import { openLab, unique } from './lab.ts';
import { Peer } from './raw.ts';

const lab = await openLab({ listeners: [[], ['protocol websockets']] });

const client = (fields: ConnectFields = {}): Promise<Peer> => lab.client({ version: 4, ...fields });

async function closes(...packets: (Buffer | string)[]): Promise<void> {
  for (const packet of packets) {
    const peer = await client();
    peer.send(packet);
    await peer.expectClose();
  }
}

test('[MQTT-2.3.1-7] [MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-3.10.4-4] SUBACK and UNSUBACK carry the identifier of the request', async () => {
  const peer = await client();
  peer.send(subscribe(4, 0xfffe, [['id/t', 1]]));
  await peer.expectBytes('90 03 ff fe 01');
  peer.send(unsubscribe(4, 0xfffd, ['id/t']));
  await peer.expectBytes('b0 02 ff fd');
});

test('[MQTT-3.8.1-1] SUBSCRIBE with other flags closes', () =>
  closes(subscribe(4, 1, [['t', 0]], [], 0x80), subscribe(4, 1, [['t', 0]], [], 0x83)));

test('[MQTT-3.8.3-1] a filter that is not UTF-8 or is cut off closes', () =>
  closes(subscribe(4, 1, [[hex('ff'), 0]]), frame(0x82, u16(1), hex('0005 61')), frame(0x82, u16(1), hex('0001 61'))));

test('[MQTT-3.8.3-3] SUBSCRIBE without a filter closes', () => closes(subscribe(4, 1, [])));

test('[MQTT-3.8.3-4] QoS 3 and bits above the QoS close', () =>
  closes(...[0x03, 0x04, 0x08, 0x10, 0x80].map(options => subscribe(4, 1, [['t', options]]))));

test('[MQTT-3.8.4-3] an identical filter replaces the subscription and brings the retained messages again', async () => {
  const topic = unique('topic');
  const from = await client();
  await from.publish(topic, 'kept', { retain: true });
  const to = await client();
  for (const qos of [2, 0]) {
    await to.subscribe(topic, qos);
    assert.deepEqual(await to.drain(), ['kept']);
  }
  await from.publish(topic, 'live', { qos: 2 });
  assert.equal((await to.receive('PUBLISH')).qos, 0);
  await to.expectNothing();
});

test('[MQTT-3.8.4-4] [MQTT-3.8.4-5] [MQTT-3.9.3-1] [MQTT-3.9.3-2] several filters get one SUBACK with their granted QoS in order', async () => {
  const peer = await client();
  assert.deepEqual(await peer.subscribe([2, 0, 1].map(qos => [unique('t'), qos])), [2, 0, 1]);
});

test('[MQTT-3.8.4-6] messages are sent at the lower of published and granted QoS', async () => {
  const from = await client();
  for (const granted of [0, 1, 2]) {
    const topic = unique('topic');
    const to = await client();
    await to.subscribe(topic, granted);
    for (const qos of [0, 1, 2]) {
      await from.publish(topic, 'm', { qos });
      assert.equal((await to.expectMessage('m')).qos, Math.min(qos, granted));
    }
  }
});

test('[MQTT-3.10.1-1] UNSUBSCRIBE with other flags closes', () =>
  closes(unsubscribe(4, 1, ['t'], [], 0xa0), unsubscribe(4, 1, ['t'], [], 0xa3)));

test('[MQTT-3.10.3-1] a filter that is not UTF-8 or is cut off closes', () =>
  closes(unsubscribe(4, 1, [hex('ff')]), frame(0xa2, u16(1), hex('0005 61'))));

test('[MQTT-3.10.3-2] UNSUBSCRIBE without a filter closes', () => closes(unsubscribe(4, 1, [])));

test('[MQTT-3.10.4-1] only exactly this filter is removed', async () => {
  const prefix = unique('t');
  const peer = await client();
  await peer.subscribe(`${prefix}/+`);
  await peer.unsubscribe(`${prefix}/#`, `${prefix}/a`);
  peer.sendPublish(`${prefix}/a`, 'm');
  await peer.expectMessage('m');
});

test('[MQTT-3.10.4-2] no new message is added after UNSUBACK', async () => {
  const topic = unique('t');
  const peer = await client();
  await peer.subscribe(topic);
  await peer.unsubscribe(topic);
  await (await client()).publish(topic, 'm');
  await peer.expectNothing();
});

test('[MQTT-3.10.4-3] a delivery that has begun is completed', async () => {
  const topic = unique('t');
  const peer = await client();
  await peer.subscribe(topic, 2);
  await (await client()).publish(topic, 'm', { qos: 2 });
  const { packetId } = await peer.receive('PUBLISH');
  await peer.unsubscribe(topic);
  peer.send(ack(PUBREC, packetId));
  assert.equal((await peer.receive('PUBREL')).packetId, packetId);
});

test('[MQTT-3.10.4-5] UNSUBACK comes also where nothing was removed', async () => {
  const peer = await client();
  assert.deepEqual(await peer.unsubscribe(unique('never')), []);
});

test('[MQTT-3.10.4-6] several filters get one UNSUBACK', async () => {
  const peer = await client();
  const [a, b] = [unique('t'), unique('t')];
  await peer.subscribe([
    [a, 0],
    [b, 0],
  ]);
  await peer.unsubscribe(a, b);
  await (await client()).publish(a, 'm');
  await peer.expectNothing();
});

test('[MQTT-3.12.4-1] PINGREQ is answered with PINGRESP', async () => {
  const peer = await client();
  peer.send('c0 00');
  await peer.expectBytes('d0 00');
});

test('[MQTT-3.14.1-1] DISCONNECT with reserved flags, or with a body, closes', () => closes('e1 00', 'e0 01 00'));

test('[MQTT-3.14.4-3] DISCONNECT discards the will', async () => {
  const watch = await client();
  const topic = unique('will');
  await watch.subscribe(topic);
  await (await client({ will: { topic, payload: 'never' } })).disconnect();
  await watch.expectNothing();
});

test('[MQTT-4.7.1-1] a wildcard in a topic name closes', () => closes(publish({ version: 4, topic: 'a/+' })));

test('[MQTT-4.7.1-2] # elsewhere than alone and last closes', () =>
  closes(...['a#', '#/a', 'a/#/b'].map(filter => subscribe(4, 1, [[filter, 0]]))));

test('[MQTT-4.7.1-3] + elsewhere than alone in its level closes', () =>
  closes(...['a+', '+a', 'a/b+'].map(filter => subscribe(4, 1, [[filter, 0]]))));

test('[MQTT-4.7.2-1] a leading wildcard does not match a leading $', async () => {
  const name = unique('$dollar');
  const peer = await client();
  await peer.subscribe('+/x');
  await (await client()).publish(`${name}/x`, 'm');
  await peer.expectNothing();
});

test('[MQTT-4.7.3-1] an empty filter or topic closes', () =>
  closes(subscribe(4, 1, [['', 0]]), publish({ version: 4, topic: '' })));

test('[MQTT-4.7.3-2] U+0000 in a filter or topic closes', () =>
  closes(subscribe(4, 1, [['a\0', 0]]), publish({ version: 4, topic: 'a\0' })));

test('[MQTT-4.7.3-3] a topic of 65535 bytes goes through', async () => {
  const topic = unique('x').padEnd(65535, 'x');
  const peer = await client();
  await peer.subscribe(topic);
  peer.sendPublish(topic, 'm');
  assert.equal((await peer.expectMessage('m')).topic, topic);
});

test('[MQTT-4.7.3-4] topics are not normalised', async () => {
  const prefix = unique('n');
  const peer = await client();
  await peer.subscribe(`${prefix}/é`);
  for (const name of ['e\u0301', 'É', 'é ', 'é/']) peer.sendPublish(`${prefix}/${name}`, 'wrong');
  peer.sendPublish(`${prefix}/é`, 'right');
  await peer.expectMessage('right');
});

test('[MQTT-4.8.0-1] a protocol violation closes without a word', () =>
  closes('00 00', 'f0 00', '20 02 00 00', '90 03 00 01 00', 'b0 02 00 01', 'd0 00', 'c0 01 00', '30 80 80 80 80 01'));

test('[MQTT-6.0.0-1] [MQTT-6.0.0-2] packets in binary frames, cut and joined at will; a text frame closes', async () => {
  const socket = new WebSocket(`ws://127.0.0.1:${lab.broker.ports[1]}/mqtt`, ['mqtt']);
  await once(socket, 'open');
  const peer = new Peer(createWebSocketStream(socket));
  peer.version = 4;
  for (const byte of connect({ version: 4, clientId: unique('client') })) socket.send(u8(byte));
  await peer.expectBytes('20 02 00 00');
  socket.send(hex('c0 00 c0 00'));
  for (let n = 0; n < 2; n += 1) await peer.receive('PINGRESP');
  socket.send('text');
  await peer.expectClose();
});

test('[MQTT-6.0.0-3] [MQTT-6.0.0-4] the subprotocol is mqtt, and there is no way without', async () => {
  const socket = new WebSocket(`ws://127.0.0.1:${lab.broker.ports[1]}/mqtt`, ['mqtt']);
  await once(socket, 'open');
  assert.equal(socket.protocol, 'mqtt');
  socket.terminate();
  await once(new WebSocket(`ws://127.0.0.1:${lab.broker.ports[1]}/mqtt`, ['soap']), 'error');
});

test('[MQTT-7.1.1-1] packets may be cut and joined at will on the transport', async () => {
  const peer = await client();
  for (const byte of hex('c0 00 c0 00')) {
    peer.send(u8(byte));
    await new Promise(resolve => setImmediate(resolve));
  }
  for (let n = 0; n < 2; n += 1) await peer.receive('PINGRESP');
});

test('shared subscriptions work for 3.1.1 too', async () => {
  const topic = unique('shared');
  const peers = [await client(), await client()];
  for (const peer of peers) await peer.subscribe(`$share/g/${topic}`);
  const from = await client();
  for (const payload of ['a', 'b', 'c', 'd']) await from.publish(topic, payload);
  assert.deepEqual(
    [await peers[0]!.drain(), await peers[1]!.drain()],
    [
      ['a', 'c'],
      ['b', 'd'],
    ],
  );
  await closes(subscribe(4, 1, [['$share/g', 0]]), subscribe(4, 1, [['$share/+/t', 0]]));
});
