/** MQTT 5.0, chapters 4.7 and 4.8: topic names, topic filters, shared subscriptions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PUBACK, PUBREC, ack, field, publish, subscribe } from './bytes.ts';
import type { Property } from './bytes.ts';
import { openLab, unique } from './lab.ts';
import type { Peer } from './raw.ts';

const lab = await openLab();

const SESSION_60 = [['sessionExpiry', 60]] as const satisfies readonly Property[];

/** What of these topics a subscriber to the filter gets, each in full below a prefix of its own. */
async function matched(filter: string, topics: readonly string[]): Promise<string[]> {
  const prefix = unique('match');
  const to = await lab.client();
  await to.subscribe(`${prefix}/${filter}`);
  const from = await lab.client();
  for (const topic of topics) await from.publish(`${prefix}/${topic}`, topic);
  return to.drain();
}

test('[MQTT-4.7.0-1] wildcards are refused in topic names', async () => {
  for (const topic of ['+', '#', 'a/+/b', 'a/#']) {
    const client = await lab.client();
    client.send(publish({ topic }));
    await client.expectDisconnect(0x81);
  }
});

test('[MQTT-4.7.1-1] # stands alone or behind a separator, and last', async () => {
  for (const filter of ['a#', 'a/b#', '#/a', 'a/#/b', 'a/##']) {
    const client = await lab.client();
    client.send(subscribe(5, 1, [[filter, 0]]));
    await client.expectDisconnect(0x81);
  }
});

test('[MQTT-4.7.1-1] sport/# matches sport itself and everything below it', async () => {
  const topics = ['sport', 'sport/', 'sport/tennis', 'sport/tennis/player1', 'sports', 'spor', 'other/sport'];
  assert.deepEqual(await matched('sport/#', topics), topics.slice(0, 4));
});

test('[MQTT-4.7.1-2] + takes a whole level', async () => {
  for (const filter of ['a+', '+a', 'a/b+/c', '++']) {
    const client = await lab.client();
    client.send(subscribe(5, 1, [[filter, 0]]));
    await client.expectDisconnect(0x81);
  }
});

test('[MQTT-4.7.1-2] + matches exactly one level, an empty one too', async () => {
  assert.deepEqual(await matched('+', ['a', '', 'a/b', 'a/']), ['a', '']);
  assert.deepEqual(await matched('+/+', ['a', 'a/b', '/b', 'a/', '/', 'a/b/c']), ['a/b', '/b', 'a/', '/']);
  assert.deepEqual(await matched('a/+/c', ['a/b/c', 'a//c', 'a/c', 'a/b/b/c']), ['a/b/c', 'a//c']);
  assert.deepEqual(await matched('+/b/#', ['a/b', '/b', 'a/b/c', 'b/a']), ['a/b', '/b', 'a/b/c']);
});

test('[MQTT-4.7.2-1] a filter that begins with a wildcard does not match a topic that begins with $', async () => {
  const to = await lab.client();
  const name = unique('$dollar');
  await to.subscribe([
    ['#', 0],
    ['+/x', 0],
    [`${name}/#`, 1],
  ]);
  const from = await lab.client();
  await from.publish(`${name}/x`, 'm');
  await to.expectMessage('m');
  await to.expectNothing();
});

test('[MQTT-4.7.2-1] a retained message of a $ topic is not sent to #', async () => {
  const name = unique('$dollar');
  const from = await lab.client();
  await from.publish(`${name}/x`, 'kept', { retain: true });
  const to = await lab.client();
  await to.subscribe('+/x');
  await to.expectNothing();
  await to.subscribe(`${name}/+`);
  await to.expectMessage('kept');
});

test('[MQTT-4.7.3-1] an empty topic name or filter is refused', async () => {
  const publisher = await lab.client();
  publisher.send(publish({ topic: '' }));
  await publisher.expectDisconnect(0x81);
  const subscriber = await lab.client();
  subscriber.send(subscribe(5, 1, [['', 0]]));
  await subscriber.expectDisconnect(0x81);
});

test('[MQTT-4.7.3-2] U+0000 is refused in topic names and filters', async () => {
  const publisher = await lab.client();
  publisher.send(publish({ topic: 'a\0' }));
  await publisher.expectDisconnect(0x81);
  const subscriber = await lab.client();
  subscriber.send(subscribe(5, 1, [['a\0', 0]]));
  await subscriber.expectDisconnect(0x81);
});

test('[MQTT-4.7.3-3] a filter of 65535 bytes is taken', async () => {
  const client = await lab.client();
  assert.deepEqual(await client.subscribe('f'.repeat(65535)), [0]);
});

test('[MQTT-4.7.3-4] nothing is normalised: case, Unicode form, spaces and separators count', async () => {
  const variants = ['a', 'A', 'é', 'e\u0301', ' a', 'a ', '/a', 'a/', 'a//b', 'a/b', '\ufeffa'];
  for (const filter of variants) assert.deepEqual(await matched(filter, variants), [filter]);
});

test('a filter of 200 levels is taken, one with more is malformed', async () => {
  const client = await lab.client();
  assert.deepEqual(await client.subscribe('/'.repeat(200)), [0]);
  client.send(subscribe(5, 1, [['/'.repeat(201), 0]]));
  await client.expectDisconnect(0x81);
});

test('$SYS/# may be subscribed and brings what the broker says of itself', async () => {
  const client = await lab.client();
  await client.subscribe('$SYS/broker/version');
  assert.ok((await client.receive('PUBLISH')).retain);
});

