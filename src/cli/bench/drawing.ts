/** An outcome for the terminal: two or three lines, and a histogram of latencies drawn with blocks. */
import type { Outcome, Phase } from '../../bench/mod.ts';

const barWidth = 40;
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

export function summaryLines(outcome: Outcome): string[] {
  const head = [
    outcome.scenario,
    ...(outcome.scenario === 'idle' || outcome.scenario === 'connect' ? [] : [crowd(outcome)]),
    ...(outcome.tls === null ? [] : [outcome.tls]),
    ...(outcome.fault === null ? [] : [`FAILED: ${outcome.fault}`]),
  ].join(', ');
  return [head, ...outcome.phases.map(phaseLine), ...latencyLine(outcome), ...memoryLine(outcome), ''];
}

const crowd = ({ publishers, subscribers, qos, size }: Outcome): string =>
  `${publishers} to ${subscribers}, QoS ${qos}, ${size} bytes`;

function phaseLine(phase: Phase): string {
  const broker = phase.brokerMicros === null ? '' : `; broker ${micros(phase.brokerMicros)} CPU each`;
  const bound = phase.ownPercent > 95 && (phase.brokerPercent ?? 0) < 90 ? ' (the generator is at its limit)' : '';
  return `  ${grouped(phase.perSecond)} ${phase.unit}s/s, ${grouped(phase.count)} in ${phase.seconds.toFixed(1)} s${broker}; generator ${micros(phase.ownMicros)} each${bound}`;
}

function latencyLine({ latency }: Outcome): string[] {
  if (latency === null || latency.samples === 0) return [];
  const { p50, p90, p99, largest, senderLagP99 } = latency;
  const lag = senderLagP99 > 0 ? `; the generator itself was up to ${micros(senderLagP99)} late (p99)` : '';
  return [`  latency p50 ${micros(p50)}, p90 ${micros(p90)}, p99 ${micros(p99)}, largest ${micros(largest)}${lag}`];
}

function memoryLine({ rssKb, idlePercent, phases }: Outcome): string[] {
  if (rssKb === null) return [];
  const each = phases.find(phase => phase.unit !== 'message');
  const per =
    typeof each?.brokerBytes !== 'number' ? '' : `, ${(each.brokerBytes / 1024).toFixed(2)} kB for each ${each.unit}`;
  const idle = idlePercent === null ? '' : `, ${idlePercent.toFixed(1)} % of a core while idle`;
  return [`  broker memory ${grouped(rssKb.before / 1024)} to ${grouped(rssKb.after / 1024)} MB${per}${idle}`];
}

export function drawHistogram({ latency }: Outcome): string[] {
  if (latency === null || latency.samples === 0) return [];
  const most = Math.max(...latency.histogram.map(row => row.count));
  return [
    ...latency.histogram.map(({ fromMicros, count }) => {
      const share = ((count * 100) / latency.samples).toFixed(2).padStart(6);
      return `  ${micros(fromMicros).padStart(8)} ${share} % ${bar((count * barWidth) / most)}`;
    }),
    '',
  ];
}

/** What is there but too small for a block is a dot. */
export function bar(width: number): string {
  const full = Math.floor(width);
  const rest = Math.floor((width - full) * 8);
  return `${'█'.repeat(full)}${eighths[rest] ?? ''}` || '·';
}

export function micros(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} s`;
  if (value >= 1e4) return `${(value / 1e3).toFixed(1)} ms`;
  return `${value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)} µs`;
}

/** 1234567 is 1,234,567. */
export function grouped(value: number): string {
  return value.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ',');
}
