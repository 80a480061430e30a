/**
 * Folding counts what would be written again and again, instead of writing it.
 *
 *   line ── its kind: code ── its key: address or client ── has credit? ── yes: written
 *                                                                   no: held; only the last one is kept, and how many
 *   at the end of the minute:   `  ... 412 times more in 60 s from 10.0.0.5, last at 1795301780: <the last line>`
 *
 * A key has credit for a while of trouble, and gets more every minute; who has used it up is told of once a minute until
 * a minute was quiet. So the first lines and the last one are always there, a health check every two seconds is a line a
 * minute, and a dozen failures are a dozen lines. Lines without a key are never held.
 */
import { type About, type Code, type CodeRow, type Folds, rowOf, sourceOf } from '../../base/mod.ts';
import type { LogClass } from '../../broker/ports.ts';

export const foldingBounds = {
  windowMilliseconds: 60_000,
  /** Kinds and addresses that are told apart; whatever comes on top is counted by its code alone. */
  keysMax: 1000,
  /** A full table that had nothing to forget is looked through again after this time, and not for each newcomer. */
  fullMilliseconds: 1000,
};

/**
 * Credit in multiples of `after`: what comes back in a minute, and how much there can be. A client may come and go once a
 * second by the default; what only follows the noise of others has no credit of its own.
 */
