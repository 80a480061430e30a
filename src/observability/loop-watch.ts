/**
 * How late the event loop is, and how much of its time it works.
 *
 * Ten times a second a timer says when it should have come and when it came. One long task shows as one late timer; a
 * loop that is always busy shows as many. Kept as a histogram that only grows, so that any number of readers can take
 * differences of it.
 */
import { performance } from 'node:perf_hooks';

const LOOK_EVERY_MS = 100;

/** Upper bounds in seconds; one more takes what is above. A timer of Node's is up to 1.1 ms late by nature. */
export const lateBounds: readonly number[] = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

export interface Histogram {
  bounds: readonly number[];
  /** How many fell below each bound and above the one before; the last is what is above all. */
  counts: readonly number[];
  sum: number;
}

export class LoopWatch {
  readonly #counts = new Array<number>(lateBounds.length + 1).fill(0);
  #sum = 0;
  #expected = 0;
  #timer: NodeJS.Timeout | null = null;

  /** Does not keep the process alive. */
  start(): void {
    this.#expected = performance.now() + LOOK_EVERY_MS;
    this.#timer = setInterval(() => this.#look(performance.now()), LOOK_EVERY_MS).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  note(lateSeconds: number): void {
    const at = lateBounds.findIndex(bound => lateSeconds <= bound);
    this.#counts[at === -1 ? lateBounds.length : at]!++;
    this.#sum += lateSeconds;
  }

  get late(): Histogram {
    return { bounds: lateBounds, counts: [...this.#counts], sum: this.#sum };
  }

  /** Seconds since the process began in which the loop was at work. */
  get busySeconds(): number {
    return performance.eventLoopUtilization().active / 1000;
  }

  #look(now: number): void {
    this.note(Math.max(0, now - this.#expected) / 1000);
    // From now on again: a missed look is one late look, not many.
    this.#expected = now + LOOK_EVERY_MS;
  }
}

/** The bound that this share of all values does not pass; Infinity when it lies above the last, 0 without any value. */
export function quantile({ bounds, counts }: Histogram, share: number): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  for (const [i, count] of counts.entries()) {
    seen += count;
    if (total > 0 && seen >= share * total) return bounds[i] ?? Infinity;
  }
  return 0;
}
