/** The reference page of the metrics, written from the table by scripts/reference-metrics.ts. */
import { metricRows, type MetricRow } from './metrics.ts';

const introduction = `# Metrics

Generated from \`src/observability/metrics.ts\` by \`scripts/reference-metrics.ts\`; changes made here are lost.

\`GET /metrics\` answers in Prometheus' text format, on every listener with \`protocol http_api\` and on the operators'
socket; [operations.md](../guides/operations.md) says how to scrape it. Counters count since the start of the broker. Labels
have few values: listeners, kinds and causes, never a client, a user or a topic. What concerns a part that this broker does
not have (a store, the devices of a home) is left out.

| metric | type | labels | what it says |
|---|---|---|---|
`;

export function metricsPage(): string {
  return introduction + metricRows.map(tableLine).join('');
}

function tableLine({ name, type, labels = [], says }: MetricRow): string {
  return `| \`${name}\` | ${type} | ${labels.map(label => `\`${label}\``).join(', ')} | ${says} |\n`;
}
