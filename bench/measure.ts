/** One measurement: a fresh broker, a warm-up, and a generator, ours or mqload, as a process of its own on the other side. */
import { join } from 'node:path';
import { mainPhase, type Outcome, usageOf } from '../src/bench/mod.ts';
import { root, startBroker, type BrokerKind, type Running, type Setup } from './brokers.ts';
import type { Mqload } from './mqload.ts';
import { outputOf } from './program.ts';

/** What of an outcome is kept. CPU in microseconds for each unit, times in microseconds, memory in bytes. */
export interface Figures {
  perSecond: number;
  brokerMicros: number | null;
  ownMicros: number;
  brokerPercent: number | null;
  ownPercent: number | null;
  p50: number | null;
  p99: number | null;
  /** How late the generator was, p99. */
  lag: number | null;
  /** Memory for each connection, subscription or stored message. */
  unitBytes: number | null;
  rssKb: number;
  pssKb: number;
  /** A second after the start, before anything happened. */
  restKb: number;
  fault: string | null;
}

export interface Load {
  /** For `zancudo bench`. */
  args: readonly string[];
  setup?: Partial<Setup>;
  /** For mqload, which takes the place of ours where it is there. */
  mqload?: { generator: Mqload; load: readonly string[] };
}

/** A just-in-time compiler gets to know the load first; for the others it changes nothing. */
const warmUp = ['--scenario', 'p2p', '--seconds', '1'];

export async function measure(kind: BrokerKind, load: Load, seconds: number): Promise<Figures> {
  const broker = await startBroker(kind, load.setup);
  try {
    const restKb = usageOf([broker.pid]).rssKb;
    const found = await (load.mqload === undefined
      ? measureWithOurs(broker, load.args, seconds)
      : measureWithMqload(broker, load.mqload.generator, load.mqload.load, seconds));
    const usage = usageOf([broker.pid]);
    return { ...found, restKb, rssKb: usage.rssKb, pssKb: usage.pssKb };
  } finally {
    await broker.stop();
  }
}

type Found = Omit<Figures, 'restKb' | 'rssKb' | 'pssKb'>;

/** Memory for each connection is told from a broker that has done nothing yet. */
async function measureWithOurs(broker: Running, args: readonly string[], seconds: number): Promise<Found> {
  if (!args.includes('idle')) await generate(broker, warmUp);
  return figuresOf(await generate(broker, ['--seconds', String(seconds), ...args]));
}

async function measureWithMqload(
  broker: Running,
  mqload: Mqload,
  load: readonly string[],
  seconds: number,
): Promise<Found> {
  const tls = broker.cafile === null ? [] : ['--cafile', broker.cafile];
  if (load[0] !== 'idle') await mqload.run(broker, ['p2p', '--pubs', '10', '--secs', '1', ...tls]);
  const { figures, fault } = await mqload.run(broker, [...load, '--secs', String(seconds), ...tls]);
  const of = (...names: readonly string[]): number | null =>
    names.map(name => figures[name]).find(value => value !== undefined) ?? null;
  const kilobytes = of('rss_kb_per_conn');
  return {
    perSecond: of('msgs_per_s', 'conns_per_s') ?? 0,
    brokerMicros: of('cpu_us_per_msg', 'cpu_us_per_conn'),
    ownMicros: of('self_cpu_us_per_msg', 'self_cpu_us_per_conn') ?? 0,
    brokerPercent: of('broker_cpu_pct'),
    ownPercent: null,
    p50: of('p50_us'),
    p99: of('p99_us'),
    lag: of('sender_lag_p99_us'),
    unitBytes: kilobytes === null ? of('rss_bytes_per_sub', 'rss_bytes_per_retained') : kilobytes * 1024,
    fault,
  };
}

function figuresOf(outcome: Outcome): Found {
  const main = mainPhase(outcome);
  const stored = outcome.phases.find(phase => phase.unit !== 'message');
  return {
    perSecond: main?.perSecond ?? 0,
    brokerMicros: main?.brokerMicros ?? null,
    ownMicros: main?.ownMicros ?? 0,
    brokerPercent: main?.brokerPercent ?? null,
    ownPercent: main?.ownPercent ?? 0,
    p50: outcome.latency?.p50 ?? null,
    p99: outcome.latency?.p99 ?? null,
    lag: outcome.latency?.senderLagP99 ?? null,
    unitBytes: stored?.brokerBytes ?? null,
    fault: outcome.fault,
  };
}

export async function generate(broker: Running, args: readonly string[]): Promise<Outcome> {
  const tls = broker.cafile === null ? ['--no-tls'] : ['--cafile', broker.cafile];
  const place = ['-h', '127.0.0.1', '-p', String(broker.port), ...tls, '--pid', String(broker.pid)];
  const { said, complained } = await outputOf(join(root, 'bin/zancudo'), ['bench', ...place, ...args, '--json']);
  const outcome = said === '' ? undefined : (JSON.parse(said) as Outcome[])[0];
  if (outcome === undefined) throw new Error(`the generator said nothing but: ${complained}`);
  return outcome;
}
