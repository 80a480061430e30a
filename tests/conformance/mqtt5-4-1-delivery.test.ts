/** MQTT 5.0, chapters 4.1 to 4.6: session state, quality of service, redelivery, order. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PUBACK, PUBCOMP, PUBREC, PUBREL, ack, publish } from './bytes.ts';
import type { Property } from './bytes.ts';
import { openLab, unique } from './lab.ts';
import type { Peer } from './raw.ts';

const lab = await openLab();

const SESSION_60 = [['sessionExpiry', 60]] as const satisfies readonly Property[];

/** A subscriber whose session lasts, and a function that connects it again. */
async function lasting(qos: number): Promise<{ first: Peer; topic: string; from: Peer; again: () => Promise<Peer> }> {
  const clientId = unique('lasting');
  const topic = unique('topic');
  const first = await lab.client({ clientId, properties: SESSION_60 });
  await first.subscribe(topic, qos);
  const again = (): Promise<Peer> => lab.client({ clientId, clean: false, properties: SESSION_60 });
  return { first, topic, from: await lab.client(), again };
}

test('[MQTT-4.1.0-1] the state lasts as long as the connection, also with expiry 0', async () => {
  const topic = unique('topic');
  const client = await lab.client();
  await client.subscribe(topic, 1);
  await (await lab.client()).publish(topic, 'm', { qos: 1 });
  await client.expectMessage('m');
  await client.expectNothing();
});

describe('session expiry', { concurrency: 4 }, () => {
  test('[MQTT-4.1.0-2] the state is discarded when the connection is closed and the interval has passed', async () => {
    const clientId = unique('expiring');
    const topic = unique('topic');
    const properties = [['sessionExpiry', 1]] as const;
    const first = await lab.client({ clientId, properties });
    await first.subscribe(topic, 1);
    first.destroy();
    await lab.broker.logged(new RegExp(`Expiring client ${clientId} due to timeout`));
    assert.equal(await (await lab.client()).publish(topic, 'm', { qos: 1 }), 0x10, 'the subscription is still there');
    const peer = await lab.peer();
    assert.equal((await peer.connect({ clientId, clean: false, properties })).sessionPresent, false);
  });

  test('[MQTT-4.1.0-2] the interval begins with the close, not with the connection', async () => {
    const clientId = unique('expiring');
    const properties = [['sessionExpiry', 3]] as const;
    const first = await lab.client({ clientId, properties });
    await sleep(3600);
    first.destroy();
    const peer = await lab.peer();
    assert.equal((await peer.connect({ clientId, clean: false, properties })).sessionPresent, true);
  });

  test('an interval of 4294967295 never ends', async () => {
    const clientId = unique('forever');
    const properties = [['sessionExpiry', 0xffffffff]] as const;
    (await lab.client({ clientId, properties })).destroy();
    await sleep(1500);
    const peer = await lab.peer();
    assert.equal((await peer.connect({ clientId, clean: false })).sessionPresent, true);
  });
});

test('[MQTT-4.2-1] the transport is an ordered stream: packets may be cut and joined anywhere', async () => {
  const topic = unique('topic');
  const to = await lab.client();
  await to.subscribe(topic);
  const from = await lab.client();
  const packets = Buffer.concat(Array.from({ length: 20 }, (_, n) => publish({ topic, payload: `${n}` })));
  for (let at = 0; at < packets.length; at += 7) {
    from.send(packets.subarray(at, at + 7));
    await sleep(1);
  }
  for (let n = 0; n < 20; n += 1) await to.expectMessage(`${n}`);
});

test('[MQTT-4.3.1-1] QoS 0 is sent once, with DUP 0 and QoS 0, and never again', async () => {
  const { first, topic, from, again } = await lasting(0);
  await from.publish(topic, 'm', { qos: 2 });
  const message = await first.receive('PUBLISH');
  assert.deepEqual([message.flags, message.packetId], [0, 0]);
  first.destroy();
  await (await again()).expectNothing();
});

test('[MQTT-4.3.2-1] [MQTT-4.3.2-2] QoS 1 is sent with a fresh packet identifier and DUP 0', async () => {
  const { first, topic, from } = await lasting(1);
  const ids = new Set<number>();
  for (let n = 0; n < 5; n += 1) {
    await from.publish(topic, 'm', { qos: 1 });
    const message = await first.receive('PUBLISH');
    assert.deepEqual([message.qos, message.dup], [1, false]);
    ids.add(message.packetId);
  }
  assert.equal(ids.size, 5);
});

