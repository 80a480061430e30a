/** The page about performance: of each row and each series the newest result, with its machine, commit and command. */
import { cells, type Cell } from './cells.ts';
import { series, type Series } from './growth.ts';
import type { Results } from './results.ts';
import { medianKnown } from './statistics.ts';
import { barPlot, linePlot } from './svg.ts';
import {
  agreementHead,
  agreementRows,
  brokerNames,
  figureText,
  heading,
  number,
  rowOf,
  units,
  type Row,
} from './table.ts';

export interface Page {
  text: string;
  /** SVG by file name, for docs/img. */
  plots: Map<string, string>;
}

const figures = ['cpu', 'latency', 'memory'] as const;

const intro = `# Performance

Written by \`npm run bench:page\` from the files in \`bench/results/\`: no figure here was typed. How to repeat them, and what
they do not say, stands in [bench/README.md](../bench/README.md).

The figure that carries over to other machines is the processor time that the broker spends on one message, beside
Mosquitto's in the same interleaved run; all brokers have queues without limit and their own defaults otherwise, ours has
an access file of 100 rules in force and \`$SYS\` topics on. The ratio is ours for one of Mosquitto's: less is better.
`;

export function performancePage(all: readonly Results[]): Page {
  const plots = new Map<string, string>();
  const parts = [
    intro,
    ...figures.map(figure => tables(all, figure)),
    bars(all, plots),
    growth(all, plots),
    independent(all),
    agreement(all),
  ];
  if (all.length === 0) parts.push('Nothing has been measured yet: `npm run bench`.\n');
  return { text: parts.filter(part => part !== '').join('\n'), plots };
}

/** The rows as the other generator finds them. */
function independent(all: readonly Results[]): string {
  const theirs = all.map((results): Results => ({ ...results, cells: results.mqload ?? {}, growth: {} }));
  const parts = figures.map(figure => tables(theirs, figure, '###')).filter(part => part !== '');
  if (parts.length === 0) return '';
  const title = 'The same by an independent generator';
  return `## ${title}\n\nThe rows that mqload (\`bench/mqload.c\`) can do: \`npm run bench -- --mqload\`.\n\n${parts.join('\n')}`;
}

/** Rows of one figure, grouped by the run they come from. */
function tables(all: readonly Results[], figure: Cell['figure'], level = '##'): string {
  const titles = { cpu: 'Processor time for each message', latency: 'Latency', memory: 'Memory' };
  const parts = grouped(all, rowsOf(figure), (results, cell) => cell.id in results.cells)
    .map(({ results, rows }) => table(results, rows, figure)); // prettier-ignore
  return parts.length === 0 ? '' : `${level} ${titles[figure]}\n\n${parts.join('\n')}`;
}

/** What takes memory while its processor time is measured stands in both tables. */
function rowsOf(figure: Cell['figure']): Cell[] {
  const rows = cells.filter(cell => cell.figure === figure);
  if (figure !== 'memory') return rows;
  const besides = cells.filter(cell => cell.figure === 'cpu' && cell.mostBytes !== undefined);
  return [...besides.map(({ most: _most, aim: _aim, ...cell }): Cell => ({ ...cell, figure })), ...rows];
}

/** Of each row the newest results that have it. */
function grouped<R>(
  all: readonly Results[],
  rows: readonly R[],
  has: (results: Results, row: R) => boolean,
): { results: Results; rows: R[] }[] {
  const groups = new Map<Results, R[]>();
  for (const row of rows) {
    const newest = all.findLast(results => has(results, row));
    if (newest !== undefined) groups.set(newest, [...(groups.get(newest) ?? []), row]);
  }
  return [...groups].map(([results, those]) => ({ results, rows: those }));
}

