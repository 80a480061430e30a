/**
 * Messages that cross a bridge arrive once and in order, whatever happens to the line, to either broker and to their
 * disks; and acknowledgements keep the order of what they answer, on which that rests.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { setImmediate as endOfTurn } from 'node:timers/promises';
import * as bytes from '../conformance/bytes.ts';
import { Bridged, type Side } from './bridged.ts';
import { HandStore } from './hand-store.ts';
import { ModelClient } from './model-client.ts';
import { Quick } from './quick.ts';
import { Random } from './random.ts';
import { World } from './world.ts';

const RUNS = Number(process.env['ZANCUDO_SIMULATION_RUNS'] ?? 4);
const FIRST = Number(process.env['ZANCUDO_SIMULATION_FIRST'] ?? 1);
const STEPS = 700;
const BURST_MAX = 60;

// Stores and clients wait by the clock; here it goes when the test says so.
beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => mock.timers.reset());

interface Cast {
  random: Random;
  bridged: Bridged;
  /** There, and one here whose messages go past the bridge. */
  writers: readonly ModelClient[];
  reader: ModelClient;
}

function newCast(seed: number): Cast {
  const random = new Random(seed);
  const bridged = new Bridged(random.pick([1, 2, 5, 1000]), random.pick([2, 5, 20]));
  const { here, there } = bridged;
  const client = ({ world }: Side, clientId: string, filter: string, grantedQos: number): ModelClient =>
    new ModelClient(world, {
      clientId,
      version: random.pick([4, 5] as const),
      filter,
      grantedQos,
      receiveMaximum: 1 + random.below(20),
      keepAlive: 0,
      blocksAt: Infinity,
    });
  const writers = [client(there, 'there', 'nothing', 0), client(here, 'here', 'nothing', 0)];
  return { random, bridged, writers, reader: client(here, 'reader', 's/#', 2) };
}

const everyone = ({ writers, reader }: Cast): ModelClient[] => [...writers, reader];

function stepOfClient({ random, reader }: Cast, client: ModelClient): void {
  client.noticeEnd();
  const dice = random.below(100);
  if (client.link === null) {
    if (dice < 50) client.connect();
  } else if (dice < 1) client.break();
  else if (dice < 2) client.connect();
  else if (dice < 25) {
    if (client !== reader) client.publish(1 + random.below(2));
  } else if (dice < 45) client.arrive(random.chance(0.7) ? Infinity : 1 + random.below(60));
  else if (dice < 70) client.read(random.chance(0.7) ? Infinity : 1 + random.below(60));
  else client.acknowledge(1 + random.below(4));
}

function stepOfLine({ random, bridged, writers }: Cast): void {
  const dice = random.below(100);
  const some = (): number => (random.chance(0.6) ? Infinity : random.below(80));
  if (dice < 40) bridged.move(some(), some());
  else if (dice < 42) bridged.cut(random.chance(0.5));
  else if (dice < 43) for (let left = random.below(BURST_MAX); left > 0; left -= 1) writers[0]!.publish(2);
  else if (dice < 48) bridged.connect();
  else if (dice < 58) bridged.noticeCut();
}

function stepOfDisk({ random }: Cast, { disk }: Side): void {
  const dice = random.below(100);
  if (dice < 30) disk.work();
  else if (dice < 60) disk.answer();
  else if (dice < 75) disk.rest();
  else if (dice < 76) disk.isFull = !disk.isFull;
}

async function step(cast: Cast): Promise<void> {
  const { random, bridged } = cast;
  stepOfClient(cast, random.pick(everyone(cast)));
  stepOfLine(cast);
  for (const side of bridged.sides) stepOfDisk(cast, side);
  if (random.chance(0.3)) mock.timers.tick(random.below(30));
  if (random.chance(0.8)) await endOfTurn();
}

