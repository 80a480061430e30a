/**
 * Lists as they come: aligned on a terminal, where there is somebody to read columns and an end to what is read; tabs and
 * no limit into a file or a pipe; one JSON object a line with --json.
 */
import type { OperatorsClient } from '../../admin/mod.ts';
import { plainTable, textTable } from '../ca/table.ts';
import { type Call, type SubcommandOption, UsageError } from '../ca/subcommand.ts';
import { brokerOptions } from './ask-broker.ts';
import { shown } from './words.ts';

/** More lines than this nobody reads on a terminal. */
const TERMINAL_ROWS = 1000;

export interface Column<T> {
  title: string;
  cell: (item: T) => string | number;
}

export const jsonLinesOption: SubcommandOption = { long: '--json', says: 'One JSON object a line.' };

export const listOptions: readonly SubcommandOption[] = [
  { long: '--limit', argument: 'N', says: `Stop after N; on a terminal after ${TERMINAL_ROWS} unless this says otherwise.` },
  jsonLinesOption,
  ...brokerOptions,
]; // prettier-ignore

/** `nothing` is said where the list is empty. */
export interface ListPlan<T> {
  path: string;
  query: Readonly<Record<string, string | null>>;
  columns: readonly Column<T>[];
  nothing: string;
}

export async function printList<T extends object>(
  call: Call,
  broker: OperatorsClient,
  plan: ListPlan<T>,
): Promise<number> {
  const forPeople = process.stdout.isTTY && !call.has('--json');
  const limit = limitOf(call) ?? (forPeople ? TERMINAL_ROWS : null);
  const target = pathWith(plan.path, { ...plan.query, limit: limit === null ? null : String(limit) });
  const items = broker.list<T>(target);
  if (forPeople) return printTable(call, items, plan);
  const lineOf = call.has('--json') ? (item: T) => JSON.stringify(item) : (item: T) => cells(plan, item).join('\t');
  for (;;) {
    const { value, done } = await items.next();
    if (done === true) return 0;
    call.say(lineOf(value));
    if (process.stdout.writableNeedDrain) await new Promise(resolve => process.stdout.once('drain', resolve));
  }
}

async function printTable<T extends object>(
  call: Call,
  items: AsyncGenerator<T, boolean>,
  plan: ListPlan<T>,
): Promise<number> {
  const rows: string[][] = [];
  for (;;) {
    const { value, done } = await items.next();
    if (done !== true) {
      rows.push(cells(plan, value));
      continue;
    }
    if (rows.length === 0) call.say(plan.nothing);
    else call.say(...textTable(plan.columns.map(({ title }) => title), rows)); // prettier-ignore
    if (value) call.say('', `There are more than these ${rows.length}: a pattern chooses, --limit N shows N.`);
    return 0;
  }
}

function cells<T>({ columns }: ListPlan<T>, item: T): string[] {
  return columns.map(({ cell }) => shown(String(cell(item))));
}

function limitOf(call: Call): number | null {
  const text = call.value('--limit');
  if (text === null) return null;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError('--limit takes a number from 1 on.');
  return Number(text);
}

export function pathWith(path: string, query: Readonly<Record<string, string | null>>): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== null);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`;
}

/** One name as a segment of a path. */
export const pathTo = (path: string, name: string): string => `${path}/${encodeURIComponent(name)}`;

/** One thing with all its columns, a line for each. */
export function sayFacts<T>(call: Call, columns: readonly Column<T>[], facts: T): void {
  call.say(...plainTable(columns.map(({ title, cell }) => [title, shown(String(cell(facts)))])));
}

/** Asks for the end of each that was named; one that is not there is told, and the others have their turn. */
export async function removeEach(
  call: Call,
  broker: OperatorsClient,
  path: string,
  done: (name: string) => string,
): Promise<number> {
  const { AskError } = await import('../../admin/mod.ts');
  let failed = 0;
  for (const name of call.words) {
    try {
      await broker.remove(pathTo(path, name));
      call.say(done(shown(name)));
    } catch (error) {
      if (!(error instanceof AskError) || error.status !== 404) throw error;
      call.warn(`Error: ${shown(error.message)}.`);
      failed = 1;
    }
  }
  return failed;
}
