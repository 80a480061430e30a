import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AttemptLimit } from './attempt-limit.ts';

function failing(limit: AttemptLimit, address: string, times: number, now = 0): number {
  for (let i = 0; i < times; i++) limit.failed(address, now);
  return limit.waitMs(address, now);
}

test('five failures are free; then each doubles the wait, up to ten minutes', () => {
  const waits = [5, 6, 7, 8, 30].map(times => failing(new AttemptLimit(), '192.0.2.1', times));
  assert.deepEqual(waits, [0, 2000, 4000, 8000, 600_000]);
});

test('a success, and ten quiet minutes, forget them', () => {
  const limit = new AttemptLimit();
  failing(limit, '192.0.2.1', 30);
  assert.equal(limit.waitMs('192.0.2.1', 600_000), 0);
  limit.succeeded('192.0.2.1');
  assert.equal(limit.waitMs('192.0.2.1', 0), 0);
});

test('an IPv6 host is its /64, and an IPv4 address is one however it was heard', () => {
  const limit = new AttemptLimit();
  failing(limit, '2001:db8:1:2::1', 6);
  assert.ok(limit.waitMs('2001:0db8:1:2:ffff::9', 0) > 0);
  assert.equal(limit.waitMs('2001:db8:1:3::1', 0), 0);
  failing(limit, '::ffff:192.0.2.7', 6);
  assert.ok(limit.waitMs('192.0.2.7', 0) > 0);
});

test('a flood from many addresses does not make the table grow without end', () => {
  const limit = new AttemptLimit();
  for (let i = 0; i < 12_000; i++) limit.failed(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, i);
  assert.equal(limit.size, 10_000);
});
