/**
 * Folding counts what would be written again and again, instead of writing it.
 *
 *   line ── its key: code, and address or client ── seen up to `after` times this minute? ── yes: written
 *                                                        no: held; only the last one is kept, and how many
 *   at the end of the minute:   `  ... 412 times more in 60 s from 10.0.0.5, last at 1795301780: <the last line>`
 *
 * So the first lines and the last one are always there, a flood costs one line a minute for each kind and address, and
 * when it stops it is forgotten after a quiet minute. A client that comes and goes counts by its identifier, and may do
 * so once a second before that is a repetition. Lines without a key are never held.
 */
import { type About, type Folds, type LogCode, logCodes, sourceOf } from '../../base/mod.ts';
import type { LogClass } from '../../broker/ports.ts';

export const foldingBounds = {
  windowMilliseconds: 60_000,
  /** Kinds and addresses that are told apart; whatever comes on top is counted by its code alone. */
  keysMax: 1000,
  /** A client may come and go this often for each line of other kinds: with the default, once a second. */
  clientFactor: 6,
};

export interface FoldedLine {
  as: LogClass;
  text: string;
  about: About;
}

export interface FoldingOptions {
  now: () => number;
  wall: () => number;
  /** Writes a moment as the lines of the log do. */
  moment: (wall: number) => string;
  write: (line: FoldedLine) => void;
}

interface Entry {
  since: number;
  /** How many lines of it are written in a minute; 0 for those that only follow the noise of others. */
  allowed: number;
  seen: number;
  held: number;
  source: string | null;
  last: FoldedLine | null;
  lastAt: number;
}

export class Folding {
  /** Lines of one key in a minute before the rest is counted; 0 folds nothing. */
  after: number;
  #options: FoldingOptions;
  #entries = new Map<string, Entry>();
  /** Where somebody comes from of whom something is held at present. */
  #noisy = new Set<string>();
  #timer: NodeJS.Timeout | null = null;

  constructor(after: number, options: FoldingOptions) {
    this.after = after;
    this.#options = options;
  }

  /** True when the line is not to be written now: it will be counted, or told as the last of its kind. */
  holds(as: LogClass, text: string, about: About): boolean {
    const { folds } = logCodes[about.code];
    if (this.after === 0 || folds === 'never') return false;
    const source = sourceFor(folds, about);
    if (folds === 'noise' && (source === null || !this.#noisy.has(source))) return false;
    const entry = this.#entry(keyOf(folds, text, about, source), about.code, source);
    entry.seen++;
    if (entry.seen <= entry.allowed) return false;
    if (source !== null) this.#noisy.add(source);
    entry.held++;
    entry.last = { as, text, about };
    entry.lastAt = this.#options.wall();
    this.#timer ??= setTimeout(() => this.#look(), foldingBounds.windowMilliseconds / 4).unref();
    return true;
  }

  /** Tells what is held whatever its time: the log is configured anew, or the process ends. */
  settle(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const entry of this.#entries.values()) this.#tell(entry, this.#options.now());
    this.#entries.clear();
    this.#noisy.clear();
  }

  /** Ends the minutes that are over. Public for whoever has a clock of their own. */
  sweep(): void {
    const now = this.#options.now();
    this.#noisy.clear();
    for (const [key, entry] of this.#entries) {
      if (now - entry.since >= foldingBounds.windowMilliseconds) this.#endMinute(key, entry, now);
      if (entry.allowed > 0 && entry.seen > entry.allowed && entry.source !== null) this.#noisy.add(entry.source);
    }
  }

  #look(): void {
    this.#timer = null;
    this.sweep();
    if (this.#entries.size > 0) {
      this.#timer ??= setTimeout(() => this.#look(), foldingBounds.windowMilliseconds / 4).unref();
    }
  }

  /** What was folded goes on being folded, so that a flood is one line a minute; what was quiet is forgotten. */
  #endMinute(key: string, entry: Entry, now: number): void {
    if (entry.held === 0) {
      this.#entries.delete(key);
      entry.seen = 0;
      return;
    }
    this.#tell(entry, now);
    entry.since = now;
  }

  #tell(entry: Entry, now: number): void {
    const { last, held, source } = entry;
    if (last === null) return;
    const seconds = Math.max(1, Math.round((now - entry.since) / 1000));
    const from = source === null || last.text.includes(source) ? '' : ` from ${source}`;
    const times = held === 1 ? 'once' : `${held} times`;
    const when = this.#options.moment(entry.lastAt);
    const text = `  ... ${times} more in ${seconds} s${from}, last at ${when}: ${last.text.trim()}`;
    entry.held = 0;
    entry.last = null;
    this.#options.write({ as: last.as, text, about: { ...last.about, count: held } });
  }

  #allowed(folds: Folds): number {
    if (folds === 'noise') return 0;
    return folds === 'client' ? this.after * foldingBounds.clientFactor : this.after;
  }

  #entry(key: string, code: LogCode, source: string | null): Entry {
    const now = this.#options.now();
    const known = this.#entries.get(key);
    // The end of a quiet minute is noticed here as well, for nobody sweeps while nothing is held.
    if (known !== undefined && (known.held > 0 || now - known.since < foldingBounds.windowMilliseconds)) return known;
    this.#entries.delete(key);
    if (this.#entries.size >= foldingBounds.keysMax) this.#forgetQuiet(now);
    const isFull = this.#entries.size >= foldingBounds.keysMax;
    const shared = isFull ? this.#entries.get(code) : undefined;
    if (shared !== undefined) return shared;
    const allowed = this.#allowed(logCodes[code].folds);
    const entry: Entry = {
      since: now,
      allowed,
      seen: 0,
      held: 0,
      source: isFull ? null : source,
      last: null,
      lastAt: 0,
    };
    this.#entries.set(isFull ? code : key, entry);
    return entry;
  }

  #forgetQuiet(now: number): void {
    for (const [key, { held, since }] of this.#entries) {
      if (held === 0 && now - since >= foldingBounds.windowMilliseconds) this.#entries.delete(key);
    }
  }
}

function sourceFor(folds: Folds, { address }: About): string | null {
  return folds === 'code' || address === undefined ? null : sourceOf(address);
}

/** A line and our explanation below it share their code and are two kinds. */
function keyOf(folds: Folds, text: string, { code, client }: About, source: string | null): string {
  const below = text.startsWith(' ') ? '+' : '';
  return `${code}${below} ${source ?? ''} ${folds === 'client' ? (client ?? '') : ''}`;
}
