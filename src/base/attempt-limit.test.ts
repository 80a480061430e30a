import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceOf } from './address.ts';
import { AttemptLimit } from './attempt-limit.ts';

const newLimit = (): AttemptLimit =>
  new AttemptLimit({ freeFailures: 5, firstWaitMs: 2000, waitMsMax: 600_000, forgetMs: 600_000 });

function failing(limit: AttemptLimit, key: string, times: number, now = 0): number {
  for (let i = 0; i < times; i++) limit.failed(key, now);
  return limit.waitMs(key, now);
}

test('so many failures are free; then each doubles the wait, up to the longest', () => {
  const waits = [5, 6, 7, 8, 30].map(times => failing(newLimit(), '192.0.2.1', times));
  assert.deepEqual(waits, [0, 2000, 4000, 8000, 600_000]);
});

test('a success, and a quiet while, forget them', () => {
  const limit = newLimit();
  failing(limit, '192.0.2.1', 30);
  assert.equal(limit.waitMs('192.0.2.1', 600_000), 0);
  limit.succeeded('192.0.2.1');
  assert.equal(limit.waitMs('192.0.2.1', 0), 0);
});

test('a flood from many addresses does not make the table grow without end', () => {
  const limit = newLimit();
  for (let i = 0; i < 12_000; i++) limit.failed(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, i);
  assert.equal(limit.size, 10_000);
});

test('an IPv6 host is its /64, and an IPv4 address is one however it was heard', () => {
  assert.equal(sourceOf('2001:db8:1:2::1'), '2001:db8:1:2::/64');
  assert.equal(sourceOf('2001:0db8:1:2:ffff::9'), '2001:db8:1:2::/64');
  assert.equal(sourceOf('fe80::1%eth0'), 'fe80:0:0:0::/64');
  assert.equal(sourceOf('::ffff:192.0.2.7'), '192.0.2.7');
  assert.equal(sourceOf('/run/zancudo.sock'), '/run/zancudo.sock');
});
