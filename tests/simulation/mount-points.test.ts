/** Mount points: what belongs to another listener is never mistaken for one's own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Quick } from './quick.ts';
import { World } from './world.ts';
import type { ConnectFields } from '../conformance/bytes.ts';

const mounted = (world: World, fields: ConnectFields): Quick =>
  new Quick(world, fields, world.dial(Infinity, { rules: { mountPoint: 'a/' } }));
const topics = (client: Quick): string[] =>
  client
    .hear()
    .filter(({ name }) => name === 'PUBLISH')
    .map(({ topic }) => topic);

test('only what lies below the mount point is cut; `a` and `a/` do not become empty names', () => {
  const world = new World();
  const inside = mounted(world, { clientId: 'inside' }).subscribe('#');
  const outside = new Quick(world, { clientId: 'outside' });
  for (const topic of ['a', 'a/', 'a/b', 'b']) outside.publish(topic, 'x');
  assert.deepEqual(topics(inside), ['a', 'a/', 'b']);
});

test('a session that moved to a listener with a mount point still gets whole names for what it subscribed before', () => {
  const world = new World();
  const lasting: ConnectFields = { clientId: 'mover', clean: false, properties: [['sessionExpiry', 60]] };
  new Quick(world, lasting).subscribe('sensors/#', 1).link.close();
  const moved = mounted(world, lasting);
  new Quick(world, { clientId: 'writer' }).publish('sensors/1', 'x');
  assert.deepEqual(topics(moved), ['sensors/1']);
});

test('the same filter, subscribed again below another mount point, leaves the old place', () => {
  const world = new World();
  const lasting: ConnectFields = { clientId: 'mover', clean: false, properties: [['sessionExpiry', 60]] };
  new Quick(world, lasting).subscribe('t', 1).link.close();
  const moved = mounted(world, lasting).subscribe('t', 1);
  const writer = new Quick(world, { clientId: 'writer' });
  writer.publish('t', 'outside').publish('a/t', 'inside');
  assert.deepEqual(moved.messages(), ['inside']);
  assert.equal(world.broker.gauges().subscriptions, 1);
});

test('a topic too long with the mount point in front ends its sender, not those who would get it', () => {
  const world = new World();
  const reader = new Quick(world, { clientId: 'reader' }).subscribe('#');
  const writer = mounted(world, { clientId: 'writer' });
  reader.hear();
  writer.publish('t'.repeat(65_535), 'x');
  assert.equal(writer.link.ended, true);
  const will = { topic: 'w'.repeat(65_535), payload: 'x' };
  mounted(world, { clientId: 'willing', will }).link.close();
  assert.deepEqual(reader.hear(), []);
});
