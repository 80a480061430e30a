/** What a peer can make the broker remember or do has a bound, and what one peer does to itself costs no other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessControl } from '../../src/broker/ports.ts';
import * as bytes from '../conformance/bytes.ts';
import { CrashStore } from './crash-store.ts';
import { Quick } from './quick.ts';
import { openAccess, World } from './world.ts';

test('a filter named thousands of times in one SUBSCRIBE is not looked up thousands of times', () => {
  const world = new World();
  const writer = new Quick(world, { clientId: 'writer' });
  for (let n = 0; n < 1000; n += 1) writer.publish(`t/${n}`, 'x', { retain: true });
  let matches = 0;
  const match = world.broker.retained.match.bind(world.broker.retained);
  world.broker.retained.match = filter => {
    matches += 1;
    return match(filter);
  };
  const greedy = new Quick(world, { clientId: 'greedy' }, world.dial(1000));
  greedy.say(bytes.subscribe(5, 1, Array<bytes.FilterOptions>(20_000).fill(['#', 0])));
  assert.equal(greedy.link.ended, false);
  assert.ok(matches <= 2, `${matches} look-ups`);
});

test('topic names of 64 kB are routed and not remembered', () => {
  const world = new World();
  const name = 'long/'.padEnd(65_535, 'x');
  const reader = new Quick(world, { clientId: 'reader' }).subscribe('long/#');
  new Quick(world, { clientId: 'writer' }).publish(name, 'one').publish(name, 'two').publish('long/s', 'three');
  assert.deepEqual(reader.messages(), ['one', 'two', 'three']);
  const { topics } = world.broker;
  assert.notEqual(topics.findText(name), topics.findText(name));
  assert.equal(topics.findText('long/s'), topics.findText('long/s'));
});

test('an answer about $CONTROL whose topic would be too long is left out', () => {
  const world = new World();
  const client = new Quick(world);
  client.hear();
  client.publish('$CONTROL/'.padEnd(65_530, 'x'), '', { qos: 1, packetId: 1 });
  assert.deepEqual(
    client.hear().map(({ name }) => name),
    ['PUBACK'],
  );
});

test('packets that arrive in pieces while a login is checked are all read afterwards', async () => {
  let allow = (): void => {};
  const access: AccessControl = {
    ...openAccess,
    authenticate: () => new Promise(resolve => (allow = () => resolve({ allowed: true }))),
  };
  const world = new World({ access });
  const client = new Quick(world);
  // As frames of one WebSocket message come: the link is paused, and still hands over what it has.
  for (const piece of [bytes.subscribe(5, 1, [['t', 0]]), bytes.PINGREQ, bytes.PINGREQ])
    client.link.handler.onBytes(piece);
  allow();
  await new Promise(resolve => setImmediate(resolve));
  assert.deepEqual(
    client.hear().map(({ name }) => name),
    ['CONNACK', 'SUBACK', 'PINGRESP', 'PINGRESP'],
  );
});

test('a reload cuts off everybody whose login no longer holds, whatever the bridge bit of their CONNECT says', async () => {
  let allowed = true;
  const access: AccessControl = {
    ...openAccess,
    authenticate: () => (allowed ? { allowed } : { allowed, because: 'removed' }),
  };
  const world = new World({ access });
  const plain = new Quick(world, { clientId: 'plain', version: 4 });
  const bridge = new Quick(world, { clientId: 'bridge', version: 4, level: 0x84 });
  allowed = false;
  await world.broker.recheck();
  assert.deepEqual([plain.link.ended, bridge.link.ended], [true, true]);
});

test('a certificate that cannot be judged after a reload costs its owner the connection and nobody else the check', async () => {
  const world = new World();
  const refusal = { code: 'tls.revoked', reason: 'revoked' };
  const judged = (clientId: string, recheck: () => typeof refusal | null): Quick =>
    new Quick(world, { clientId }, world.dial(Infinity, { peer: { recheck } }));
  const broken = judged('broken', () => {
    throw new Error('unreadable');
  });
  const revoked = judged('revoked', () => refusal);
  const good = judged('good', () => null);
  await world.broker.recheck();
  assert.deepEqual(
    [broken, revoked, good].map(({ link }) => link.ended),
    [true, true, false],
  );
});

test('a client is not read while thousands of its answers wait for the store, and is read again afterwards', () => {
  const store = new CrashStore();
  const world = new World({ store });
  new Quick(world, { clientId: 'keeper', properties: [['sessionExpiry', 60]] }).subscribe('t', 1);
  const writer = new Quick(world, { clientId: 'writer', version: 4 });
  store.commit();
  const message = bytes.publish({ version: 4, topic: 't', payload: 'x', qos: 1, packetId: 1 });
  writer.say(...Array<Buffer>(6000).fill(message));
  assert.equal(writer.link.paused, true);
  store.commit();
  assert.equal(writer.link.paused, false);
});

test('limits told in a CONNACK hold for the connection, whatever a reload says', () => {
  const world = new World({ settings: { maxInflightMessages: 3 } });
  const client = new Quick(world);
  world.broker.reconfigure({ ...world.broker.settings, maxInflightMessages: 1 });
  client.hear();
  for (const packetId of [1, 2, 3]) client.publish('t', 'x', { qos: 2, packetId });
  assert.deepEqual(
    client.hear().map(({ code }) => code),
    [0, 0, 0],
  );
});

test('a mistake of ours in a timer is logged and costs no other timer its turn', () => {
  const world = new World();
  const watch = new Quick(world, { clientId: 'watch' }).subscribe('gone/#');
  for (const clientId of ['one', 'two', 'three']) {
    const will = { topic: `gone/${clientId}`, payload: clientId, properties: [['willDelay', 5]] } as const;
    new Quick(world, { clientId, properties: [['sessionExpiry', 60]], will }).link.close();
  }
  const { access } = world.broker;
  let asked = 0;
  world.broker.access = {
    ...access,
    mayWrite: () => {
      asked += 1;
      if (asked === 2) throw new Error('a fault of the test');
      return true;
    },
  };
  watch.hear();
  world.advance(10_000);
  assert.equal(watch.messages().length, 2);
  assert.equal(world.log.errors.length, 1);
});

test('a mistake of ours at the end of a connection is logged, and the broker goes on', () => {
  const world = new World();
  const client = new Quick(world, { will: { topic: 'gone', payload: 'x' } });
  const { access } = world.broker;
  world.broker.access = {
    ...access,
    mayWrite: () => {
      throw new Error('a fault of the test');
    },
  };
  client.link.close();
  assert.equal(world.log.errors.length, 1);
  assert.equal(new Quick(world, { clientId: 'next' }).hear()[0]?.code, 0);
});