function table(results: Results, those: readonly Cell[], figure: Cell['figure']): string {
  const rows = those.map(cell => rowOf(results, cell)).filter(row => row !== null);
  const names = brokerNames.filter(name => rows.some(row => row.figure[name] !== undefined));
  const head = `| ${units[figure]} | ${names.join(' | ')} | ratio | at most | aim |\n|---|${names.map(() => '--:|').join('')}--:|--:|--:|`;
  const lines = rows.map(row => `| ${[row.cell.label, ...names.map(name => figureText(row, name)), number(row.ratio), bound(row), number(row.cell.aim)].join(' | ')} |`); // prettier-ignore
  const faults = rows.flatMap(row => (row.fault === null ? [] : [`- ${row.cell.label}: ${row.fault}`]));
  return `${provenance(results)}\n\n${head}\n${lines.join('\n')}\n${faults.length === 0 ? '' : `\n${faults.join('\n')}\n`}`;
}

function bound({ cell }: Row): string {
  if (cell.figure === 'memory') return cell.mostBytes === undefined ? '–' : `${number(cell.mostBytes)} bytes`;
  return number(cell.most);
}

/** Date, commit, versions and machine in one line. */
function origin(results: Results): string {
  return heading(results).trim().split('\n').join('; ');
}

function provenance(results: Results): string {
  const rounds = Math.max(
    1,
    ...Object.values(results.cells).flatMap(cell => Object.values(cell.rounds).map(each => each.length)),
  );
  return `${origin(results)}; median of ${rounds} ${rounds === 1 ? 'round' : 'rounds'}.`;
}

function bars(all: readonly Results[], plots: Map<string, string>): string {
  const newest = grouped(
    all,
    cells.filter(cell => cell.figure === 'cpu'),
    (results, cell) => cell.id in results.cells,
  );
  const rows = newest.flatMap(({ results, rows: those }) => those.map(cell => rowOf(results, cell)));
  const drawn = rows.flatMap(row => (row === null || row.ratio === null ? [] : [{ label: row.cell.label, value: row.ratio, mark: row.cell.most ?? null }])); // prettier-ignore
  if (drawn.length === 0) return '';
  plots.set('ratio.svg', barPlot("Processor time for each message, for one of Mosquitto's (dashed)", drawn));
  return '![Processor time for each message beside Mosquitto, one bar for each row; the red mark is what it may be at most](img/ratio.svg)\n';
}

function growth(all: readonly Results[], plots: Map<string, string>): string {
  const parts = grouped(all, series, (results, each) => each.id in results.growth).flatMap(({ results, rows }) =>
    rows.map(each => {
      plots.set(`${each.id}.svg`, plotOf(results, each));
      return `![${each.title}](img/${each.id}.svg)\n`;
    }),
  );
  return parts.length === 0 ? '' : `## How cost grows\n\n${parts.join('\n')}`;
}

function agreement(all: readonly Results[]): string {
  const newest = all.findLast(results => results.agreement !== undefined);
  const found = newest?.agreement ?? [];
  if (newest === undefined || found.length === 0) return '';
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rounds = Math.max(...found.map(each => each.ours.length));
  return `## Two generators

What ours and mqload, an independent one in C, find of the same running broker in turn: CPU for each message, memory for
each connection, of the quieter quarter of up to ${rounds} rounds each (\`npm run bench -- --agree\`). ${origin(newest)}.

${line(agreementHead)}
|---|--:|--:|--:|--:|--:|---|
${agreementRows(found).map(line).join('\n')}
`;
}

function plotOf(results: Results, { id, title, xLabel, yLabel, y }: Series): string {
  const points = results.growth[id] ?? [];
  const lines = brokerNames.map(name => ({
    name,
    points: points.flatMap(({ x, rounds }) => {
      const value = medianKnown((rounds[name] ?? []).map(y));
      return value === null || value <= 0 ? [] : [{ x, y: value }];
    }),
  }));
  return linePlot(title, xLabel, yLabel, lines.filter(line => line.points.length > 0)); // prettier-ignore
}