/** Moves what is on the way until everyone is idle; nothing breaks any more. */
async function settle(cast: Cast): Promise<void> {
  const { bridged } = cast;
  for (const { disk } of bridged.sides) disk.isFull = false;
  for (let round = 0; round < 5_000; round += 1) {
    for (const { disk } of bridged.sides) disk.rest();
    mock.timers.tick(60);
    for (const client of everyone(cast)) {
      client.noticeEnd();
      if (client.link === null) client.connect();
      client.arrive(Infinity);
      client.read(Infinity);
      client.acknowledge(Infinity);
      client.sendWaiting();
    }
    bridged.connect();
    bridged.move();
    await endOfTurn();
    const areIdle = everyone(cast).every(client => client.connected && client.idle);
    if (round > 5 && areIdle && bridged.isUp && bridged.sides.every(({ isIdle }) => isIdle)) return;
  }
  assert.fail('nobody came to rest');
}

function check({ writers, reader, bridged }: Cast): void {
  for (const writer of writers) {
    for (const qos of [1, 2]) {
      const prefix = `${writer.options.clientId}:${qos}:`;
      const came = reader.received.filter(({ payload }) => payload.startsWith(prefix));
      const seen = came.map(({ payload }) => Number(payload.slice(prefix.length)));
      const firsts = [...new Set(seen)];
      const sent = Array.from({ length: writer.published(qos) }, (_, n) => n + 1);
      assert.deepEqual(firsts, sent, `${prefix} out of order or lost: ${seen.join(' ')}`);
      if (qos === 2) assert.equal(seen.length, firsts.length, `${prefix} doubled: ${seen.join(' ')}`);
    }
  }
  assert.deepEqual(bridged.sides.flatMap(({ world }) => world.log.errors), []); // prettier-ignore
}

async function history(seed: number, falls: boolean): Promise<void> {
  const cast = newCast(seed);
  const { bridged, random } = cast;
  try {
    await settle(cast);
    for (let n = 0; n < STEPS; n += 1) {
      await step(cast);
      const dice = falls ? random.below(1000) : Infinity;
      if (dice < 6) await bridged.fall(bridged.there);
      else if (dice < 9) await bridged.fall(bridged.here);
    }
    await settle(cast);
    check(cast);
  } catch (error) {
    throw new Error(`history ${seed} (ZANCUDO_SIMULATION_FIRST=${seed} ZANCUDO_SIMULATION_RUNS=1)`, { cause: error });
  } finally {
    bridged.discard();
  }
}

for (const { falls, whom } of [
  { falls: false, whom: 'a line that is cut' },
  { falls: true, whom: 'a line that is cut and brokers that fall' },
]) {
  test(`over ${whom}, past disks that are full, a bridge loses, doubles and reorders nothing`, async () => {
    for (let seed = FIRST; seed < FIRST + RUNS; seed += 1) await history(seed, falls);
  });
}

/** Everything that can be written is, and everybody has heard of it. */
async function rest(disk: HandStore): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) {
    mock.timers.tick(60);
    await endOfTurn();
    disk.rest();
  }
}

test('copies of two messages are acknowledged in their order, whatever else came to nothing meanwhile', async t => {
  const disk = new HandStore();
  t.after(() => disk.discard());
  const world = new World({ store: disk.store });
  const lasting = { clean: false, properties: [['sessionExpiry', 3600]] } as const;
  const reader = new Quick(world, { ...lasting, clientId: 'reader' }).subscribe('t', 1);
  const other = new Quick(world, { clientId: 'other' });
  const before = new Quick(world, { ...lasting, clientId: 'sender' });
  for (const packetId of [1, 2]) before.publish('u', `${packetId}`, { qos: 2, packetId });
  await rest(disk);
  before.link.close();
  const sender = new Quick(world, { ...lasting, clientId: 'sender' });
  await rest(disk);
  for (const client of [reader, sender]) client.hear();
  // Something is being written when the copies come; what is told between them comes to nothing before that is done.
  other.publish('kept', 'x', { qos: 1, packetId: 1, retain: true });
  await endOfTurn();
  sender.publish('u', '1', { qos: 2, packetId: 1, dup: true });
  other.publish('t', 'fleeting', { qos: 1, packetId: 2 });
  sender.publish('u', '2', { qos: 2, packetId: 2, dup: true });
  for (const { packetId } of reader.hear()) reader.say(bytes.ack(bytes.PUBACK, packetId));
  await rest(disk);
  const answers = sender.hear().map(({ name, packetId }) => `${name} ${packetId}`);
  assert.deepEqual(answers, ['PUBREC 1', 'PUBREC 2']);
});
