/** A file of JSON lines as a source of entries, line by line, however many there are. */
import fs from 'node:fs';
import type { Entry, Source } from './entry.ts';
import { entryFromJson } from './json-entry.ts';
import { MovingError } from './moving-error.ts';

export const exportName = 'zancudo export';
export const exportVersion = 1;

const CHUNK_BYTES = 262_144;

/** The largest message of MQTT, 268435455 bytes, in base64 and with what stands around it. */
const LINE_BYTES_MAX = 400_000_000;

export function headerLine(now: Date): string {
  return JSON.stringify({ kind: 'header', format: exportName, version: exportVersion, at: now.toISOString() });
}

export class JsonSource implements Source {
  readonly what = 'JSON';
  readonly makesUpSessions = false;
  readonly hidesMountPoints = false;
  readonly #file: string;
  readonly #handle: number;
  #lines = 0;
  #lost = 0;
  #firstLost = 0;

  constructor(file: string) {
    this.#file = file;
    this.#handle = fs.openSync(file, 'r');
  }

  *entries(): Generator<Entry> {
    for (const line of this.#eachLine()) {
      this.#lines++;
      if (this.#lines === 1) checkHeader(line, this.#file);
      if (this.#lines === 1 || line.trim() === '') continue;
      const entry = entryFromJson(line);
      if (entry !== null) yield entry;
      else if (this.#lost++ === 0) this.#firstLost = this.#lines;
    }
    if (this.#lines === 0) checkHeader('', this.#file);
  }

  losses(): string[] {
    if (this.#lost === 0) return [];
    return [`${this.#lost} lines are no entries, the first of them line ${this.#firstLost}: passed over.`];
  }

  close(): void {
    fs.closeSync(this.#handle);
  }

  *#eachLine(): Generator<string> {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let parts: Buffer[] = [];
    let held = 0;
    for (;;) {
      const count = fs.readSync(this.#handle, chunk, 0, chunk.length, null);
      if (count === 0) break;
      let start = 0;
      for (let end = chunk.indexOf(0x0a); end >= 0 && end < count; end = chunk.indexOf(0x0a, start)) {
        yield Buffer.concat([...parts, chunk.subarray(start, end)]).toString();
        [parts, held, start] = [[], 0, end + 1];
      }
      parts.push(Buffer.from(chunk.subarray(start, count)));
      held += count - start;
      if (held > LINE_BYTES_MAX) throw tooLong(this.#file, this.#lines + 1);
    }
    if (held > 0) yield Buffer.concat(parts).toString();
  }
}

function checkHeader(line: string, file: string): void {
  let header: Record<string, unknown> = {};
  try {
    header = (JSON.parse(line) as Record<string, unknown> | null) ?? {};
  } catch {
    // No JSON: no header either.
  }
  if (header['format'] !== exportName) {
    throw new MovingError('moving.no-export', [
      `Error: ${file} is not an export: its first line should be ${headerLine(new Date(0))}.`,
      "  'zancudo export --json FILE' writes such a file.",
    ]);
  }
  if (header['version'] === exportVersion) return;
  throw new MovingError('moving.newer-export', [
    `Error: ${file} is an export of version ${String(header['version'])}; this Zancudo reads version ${exportVersion}.`,
    '  Import it with the version that wrote it, or a newer one.',
  ]);
}

function tooLong(file: string, line: number): MovingError {
  return new MovingError('moving.line-too-long', [
    `Error: ${file}: line ${line} is longer than any message can be (${LINE_BYTES_MAX} bytes).`,
    '  The file is damaged, or has lost its line ends.',
  ]);
}
