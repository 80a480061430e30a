import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { RingQueue } from './ring-queue.ts';

test('a ring queue gives back what an array would, in the same order', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer(), { nil: null })), steps => {
      const queue = new RingQueue<number>();
      const model: number[] = [];
      for (const step of steps) {
        if (step === null) assert.equal(queue.shift(), model.shift());
        else {
          queue.push(step);
          model.push(step);
        }
        assert.equal(queue.size, model.length);
        assert.equal(queue.peek(), model[0]);
        assert.deepEqual([...queue], model);
      }
      queue.filter(n => n % 2 === 0);
      assert.deepEqual(
        [...queue],
        model.filter(n => n % 2 === 0),
      );
    }),
  );
});
