/** What waits for clients: how much of it, where, which message goes when there is too much, and who is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as bytes from '../conformance/bytes.ts';
import { CrashStore } from './crash-store.ts';
import { Quick } from './quick.ts';
import { World, type WorldOptions } from './world.ts';

const lasting = { clientId: 'reader', properties: [['sessionExpiry', 3600]] } as const;
const again: bytes.ConnectFields = {
  ...lasting,
  clean: false,
  properties: [...lasting.properties, ['receiveMaximum', 5]],
};

interface Stage {
  world: World;
  store: CrashStore;
  writer: Quick;
}

/** A subscriber that has gone, and somebody who writes to it. */
function stage(settings: WorldOptions['settings'], options: Omit<WorldOptions, 'settings' | 'store'> = {}): Stage {
  const store = new CrashStore();
  const world = new World({ settings: { maxQueuedMessages: 0, ...settings }, store, ...options });
  const reader = new Quick(world, lasting).subscribe('t/#', 1);
  store.commit();
  reader.link.close();
  store.commit();
  return { world, store, writer: new Quick(world, { clientId: 'writer' }) };
}

function publish({ writer, store }: Stage, ...payloads: string[]): void {
  for (const payload of payloads) writer.publish('t/1', payload, { qos: 1, packetId: 1 });
  store.commit();
  writer.hear();
}

/** Everything that comes to the reader, which acknowledges as it goes. */
function drain({ world, store }: Stage): string[] {
  const reader = new Quick(world, again);
  const payloads: string[] = [];
  for (let quiet = 0; quiet < 5; quiet += 1) {
    store.commit();
    for (const { name, packetId, payload } of reader.hear()) {
      if (name !== 'PUBLISH') continue;
      quiet = 0;
      payloads.push(payload.toString());
      reader.say(bytes.ack(bytes.PUBACK, packetId));
    }
  }
  return payloads;
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, n) => String(n));

test('what waits for a client that is away takes no memory, and comes in its order when the client does', () => {
  const all = stage({ windowMessages: 3 });
  publish(all, ...numbers(50));
  const { broker } = all.world;
  assert.deepEqual(broker.queued, { messages: 50, payloadBytes: 90, windowBytes: 0 });
  assert.equal(broker.gauges().storedMessages, 50);
  assert.deepEqual(drain(all), numbers(50));
  assert.deepEqual(broker.queued, { messages: 0, payloadBytes: 0, windowBytes: 0 });
});

test('a client that reads slowly has no more than its window in memory', () => {
  const all = stage({ windowMessages: 4, maxInflightMessages: 2 });
  const reader = new Quick(all.world, again);
  publish(all, ...numbers(40));
  assert.equal(all.world.broker.sessions.get('reader')!.queue.windowSize <= 4, true);
  assert.equal(all.world.broker.queued.messages, 35);
  reader.link.close();
  assert.equal(all.world.broker.queued.windowBytes, 0);
  assert.deepEqual(drain(all), numbers(40));
});

test('when all windows together are full, each client gets little at a time and still everything', () => {
  const all = stage({ allWindowsBytes: 0 });
  publish(all, ...numbers(100));
  assert.deepEqual(drain(all), numbers(100));
});

test('a full queue drops the newest, or by queue_policy drop_oldest what has waited longest, from the disk too', () => {
  const newest = stage({ maxQueuedMessages: 5 });
  publish(newest, ...numbers(9));
  assert.deepEqual(drain(newest), ['0', '1', '2', '3', '4']);
  const oldest = stage({ maxQueuedMessages: 5, queuePolicy: 'drop-oldest' });
  publish(oldest, ...numbers(9));
  publish(oldest, '9');
  for (let n = 0; n < 3; n += 1) oldest.store.commit();
  assert.equal(oldest.world.broker.queued.messages, 5);
  assert.deepEqual(drain(oldest), ['5', '6', '7', '8', '9']);
});

