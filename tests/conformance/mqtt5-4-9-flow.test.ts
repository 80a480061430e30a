/** MQTT 5.0, chapters 4.9 and 4.13: flow control, handling of errors. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PUBACK, PUBCOMP, PUBREC, ack, connect, hex, publish, subscribe } from './bytes.ts';
import { openLab, unique } from './lab.ts';

const lab = await openLab();

test('[MQTT-4.9.0-1] [MQTT-4.9.0-2] the quota is that of the receive maximum; PUBACK and PUBCOMP give it back', async () => {
  const topic = unique('flow');
  const to = await lab.client({ properties: [['receiveMaximum', 3]] });
  await to.subscribe(topic, 2);
  const from = await lab.client();
  for (let n = 0; n < 8; n += 1) await from.publish(topic, `${n}`, { qos: n % 2 ? 2 : 1 });
  const open = [await to.receive('PUBLISH'), await to.receive('PUBLISH'), await to.receive('PUBLISH')];
  await to.expectNothing();
  to.send(ack(PUBREC, open[1]!.packetId));
  await to.receive('PUBREL');
  await to.expectNothing();
  to.send(ack(PUBCOMP, open[1]!.packetId));
  assert.equal((await to.receive('PUBLISH')).payload.toString(), '3');
  await to.expectNothing();
  to.send(ack(PUBACK, open[0]!.packetId));
  assert.equal((await to.receive('PUBLISH')).payload.toString(), '4');
  await to.expectNothing();
});

test('[MQTT-4.9.0-2] a resumed session starts with the receive maximum of the new connection', async () => {
  const topic = unique('flow');
  const clientId = unique('client');
  const first = await lab.client({
    clientId,
    properties: [
      ['receiveMaximum', 5],
      ['sessionExpiry', 60],
    ],
  });
  await first.subscribe(topic, 1);
  const from = await lab.client();
  for (let n = 0; n < 5; n += 1) await from.publish(topic, `${n}`, { qos: 1 });
  for (let n = 0; n < 5; n += 1) await first.receive('PUBLISH');
  first.destroy();
  const second = await lab.client({ clientId, clean: false, properties: [['receiveMaximum', 2]] });
  const open = [await second.receive('PUBLISH'), await second.receive('PUBLISH')];
  for (let n = 2; n < 5; n += 1) {
    await second.expectNothing();
    second.send(ack(PUBACK, open.shift()!.packetId));
    open.push(await second.receive('PUBLISH'));
    assert.equal(open.at(-1)!.payload.toString(), `${n}`);
  }
});

test('[MQTT-4.9.0-3] with an empty quota every other packet is processed', async () => {
  const topic = unique('flow');
  const to = await lab.client({ properties: [['receiveMaximum', 1]] });
  await to.subscribe(topic, 1);
  const from = await lab.client();
  for (const payload of ['a', 'b']) await from.publish(topic, payload, { qos: 1 });
  await to.receive('PUBLISH');
  assert.deepEqual(await to.subscribe(unique('t'), 1), [1]);
  assert.deepEqual(await to.unsubscribe(unique('never')), [0x11]);
  assert.equal(await to.publish(unique('nobody'), 'x', { qos: 2 }), 0);
  await to.expectNothing();
});

const ERRORS: [what: string, bytes: Buffer, reason: number][] = [
  ['malformed', publish({ topic: 't', qos: 3 }), 0x81],
  ['a protocol error', publish({ topic: 't', properties: [['topicAlias', 0]] }), 0x82],
  ['an unknown alias', publish({ topic: 't', properties: [['topicAlias', 99]] }), 0x94],
  ['an invalid share', subscribe(5, 1, [['$share/g', 0]]), 0x82],
  ['a packet too large', hex('30 ff ff ff 7f'), 0x95],
];

for (const [what, bytes, reason] of ERRORS)
  test(`[MQTT-4.13.1-1] [MQTT-4.13.2-1] after ${what} (0x${reason.toString(16)}) the connection is closed`, async () => {
    const client = await lab.client();
    client.send(bytes);
    await client.expectDisconnect(reason);
  });

test('[MQTT-4.13.2-1] after a CONNACK of 0x80 or more the connection is closed', async () => {
  const peer = await lab.peer();
  peer.send(connect({ clientId: unique('client'), level: 9 }));
  assert.equal((await peer.receive('CONNACK')).code, 0x84);
  await peer.expectClose();
});

test('a packet that announces more than the maximum is refused as soon as its header is read', async () => {
  const client = await lab.client();
  client.send('30 81 89 7a');
  await client.expectDisconnect(0x95);
});