test('[MQTT-4.3.2-3] QoS 1 stays unacknowledged until PUBACK and not longer', async () => {
  const { first, topic, from, again } = await lasting(1);
  await from.publish(topic, 'a', { qos: 1 });
  await from.publish(topic, 'b', { qos: 1 });
  const a = await first.receive('PUBLISH');
  await first.receive('PUBLISH');
  first.send(ack(PUBACK, a.packetId));
  await first.settle();
  first.destroy();
  const second = await again();
  await second.expectMessage('b');
  await second.settle();
  second.destroy();
  await (await again()).expectNothing();
});

test('[MQTT-4.3.2-4] [MQTT-4.3.2-5] QoS 1 is answered with PUBACK, and the identifier is then free for a new message', async () => {
  const { first, topic, from } = await lasting(1);
  for (const dup of [false, true, true]) {
    from.sendPublish(topic, 'same', { qos: 1, packetId: 77, dup });
    await from.expectBytes('40 02 00 4d');
    await first.expectMessage('same');
  }
});

test('[MQTT-4.3.3-1] [MQTT-4.3.3-2] QoS 2 is sent with a fresh packet identifier and DUP 0', async () => {
  const { first, topic, from } = await lasting(2);
  const ids = new Set<number>();
  for (let n = 0; n < 5; n += 1) {
    await from.publish(topic, 'm', { qos: 2 });
    const message = await first.receive('PUBLISH');
    assert.deepEqual([message.qos, message.dup], [2, false]);
    ids.add(message.packetId);
  }
  assert.equal(ids.size, 5);
});

test('[MQTT-4.3.3-3] QoS 2 is sent again, with DUP, until PUBREC', async () => {
  const { first, topic, from, again } = await lasting(2);
  await from.publish(topic, 'm', { qos: 2 });
  const { packetId } = await first.receive('PUBLISH');
  first.destroy();
  const message = await (await again()).receive('PUBLISH');
  assert.deepEqual([message.packetId, message.dup, message.qos], [packetId, true, 2]);
});

test('[MQTT-4.3.3-4] PUBREC is answered with PUBREL of the same packet identifier', async () => {
  const { first, topic, from } = await lasting(2);
  await from.publish(topic, 'm', { qos: 2 });
  const { packetId } = await first.receive('PUBLISH');
  first.send(ack(PUBREC, packetId));
  assert.deepEqual((await first.receive('PUBREL')).bytes, ack(PUBREL, packetId));
});

test('[MQTT-4.3.3-5] [MQTT-4.3.3-6] after PUBREL only the PUBREL is sent again, until PUBCOMP', async () => {
  const { first, topic, from, again } = await lasting(2);
  await from.publish(topic, 'm', { qos: 2 });
  const { packetId } = await first.receive('PUBLISH');
  first.send(ack(PUBREC, packetId));
  await first.receive('PUBREL');
  first.destroy();
  const second = await again();
  assert.equal((await second.receive('PUBREL')).packetId, packetId);
  second.send(ack(PUBCOMP, packetId));
  await second.expectNothing();
  second.destroy();
  await (await again()).expectNothing();
});

test('[MQTT-4.3.3-6] a second PUBREC does not bring the PUBLISH back', async () => {
  const { first, topic, from } = await lasting(2);
  await from.publish(topic, 'm', { qos: 2 });
  const { packetId } = await first.receive('PUBLISH');
  for (let n = 0; n < 2; n += 1) {
    first.send(ack(PUBREC, packetId));
    assert.equal((await first.receive('PUBREL')).packetId, packetId);
  }
});

describe('expiry in flight', { concurrency: 4 }, () => {
  test('[MQTT-4.3.3-7] a QoS 2 message that was sent does not expire any more', async () => {
    const { first, topic, from, again } = await lasting(2);
    await from.publish(topic, 'm', { qos: 2, properties: [['messageExpiry', 1]] });
    const { packetId } = await first.receive('PUBLISH');
    first.destroy();
    await sleep(2600);
    assert.equal((await (await again()).receive('PUBLISH')).packetId, packetId);
  });

  test('[MQTT-4.3.3-13] the QoS 2 exchange goes on although the message has expired', async () => {
    const { topic, from } = await lasting(2);
    from.sendPublish(topic, 'm', { qos: 2, packetId: 3, properties: [['messageExpiry', 1]] });
    await from.expectBytes('50 02 00 03');
    await sleep(2600);
    from.send(ack(PUBREL, 3));
    await from.expectBytes('70 02 00 03');
  });
});

