/**
 * What durability costs, and what it saves, beside Debian's Mosquitto: node bench/durable.ts [WORD=NUMBER ...]
 *
 *   seconds=5     of ten pairs with lasting sessions, QoS 1, everyone connected
 *   queued=100000 messages to a subscriber that is away, then drained when it comes back
 *   restart=0     messages that wait while the broker is stopped and started again (1000000 takes a few minutes)
 *   kills=20      SIGKILL right after the last acknowledgement
 *   only=NAME     brokers whose name has this in it
 */
import { setTimeout as pause } from 'node:timers/promises';
import { publishAll, RawClient, takeAll } from './durable/client.ts';
import { type Cost, DurableBroker, type Kind, kinds } from './durable/broker.ts';

const words = new Map(process.argv.slice(2).map(word => word.split('=') as [string, string]));
const number = (word: string, standard: number): number => Number(words.get(word) ?? standard);

const PAYLOAD_BYTES = 200;
const PAIRS = 10;

type Row = [name: string, value: string];

const say = (text: string): void => void process.stdout.write(text);
const perSecond = (count: number, ms: number): string => `${Math.round((count * 1000) / ms).toLocaleString('en')} /s`;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

/** Runs with a broker of its own, which is gone afterwards. */
async function withBroker(kind: Kind, body: (broker: DurableBroker) => Promise<Row[]>): Promise<Row[]> {
  const broker = new DurableBroker(kind);
  try {
    await broker.start();
    return await body(broker);
  } finally {
    await broker.discard();
  }
}

function costRows(before: Cost, after: Cost, messages: number): Row[] {
  const cpu = ((after.cpuSeconds - before.cpuSeconds) * 1e6) / messages;
  return [
    ['broker CPU per message', `${cpu.toFixed(1)} µs`],
    ['bytes written per message', ((after.writtenBytes - before.writtenBytes) / messages).toFixed(0)],
  ];
}

async function online(broker: DurableBroker): Promise<Row[]> {
  let received = 0;
  const pairs = await Promise.all(
    Array.from({ length: PAIRS }, async (_, n) => {
      const subscriber = await RawClient.open(broker.port, `sub-${n}`);
      await subscriber.subscribe(`pair/${n}`);
      takeAll(subscriber, () => received++);
      return RawClient.open(broker.port, `pub-${n}`);
    }),
  );
  const before = broker.cost();
  const began = performance.now();
  const end = began + number('seconds', 5) * 1000;
  const more = (): boolean => performance.now() < end;
  const plan = { payloadBytes: PAYLOAD_BYTES, window: 20, more };
  await Promise.all(pairs.map((publisher, n) => publishAll(publisher, { ...plan, topic: `pair/${n}` })));
  const ms = performance.now() - began;
  return [['ten pairs online', perSecond(received, ms)], ...costRows(before, broker.cost(), received)];
}

/** A subscriber with a lasting session that is away. */
async function subscriberAway(broker: DurableBroker): Promise<void> {
  const subscriber = await RawClient.open(broker.port, 'away');
  await subscriber.subscribe('queue');
  await subscriber.close();
}

/** Ten publishers share so many messages; returns the milliseconds until all are acknowledged. */
async function fill(broker: DurableBroker, messages: number): Promise<number> {
  const publishers = await Promise.all(
    Array.from({ length: PAIRS }, (_, n) => RawClient.open(broker.port, `pub-${n}`)),
  );
  let left = messages;
  const began = performance.now();
  const plan = { topic: 'queue', payloadBytes: PAYLOAD_BYTES, window: 500, more: () => left-- > 0 };
  await Promise.all(publishers.map(publisher => publishAll(publisher, plan)));
  const ms = performance.now() - began;
  await Promise.all(publishers.map(publisher => publisher.close()));
  return ms;
}

/** Returns the milliseconds until so many have come. */
async function drain(broker: DurableBroker, messages: number): Promise<number> {
  const began = performance.now();
  let left = messages;
  const all = Promise.withResolvers<void>();
  const taken = (): void => (--left === 0 ? all.resolve() : undefined);
  const subscriber = await RawClient.open(broker.port, 'away', taken);
  await all.promise;
  const ms = performance.now() - began;
  subscriber.socket.destroy();
  return ms;
}

async function queue(broker: DurableBroker): Promise<Row[]> {
  const messages = number('queued', 100_000);
  await subscriberAway(broker);
  const before = broker.cost();
  const ms = await fill(broker, messages);
  const rows = costRows(before, broker.cost(), messages);
  const memory = broker.cost().residentBytes;
  return [
    [`stored for one who is away (${messages})`, perSecond(messages, ms)],
    ...rows,
    ['memory with all of it waiting', megabytes(memory)],
    ['drained when it comes back', seconds(await drain(broker, messages))],
  ];
}

async function restart(broker: DurableBroker): Promise<Row[]> {
  const messages = number('restart', 0);
  if (messages === 0) return [];
  await subscriberAway(broker);
  await fill(broker, messages);
  const full = broker.cost().residentBytes;
  await broker.end('SIGTERM');
  const ms = await broker.start();
  return [
    [`memory with ${messages} waiting`, megabytes(full)],
    ['on the disk', megabytes(broker.fileBytes)],
    ['started again, until a CONNECT is answered', seconds(ms)],
    ['memory then', megabytes(broker.cost().residentBytes)],
  ];
}

/** What was acknowledged and never came, over so many kills. */
async function kills(broker: DurableBroker): Promise<Row[]> {
  const rounds = number('kills', 20);
  await subscriberAway(broker);
  const [acknowledged, taken] = [new Set<number>(), new Set<number>()];
  for (let round = 0; round < rounds; round++) {
    const publisher = await RawClient.open(broker.port, `pub-${round}`);
    let left = 200;
    const plan = { topic: 'queue', payloadBytes: 32, window: 50, from: round * 1000, more: () => left-- > 0 };
    const count = await publishAll(publisher, plan);
    for (let n = 0; n < count; n++) acknowledged.add(round * 1000 + n);
    await broker.end('SIGKILL');
    await broker.start();
  }
  await RawClient.open(broker.port, 'away', n => taken.add(n));
  for (let before = -1; before !== taken.size;) {
    before = taken.size;
    await pause(500);
  }
  const lost = [...acknowledged].filter(n => !taken.has(n)).length;
  return [[`lost in ${rounds} kills, of ${acknowledged.size} acknowledged`, String(lost)]];
}

for (const kind of kinds.filter(({ name }) => name.includes(words.get('only') ?? ''))) {
  say(`${kind.name}\n`);
  for (const scenario of [online, queue, restart, kills]) {
    for (const [name, value] of await withBroker(kind, scenario)) say(`  ${name.padEnd(46)} ${value}\n`);
  }
}
