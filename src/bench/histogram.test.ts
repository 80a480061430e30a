import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Histogram } from './histogram.ts';

test('a quantile is within one per cent of what sorting all samples gives', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { minLength: 1 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (samples, q) => {
        const histogram = new Histogram();
        for (const sample of samples) histogram.add(sample);
        const sorted = [...samples].sort((a, b) => a - b);
        const exact = sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]! / 10;
        assert.ok(Math.abs(histogram.quantile(q) - exact) <= exact * 0.01 + 0.1);
      },
    ),
  );
});

test('coarse rows hold every sample, from the first that is not empty to the last', () => {
  const histogram = new Histogram();
  for (const micros of [0.4, 3, 4, 30, 31, 7000]) histogram.add(micros * 10);
  assert.deepEqual(histogram.coarse(), [
    { fromMicros: 0, count: 1 },
    { fromMicros: 2, count: 2 },
    { fromMicros: 20, count: 2 },
    { fromMicros: 5000, count: 1 },
  ]);
});

test('nothing added is told as nothing, and time that ran backwards as zero', () => {
  const histogram = new Histogram();
  assert.deepEqual([histogram.quantile(0.5), histogram.coarse()], [0, []]);
  histogram.add(-5);
  assert.equal(histogram.quantile(1), 0);
});
