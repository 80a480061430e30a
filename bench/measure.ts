/** One measurement: a fresh broker, a warm-up, and `zancudo bench` as a process of its own on the other side. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { mainPhase, type Outcome, usageOf } from '../src/bench/mod.ts';
import { root, startBroker, type BrokerKind, type Running, type Setup } from './brokers.ts';

/** What of an outcome is kept. CPU in microseconds for each unit, times in microseconds, memory in bytes. */
export interface Figures {
  perSecond: number;
  brokerMicros: number | null;
  ownMicros: number;
  brokerPercent: number | null;
  ownPercent: number;
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
  args: readonly string[];
  setup?: Partial<Setup>;
}

/** A just-in-time compiler gets to know the load first; for the others it changes nothing. */
const warmUp = ['--scenario', 'p2p', '--seconds', '1'];

export async function measure(kind: BrokerKind, load: Load, seconds: number): Promise<Figures> {
  const broker = await startBroker(kind, load.setup);
  try {
    const restKb = usageOf([broker.pid]).rssKb;
    const isIdle = load.args.includes('idle');
    // Memory for each connection is told from a broker that has done nothing yet.
    if (!isIdle) await generate(broker, warmUp);
    const outcome = await generate(broker, ['--seconds', String(seconds), ...load.args]);
    const usage = usageOf([broker.pid]);
    return figuresOf(outcome, { restKb, rssKb: usage.rssKb, pssKb: usage.pssKb });
  } finally {
    await broker.stop();
  }
}

function figuresOf(outcome: Outcome, memory: Pick<Figures, 'restKb' | 'rssKb' | 'pssKb'>): Figures {
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
    ...memory,
    fault: outcome.fault,
  };
}

export async function generate(broker: Running, args: readonly string[]): Promise<Outcome> {
  const tls = broker.cafile === null ? ['--no-tls'] : ['--cafile', broker.cafile];
  const place = ['-h', '127.0.0.1', '-p', String(broker.port), ...tls, '--pid', String(broker.pid)];
  const child = spawn(join(root, 'bin/zancudo'), ['bench', ...place, ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [said, complained] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complained += text));
  await once(child, 'close');
  const outcome = said === '' ? undefined : (JSON.parse(said) as Outcome[])[0];
  if (outcome === undefined) throw new Error(`the generator said nothing but: ${complained.trim()}`);
  return outcome;
}
