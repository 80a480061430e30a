/**
 * What happens again and again is told once:
 *
 *   A B  A B  A B  A B  C   ->   A B  "these 2 lines 3 times more, the last time at ..."  C
 */
const PERIOD_MAX = 6;
/** A line that is there twice is read faster than a remark about it. */
const REPEATS_MIN = 3;

export interface Run<T> {
  items: readonly T[];
  /** How often the same came again after it. */
  again: number;
  /** The last of those. */
  last: T;
}

export function folded<T>(items: readonly T[], alike: (item: T) => string): Run<T>[] {
  const keys = items.map(alike);
  const runs: Run<T>[] = [];
  for (let at = 0; at < items.length;) {
    const { period, again } = repetitionAt(keys, at);
    const end = at + period * (again + 1);
    runs.push({ items: items.slice(at, at + period), again, last: items[end - 1]! });
    at = end;
  }
  return runs;
}

function repetitionAt(keys: readonly string[], at: number): { period: number; again: number } {
  for (let period = 1; period <= PERIOD_MAX; period++) {
    let again = 0;
    while (isSame(keys, at, at + (again + 1) * period, period)) again++;
    if (again >= REPEATS_MIN) return { period, again };
  }
  return { period: 1, again: 0 };
}

function isSame(keys: readonly string[], one: number, other: number, length: number): boolean {
  if (other + length > keys.length) return false;
  for (let i = 0; i < length; i++) if (keys[one + i] !== keys[other + i]) return false;
  return true;
}
