import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createMeter } from './counters.ts';
import { lateBounds, LoopWatch, quantile } from './loop-watch.ts';
import { metricRows, type MetricFacts } from './metrics.ts';
import { metricsPage } from './metrics-page.ts';
import { prometheusText } from './prometheus.ts';

const repository = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

function facts(changes: Partial<MetricFacts> = {}): MetricFacts {
  const gauges = {
    sessionsTotal: 3,
    sessionsConnected: 2,
    sessionsDisconnected: 1,
    subscriptions: 4,
    sharedSubscriptions: 0,
    retainedMessages: 5,
    storedMessages: 6,
    storedBytes: 70,
    packetsOutCount: 0,
    packetsOutBytes: 0,
    socketsOpen: 2,
  };
  return {
    version: '1.2.3',
    startedAt: 1000,
    now: 2000,
    meter: createMeter(),
    gauges,
    listeners: [{ name: 'port 8883', protocol: 'mqtt', connections: 2, accepted: 9 }],
    certificates: [],
    devices: null,
    store: null,
    drops: [],
    bans: 0,
    loop: { busySeconds: 1.5, late: new LoopWatch().late },
    process: {
      cpuSeconds: 1,
      residentBytes: 2,
      heapUsedBytes: 3,
      heapTotalBytes: 4,
      externalBytes: 5,
      openDescriptors: null,
      descriptorsMax: null,
    },
    workers: [],
    bridges: [],
    recorder: { inTrouble: false },
    spans: { exported: 3, dropped: 1 },
    ...changes,
  };
}

test('every metric has help, a type, and samples with exactly the labels of its row', () => {
  const meter = createMeter();
  meter.refusals.set('not authorised', 2);
  const certificates = [{ listener: 'port 8883', kind: 'ca', ends: 5 }];
  const text = prometheusText(facts({ meter, certificates, drops: [{ cause: 'queue full', messages: 1 }] }));
  for (const { name, type, labels = [], value } of metricRows) {
    if (value(facts({ meter, certificates })) === null || !text.includes(`# TYPE ${name} `)) continue;
    assert.match(text, new RegExp(`^# HELP ${name} .+\\n# TYPE ${name} ${type}$`, 'm'));
    if (type === 'histogram') continue;
    const [, found = ''] = new RegExp(`^${name}(?:\\{(.*)\\})? [0-9.e+-]+$`, 'm').exec(text) ?? [];
    assert.deepEqual([...found.matchAll(/(\w+)="/g)].map(match => match[1]), labels, name); // prettier-ignore
  }
  assert.match(text, /^zancudo_refusals_total\{cause="not authorised"\} 2$/m);
});

test('names say what they are: counters end in _total, nothing else does, units are base units', () => {
  for (const { name, type } of metricRows) {
    assert.equal(name.endsWith('_total'), type === 'counter', name);
    assert.doesNotMatch(name, /milliseconds|minutes|kilobytes/);
  }
  assert.equal(new Set(metricRows.map(({ name }) => name)).size, metricRows.length);
});

test('a label cannot break out of its quotes', () => {
  const text = prometheusText(
    facts({ listeners: [{ name: '/run/a"b\\c\nd', protocol: 'mqtt', connections: 1, accepted: 1 }] }),
  );
  assert.match(text, /^zancudo_listener_connections\{listener="\/run\/a\\"b\\\\c\\nd",protocol="mqtt"\} 1$/m);
});

test('the buckets of a histogram are cumulative and end in what was counted', () => {
  const watch = new LoopWatch();
  for (const late of [0.001, 0.001, 0.004, 0.2, 99]) watch.note(late);
  const text = prometheusText(facts({ loop: { busySeconds: 0, late: watch.late } }));
  const buckets = [...text.matchAll(/late_seconds_bucket\{le="([^"]+)"\} (\d+)/g)].map(match => [match[1], match[2]]);
  assert.equal(buckets.length, lateBounds.length + 1);
  assert.deepEqual(buckets.slice(0, 3), [['0.002', '2'], ['0.005', '3'], ['0.01', '3']]); // prettier-ignore
  assert.deepEqual(buckets.at(-1), ['+Inf', '5']);
  assert.match(text, /^zancudo_event_loop_late_seconds_count 5$/m);
  assert.deepEqual([quantile(watch.late, 0.5), quantile(watch.late, 0.99)], [0.005, Infinity]);
});

test('a broker without a store or a home leaves their metrics out', () => {
  assert.doesNotMatch(prometheusText(facts()), /zancudo_store_|zancudo_devices/);
});

test('the reference page of the metrics says what the table says', () => {
  assert.ok(repository('docs/reference/metrics.md') === metricsPage(), 'run node scripts/reference-metrics.ts');
});

test('the dashboard and the alert rules ask for metrics that exist', () => {
  const known = new Set(
    metricRows.flatMap(({ name, type }) => (type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name])),
  ); // prettier-ignore
  const files = ['dashboard.json', 'alerts.yml', 'alerts.test.yml'].map(name =>
    repository(`packaging/prometheus/${name}`),
  );
  for (const text of files) {
    const asked = [...text.matchAll(/\b(?:zancudo|process)_[a-z_]+\b/g)].map(([name]) => name);
    assert.ok(asked.length > 3);
    assert.deepEqual([...new Set(asked)].filter(name => !known.has(name)), []); // prettier-ignore
  }
  const panels = (JSON.parse(files[0]!) as { panels: { targets: unknown[] }[] }).panels;
  assert.ok(panels.every(({ targets }) => targets.length > 0));
});
