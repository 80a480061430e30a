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
import { cells, chosen, type Cell } from './cells.ts';
import type { Agreement } from './results.ts';

/** Rows of the bench that are compared by CPU; the last one by memory. */
const compared = ['p2p-q0', 'p2p-q1', 'p2p-q2', 'fanout-100', 'fanout-100-q1', 'fanin', 'shared'];
const idle = 'idle';

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
  const rows = chosen(cells, only);
  try {
    for (const kind of kinds.filter(each => each.name !== 'aedes')) {
      found.push(
        ...(await compareAll(
          kind,
          rows.filter(({ id }) => compared.includes(id)),
          mqload,
          rounds,
          seconds,
          tell,
        )),
      );
      for (const cell of rows.filter(({ id }) => id === idle)) {
        tell(`\r\x1b[K${kind.name}: ${cell.label}`);
        found.push(await compareIdle(kind, cell, mqload, Math.min(rounds, idleRounds)));
      }
    }
    tell('\r\x1b[K');
    return found;
  } finally {
    mqload.remove();
  }
}

async function compareAll(
  kind: BrokerKind,
  rows: readonly Cell[],
  mqload: Mqload,
  rounds: number,
  seconds: number,
  tell: (text: string) => void,
): Promise<Agreement[]> {
  const broker = await startBroker(kind);
  const found: Agreement[] = [];
  try {
    await generate(broker, ['--scenario', 'p2p', '--seconds', '3']);
    for (const cell of rows) {
      tell(`\r\x1b[K${kind.name}: ${cell.label}`);
      // A just-in-time compiler gets to know the load first.
      await withOurs(broker, cell, 2);
      const [ours, theirs]: [number[], number[]] = [[], []];
      for (let round = 0; round < rounds; round++) {
        // In turn first and second: what the one leaves behind must not always meet the other.
        if (round % 2 === 0) ours.push(await withOurs(broker, cell, seconds));
        theirs.push(await withMqload(broker, cell, mqload, seconds));
        if (round % 2 === 1) ours.push(await withOurs(broker, cell, seconds));
      }
      found.push({ broker: kind.name, load: cell.label, unit: 'µs', ours, theirs });
    }
  } finally {
    await broker.stop();
  }
  return found;
}

/** Bytes for each connection, and not CPU. */
async function compareIdle(kind: BrokerKind, cell: Cell, mqload: Mqload, rounds: number): Promise<Agreement> {
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const outcome = await withFresh(kind, broker => generate(broker, cell.args));
    ours.push(outcome.phases.find(phase => phase.unit === 'connection')?.brokerBytes ?? Number.NaN);
    const kilobytes = await withFresh(kind, broker => figureBy(mqload, broker, cell.mqload ?? [], 'rss_kb_per_conn'));
    theirs.push(kilobytes * 1024);
  }
  return { broker: kind.name, load: cell.label, unit: 'bytes', ours, theirs };
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

async function withOurs(broker: Running, cell: Cell, seconds: number): Promise<number> {
  const outcome = await generate(broker, ['--seconds', String(seconds), ...cell.args]);
  if (outcome.fault !== null) throw new Error(`${cell.label}: ${outcome.fault}`);
  return mainPhase(outcome)?.brokerMicros ?? Number.NaN;
}

function withMqload(broker: Running, cell: Cell, mqload: Mqload, seconds: number): Promise<number> {
  return figureBy(mqload, broker, [...(cell.mqload ?? []), '--secs', String(seconds)], 'cpu_us_per_msg');
}

async function figureBy(mqload: Mqload, broker: Running, load: readonly string[], figure: string): Promise<number> {
  const { figures, fault } = await mqload.run(broker, load);
  if (fault !== null) throw new Error(`mqload ${load.join(' ')}: ${fault}`);
  return figures[figure] ?? Number.NaN;
}
