import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { runsOf } from './delete-runs.ts';

test('runs are made of exactly the numbers given, in their order', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(30)), numbers => {
      const runs = [...runsOf(numbers)];
      const spread = runs.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, n) => first + n));
      assert.deepEqual(spread, numbers);
      for (const [at, [first]] of runs.entries()) if (at > 0) assert.notEqual(first, runs[at - 1]![1] + 1);
    }),
  );
});
