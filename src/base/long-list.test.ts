import assert from 'node:assert/strict';
import test from 'node:test';
import { LongList } from './long-list.ts';

test('a long list gives back what was put in, in order, across its pages', () => {
  const list = new LongList<number>();
  const model = Array.from({ length: 1000 }, (_, i) => i);
  for (const i of model) list.push(i);
  for (const i of [0, 255, 256, 999]) list.set(i, (model[i] = -i));
  assert.deepEqual([...list], model);
  assert.deepEqual(
    [0, 255, 256, 999, 1000, 5000].map(i => list.at(i)),
    [-0, -255, -256, -999, undefined, undefined],
  );
  assert.equal(list.length, 1000);
});
