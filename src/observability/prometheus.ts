/** The rows of metrics.ts as Prometheus reads them: text format 0.0.4. */
import type { Histogram } from './loop-watch.ts';
import { metricRows, type MetricFacts, type MetricRow, type MetricValue, type Sample } from './metrics.ts';

export function prometheusText(facts: MetricFacts, rows: readonly MetricRow[] = metricRows): string {
  return rows.map(row => family(row, row.value(facts))).join('');
}

function family({ name, type, says }: MetricRow, value: MetricValue): string {
  if (value === null || (isSamples(value) && value.length === 0)) return '';
  const head = `# HELP ${name} ${says.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`;
  return head + samplesOf(name, value).join('');
}

const isSamples = (value: MetricValue): value is readonly Sample[] => Array.isArray(value);

function samplesOf(name: string, value: Exclude<MetricValue, null>): string[] {
  if (typeof value === 'number') return [line(name, {}, value)];
  if (isSamples(value)) return value.map(sample => line(name, sample.labels, sample.value));
  return histogram(name, value);
}

/** Buckets are cumulative: each counts everything up to its bound. */
function histogram(name: string, { bounds, counts, sum }: Histogram): string[] {
  let total = 0;
  const buckets = counts.map((count, i) => {
    total += count;
    return line(`${name}_bucket`, { le: i < bounds.length ? String(bounds[i]) : '+Inf' }, total);
  });
  return [...buckets, line(`${name}_sum`, {}, sum), line(`${name}_count`, {}, total)];
}

function line(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
