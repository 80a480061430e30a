/** Options of mosquitto.conf that change what goes over the wire, seen from the wire. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PUBACK, ack, publish } from './bytes.ts';
import type { Property } from './bytes.ts';
import { openLab, unique } from './lab.ts';

const SESSION_60 = [['sessionExpiry', 60]] as const satisfies readonly Property[];

const plain = await openLab();
const changed = await openLab({
  global: [
    'allow_duplicate_messages false',
    'upgrade_outgoing_qos true',
    'queue_qos0_messages true',
    'persistent_client_expiration 2s',
    'max_inflight_bytes 100',
  ],
});
const queued = await openLab({ global: ['max_queued_bytes 50'] });
const mounted = await openLab({ listeners: [[], ['mount_point tenant/']] });

test('allow_duplicate_messages false gives 3.x clients one copy at the highest QoS, and 5 clients one for each', async () => {
  for (const [version, copies] of [
    [4, 1],
    [5, 2],
  ] as const) {
    const prefix = unique('overlap');
    const to = await changed.client({ version });
    await to.subscribe([
      [`${prefix}/#`, 0],
      [`${prefix}/a`, 1],
    ]);
    const from = await changed.client();
    await from.publish(`${prefix}/a`, 'm', { qos: 1 });
    const seen = await to.drain();
    assert.equal(seen.length, copies);
  }
});

test('upgrade_outgoing_qos delivers at the QoS of the subscription', async () => {
  const topic = unique('upgrade');
  const to = await changed.client();
  await to.subscribe(topic, 1);
  await (await changed.client()).publish(topic, 'm', { qos: 0 });
  assert.equal((await to.expectMessage('m')).qos, 1);
});

test('queue_qos0_messages keeps QoS 0 messages for sessions that are not connected', async () => {
  for (const [at, expected] of [
    [changed, ['m']],
    [plain, []],
  ] as const) {
    const clientId = unique('offline');
    const topic = unique('topic');
    const first = await at.client({ clientId, properties: SESSION_60 });
    await first.subscribe(topic, 0);
    await first.disconnect();
    await (await at.client()).publish(topic, 'm');
    const second = await at.client({ clientId, clean: false, properties: SESSION_60 });
    assert.deepEqual(await second.drain(), expected);
  }
});

describe('persistent_client_expiration', { concurrency: 2 }, () => {
  for (const version of [4, 5] as const)
    test(`ends a session of version ${version} that stays away too long`, async () => {
      const clientId = unique('expiring');
      const first = await changed.client({ version, clientId, clean: false, properties: SESSION_60 });
      await first.disconnect();
      await changed.broker.logged(new RegExp(`Expiring client ${clientId} due to timeout`));
      const second = await changed.peer();
      assert.equal((await second.connect({ version, clientId, clean: false })).sessionPresent, false);
    });
});

test('max_inflight_bytes holds messages back, but never the only one', async () => {
  const topic = unique('bytes');
  const to = await changed.client();
  await to.subscribe(topic, 1);
  const from = await changed.client();
  for (const payload of ['x'.repeat(200), 'y'.repeat(60), 'z'.repeat(60)])
    await from.publish(topic, payload, { qos: 1 });
  for (const letter of ['x', 'y', 'z']) {
    const message = await to.receive('PUBLISH');
    assert.equal(message.payload.toString()[0], letter);
    await to.expectNothing();
    to.send(ack(PUBACK, message.packetId));
  }
});

test('max_queued_bytes bounds the queue of a session', async () => {
  const clientId = unique('offline');
  const topic = unique('topic');
  const first = await queued.client({ clientId, properties: SESSION_60 });
  await first.subscribe(topic, 1);
  await first.disconnect();
  const from = await queued.client();
  for (const letter of ['a', 'b', 'c']) await from.publish(topic, letter.repeat(20), { qos: 1 });
  const second = await queued.client({ clientId, clean: false, properties: SESSION_60 });
  assert.deepEqual(await second.drain(), ['a'.repeat(20), 'b'.repeat(20)]);
});

test('mount_point puts a prefix in front of the topics of a listener, and takes it away again', async () => {
  const topic = unique('topic');
  const outside = await mounted.client();
  const inside = await mounted.client({}, 1);
  await outside.subscribe(`tenant/${topic}`);
  await inside.subscribe(topic);
  inside.sendPublish(topic, 'from inside');
  assert.equal((await outside.expectMessage('from inside')).topic, `tenant/${topic}`);
  assert.equal((await inside.expectMessage('from inside')).topic, topic);
  outside.sendPublish(`tenant/${topic}`, 'from outside');
  await outside.expectMessage('from outside');
  assert.equal((await inside.expectMessage('from outside')).topic, topic);
  await outside.publish(topic, 'elsewhere');
  await inside.expectNothing();
});

test('mount_point holds for retained messages, wills and shared subscriptions', async () => {
  const [kept, will, shared] = [unique('kept'), unique('will'), unique('shared')];
  const outside = await mounted.client();
  await outside.subscribe(`tenant/${will}`);
  const inside = await mounted.client({ will: { topic: will, payload: 'gone' } }, 1);
  await inside.publish(kept, 'kept', { retain: true });
  await inside.subscribe(`$share/g/${shared}`);
  await outside.publish(`tenant/${shared}`, 'shared');
  assert.equal((await inside.expectMessage('shared')).topic, shared);
  inside.destroy();
  assert.equal((await outside.expectMessage('gone')).topic, `tenant/${will}`);
  await outside.subscribe(`tenant/${kept}`);
  await outside.expectMessage('kept');
  const late = await mounted.client({}, 1);
  await late.subscribe('#');
  assert.ok((await late.drain()).includes('kept'));
});

test('aliases towards a client below a mount point name its own topics', async () => {
  const topic = unique('topic');
  const inside = await mounted.client({ properties: [['topicAliasMaximum', 5]] }, 1);
  await inside.subscribe(topic);
  const outside = await mounted.client();
  for (const expected of [topic, '']) {
    await outside.publish(`tenant/${topic}`, 'm');
    assert.equal((await inside.expectMessage('m')).topic, expected);
  }
});

test('$CONTROL without anyone to serve it is answered to the sender alone', async () => {
  const topic = '$CONTROL/nothing/v1';
  const [sender, other] = [await plain.client(), await plain.client()];
  for (const peer of [sender, other]) await peer.subscribe(`${topic}/response`, 0);
  sender.send(publish({ topic, payload: '{}', qos: 1, packetId: 1 }));
  const seen = [await sender.receiveAny(), await sender.receiveAny()];
  const answer = seen.find(packet => packet.name === 'PUBLISH');
  assert.equal(answer?.payload.toString(), '{"error": "endpoint not available"}');
  assert.equal(seen.find(packet => packet.name === 'PUBACK')?.code, 0);
  await other.expectNothing();
});
