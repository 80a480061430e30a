/**
 * Reads the record back, the oldest event first, whether a broker writes it or not. What is torn or not ours is passed
 * over. A file that goes while it is read was the oldest one, and its events are as old.
 */
import fs from 'node:fs';
import { fileIn, numbersOf } from './ring-files.ts';
import { type EventRecord, recordOf } from './record.ts';

const CHUNK_BYTES = 1_048_576;

/** Lines, without their newline. Throws the system's error when there is no such folder. */
export function* linesOf(folder: string): Generator<string> {
  for (const number of numbersOf(fs.readdirSync(folder))) yield* linesIn(fileIn(folder, number));
}

export function* recordsOf(folder: string): Generator<EventRecord> {
  for (const line of linesOf(folder)) {
    const record = recordOf(line);
    if (record !== null) yield record;
  }
}

function* linesIn(file: string): Generator<string> {
  const descriptor = openIfThere(file);
  if (descriptor === null) return;
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let rest = Buffer.alloc(0);
    for (let bytes = read(descriptor, chunk); bytes > 0; bytes = read(descriptor, chunk)) {
      const whole = Buffer.concat([rest, chunk.subarray(0, bytes)]);
      const end = whole.lastIndexOf(0x0a);
      rest = Buffer.from(whole.subarray(end + 1));
      if (end >= 0) yield* whole.toString('utf8', 0, end).split('\n');
    }
    if (rest.length > 0) yield rest.toString('utf8');
  } finally {
    fs.closeSync(descriptor);
  }
}

const read = (descriptor: number, chunk: Buffer): number => fs.readSync(descriptor, chunk, 0, chunk.length, null);

function openIfThere(file: string): number | null {
  try {
    return fs.openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** How the process before this one ended, from the end of its record. */
export interface LastRun {
  /** False when it died. */
  stopped: boolean;
  /** Unix milliseconds of the last event. */
  last: number;
  /** Of the last event that names them; null when none of late does. */
  pid: number | null;
  boot: string | null;
}

/** A start that failed says nothing about the broker before it, and sums may come behind a stop. */
const saysNothing = new Set(['broker.notStarted', 'record.folded']);

/** Null when there is no record. */
export function lastRunOf(folder: string): LastRun | null {
  const lines = tailOf(folder);
  const last = lastOf(lines, ({ event }) => !saysNothing.has(event));
  if (last === null) return null;
  const named = lastOf(lines, ({ facts }) => facts['pid'] !== undefined && facts['boot'] !== undefined);
  return {
    stopped: last.event === 'broker.stopped',
    last: last.at,
    pid: named === null ? null : Number(named.facts['pid']),
    boot: named === null ? null : String(named.facts['boot']),
  };
}

/** From the end, so that a start reads a minute's lines and not a megabyte of them. */
function lastOf(lines: readonly string[], which: (record: EventRecord) => boolean): EventRecord | null {
  for (let at = lines.length - 1; at >= 0; at--) {
    const record = recordOf(lines[at]!);
    if (record !== null && which(record)) return record;
  }
  return null;
}

/** The last lines: a pulse is written every minute, and a megabyte is more than a minute. */
function tailOf(folder: string): string[] {
  const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  for (const number of numbersOf(names).reverse()) {
    const file = fileIn(folder, number);
    const { size } = fs.statSync(file);
    if (size === 0) continue;
    const descriptor = fs.openSync(file, 'r');
    const bytes = Buffer.alloc(Math.min(size, CHUNK_BYTES));
    fs.readSync(descriptor, bytes, 0, bytes.length, size - bytes.length);
    fs.closeSync(descriptor);
    return bytes.toString('utf8').split('\n');
  }
  return [];
}
