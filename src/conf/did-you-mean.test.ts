import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'node:test';
import { editDistance, explainUnknown, nearest } from './did-you-mean.ts';
import { optionNames } from './options/table.ts';

test('a mistyped option finds the one that was meant', () => {
  const meant: [string, string][] = [
    ['max_inflight_mesages', 'max_inflight_messages'],
    ['alow_anonymous', 'allow_anonymous'],
    ['Allow_Anonymous', 'allow_anonymous'],
    ['allow-anonymous', 'allow_anonymous'],
    ['lisetner', 'listener'],
    ['cafiel', 'cafile'],
    ['password_fil', 'password_file'],
  ];
  for (const [written, name] of meant) assert.equal(nearest(written, optionNames)[0], name);
});

test('a word that is like none finds none', () => {
  assert.deepEqual(nearest('hello_world_and_more', optionNames), []);
  assert.match(explainUnknown('hello_world_and_more').join(), /No option is spelled like this/);
});

test('an equals sign, a colon or a foreign comment is explained', () => {
  assert.match(explainUnknown('listner=1883').join(), /Write a space instead of '=': 'listener VALUE'/);
  assert.match(explainUnknown('listener:').join(), /Write a space instead of ':'/);
  assert.match(explainUnknown('// note').join(), /Comments begin with '#'/);
  assert.match(explainUnknown(';note').join(), /Comments begin with '#'/);
});

test('the distance is symmetric, 0 for equal words only, and never more than the longer word', () => {
  const word = fc.string({ maxLength: 8 });
  fc.assert(
    fc.property(word, word, (left, right) => {
      const distance = editDistance(left, right, 20);
      assert.equal(distance, editDistance(right, left, 20));
      assert.equal(distance === 0, left === right);
      assert.ok(distance <= Math.max(left.length, right.length));
    }),
  );
});
