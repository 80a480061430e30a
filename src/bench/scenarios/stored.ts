/**
 * Messages that the broker keeps, in two phases with clocks of their own: keeping, then giving.
 *
 *   retained   one message on each of many topics, then a new subscriber takes them all
 *   offline    persistent sessions leave, messages wait for them, they return
 */
import type { Outcome } from '../outcome.ts';
import { putDigits } from '../stamp.ts';
import type { Sample, World } from '../world.ts';
import { allSettled, memory, wipe } from './traffic.ts';

const folders = 1000;

export async function retained(world: World): Promise<Outcome> {
  const { plan } = world;
  const { prefix } = plan;
  const folderAt = prefix.length + 1;
  world.slotPerPublisher = true;
  const topicOf = (bytes: Buffer, topicAt: number, topic: number): void => {
    putDigits(bytes, topicAt + folderAt, 3, topic % folders);
    putDigits(bytes, topicAt + folderAt + 4, 8, topic);
  };
  world.makeCrowd({
    inOrder: false,
    due: plan.subscribers,
    retain: true,
    topic: () => `${prefix}/000/00000000`,
    vary: publisher => (bytes, topicAt, number) => topicOf(bytes, topicAt, number * plan.publishers + publisher),
  });
  const before = world.sample();
  if (await world.openAll([...world.publisherMembers, ...world.subscribers])) {
    if (await keep(world, 'retained message')) {
      const from = world.sample();
      await world.subscribeAll(() => `${prefix}/#`);
      await give(world, from);
    }
  }
  const rssKb = memory(world, before.usage.rssKb);
  if (world.publisherMembers[0]?.isReady === true) await clear(world, topicOf);
  world.closeAll();
  return world.outcome({ latency: null, rssKb, idlePercent: null });
}

/** Publishes the whole quota and waits until the broker has taken it. */
async function keep(world: World, unit: 'retained message' | 'queued message'): Promise<boolean> {
  const from = world.sample();
  for (const publisher of world.publishers) publisher.settled();
  const quota = world.publishers.reduce((sum, each) => sum + each.quota, 0);
  const isTaken = (): boolean => world.sent >= quota && (world.plan.qos === 0 || world.acknowledged >= quota);
  if (!(await world.until(isTaken, 'keeping messages'))) return false;
  for (const member of world.publisherMembers) if (!(await world.pinged(member))) return false;
  world.addPhase(unit, world.sent * (unit === 'queued message' ? world.plan.subscribers : 1), from, world.sample());
  return true;
}

async function give(world: World, from: Sample): Promise<void> {
  await world.until(() => allSettled(world), 'what was kept');
  world.addPhase('message', world.ledger.delivered, from, world.sample());
}

/** Leaves the broker as it was: an empty retained message takes away the one before. */
async function clear(world: World, topicOf: (bytes: Buffer, topicAt: number, topic: number) => void): Promise<void> {
  const { prefix, version } = world.plan;
  const topic = Buffer.from(`${prefix}/000/00000000`);
  const member = world.publisherMembers[0]!;
  for (const subscriber of world.subscribers) subscriber.close();
  const length = 2 + topic.length + (version === 5 ? 1 : 0);
  const packet = Buffer.concat([
    Buffer.from([0x31, length, 0, topic.length]),
    topic,
    Buffer.alloc(version === 5 ? 1 : 0),
  ]);
  for (let at = 0; at < world.sent; at++) {
    topicOf(packet, 4, at);
    member.send(packet);
    if (at % folders === folders - 1 && !(await world.pinged(member))) return;
  }
  await world.pinged(member);
}

export async function offline(world: World): Promise<Outcome> {
  const { plan } = world;
  world.slotPerPublisher = true;
  world.makeCrowd({ inOrder: true, due: plan.subscribers, topic: () => `${plan.prefix}/off` });
  for (const member of world.subscribers) member.identity.persistent = true;
  const before = world.sample();
  const ready =
    (await world.openAll([...world.publisherMembers, ...world.subscribers])) &&
    (await world.subscribeAll(() => `${plan.prefix}/off`)) &&
    (await leave(world));
  if (ready && (await keep(world, 'queued message'))) {
    const from = world.sample();
    await world.openAll(world.subscribers);
    if (world.subscribers.some(member => !member.sessionPresent)) world.fail('a session was not kept');
    await give(world, from);
  }
  const rssKb = memory(world, before.usage.rssKb);
  await wipe(world);
  world.closeAll();
  return world.outcome({ latency: null, rssKb, idlePercent: null });
}

async function leave(world: World): Promise<boolean> {
  const ended = world.endedCount + world.subscribers.length;
  for (const member of world.subscribers) member.leave();
  return world.until(() => world.endedCount >= ended, 'leaving');
}
