/**
 * Whether a series of samples grows, judged by its slope.
 *
 *   warm-up │ measured                          The slope is Theil and Sen's: the median of the slopes between all pairs
 *   . .     │  .   .  .     .                   of samples, which single outliers (a burst, a late collection) do not
 *  .        │.   .   .  . .                     move. Slope times the time measured is the growth.
 *
 * Growth is a fault if it is more than `share` of the median and more than `least`, which is the size of chance.
 */
export interface Sample {
  /** Seconds since the start. */
  at: number;
  value: number;
}

export interface Bound {
  /** Of the median. */
  share: number;
  /** In the unit of the series. */
  least: number;
}

export interface Verdict {
  median: number;
  first: number;
  last: number;
  /** Over the time measured. */
  growth: number;
  allowed: number;
  grows: boolean;
}

/** A quarter of the run: caches fill, sessions come into being, code is compiled. */
export const WARM_UP_SHARE = 0.25;

export function judgeGrowth(samples: readonly Sample[], { share, least }: Bound): Verdict {
  const end = samples.at(-1)?.at ?? 0;
  const measured = samples.filter(({ at }) => at >= end * WARM_UP_SHARE);
  const [first, last] = [measured[0]!, measured.at(-1)!];
  const middle = median(measured.map(({ value }) => value));
  const growth = theilSen(measured) * (last.at - first.at);
  const allowed = Math.max(least, share * middle);
  return { median: middle, first: first.value, last: last.value, growth, allowed, grows: growth > allowed };
}

function theilSen(samples: readonly Sample[]): number {
  const slopes = samples.flatMap((a, i) => samples.slice(i + 1).map(b => (b.value - a.value) / (b.at - a.at)));
  return slopes.length === 0 ? 0 : median(slopes);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