test('[MQTT-4.3.3-8] QoS 2 is answered with PUBREC of the same packet identifier', async () => {
  const { topic, from } = await lasting(2);
  from.sendPublish(topic, 'm', { qos: 2, packetId: 0x1234 });
  await from.expectBytes('50 02 12 34');
});

test('[MQTT-4.3.3-9] after a PUBREC with an error the identifier is free for a new message', async () => {
  const { first, topic, from } = await lasting(2);
  from.sendPublish('$SYS/refused', 'm', { qos: 2, packetId: 5 });
  await from.expectBytes('50 03 00 05 87');
  from.sendPublish(topic, 'new', { qos: 2, packetId: 5 });
  await from.expectBytes('50 02 00 05');
  from.send(ack(PUBREL, 5));
  await from.expectBytes('70 02 00 05');
  await first.expectMessage('new');
});

test('[MQTT-4.3.3-10] until PUBREL every copy is answered with PUBREC, and one message is delivered', async () => {
  const { first, topic, from } = await lasting(2);
  for (let n = 0; n < 4; n += 1) {
    from.sendPublish(topic, 'once', { qos: 2, packetId: 5, dup: n > 0 });
    await from.expectBytes('50 02 00 05');
  }
  from.send(ack(PUBREL, 5));
  await from.expectBytes('70 02 00 05');
  await first.expectMessage('once');
  await first.expectNothing();
});

test('[MQTT-4.3.3-10] a copy sent after reconnecting is still the same message', async () => {
  const { first, topic } = await lasting(2);
  const clientId = unique('publisher');
  const from = await lab.client({ clientId, properties: SESSION_60 });
  from.sendPublish(topic, 'once', { qos: 2, packetId: 5 });
  await from.receive('PUBREC');
  from.destroy();
  const again = await lab.client({ clientId, clean: false, properties: SESSION_60 });
  again.sendPublish(topic, 'once', { qos: 2, packetId: 5, dup: true });
  await again.expectBytes('50 02 00 05');
  again.send(ack(PUBREL, 5));
  await again.expectBytes('70 02 00 05');
  await first.expectMessage('once');
  await first.expectNothing();
});

test('[MQTT-4.3.3-11] PUBREL is answered with PUBCOMP of the same packet identifier, as often as it comes', async () => {
  const { topic, from } = await lasting(2);
  from.sendPublish(topic, 'm', { qos: 2, packetId: 6 });
  await from.receive('PUBREC');
  for (let n = 0; n < 2; n += 1) {
    from.send(ack(PUBREL, 6));
    await from.expectBytes('70 02 00 06');
  }
});

test('[MQTT-4.3.3-12] after PUBCOMP the identifier is free for a new message', async () => {
  const { first, topic, from } = await lasting(2);
  for (const payload of ['one', 'two']) {
    await from.publish(topic, payload, { qos: 2, packetId: 9 });
    await first.expectMessage(payload);
  }
});

test('[MQTT-4.4.0-1] everything unacknowledged is sent again in its order with its identifiers, then what is new', async () => {
  const { first, topic, from, again } = await lasting(2);
  const sent = [];
  for (const [payload, qos] of [
    ['a', 1],
    ['b', 2],
    ['c', 2],
    ['d', 1],
  ] as const) {
    await from.publish(topic, payload, { qos });
    sent.push(await first.receive('PUBLISH'));
  }
  first.send(ack(PUBREC, sent[1]!.packetId));
  await first.receive('PUBREL');
  await first.disconnect();
  await from.publish(topic, 'e', { qos: 1 });
  const second = await again();
  const seen: [string, number][] = [];
  for (let n = 0; n < 5; n += 1) {
    const packet = await second.receiveAny();
    seen.push([packet.name === 'PUBREL' ? 'PUBREL' : packet.payload.toString(), packet.packetId]);
    if (packet.name === 'PUBLISH') assert.equal(packet.dup, packet.payload.toString() !== 'e');
  }
  const ids = sent.map(packet => packet.packetId);
  assert.deepEqual(
    seen.slice(0, 4).filter(([what]) => what !== 'PUBREL'),
    [
      ['a', ids[0]],
      ['c', ids[2]],
      ['d', ids[3]],
    ],
  );
  assert.deepEqual(
    seen.find(([what]) => what === 'PUBREL'),
    ['PUBREL', ids[1]],
  );
  assert.equal(seen[4]![0], 'e');
});

