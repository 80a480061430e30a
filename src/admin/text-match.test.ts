import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nameMatcher, topicMatcher } from './text-match.ts';

test('a pattern is a name, or has * and ? in it, or is an MQTT filter', () => {
  const rows: [pattern: string, name: string, matches: boolean][] = [
    ['lamp1', 'lamp1', true],
    ['lamp1', 'lamp12', false],
    ['lamp*', 'lamp12', true],
    ['*1?', 'lamp12', true],
    ['l?mp', 'lp', false],
    ['home/#', 'home', true],
    ['home/#', 'home/a/b', true],
    ['home/+/temp', 'home/kitchen/temp', true],
    ['home/+', 'home/kitchen/temp', false],
    ['home/+', 'home', false],
    ['*/temp', 'home/kitchen/temp', true],
  ];
  for (const [pattern, name, matches] of rows) assert.equal(nameMatcher(pattern)(name), matches, `${pattern} ${name}`);
});

test('stars mean what they mean to a regular expression', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '.'), maxLength: 12 });
  fc.assert(
    fc.property(text, fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 14 }), (pattern, name) => {
      const same = pattern.replace(/[.]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.');
      assert.equal(nameMatcher(pattern)(name), new RegExp(`^${same}$`, 's').test(name));
    }),
    { numRuns: 5000 },
  );
});

test('a pattern of many stars costs no more than its length times that of the name', () => {
  assert.equal(nameMatcher(`${'*a'.repeat(2000)}b`)('a'.repeat(60_000)), false);
});

test('topics of the broker itself are meant only by a pattern that begins like them', () => {
  assert.deepEqual([topicMatcher('#')('$SYS/x'), topicMatcher(null)('$SYS/x'), topicMatcher('$SYS/#')('$SYS/x')], [false, false, true]); // prettier-ignore
});
