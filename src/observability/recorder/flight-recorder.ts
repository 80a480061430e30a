/**
 * FlightRecorder remembers what happens for whoever asks "what happened to lamp-1 at 03:12" afterwards.
 *
 *   note() ── a line ──> waiting ── twice a second at most ──> ring of files        (ring-files.ts)
 *                                                         └──> memory, where there is no place or the disk says no
 *
 * note() costs its caller one JSON.stringify; nothing here is called for a message. The recorder never hurts the broker:
 * whatever goes wrong with its files is one line in the log, and the last events are kept in memory until the disk takes
 * them again.
 */
import fs from 'node:fs';
import type { HappeningName, Happenings, Log, Recorder } from '../../broker/ports.ts';
import { type Folded, Quota } from './quota.ts';
import { lineOf } from './record.ts';
import { RingFiles, type RingSettings } from './ring-files.ts';

/** A record survives a SIGKILL that comes this much later. */
const FLUSH_MS = 500;
/** So many characters are written at once: ten thousand clients may come back in a second. */
const FLUSH_SIZE = 262_144;
/** What is kept without files, and what may wait for a disk; characters. The oldest goes. */
const MEMORY_MAX = 1_000_000;
const WAITING_MAX = 8_000_000;
/** After a failure the files are tried again so much later. */
const RETRY_MS = 60_000;

export interface RecorderOptions {
  /** Null keeps the record in memory alone. */
  ring: RingSettings | null;
  log: Pick<Log, 'write'>;
  wall: () => number;
}

export class FlightRecorder implements Recorder {
  readonly #options: RecorderOptions;
  readonly #quota = new Quota();
  readonly #files: RingFiles | null;
  /** Lines that no file has yet; without files, all that are kept. */
  #waiting: string[] = [];
  #waitingSize = 0;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> | null = null;
  #open = false;
  #failing = false;
  readonly #atExit = () => this.#writeNow();

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#files = options.ring === null ? null : new RingFiles(options.ring);
  }

  /** Until then events are kept in memory: a start that fails must leave no trace in the record of another broker. */
  open(): void {
    this.#open = true;
    process.on('exit', this.#atExit);
    this.#schedule(0);
  }

  note<E extends HappeningName>(event: E, facts: Happenings[E]): void {
    const at = this.#options.wall();
    // What an operator has asked for is bounded by whoever serves the operator.
    if (event !== 'packet' && !this.#quota.take(subjectOf(event, facts), at, folded => this.#noteFolded(folded)))
      return;
    this.#keep(lineOf(at, event, facts));
  }

  /** For a start that failed: nothing else that it has noted is written, another broker may have this record. */
  async closeWith<E extends HappeningName>(event: E, facts: Happenings[E]): Promise<void> {
    [this.#waiting, this.#waitingSize] = [[], 0];
    this.note(event, facts);
    this.#open = true;
    await this.close();
  }

  /** The lines that are in no file. */
  get inMemory(): readonly string[] {
    return this.#waiting;
  }

  /** There are files, and they cannot be written at present. */
  get inTrouble(): boolean {
    return this.#failing;
  }

  get folder(): string | null {
    return this.#files === null || this.#failing ? null : this.#options.ring!.folder;
  }

  /** Tells what was only counted so far. */
  settle(): void {
    this.#noteFolded(this.#quota.flush());
  }

  /** Resolves when everything is written that can be. */
  async close(): Promise<void> {
    this.settle();
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#writing;
    if (this.#open) await this.#write();
    process.removeListener('exit', this.#atExit);
    await this.#files?.close().catch(() => undefined);
  }

  #noteFolded(folded: readonly Folded[]): void {
    for (const { subject, events } of folded) {
      const facts = { [subjects[subject[0]!]!]: subject.slice(1), events };
      this.#keep(lineOf(this.#options.wall(), 'record.folded', facts));
    }
  }

  #keep(line: string): void {
    this.#waiting.push(line);
    this.#waitingSize += line.length;
    if (this.#waitingSize > this.#sizeMax) this.#dropOldest();
    if (this.#files === null || !this.#open || this.#failing) return;
    if (this.#waitingSize > FLUSH_SIZE) this.#startWriting();
    else this.#schedule(FLUSH_MS);
  }

  get #sizeMax(): number {
    return this.#files === null || this.#failing ? MEMORY_MAX : WAITING_MAX;
  }

  /** A quarter at once, so that this is seldom. */
  #dropOldest(): void {
    let size = this.#waitingSize;
    let count = 0;
    while (size > this.#sizeMax * 0.75) size -= this.#waiting[count++]!.length;
    const because = this.#files === null ? 'the record is in memory alone' : 'the disk did not take them in time';
    const gap = lineOf(this.#options.wall(), 'record.gap', { events: count, because });
    this.#waiting = this.#files === null ? this.#waiting.slice(count) : [gap, ...this.#waiting.slice(count)];
    this.#waitingSize = size + (this.#files === null ? 0 : gap.length);
  }

  #schedule(milliseconds: number): void {
    if (this.#files === null || this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#startWriting();
    }, milliseconds).unref();
  }

  #startWriting(): void {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null;
      if (this.#waiting.length > 0 && !this.#failing) this.#schedule(this.#waitingSize > FLUSH_SIZE ? 0 : FLUSH_MS);
    });
  }

  async #write(): Promise<void> {
    const lines = this.#waiting;
    if (this.#files === null || lines.length === 0) return;
    [this.#waiting, this.#waitingSize] = [[], 0];
    try {
      await this.#files.append(lines.join(''));
      if (this.#failing) this.#say('notice', 'The flight recorder writes to its files again.');
      this.#failing = false;
    } catch (error) {
      this.#takeBack(lines);
      this.#failed(error as NodeJS.ErrnoException);
    }
  }

  #takeBack(lines: string[]): void {
    this.#waiting = [...lines, ...this.#waiting];
    this.#waitingSize = this.#waiting.reduce((sum, line) => sum + line.length, 0);
  }

  #failed({ message }: NodeJS.ErrnoException): void {
    void this.#files?.close().catch(() => undefined);
    if (!this.#failing) {
      const { folder } = this.#options.ring!;
      this.#say('warning', `Warning: The flight recorder cannot write to ${folder}: ${message}.`);
      this.#say('warning', '  The last events are kept in memory; it is tried again every minute. flight_recorder_location names another place.');
    }
    this.#failing = true;
    this.#schedule(RETRY_MS);
  } // prettier-ignore

  #say(as: 'warning' | 'notice', text: string): void {
    this.#options.log.write(as, text, as === 'warning' ? 'recorder.trouble' : 'recorder.remark');
  }

  /** The process ends without having closed us. */
  #writeNow(): void {
    const descriptor = this.#files?.descriptor ?? null;
    if (descriptor === null || this.#waiting.length === 0) return;
    try {
      fs.writeSync(descriptor, this.#waiting.join(''));
    } catch {
      // Nobody is left to be told.
    }
  }
}

/** Whose an event is, by the first letter of the subject; no two can be the same. */
const subjects: Readonly<Record<string, string>> = { c: 'client', a: 'address', k: 'kind' };

function subjectOf(event: string, facts: object): string {
  const { client, address } = facts as { client?: string; address?: string };
  if (client !== undefined) return `c${client}`;
  return address === undefined ? `k${event}` : `a${address}`;
}
