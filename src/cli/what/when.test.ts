import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../ca/subcommand.ts';
import { momentOf } from './when.ts';

const now = new Date(2026, 10, 22, 12, 0, 0).getTime();
const at = (...parts: [number, number, number, number, number, number]): number => new Date(...parts).getTime();

test('a time of day is the last one of that name, in the time of this machine', () => {
  assert.equal(momentOf('03:12', now), at(2026, 10, 22, 3, 12, 0));
  assert.equal(momentOf('23:59:30', now), at(2026, 10, 21, 23, 59, 30));
});

test('a date is a day here, not in Greenwich, unless it says otherwise', () => {
  assert.equal(momentOf('2026-11-20', now), at(2026, 10, 20, 0, 0, 0));
  assert.equal(momentOf('2026-11-20 03:12', now), at(2026, 10, 20, 3, 12, 0));
  assert.equal(momentOf('2026-11-20T03:12Z', now), Date.UTC(2026, 10, 20, 3, 12));
});

test('so long ago', () => {
  assert.deepEqual(['90s', '30m', '2h', '3d', 'now'].map(each => (now - momentOf(each, now)) / 1000), [90, 1800, 7200, 259_200, 0]);
}); // prettier-ignore

test('what is no time is refused with what would be one', () => {
  for (const text of ['', 'yesterday', '25:00', '3:7', '2026-13-40', '5 fortnights']) {
    assert.throws(() => momentOf(text, now), UsageError, text);
  }
});
