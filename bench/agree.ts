/**
 * Is the generator honest? The same load by it and by mqload, an independent one in C (bench/mqload.c), in turn on the
 * same running broker: what both find of the broker's CPU time for each message may differ by a tenth. So may what they
 * find of the memory for an idle connection, each time from a broker that has done nothing.
 *
 * Many short rounds: neighbours of a shared machine come and go within seconds and double what either finds.
 */
import { mainPhase } from '../src/bench/mod.ts';
import { startBroker, type BrokerKind, type Running } from './brokers.ts';
import { generate } from './measure.ts';
import { Mqload } from './mqload.ts';
import { chosen } from './cells.ts';
import type { Agreement } from './results.ts';

interface Pair {
  id: string;
  name: string;
  ours: string;
  theirs: string;
}

const pairs: readonly Pair[] = [
  { id: 'p2p-q0', name: '10 pairs, QoS 0', ours: '--scenario p2p', theirs: 'p2p --pubs 10' },
  { id: 'p2p-q1', name: '10 pairs, QoS 1', ours: '--scenario p2p -q 1', theirs: 'p2p --pubs 10 --qos 1' },
  { id: 'p2p-q2', name: '10 pairs, QoS 2', ours: '--scenario p2p -q 2', theirs: 'p2p --pubs 10 --qos 2' },
  { id: 'fanout-100', name: '1 to 100', ours: '--scenario fanout', theirs: 'fanout --subs 100' },
  { id: 'fanout-100-q1', name: '1 to 100, QoS 1', ours: '--scenario fanout -q 1', theirs: 'fanout --subs 100 --qos 1' },
  { id: 'fanin', name: '100 to 1', ours: '--scenario fanin', theirs: 'fanin --pubs 100' },
  { id: 'shared', name: 'shared, 8 to 8', ours: '--scenario shared', theirs: 'shared --pubs 8 --subs 8' },
]; // prettier-ignore

const idle = { id: 'idle', name: '10,000 idle connections' };
const idleConnections = 10_000;
/** Memory hardly depends on what else the machine does. */
const idleRounds = 3;

export async function agree(
  kinds: readonly BrokerKind[],
  only: readonly string[],
  rounds: number,
  seconds: number,
  tell: (text: string) => void,
): Promise<Agreement[]> {
  const mqload = new Mqload();
  const found: Agreement[] = [];
  try {
    for (const kind of kinds.filter(each => each.name !== 'aedes')) {
      found.push(...(await compareAll(kind, chosen(pairs, only), mqload, rounds, seconds, tell)));
      if (chosen([idle], only).length === 0) continue;
      tell(`\r\x1b[K${kind.name}: ${idle.name}`);
      found.push(await compareIdle(kind, mqload, Math.min(rounds, idleRounds)));
    }
    tell('\r\x1b[K');
    return found;
  } finally {
    mqload.remove();
  }
}

async function compareAll(
  kind: BrokerKind,
  loads: readonly Pair[],
  mqload: Mqload,
  rounds: number,
  seconds: number,
  tell: (text: string) => void,
): Promise<Agreement[]> {
  const broker = await startBroker(kind);
  const found: Agreement[] = [];
  try {
    await generate(broker, ['--scenario', 'p2p', '--seconds', '3']);
    for (const pair of loads) {
      tell(`\r\x1b[K${kind.name}: ${pair.name}`);
      // A just-in-time compiler gets to know the load first.
      await withOurs(broker, pair, 2);
      const [ours, theirs]: [number[], number[]] = [[], []];
      for (let round = 0; round < rounds; round++) {
        // In turn first and second: what the one leaves behind must not always meet the other.
        if (round % 2 === 0) ours.push(await withOurs(broker, pair, seconds));
        theirs.push(await withMqload(broker, pair, mqload, seconds));
        if (round % 2 === 1) ours.push(await withOurs(broker, pair, seconds));
      }
      found.push({ broker: kind.name, load: pair.name, unit: 'µs', ours, theirs });
    }
  } finally {
    await broker.stop();
  }
  return found;
}

/** Bytes for each connection, and not CPU. */
async function compareIdle(kind: BrokerKind, mqload: Mqload, rounds: number): Promise<Agreement> {
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const outcome = await withFresh(kind, broker =>
      generate(broker, ['--scenario', 'idle', '--connections', String(idleConnections)]),
    );
    ours.push(outcome.phases.find(phase => phase.unit === 'connection')?.brokerBytes ?? Number.NaN);
    const kilobytes = await withFresh(kind, broker =>
      figureBy(mqload, broker, ['idle', '--conns', String(idleConnections)], 'rss_kb_per_conn'),
    );
    theirs.push(kilobytes * 1024);
  }
  return { broker: kind.name, load: idle.name, unit: 'bytes', ours, theirs };
}

async function withFresh<Result>(
  kind: BrokerKind,
  ask: (broker: Running) => Promise<Result> | Result,
): Promise<Result> {
  const broker = await startBroker(kind);
  try {
    return await ask(broker);
  } finally {
    await broker.stop();
  }
}

async function withOurs(broker: Running, pair: Pair, seconds: number): Promise<number> {
  const outcome = await generate(broker, ['--seconds', String(seconds), ...pair.ours.split(' ')]);
  if (outcome.fault !== null) throw new Error(`${pair.name}: ${outcome.fault}`);
  return mainPhase(outcome)?.brokerMicros ?? Number.NaN;
}

function withMqload(broker: Running, pair: Pair, mqload: Mqload, seconds: number): Promise<number> {
  return figureBy(mqload, broker, [...pair.theirs.split(' '), '--secs', String(seconds)], 'cpu_us_per_msg');
}

async function figureBy(mqload: Mqload, broker: Running, load: string[], figure: string): Promise<number> {
  const { figures, fault } = await mqload.run(broker, load);
  if (fault !== null) throw new Error(`mqload ${load.join(' ')}: ${fault}`);
  return figures[figure] ?? Number.NaN;
}
