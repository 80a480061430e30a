import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { folded } from './fold.ts';

const shown = (text: string): string =>
  folded([...text], each => each).map(({ items, again }) => items.join('') + (again > 0 ? `(${again})` : '')).join(' '); // prettier-ignore

test('what comes again three times and more is told once', () => {
  assert.equal(shown('ababababc'), 'ab(3) c');
  assert.equal(shown('aaaab'), 'a(3) b');
  assert.equal(shown('xyzxyzxyz'), 'x y z x y z x y z');
});

test('nothing is lost: told in full, the runs are what happened', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 60 }), happened => {
      const runs = folded(happened, each => each);
      const told = runs.flatMap(({ items, again }) => Array.from({ length: again + 1 }, () => items).flat());
      assert.deepEqual(told, happened);
    }),
  );
});
