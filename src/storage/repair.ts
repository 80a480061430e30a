/**
 * Repair of a damaged file: what can be read goes into a new file, the damaged one is set aside as it is.
 *
 *   store.sqlite3 (damaged) ── readable rows ──> store.sqlite3-repaired
 *        └── renamed ──> store.sqlite3.damaged-20260131T120000Z          └── renamed ──> store.sqlite3
 *
 * The new file is complete and closed before the old one is moved, so an interruption at any point leaves either the
 * damaged file, to be repaired again, or the finished one, to be moved into its place.
 */
import { closeSync, existsSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { createTables, presentColumns, tableColumns } from './schema.ts';
import { rememberCookie, sweep } from './sweep.ts';

const repairedName = (file: string): string => `${file}-repaired`;

/** Files that belong to a database under its name. */
const companions = ['', '-wal', '-shm'];

/** Completes or undoes what an interrupted repair left behind. */
export function finishRepair(file: string, wall: number): void {
  const repaired = repairedName(file);
  if (!existsSync(repaired)) return;
  if (hasContent(file)) removeDatabase(repaired);
  else moveIntoPlace(file, wall);
}

/** Whoever makes sure of the file's mode before it is opened may have made an empty one. */
function hasContent(file: string): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** Returns what to tell the operator. */
export function repair(file: string, wall: number): string[] {
  const repaired = repairedName(file);
  removeDatabase(repaired);
  // As private as the damaged one: SQLite gives its other files the mode of this one.
  closeSync(openSync(repaired, 'w', statSync(file).mode));
  const target = new DatabaseSync(repaired);
  createTables(target);
  const tally = copyReadable(file, target);
  const swept = sweep(target, null);
  rememberCookie(target);
  target.close();
  removeTraces(file);
  const aside = moveIntoPlace(file, wall);
  return [
    `Warning: ${file} is damaged. What could be read was kept; the damaged file was set aside as ${aside}.`,
    ...tally,
    ...swept,
  ];
}

function moveIntoPlace(file: string, wall: number): string {
  const aside = `${file}.damaged-${new Date(wall).toISOString().replace(/[-:]|\.\d+/g, '')}`;
  for (const suffix of companions) if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  renameSync(repairedName(file), file);
  return aside;
}

function removeDatabase(file: string): void {
  for (const suffix of companions) rmSync(file + suffix, { force: true });
}

/** Reading makes companions of its own; only a write-ahead log with something in it belongs to the evidence. */
function removeTraces(file: string): void {
  rmSync(`${file}-shm`, { force: true });
  if (!hasContent(`${file}-wal`)) rmSync(`${file}-wal`, { force: true });
}

function copyReadable(file: string, target: DatabaseSync): string[] {
  let source: DatabaseSync | null = null;
  try {
    source = new DatabaseSync(file, { readOnly: true, readBigInts: true });
    source.prepare('SELECT count(*) FROM sqlite_master').get();
  } catch {
    source?.close();
    return ['  It is no database at all: nothing could be read from it.'];
  }
  target.exec('BEGIN');
  const tally = Object.keys(tableColumns).flatMap(table => copyTable(source, target, table));
  target.exec('COMMIT');
  source.close();
  return tally;
}

function copyTable(source: DatabaseSync, target: DatabaseSync, table: string): string[] {
  const columns = readableColumns(source, table);
  if (columns.length === 0) return table.startsWith('zancudo_') ? [] : [`  ${table}: nothing could be read.`];
  // The row number is the order of what waits for a client; our own tables have none.
  const isOurs = table.startsWith('zancudo_');
  const names = isOurs ? columns : ['rowid', ...columns];
  const places = names.map(() => '?').join(', ');
  const insert = target.prepare(`INSERT OR IGNORE INTO ${table} (${names.join(', ')}) VALUES (${places})`);
  let kept = 0;
  const rows = isOurs ? plainRows(source, table, names) : numberedRows(source, table, names);
  for (const row of rows) {
    try {
      kept += Number(insert.run(...row).changes);
    } catch {
      // A value that the table refuses, such as a missing topic: this row is one of the lost ones.
    }
  }
  const all = countRows(source, table);
  if (isOurs) return [];
  return [
    all === kept
      ? `  ${table}: all ${kept} rows kept.`
      : `  ${table}: ${kept} of ${all ?? 'an unknown number of'} rows kept.`,
  ];
}

function readableColumns(source: DatabaseSync, table: string): string[] {
  try {
    const present = presentColumns(source, table);
    return tableColumns[table]!.filter(column => present.has(column));
  } catch {
    return [];
  }
}

/** Counted over the smallest tree of the table, often an undamaged index; null when that cannot be read either. */
function countRows(source: DatabaseSync, table: string): number | null {
  try {
    return Number(source.prepare(`SELECT count(*) AS n FROM ${table}`).get()!['n']);
  } catch {
    return null;
  }
}

type Row = SQLInputValue[];

/** Rows up to the first that cannot be read; returns whether that was the end of the table. */
function* rowsUntilDamage(source: DatabaseSync, sql: string, ...limits: bigint[]): Generator<Row, boolean> {
  try {
    const statement = source.prepare(sql);
    statement.setReturnArrays(true);
    for (const row of statement.iterate(...limits)) yield row as unknown as Row;
    return true;
  } catch {
    return false;
  }
}

function* plainRows(source: DatabaseSync, table: string, names: string[]): Generator<Row> {
  yield* rowsUntilDamage(source, `SELECT ${names.join(', ')} FROM ${table}`);
}

const smallestRow = -(2n ** 63n);
const largestRow = 2n ** 63n - 1n;

/**
 * Forwards to the first damage, backwards to the last, then into the gap between them in growing steps: a damaged page
 * costs the rows on it and no others, as long as the tree above it can be read.
 */
function* numberedRows(source: DatabaseSync, table: string, names: string[]): Generator<Row> {
  const select = `SELECT ${names.join(', ')} FROM ${table} WHERE rowid > ? AND rowid < ? ORDER BY rowid`;
  const forwards = new Walk();
  if (yield* forwards.over(rowsUntilDamage(source, select, smallestRow, largestRow))) return;
  const low = forwards.last ?? 0n;
  const backwards = new Walk();
  yield* backwards.over(rowsUntilDamage(source, `${select} DESC`, low, largestRow));
  const high = backwards.last ?? low + 1_000_000n;
  let step = 1n;
  for (let from = low; from + step < high;) {
    const walk = new Walk();
    const reachedEnd = yield* walk.over(rowsUntilDamage(source, select, from + step, high));
    if (reachedEnd) return;
    if (walk.last === null) step *= 2n;
    else {
      from = walk.last;
      step = 1n;
    }
  }
}

/** Passes rows on and remembers the number of the last one. */
class Walk {
  last: bigint | null = null;

  *over(rows: Generator<Row, boolean>): Generator<Row, boolean> {
    for (;;) {
      const { value, done } = rows.next();
      if (done === true) return value;
      this.last = value[0] as bigint;
      yield value;
    }
  }
}
