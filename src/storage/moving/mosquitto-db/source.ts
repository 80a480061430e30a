/**
 * mosquitto.db as a source of entries. The file is cut into chunks by their lengths; where a chunk makes no sense, the
 * next one that does is looked for byte by byte, so that damage costs the chunks it lies in and no others.
 *
 *   chunk ── chunk ── ????????? ── chunk ── chunk ── end, or cut off
 *                     └ lost ──┘
 */
import type { Entry, Source } from '../entry.ts';
import { MovingError } from '../moving-error.ts';
import { chunkKinds, HEADER_BYTES, type Layout, magic, type ReadHelp } from './chunk.ts';
import { Misfit } from './fields.ts';
import { newLayout } from './layout-new.ts';
import { oldLayout } from './layout-old.ts';
import { Window } from './window.ts';

const NEWEST_FORMAT = 6;
const OLDEST_FORMAT = 3;

export function isMosquittoDb(start: Buffer): boolean {
  return start.subarray(0, magic.length).equals(magic);
}

export class MosquittoDb implements Source, ReadHelp {
  readonly what: string;
  readonly makesUpSessions = true;
  readonly hidesMountPoints = true;
  readonly propertiesToJson: ReadHelp['propertiesToJson'];
  readonly #window: Window;
  readonly #layout: Layout;
  #lostBytes = 0;
  #lostPlaces = 0;
  #lostProperties = 0;

  constructor(file: string, propertiesToJson: ReadHelp['propertiesToJson']) {
    this.propertiesToJson = propertiesToJson;
    this.#window = new Window(file);
    const header = this.#window.bytes(0, HEADER_BYTES);
    const format = header?.readUInt32BE(magic.length + 4) ?? 0;
    if (header === null || format < OLDEST_FORMAT || format > NEWEST_FORMAT) {
      this.close();
      throw unknownFormat(file, header === null ? null : format);
    }
    this.#layout = format >= 5 ? newLayout(format) : oldLayout(format);
    this.what = `Mosquitto's database, format ${format}`;
  }

  *entries(): Generator<Entry> {
    let at = HEADER_BYTES;
    let lostSince: number | null = null;
    while (at < this.#window.length) {
      const chunk = this.#chunkAt(at);
      if (chunk === null) {
        lostSince ??= at;
        at++;
        continue;
      }
      if (lostSince !== null) this.#lose(at - lostSince);
      lostSince = null;
      at += chunk.length;
      if (chunk.entry !== null) yield chunk.entry;
    }
    if (lostSince !== null) this.#lose(at - lostSince);
  }

  losses(): string[] {
    const places = `${this.#lostPlaces} ${this.#lostPlaces === 1 ? 'place' : 'places'}`;
    return [
      ...(this.#lostBytes > 0 ? [`Damaged: ${this.#lostBytes} bytes in ${places} could not be read.`] : []),
      ...(this.#lostProperties > 0 ? [`Damaged: the properties of ${this.#lostProperties} messages were lost.`] : []),
    ];
  }

  lostProperties(): void {
    this.#lostProperties++;
  }

  close(): void {
    this.#window.close();
  }

  #lose(bytes: number): void {
    this.#lostBytes += bytes;
    this.#lostPlaces++;
  }

  /** The chunk that begins here with its whole length, or null when none does. */
  #chunkAt(at: number): { length: number; entry: Entry | null } | null {
    const layout = this.#layout;
    const head = this.#window.bytes(at, layout.headerBytes);
    if (head === null) return null;
    const { kind, length } = layout.header(head);
    if (kind < chunkKinds.configuration || kind > chunkKinds.client) return null;
    const start = at + layout.headerBytes;
    if (start + length > this.#window.length || length < layout.fixedBytes(kind)) return null;
    // Looked at before the body is read: a length that damage made up must not cost memory.
    const fixed = this.#window.bytes(start, layout.fixedBytes(kind));
    if (fixed === null || !layout.fits(kind, length, fixed)) return null;
    const body = this.#window.bytes(start, length);
    const entry = body === null ? undefined : this.#read(kind, body);
    return entry === undefined ? null : { length: layout.headerBytes + length, entry };
  }

  /** Undefined when the body is not that of such a chunk. */
  #read(kind: number, body: Buffer): Entry | null | undefined {
    try {
      return this.#layout.read(kind, body, this);
    } catch (error) {
      if (error instanceof Misfit) return undefined;
      throw error;
    }
  }
}

function unknownFormat(file: string, format: number | null): MovingError {
  if (format === null) return new MovingError('moving.cut-off', [`Error: ${file} ends before its first entry.`]);
  return new MovingError('moving.unknown-format', [
    `Error: Unsupported persistent database format version ${format} (need version ${NEWEST_FORMAT}).`,
    `  ${file} was ${format > NEWEST_FORMAT ? 'written by a newer Mosquitto than 2.1' : 'written by a Mosquitto older than 1.0'}; it was left as it is.`,
  ]);
}
