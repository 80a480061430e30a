/** When do a handful of noisy ratios say that something has become slower? */
import { median } from './statistics.ts';

export type Verdict = 'slower' | 'fine' | 'unclear';

/** A ratio above this is a regression. */
export const regression = 1.15;
export const roundsAtLeast = 3;
export const roundsAtMost = 11;

/**
 * Slower: the median says so, and so do all rounds but one in four; a neighbour who disturbs a round or two cannot
 * bring that about. Fine: the median is clearly below. Else another round is asked for, and at the end doubt is unclear,
 * which does not fail: a guard that cries wolf is switched off.
 */
export function judge(ratios: readonly number[]): Verdict {
  if (ratios.length < roundsAtLeast) return 'unclear';
  const middle = median(ratios);
  const above = ratios.filter(ratio => ratio > regression).length;
  if (middle > regression && above >= ratios.length * 0.75) return 'slower';
  const isNear = middle > (1 + regression) / 2;
  return isNear || Number.isNaN(middle) ? 'unclear' : 'fine';
}