test('[MQTT-4.4.0-1] nothing is sent again on a connection that stands', async () => {
  const { first, topic, from } = await lasting(2);
  for (const qos of [1, 2]) await from.publish(topic, 'm', { qos });
  await first.receive('PUBLISH');
  await first.receive('PUBLISH');
  await sleep(1500);
  await first.expectNothing();
});

test('[MQTT-4.4.0-2] a message refused with PUBACK or PUBREC of 0x80 or more is not sent again', async () => {
  const { first, topic, from, again } = await lasting(2);
  for (const [qos, first_] of [
    [1, PUBACK],
    [2, PUBREC],
  ] as const) {
    await from.publish(topic, 'm', { qos });
    first.send(ack(first_, (await first.receive('PUBLISH')).packetId, 0x80));
  }
  await first.expectNothing();
  first.destroy();
  await (await again()).expectNothing();
});

test('[MQTT-4.5.0-1] a message taken over is added to every matching session, connected or not', async () => {
  const sessions = [await lasting(1), await lasting(2), await lasting(1)];
  const prefix = unique('shared');
  for (const { first } of sessions) await first.subscribe(`${prefix}/#`, 1);
  sessions[1]!.first.destroy();
  await sessions[0]!.from.publish(`${prefix}/a`, 'm', { qos: 1 });
  await sessions[0]!.first.expectMessage('m');
  await sessions[2]!.first.expectMessage('m');
  await (await sessions[1]!.again()).expectMessage('m');
});

test('QoS 0 is not kept for a session that is not connected', async () => {
  const { first, topic, from, again } = await lasting(1);
  first.destroy();
  await from.publish(topic, 'zero');
  await from.publish(topic, 'one', { qos: 1 });
  const second = await again();
  await second.expectMessage('one');
  await second.expectNothing();
});

test('[MQTT-4.6.0-5] [MQTT-4.6.0-6] messages of one client to one topic arrive in the order in which they came', async () => {
  const { first, topic, from } = await lasting(1);
  for (let n = 0; n < 200; n += 1) from.sendPublish(topic, `${n}`, { qos: 1 });
  const seen: string[] = [];
  while (seen.length < 200) seen.push((await first.take()).payload.toString());
  assert.deepEqual(
    seen,
    Array.from({ length: 200 }, (_, n) => `${n}`),
  );
});

test('[MQTT-4.6.0-5] the order holds over disconnection and reconnection', async () => {
  const { first, topic, from, again } = await lasting(1);
  for (let n = 0; n < 10; n += 1) await from.publish(topic, `${n}`, { qos: 1 });
  for (let n = 0; n < 3; n += 1) await first.expectMessage(`${n}`);
  for (let n = 3; n < 10; n += 1) await first.receive('PUBLISH');
  await first.settle();
  first.destroy();
  for (let n = 10; n < 40; n += 1) await from.publish(topic, `${n}`, { qos: 1 });
  const second = await again();
  for (let n = 3; n < 40; n += 1) await second.expectMessage(`${n}`);
  await second.expectNothing();
});

test('[MQTT-4.6.0-5] the order holds when acknowledgements come late and out of order', async () => {
  const { first, topic, from } = await lasting(2);
  for (let n = 0; n < 45; n += 1) await from.publish(topic, `${n}`, { qos: 1 });
  const seen: string[] = [];
  while (seen.length < 45) {
    const window = [];
    while (window.length < 20 && seen.length + window.length < 45) window.push(await first.receive('PUBLISH'));
    seen.push(...window.map(message => message.payload.toString()));
    for (const message of window.reverse()) first.send(ack(PUBACK, message.packetId));
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 45 }, (_, n) => `${n}`),
  );
});
