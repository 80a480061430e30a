/**
 * Is the generator honest? The same load by it and by mqload, an independent one in C (bench/mqload.c), in turn on the
 * same running broker: what both find of the broker's CPU time for each message may differ by a tenth. So may what they
 * find of the memory for an idle connection, each time from a broker that has done nothing.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mainPhase } from '../src/bench/mod.ts';
import { root, startBroker, type BrokerKind, type Running } from './brokers.ts';
import { generate } from './measure.ts';
import { median, spread } from './statistics.ts';
import { number } from './table.ts';

interface Pair {
  name: string;
  ours: string;
  theirs: string;
}

const pairs: readonly Pair[] = [
  { name: '10 pairs, QoS 0', ours: '--scenario p2p', theirs: 'p2p --pubs 10' },
  { name: '10 pairs, QoS 1', ours: '--scenario p2p -q 1', theirs: 'p2p --pubs 10 --qos 1' },
  { name: '1 to 100', ours: '--scenario fanout', theirs: 'fanout --subs 100' },
  { name: '100 to 1', ours: '--scenario fanin', theirs: 'fanin --pubs 100' },
];

const idleConnections = 10_000;

const agreed = 0.1;

export async function agree(
  kinds: readonly BrokerKind[],
  rounds: number,
  seconds: number,
  tell: (text: string) => void,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'zancudo-mqload-'));
  const mqload = join(folder, 'mqload');
  try {
    execFileSync('gcc', ['-O2', '-o', mqload, join(root, 'bench/mqload.c'), '-lssl', '-lcrypto', '-lpthread']);
    const lines: string[] = [
      'CPU of the broker for each message, µs, as found by: this generator, mqload; spread of the rounds\n',
    ];
    for (const kind of kinds.filter(each => each.name !== 'aedes')) {
      const broker = await startBroker(kind);
      try {
        await generate(broker, ['--scenario', 'p2p', '--seconds', '3']);
        for (const pair of pairs) {
          tell(`\r\x1b[K${kind.name}: ${pair.name}`);
          lines.push(await compare(kind.name, broker, pair, mqload, rounds, seconds));
        }
      } finally {
        await broker.stop();
      }
      tell(`\r\x1b[K${kind.name}: idle connections`);
      lines.push(await compareIdle(kind, mqload, rounds));
    }
    tell('\r\x1b[K');
    return lines.join('');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compare(
  name: string,
  broker: Running,
  pair: Pair,
  mqload: string,
  rounds: number,
  seconds: number,
): Promise<string> {
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const measureOurs = async (): Promise<void> => {
      const outcome = await generate(broker, ['--seconds', String(seconds), ...pair.ours.split(' ')]);
      ours.push(mainPhase(outcome)?.brokerMicros ?? Number.NaN);
    };
    // In turn first and second: what the one leaves behind must not always meet the other.
    if (round % 2 === 0) await measureOurs();
    theirs.push(withMqload(broker, pair, mqload, seconds));
    if (round % 2 === 1) await measureOurs();
  }
  return lineOf(name, pair.name, ours, theirs);
}

/** Bytes for each connection, and not CPU. */
async function compareIdle(kind: BrokerKind, mqload: string, rounds: number): Promise<string> {
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const outcome = await withFresh(kind, broker =>
      generate(broker, ['--scenario', 'idle', '--connections', String(idleConnections)]),
    );
    ours.push(outcome.phases.find(phase => phase.unit === 'connection')?.brokerBytes ?? Number.NaN);
    const kilobytes = await withFresh(kind, broker =>
      run(mqload, broker, ['idle', '--conns', String(idleConnections)], 'rss_kb_per_conn'),
    );
    theirs.push(kilobytes * 1024);
  }
  return lineOf(kind.name, 'idle, bytes', ours, theirs);
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

function lineOf(broker: string, what: string, ours: number[], theirs: number[]): string {
  const ratio = median(ours) / median(theirs);
  const verdict = Math.abs(ratio - 1) <= agreed ? 'agrees' : 'DIFFERS';
  const spreads = `${number(spread(ours))}, ${number(spread(theirs))}`;
  return `${broker.padEnd(10)} ${what.padEnd(16)} ${number(median(ours))}, ${number(median(theirs))}  ratio ${number(ratio)} ${verdict}; ${spreads}\n`;
}

function withMqload(broker: Running, pair: Pair, mqload: string, seconds: number): number {
  return run(mqload, broker, [...pair.theirs.split(' '), '--secs', String(seconds)], 'cpu_us_per_msg');
}

function run(mqload: string, broker: Running, load: string[], figure: string): number {
  const args = [...load, '--port', String(broker.port), '--pid', String(broker.pid)];
  const { stdout } = spawnSync(mqload, args, { encoding: 'utf8' });
  return (JSON.parse(stdout) as Record<string, number>)[figure] ?? Number.NaN;
}
