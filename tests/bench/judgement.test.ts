/** What the bench makes of its figures: medians, the guard's verdict, plots, the page. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../../bench/brokers.ts';
import { cells } from '../../bench/cells.ts';
import { series } from '../../bench/growth.ts';
import { judge } from '../../bench/guard-verdict.ts';
import type { Figures } from '../../bench/measure.ts';
import { performancePage } from '../../bench/page-text.ts';
import { type Agreement, allResults, type Results } from '../../bench/results.ts';
import { firstQuartile, median, medianKnown } from '../../bench/statistics.ts';
import { linePlot, tickText } from '../../bench/svg.ts';
import { agreementTable, cellTable, number } from '../../bench/table.ts';

const figures = (brokerMicros: number, fault: string | null = null): Figures => ({
  perSecond: 1e6 / brokerMicros,
  brokerMicros,
  ownMicros: 0.2,
  brokerPercent: 90,
  ownPercent: 50,
  p50: 40,
  p99: 120,
  lag: 2,
  unitBytes: 2048,
  rssKb: 80_000,
  pssKb: 79_000,
  restKb: 60_000,
  fault,
});

const results = (date: string, ours: number, fault: string | null = null): Results => ({
  date,
  commit: 'abc1234567',
  isChanged: false,
  machine: { cpu: 'A processor', cores: 2, memoryGb: 8, kernel: '6.1', node: 'v24' },
  versions: { zancudo: '0.1.0', mosquitto: '2.0.11' },
  cells: { 'p2p-q0': { load: 0, rounds: { zancudo: [figures(ours, fault)], mosquitto: [figures(5), figures(4), figures(60)] } } }, // prettier-ignore
  growth: { rules: [{ x: 0, rounds: { zancudo: [figures(1)] } }, { x: 100, rounds: { zancudo: [figures(2)] } }] }, // prettier-ignore
});

test('the median is not moved by one round that a neighbour spoilt', () => {
  assert.deepEqual([median([1, 100, 2]), median([1, 3]), medianKnown([null, 4]), medianKnown([null])], [2, 2, 4, null]);
});

test('the guard names a tree slower only when the median and most rounds say so', () => {
  assert.equal(judge([1.3, 1.4]), 'unclear');
  assert.equal(judge([1.3, 1.4, 1.2]), 'slower');
  assert.equal(judge([1.0, 0.9, 3.0]), 'fine');
  assert.equal(judge([1.0, 1.6, 1.7]), 'unclear');
  assert.equal(judge([1.1, 1.12, 1.1, 1.13, 1.1]), 'unclear');
  assert.equal(judge([0.5, Number.NaN, Number.NaN]), 'unclear');
});

test('a table line has the medians, the ratio and the bound, and a fault is not passed over', () => {
  const table = cellTable(results('2026-01-01', 1.25), cells);
  assert.match(table, /^p2p-q0 +1\.25 +5\.00 +0\.25 +0\.25 /m);
  const faulty = cellTable(results('2026-01-01', 1.25, '2 of 9 deliveries were lost'), cells);
  assert.match(faulty, /^p2p-q0 !.*\n! p2p-q0: zancudo: 2 of 9 deliveries were lost$/m);
});

test('numbers are grouped by thousands before the point and not behind it', () => {
  assert.deepEqual(
    [number(1234567.891), number(1.23456, 5), number(null), number(0.5)],
    ['1,234,568', '1.23456', '–', '0.50'],
  );
});

test('a plot has one line for each broker, and every point lies inside', () => {
  const plot = linePlot('a < b', 'x', 'y', [{ name: 'zancudo', points: [{ x: 0, y: 0.3 }, { x: 1e6, y: 70 }] }]); // prettier-ignore
  assert.match(plot, /a &lt; b/);
  for (const [, x, y] of plot.matchAll(/cx="([\d.]+)" cy="([\d.]+)"/g)) {
    assert.ok(Number(x) >= 64 && Number(x) <= 520 && Number(y) >= 40 && Number(y) <= 304);
  }
  assert.deepEqual([tickText(0.1), tickText(100), tickText(10_000), tickText(1e6)], ['0.1', '100', '10k', '1M']);
});

test('the page shows the newest result of each row, with commit, machine and plots', () => {
  const { text, plots } = performancePage([results('2026-01-01', 3), results('2026-02-02', 1)]);
  assert.match(text, /\| 10 pairs, QoS 0 \| 1\.00 \| 5\.00 \| 0\.20 \| 0\.25 \| 0\.14 \|/);
  assert.match(text, /2026-02-02, commit abc1234567; zancudo 0\.1\.0/);
  assert.doesNotMatch(text, /2026-01-01/);
  assert.deepEqual([...plots.keys()], ['ratio.svg', 'rules.svg']);
});

test('the page in docs is the one that the results make', () => {
  const { text, plots } = performancePage(allResults());
  const remedy = 'node bench/page.ts';
  assert.equal(readFileSync(join(root, 'docs/performance.md'), 'utf8'), text, remedy);
  for (const [name, plot] of plots) assert.equal(readFileSync(join(root, 'docs/img', name), 'utf8'), plot, remedy);
  const here = plots.size === 0 ? [] : readdirSync(join(root, 'docs/img'));
  for (const each of series) assert.equal(here.includes(`${each.id}.svg`), plots.has(`${each.id}.svg`));
});

test('two generators are compared by their quieter rounds, and a tenth apart is agreement', () => {
  assert.equal(firstQuartile([8, 1, 2, 3, 4, 5, 6, 7]), 2);
  assert.equal(firstQuartile([3]), 3);
  assert.ok(Number.isNaN(firstQuartile([])));
  const of = (load: string, theirs: number[]): Agreement => ({ broker: 'zancudo', load, unit: 'µs', ours: [1.05, 9, 9, 9], theirs }); // prettier-ignore
  const lines = agreementTable([of('quiet', [1, 1, 50, 50]), of('loud', [1.3, 1.4, 2, 2])]).split('\n');
  assert.match(lines[1]!, /^zancudo, quiet +1\.05 µs +1\.00 µs +1\.05 .* agree$/);
  assert.match(lines[2]!, /^zancudo, loud .* 0\.81 .* differ$/);
  const { text } = performancePage([{ ...results('2026-01-01', 1), agreement: [of('quiet', [1, 1, 50, 50])] }]);
  assert.match(text, /^\| zancudo, quiet \| 1\.05 µs \| 1\.00 µs \| 1\.05 \|/m);
});