test('each bound of a queue is counted under its own cause, by client', () => {
  for (const [settings, cause] of [
    [{ maxQueuedMessages: 2 }, 'queue-messages'],
    [{ maxQueuedBytes: 2 }, 'queue-bytes'],
    [{ maxTotalQueuedBytes: 2 }, 'total-bytes'],
  ] as const) {
    const all = stage(settings);
    publish(all, ...numbers(6));
    const [line, ...rest] = all.world.broker.dropped();
    assert.deepEqual([line?.clientId, line?.cause, line?.count, line?.bytes, rest], ['reader', cause, 4, 4, []]);
    assert.equal(all.world.meter.drops[cause], 4);
    assert.deepEqual(drain(all), ['0', '1']);
  }
});

test('expired messages leave the disk while their client is away, and the account says so', () => {
  const all = stage({});
  all.writer.publish('t/1', 'short', { qos: 1, packetId: 1, properties: [['messageExpiry', 5]] });
  publish(all, 'long');
  all.world.advance(70_000);
  assert.equal(all.world.broker.queued.messages, 1);
  assert.deepEqual([all.world.meter.messagesExpired, all.world.meter.drops.expired], [1, 1]);
  assert.deepEqual(drain(all), ['long']);
});

test('what waits in a session when it expires is counted, and nothing of it stays', () => {
  const all = stage({});
  publish(all, ...numbers(3));
  all.world.advance(3_700_000);
  assert.deepEqual([all.world.broker.queued.messages, all.world.meter.drops['session-expired']], [0, 3]);
});

test('a page that was asked for before a clean start brings nothing into the new session', () => {
  const all = stage({});
  publish(all, ...numbers(10));
  const first = new Quick(all.world, again);
  const second = new Quick(all.world, { ...again, clean: true });
  all.store.commit();
  all.store.commit();
  assert.deepEqual([first.messages(), second.messages(), all.world.broker.queued.messages], [[], [], 0]);
});

test('a right that was taken away keeps back what waits on the disk', () => {
  const all = stage({});
  publish(all, ...numbers(3));
  const { access } = all.world.broker;
  all.world.broker.access = { ...access, readsUnrestricted: false, mayRead: () => false };
  assert.deepEqual(drain(all), []);
  assert.deepEqual([all.world.broker.queued.messages, all.world.meter.drops.denied], [0, 3]);
});

test('sessions of a listener that keeps nothing live in memory alone', () => {
  const all = stage({}, { rules: { persistence: false } });
  publish(all, ...numbers(3));
  assert.ok(all.world.broker.queued.windowBytes > 0);
  assert.deepEqual(all.store.crash().sessions, []);
  assert.deepEqual(drain(all), numbers(3));
});

test('beyond max_retained_messages a message is delivered and not retained, and replacing one is no growth', () => {
  const all = stage({ maxRetainedMessages: 2 });
  for (const topic of ['t/a', 't/b', 't/c', 't/a']) all.writer.publish(topic, topic, { retain: true });
  const { broker } = all.world;
  assert.deepEqual([...broker.retained.values()].map(({ topicName }) => topicName).sort(), ['t/a', 't/b']);
  assert.equal(broker.meter.drops['not-retained'], 1);
  all.writer.publish('t/a', '', { retain: true }).publish('t/c', 'now', { retain: true });
  assert.equal(broker.retained.get('t/c')?.payload.toString(), 'now');
});

test('whoever gives a disk that cannot keep up more to do is not read until it has caught up; others are', () => {
  const all = stage({});
  const other = new Quick(all.world, { clientId: 'other' });
  let overloaded = true;
  Object.defineProperty(all.store, 'overloaded', { get: () => overloaded });
  all.writer.publish('t/1', 'x', { qos: 1, packetId: 1 });
  other.publish('elsewhere', 'x', { qos: 0 });
  assert.deepEqual([all.writer.link.paused, other.link.paused], [true, false]);
  overloaded = false;
  all.store.commit();
  assert.equal(all.writer.link.paused, false);
});
