/**
 * Reads a configuration file line by line, and the files its include_dir lines bring in.
 *
 *   mosquitto.conf ── line ── option row ── settings
 *         └── include_dir conf.d ── a.conf, b.conf ... each line the same way, nothing current at first
 *
 * The first line that cannot be read ends it with a ConfError; load.ts adds the place.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { explainUnknown } from './did-you-mean.ts';
import { ConfError, refuse } from './error.ts';
import { confLines, Oddities, type ConfLine } from './lines.ts';
import { findOption } from './options/table.ts';
import type { Reading } from './reading.ts';
import type { Place } from './settings.ts';

export function readConfiguration(path: string, reading: Reading): void {
  readFile(path, reading, null);
}

function readFile(path: string, reading: Reading, includedFrom: Place | null): void {
  const before: Place = includedFrom ?? { file: path, line: 0 };
  readBytes(fileBytes(path, before), path, reading, includedFrom);
}

/** A configuration that is in no file; places name it by `path`. */
export function readConfigurationText(text: string, path: string, reading: Reading): void {
  readBytes(Buffer.from(text), path, reading, null);
}

function readBytes(bytes: Buffer, path: string, reading: Reading, includedFrom: Place | null): void {
  const oddities = new Oddities();
  const place = (line: number): Place =>
    includedFrom === null ? { file: path, line } : { file: path, line, includedFrom };
  try {
    for (const line of confLines(bytes, oddities)) {
      reading.place = place(line.number);
      atPlace(reading.place, () => readLine(line, reading, oddities));
    }
  } finally {
    reading.say('warning', ...oddities.warnings(path));
  }
}

function fileBytes(path: string, place: Place): Buffer {
  const explain = (error: unknown): string[] => [
    `The system says: ${(error as NodeJS.ErrnoException).code ?? String(error)}.`,
  ];
  try {
    if (!statSync(path).isDirectory()) return refuseUtf16(readFileSync(path), path, place);
  } catch (error) {
    if (error instanceof ConfError) throw error;
    throw new ConfError([`Error: Unable to open config file '${path}'.`], explain(error), 3, place);
  }
  const remedy = `Name a file, or write 'include_dir ${path}' into one.`;
  throw new ConfError([`Error: Config file '${path}' is a directory.`], [remedy], 3, place);
}

/** What Windows calls "Unicode": two bytes for every character, so that no line says anything. */
function refuseUtf16(bytes: Buffer, path: string, place: Place): Buffer {
  const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (!isUtf16) return bytes;
  const remedy = `'${path}' is saved as UTF-16 ("Unicode"). Save it as UTF-8.`;
  throw new ConfError(['Error: Malformed UTF-8 in configuration.'], [remedy], 3, {
    ...place,
    line: Math.max(place.line, 1),
  });
}

/** An error that names no place gets this one. */
function atPlace(place: Place, run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof ConfError) || error.place !== null) throw error;
    throw new ConfError(error.lines, error.explanation, error.exitCode, place);
  }
}

export function readLine({ number, name, argument }: ConfLine, reading: Reading, oddities: Oddities): void {
  const row = findOption(name);
  if (row === null) {
    refuse(`Error: Unknown configuration variable '${name}'.`, ...explainUnknown(name));
  }
  row.apply(argument, reading, name);
  for (const blank of argument.odd)
    oddities.add(`found ${blank} where Mosquitto wants a space; read as a space.`, number);
  noteRest(argument.rest(), name, reading);
}

/** Numbers and words take what they need; Mosquitto says nothing of the rest. */
function noteRest(rest: string, name: string, reading: Reading): void {
  if (rest === '' || rest.startsWith('#')) return;
  const { file, line } = reading.place;
  reading.say('warning', `${file}:${line}: '${rest}' behind '${name}' means nothing and is passed over.`);
}

export function includeDirectory(directory: string, reading: Reading): void {
  const from = reading.place;
  if (from.includedFrom !== undefined) {
    refuse(
      'Error: The include_dir option is only valid in the main configuration file.',
      'Write all include_dir lines into the file that -c names.',
    );
  }
  for (const name of includedNames(directory)) {
    const path = `${directory}/${name}`;
    reading.say('information', `Loading config file '${path}'`);
    reading.apart(() => readFile(path, reading, from));
  }
}

export function includedNames(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter(name => name.endsWith('.conf') && name.length > '.conf'.length)
      .sort(byLetters);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    refuse(`Error: Unable to open include_dir '${directory}'.`, `The system says: ${code}.`);
  }
}

/** Letter by letter, ignoring case, upper case first on a tie: 00 01 A a B b. */
export function byLetters(left: string, right: string): number {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const [x = 0, y = 0] = [a[index], b[index]];
    const order = upper(x) - upper(y) || x - y;
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

const upper = (byte: number): number => (byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte);