const credits: Record<Folds, { aMinute: number; atMost: number }> = {
  never: { aMinute: 0, atMost: 0 },
  code: { aMinute: 1, atMost: 5 },
  address: { aMinute: 1, atMost: 5 },
  client: { aMinute: 6, atMost: 6 },
  noise: { aMinute: 0, atMost: 0 },
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

/** The key of those who came when the table was full; no source and no client is written like that. */
const EVERYBODY = '*';

interface Entry {
  folds: Folds;
  credit: number;
  creditAt: number;
  /** The credit was used up, and there was no quiet minute since. */
  folding: boolean;
  /** Begin of the minute that is told of next. */
  since: number;
  held: number;
  source: string | null;
  last: FoldedLine | null;
  lastAt: number;
}

export class Folding {
  /** Lines of one key that come back in a minute, see credits; 0 folds nothing. */
  after: number;
  #options: FoldingOptions;
  /** By kind, then by key: a connection that comes and goes is looked up three times, so that keys are short. */
  #kinds = new Map<string, Map<string, Entry>>();
  /** Entries of all kinds. */
  #size = 0;
  /** Where somebody comes from of whom something is held at present. */
  #noisy = new Set<string>();
  /** When the table may be looked through for quiet keys again. */
  #forgetAt = -Infinity;
  #timer: NodeJS.Timeout | null = null;

  constructor(after: number, options: FoldingOptions) {
    this.after = after;
    this.#options = options;
  }

  /** True when the line is not to be written now: it will be counted, or told as the last of its kind. */
  holds(as: LogClass, text: string, about: About): boolean {
    const row = rowOf(about.code);
    const { folds } = row;
    if (this.after === 0 || folds === 'never') return false;
    if (folds === 'noise' && this.#noisy.size === 0) return false;
    const source = sourceFor(folds, about);
    if (folds === 'noise' && (source === null || !this.#noisy.has(source))) return false;
    const now = this.#options.now();
    const entry = this.#entry(this.#kind(row, text, about.code), keyOf(folds, about, source), folds, source, now);
    if (this.#isPaid(entry, now)) return false;
    if (source !== null && folds !== 'noise') this.#noisy.add(source);
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
    for (const entries of this.#kinds.values()) {
      for (const entry of entries.values()) this.#tell(entry, this.#options.now());
    }
    this.#kinds.clear();
    this.#size = 0;
    this.#noisy.clear();
  }

  /** Ends the minutes that are over. Public for whoever has a clock of their own. */
  sweep(): void {
    const now = this.#options.now();
    this.#noisy.clear();
    for (const entries of this.#kinds.values()) {
      for (const [key, entry] of entries) {
        if (now - entry.since >= foldingBounds.windowMilliseconds) this.#endMinute(entries, key, entry, now);
        if (entry.folding && entry.folds !== 'noise' && entry.source !== null) this.#noisy.add(entry.source);
      }
    }
  }

  #look(): void {
    this.#timer = null;
    this.sweep();
    if (this.#size > 0) {
      this.#timer ??= setTimeout(() => this.#look(), foldingBounds.windowMilliseconds / 4).unref();
    }
  }

  /** What was folded goes on being folded until a minute was quiet. False when the entry is forgotten. */
  #endMinute(entries: Map<string, Entry>, key: string, entry: Entry, now: number): boolean {
    const isQuiet = entry.held === 0;
    const isOver = isQuiet && (entry.folding || this.#hasFullCredit(entry, now));
    if (!isQuiet) this.#tell(entry, now);
    if (isOver) {
      this.#forget(entries, key);
      entry.folding = false;
    }
    entry.since = now;
    return !isOver;
  }

  #forget(entries: Map<string, Entry>, key: string): void {
    entries.delete(key);
    this.#size--;
  }

  /** True while there is credit, which is used. */
  #isPaid(entry: Entry, now: number): boolean {
    if (entry.folding) return false;
    entry.credit = this.#creditOf(entry, now);
    entry.creditAt = now;
    if (entry.credit >= 1) {
      entry.credit--;
      return true;
    }
    entry.folding = true;
    entry.since = now;
    return false;
  }

  #creditOf({ folds, credit, creditAt }: Entry, now: number): number {
    const minutes = (now - creditAt) / foldingBounds.windowMilliseconds;
    return Math.min(this.after * credits[folds].atMost, credit + minutes * this.after * credits[folds].aMinute);
  }

  #hasFullCredit(entry: Entry, now: number): boolean {
    return this.#creditOf(entry, now) >= this.after * credits[entry.folds].atMost;
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

  #entry(entries: Map<string, Entry>, key: string, folds: Folds, source: string | null, now: number): Entry {
    const known = entries.get(key);
    if (known !== undefined) {
      const isRecent = now - known.since < foldingBounds.windowMilliseconds;
      // The end of a quiet minute is noticed here as well, for nobody sweeps while nothing is held.
      if (isRecent || this.#endMinute(entries, key, known, now)) return known;
    }
    if (this.#size >= foldingBounds.keysMax && now >= this.#forgetAt) this.#forgetQuiet(now);
    const isFull = this.#size >= foldingBounds.keysMax;
    const shared = isFull ? entries.get(EVERYBODY) : undefined;
    if (shared !== undefined) return shared;
    const entry = newEntry(folds, isFull ? null : source, this.after * credits[folds].atMost, now);
    entries.set(isFull ? EVERYBODY : key, entry);
    this.#size++;
    return entry;
  }

  /**
   * A line and our explanation below it share their code and are two kinds. News have none below; their texts, which have
   * just been put together and may never be written, are not looked at.
   */
  #kind({ kind }: CodeRow, text: string, code: Code): Map<string, Entry> {
    const name = kind !== 'news' && text.startsWith(' ') ? `${code}+` : code;
    const known = this.#kinds.get(name);
    if (known !== undefined) return known;
    const entries = new Map<string, Entry>();
    this.#kinds.set(name, entries);
    return entries;
  }

  #forgetQuiet(now: number): void {
    this.#forgetAt = now + foldingBounds.fullMilliseconds;
    for (const entries of this.#kinds.values()) {
      for (const [key, entry] of entries) {
        if (!entry.folding && this.#hasFullCredit(entry, now)) this.#forget(entries, key);
      }
    }
  }
}

function newEntry(folds: Folds, source: string | null, credit: number, now: number): Entry {
  return { folds, credit, creditAt: now, folding: false, since: now, held: 0, source, last: null, lastAt: 0 };
}

function sourceFor(folds: Folds, { address }: About): string | null {
  return folds === 'code' || address === undefined ? null : sourceOf(address);
}

function keyOf(folds: Folds, { client }: About, source: string | null): string {
  const from = source ?? '';
  return folds === 'client' ? `${client ?? ''} ${from}` : from;
}
