/** Random histories of clients that keep the rules, and what must hold at the end of each. */
import assert from 'node:assert/strict';
import { ModelClient } from './model-client.ts';
import { Random } from './random.ts';
import { World, type WorldOptions } from './world.ts';

export interface Cast {
  world: World;
  random: Random;
  clients: ModelClient[];
}

export function newCast(seed: number, options: WorldOptions = {}): Cast {
  const random = new Random(seed);
  // Small windows, so that queues go through the store's tail, a page at a time.
  const windowMessages = random.pick([1, 2, 5, 1000]);
  const world = new World({ settings: { maxQueuedMessages: 0, windowMessages }, ...options });
  const clients = ['a', 'b', 'c', 'd', 'e'].map((clientId, index) => {
    const shared = index >= 3;
    return new ModelClient(world, {
      clientId,
      version: random.pick([3, 4, 5] as const),
      filter: shared ? '$share/g/s/#' : 's/#',
      grantedQos: shared ? 2 : index,
      receiveMaximum: 1 + random.below(6),
      keepAlive: random.pick([0, 5, 20]),
      blocksAt: random.pick([200, 2000, Infinity]),
    });
  });
  return { world, random, clients };
}

/** Moves what is on the way until everyone is idle; nothing breaks any more. */
export function settle({ world, clients }: Cast, commit: () => void = () => {}): void {
  for (let round = 0; round < 20_000; round += 1) {
    world.store.late = false;
    world.store.settle();
    commit();
    for (const client of clients) {
      client.noticeEnd();
      if (client.link === null) client.connect();
      client.arrive(Infinity);
      client.read(Infinity);
      client.acknowledge(Infinity);
      client.sendWaiting();
    }
    const nothingWaits = world.broker.store.settled && world.broker.queued.messages === 0;
    if (nothingWaits && clients.every(client => client.connected && client.idle)) return;
  }
  assert.fail('the clients never came to rest');
}

/** One random thing happens to one random client. */
export function step({ world, random, clients }: Cast): void {
  const client = random.pick(clients);
  client.noticeEnd();
  const dice = random.below(100);
  if (client.link === null) {
    if (dice < 40) client.connect();
  } else if (dice < 2) client.break();
  else if (dice < 4) client.disconnect();
  else if (dice < 5) client.connect();
  else if (dice < 30) client.publish(random.below(3));
  else if (dice < 60) client.arrive(random.chance(0.5) ? Infinity : 1 + random.below(60));
  else if (dice < 80) client.read(random.chance(0.5) ? Infinity : 1 + random.below(60));
  else if (dice < 92) client.acknowledge(1 + random.below(4));
  else if (dice < 93) client.ping();
  else if (dice < 96) world.advance(random.below(3000));
  else if (dice < 97) world.store.late = !world.store.late;
  else world.store.settle();
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** Numbers of the messages of one stream, in the order in which this list has them. */
function stream(received: ModelClient['received'], publisher: string, qos: number): number[] {
  const prefix = `${publisher}:${qos}:`;
  return received
    .filter(({ payload }) => payload.startsWith(prefix))
    .map(({ payload }) => Number(payload.slice(prefix.length)));
}

const firsts = (list: readonly number[]): number[] => [...new Set(list)];
const isRising = (list: readonly number[]): boolean =>
  list.every((value, index) => index === 0 || value > list[index - 1]!);

/** What one plain subscriber must have got of one stream. */
function checkStream(subscriber: ModelClient, publisher: ModelClient, qos: number, crashes: boolean): void {
  const effective = Math.min(qos, subscriber.options.grantedQos);
  const seen = stream(subscriber.received, publisher.options.clientId, qos);
  const what = `${publisher.options.clientId} to ${subscriber.options.clientId}, QoS ${qos} granted ${effective}`;
  // At QoS 0 a message may be missed the first time and come when its publisher sends it again, behind later ones.
  if (effective > 0 || qos !== 1) assert.ok(isRising(firsts(seen)), `${what}: out of order: ${seen.join(' ')}`);
  if (effective > 0) assert.deepEqual(firsts(seen), numbers(publisher.published(qos)), `${what}: lost`);
  if (effective === 2) assert.equal(seen.length, new Set(seen).size, `${what}: duplicated: ${seen.join(' ')}`);
  // What was sent at QoS 1 before a crash may be sent afresh after it.
  if (!crashes || effective === 2) checkDuplicates(subscriber, publisher, qos, what);
}

/** A copy without DUP stands for one more transmission of the publisher; of a QoS 2 message there is none. */
function checkDuplicates(subscriber: ModelClient, publisher: ModelClient, qos: number, what: string): void {
  const fresh = subscriber.received.filter(
    ({ dup, payload }) => !dup && payload.startsWith(`${publisher.options.clientId}:${qos}:`),
  );
  const copies = new Map<string, number>();
  for (const { payload } of fresh) copies.set(payload, (copies.get(payload) ?? 0) + 1);
  for (const [payload, count] of copies) {
    const allowed = qos === 2 ? 1 : (publisher.arrived.get(payload) ?? 0);
    assert.ok(count <= allowed, `${what}: ${payload} was sent afresh ${count} times, ${allowed} are allowed`);
  }
}

/** Of a group, exactly one member gets each QoS 2 message, and at least one each QoS 1 message. */
function checkGroup(members: readonly ModelClient[], publisher: ModelClient): void {
  for (const qos of [1, 2]) {
    const seen = members.flatMap(member => stream(member.received, publisher.options.clientId, qos));
    const sorted = firsts(seen).sort((a, b) => a - b);
    assert.deepEqual(
      sorted,
      numbers(publisher.published(qos)),
      `group: QoS ${qos} of ${publisher.options.clientId} lost`,
    );
    if (qos === 2) assert.equal(seen.length, sorted.length, `group: QoS 2 of ${publisher.options.clientId} duplicated`);
  }
}

/** Nothing is lost, nothing doubled beyond its QoS, nothing out of order. */
export function check({ world, clients }: Cast, crashes = false): void {
  const [plain, members] = [clients.slice(0, 3), clients.slice(3)];
  for (const publisher of clients) {
    for (const subscriber of plain) for (const qos of [0, 1, 2]) checkStream(subscriber, publisher, qos, crashes);
    checkGroup(members, publisher);
  }
  assert.deepEqual(world.log.errors, []);
}
