import assert from 'node:assert/strict';
import test from 'node:test';
import { judgeGrowth, type Sample } from './slope.ts';

const bound = { share: 0.05, least: 8 };

/** A hundred samples, ten seconds apart. */
function series(value: (n: number) => number): Sample[] {
  return Array.from({ length: 100 }, (_, n) => ({ at: n * 10, value: value(n) }));
}

const noise = (n: number): number => ((n * 7919) % 11) - 5;

test('a series that only swings does not grow, bursts and warm-up included', () => {
  const steady = judgeGrowth(
    series(n => (n < 20 ? 2 * n : 100) + noise(n) + (n % 25 === 0 ? 500 : 0)),
    bound,
  );
  assert.equal(steady.grows, false);
});

test('a slow leak below the noise of single samples is found', () => {
  const leak = judgeGrowth(
    series(n => 100 + n * 0.2 + noise(n)),
    bound,
  );
  assert.equal(leak.grows, true);
  assert.ok(Math.abs(leak.growth - 15) < 2, `${leak.growth} instead of 15`);
});