test('[MQTT-4.8.2-1] [MQTT-4.8.2-2] a share name without a filter, or with a wildcard, is a protocol error', async () => {
  for (const filter of ['$share', '$share/g', '$share/g/', '$share/+/t', '$share/g#/t', '$share/#/t']) {
    const client = await lab.client();
    client.send(subscribe(5, 1, [[filter, 0]]));
    await client.expectDisconnect(0x82);
  }
});

test('[MQTT-4.8.2-3] the granted QoS of the member counts', async () => {
  const topic = unique('shared');
  const from = await lab.client();
  const members = [await lab.client(), await lab.client()];
  await members[0]!.subscribe(`$share/g/${topic}`, 0);
  await members[1]!.subscribe(`$share/g/${topic}`, 1);
  for (const payload of ['a', 'b']) await from.publish(topic, payload, { qos: 2 });
  assert.equal((await members[0]!.expectMessage('a')).qos, 0);
  assert.equal((await members[1]!.expectMessage('b')).qos, 1);
});

test('each message goes to one member of a group, in turn', async () => {
  const topic = unique('shared');
  const members = [await lab.client(), await lab.client(), await lab.client()];
  for (const member of members) await member.subscribe(`$share/${topic}/${topic}`);
  const from = await lab.client();
  for (let n = 0; n < 9; n += 1) await from.publish(topic, `${n}`);
  const shares = await Promise.all(members.map(member => member.drain()));
  assert.deepEqual(shares, [
    ['0', '3', '6'],
    ['1', '4', '7'],
    ['2', '5', '8'],
  ]);
});

test('groups, and plain subscriptions beside them, each get every message', async () => {
  const topic = unique('shared');
  const peers: Peer[] = [];
  for (const filter of [`$share/a/${topic}`, `$share/b/${topic}`, topic]) {
    peers.push(await lab.client());
    await peers.at(-1)!.subscribe(filter);
  }
  await (await lab.client()).publish(topic, 'm');
  for (const peer of peers) assert.deepEqual(await peer.drain(), ['m']);
});

test('different filters of one group name are separate groups', async () => {
  const prefix = unique('shared');
  const peers = [await lab.client(), await lab.client()];
  await peers[0]!.subscribe(`$share/g/${prefix}/+`);
  await peers[1]!.subscribe(`$share/g/${prefix}/#`);
  await (await lab.client()).publish(`${prefix}/a`, 'm');
  for (const peer of peers) assert.deepEqual(await peer.drain(), ['m']);
});

test('a shared subscription brings no retained messages', async () => {
  const topic = unique('shared');
  const client = await lab.client();
  await client.publish(topic, 'kept', { retain: true });
  await client.subscribe(`$share/g/${topic}`);
  await client.expectNothing();
});

test('a shared subscription to a $ topic receives', async () => {
  const name = unique('$dollar');
  const client = await lab.client();
  await client.subscribe(`$share/g/${name}/x`);
  await (await lab.client()).publish(`${name}/x`, 'm');
  await client.expectMessage('m');
});

test('[MQTT-4.8.2-4] a QoS 2 message begun with a member is completed with it when it comes back', async () => {
  const topic = unique('shared');
  const clientId = unique('member');
  const member = await lab.client({ clientId, properties: SESSION_60 });
  await member.subscribe(`$share/g/${topic}`, 2);
  await (await lab.client()).publish(topic, 'm', { qos: 2 });
  const { packetId } = await member.receive('PUBLISH');
  member.destroy();
  const again = await lab.client({ clientId, clean: false, properties: SESSION_60 });
  const message = await again.take();
  assert.deepEqual([message.packetId, message.dup], [packetId, true]);
});

test('[MQTT-4.8.2-5] if the session of the member ends, nobody else gets its QoS 2 message', async () => {
  const topic = unique('shared');
  const [chosen, other] = [await lab.client(), await lab.client()];
  for (const member of [chosen, other]) await member.subscribe(`$share/g/${topic}`, 2);
  await (await lab.client()).publish(topic, 'm', { qos: 2 });
  await chosen.receive('PUBLISH');
  await chosen.disconnect();
  await other.expectNothing();
});

test('[MQTT-4.8.2-6] a message that the member refuses goes to nobody else', async () => {
  for (const [qos, first] of [
    [1, PUBACK],
    [2, PUBREC],
  ] as const) {
    const topic = unique('shared');
    const [chosen, other] = [await lab.client(), await lab.client()];
    for (const member of [chosen, other]) await member.subscribe(`$share/g/${topic}`, 2);
    await (await lab.client()).publish(topic, 'm', { qos });
    chosen.send(ack(first, (await chosen.receive('PUBLISH')).packetId, 0x87));
    await chosen.expectNothing();
    await other.expectNothing();
  }
});

test('a member that leaves is passed over at once', async () => {
  const topic = unique('shared');
  const [first, second] = [await lab.client(), await lab.client()];
  for (const member of [first, second]) await member.subscribe(`$share/g/${topic}`, 1);
  await first.unsubscribe(`$share/g/${topic}`);
  const from = await lab.client();
  for (const payload of ['a', 'b']) await from.publish(topic, payload, { qos: 1 });
  assert.deepEqual(await second.drain(), ['a', 'b']);
});

test('a filter field of a single $ is an ordinary filter', async () => {
  const client = await lab.client();
  assert.deepEqual(await client.subscribe('$'), [0]);
  assert.equal(field('$').length, 3);
});
