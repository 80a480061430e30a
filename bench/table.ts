/** Results as lines of text, for the terminal; the page in docs takes its figures from the same functions. */
import type { Cell } from './cells.ts';
import type { Series } from './growth.ts';
import type { Figures } from './measure.ts';
import type { Agreement, Results } from './results.ts';
import { firstQuartile, median, medianKnown } from './statistics.ts';

export const brokerNames = ['zancudo', 'mosquitto', 'aedes'] as const;

/** One line of the table, as numbers. */
export interface Row {
  cell: Cell;
  /** Medians, by broker. */
  figure: Record<string, number | null>;
  p99: Record<string, number | null>;
  perSecond: Record<string, number | null>;
  unitBytes: Record<string, number | null>;
  /** Ours for one of Mosquitto's. */
  ratio: number | null;
  fault: string | null;
}

export function rowOf(results: Results, cell: Cell): Row | null {
  const found = results.cells[cell.id];
  if (found === undefined) return null;
  const by = (of: (figures: Figures) => number | null): Record<string, number | null> =>
    Object.fromEntries(Object.entries(found.rounds).map(([name, rounds]) => [name, medianKnown(rounds.map(of))]));
  const figure = by(mainFigure(cell));
  const [ours, theirs] = [figure['zancudo'], figure['mosquitto']];
  const faults = Object.entries(found.rounds).flatMap(([name, rounds]) =>
    rounds.flatMap(({ fault }) => (fault === null ? [] : [`${name}: ${fault}`])),
  );
  return {
    cell,
    figure,
    p99: by(figures => figures.p99),
    perSecond: by(figures => figures.perSecond),
    unitBytes: by(figures => figures.unitBytes),
    ratio: typeof ours === 'number' && typeof theirs === 'number' && theirs > 0 ? ours / theirs : null,
    fault: faults[0] ?? null,
  };
}

function mainFigure(cell: Cell): (figures: Figures) => number | null {
  if (cell.figure === 'latency') return figures => figures.p50;
  return cell.figure === 'memory' ? figures => figures.unitBytes : figures => figures.brokerMicros;
}

export const units: Record<Cell['figure'], string> = {
  cpu: 'CPU of the broker, µs for each',
  latency: 'latency p50 / p99, µs',
  memory: 'resident memory, bytes for each',
};

export function number(value: number | null | undefined, digits = 2): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  const fixed = value >= 100 ? value.toFixed(0) : value.toFixed(digits);
  return fixed.replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ',');
}

export function heading({ machine, versions, commit, date, isChanged }: Results): string {
  const brokers = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${date}, commit ${commit}${isChanged ? ' (changed)' : ''}; ${brokers.join(', ')}; Node ${machine.node}
${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, Linux ${machine.kernel}\n`;
}

export function cellTable(results: Results, cells: readonly Cell[]): string {
  const rows = cells.map(cell => rowOf(results, cell)).filter(row => row !== null);
  const present = brokerNames.filter(name => rows.some(row => row.figure[name] !== undefined));
  const head = ['', ...present, 'ratio', 'at most', ...present.map(name => `${name}/s`)];
  const lines = rows.map(row => [
    `${row.cell.id}${row.fault === null ? '' : ' !'}`,
    ...present.map(name => figureText(row, name)),
    number(row.ratio),
    number(row.cell.most ?? null),
    ...present.map(name => number(row.perSecond[name], 0)),
  ]);
  const faults = rows.flatMap(row => (row.fault === null ? [] : [`! ${row.cell.id}: ${row.fault}\n`]));
  return `${columns([head, ...lines])}${faults.join('')}`;
}

/** Of a figure and, where there is one, its tail. */
export function figureText({ cell, figure, p99 }: Row, name: string): string {
  if (cell.figure !== 'latency') return number(figure[name]);
  return `${number(figure[name], 0)} / ${number(p99[name], 0)}`;
}

export function growthTable(results: Results, rows: readonly Series[]): string {
  return rows
    .map(each => {
      const points = results.growth[each.id] ?? [];
      const names = brokerNames.filter(name => points.some(point => point.rounds[name] !== undefined));
      const lines = points.map(({ x, rounds }) => [
        number(x, 0),
        ...names.map(name => number(medianKnown((rounds[name] ?? []).map(each.y)))),
      ]);
      return `\n${each.title} (${each.yLabel})\n${columns([[each.xLabel, ...names], ...lines])}`;
    })
    .join('');
}

/** Generators agree when what they find in their quieter rounds is a tenth apart at most. */
export const agreedWithin = 0.1;

export function agreementRows(found: readonly Agreement[]): string[][] {
  return found.map(({ broker, load, unit, ours, theirs }) => {
    const ratio = firstQuartile(ours) / firstQuartile(theirs);
    const verdict = Math.abs(ratio - 1) <= agreedWithin ? 'agree' : 'differ';
    const figures = [firstQuartile(ours), firstQuartile(theirs)].map(value => `${number(value)} ${unit}`);
    const others = [median(ours) / median(theirs), Math.min(...ours) / Math.min(...theirs)];
    return [`${broker}, ${load}`, ...figures, number(ratio), ...others.map(each => number(each)), verdict];
  });
}

export const agreementHead = ['', 'ours', 'mqload', 'ratio', 'of medians', 'of the least', ''];

export function agreementTable(found: readonly Agreement[]): string {
  return columns([agreementHead, ...agreementRows(found)]);
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, at) => Math.max(...rows.map(row => row[at]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row.map((text, at) => (at === 0 ? text.padEnd(widths[at]!) : text.padStart(widths[at]!))).join('  ');
  return `${rows.map(row => line(row).trimEnd()).join('\n')}\n`;
}
