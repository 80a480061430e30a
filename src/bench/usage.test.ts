import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMemory, parseTicks, usageOf } from './usage.ts';

const stat = (name: string): string =>
  `7 (${name}) S 1 7 7 0 -1 4194304 1 2 3 4 150 50 9 9 20 0 11 0 100 1000 200 18446744073709551615 1 1 0`;

test('user and system time are found whatever the name of the process holds', () => {
  for (const name of ['node', 'a b', 'x) S 1 (y', ')']) assert.equal(parseTicks(stat(name)), 2);
});

test('what is no line of /proc/PID/stat gives no time', () => {
  for (const text of ['', '7 (node', 'nonsense']) assert.equal(parseTicks(text), null);
});

test('resident and proportional memory come from the roll-up', () => {
  const rollup = '55d-7ff ---p 0 00:00 0 [rollup]\nRss:   1748 kB\nPss:    303 kB\nPss_Dirty: 120 kB\n';
  assert.deepEqual(parseMemory(rollup), { rssKb: 1748, pssKb: 303 });
  assert.deepEqual(parseMemory(''), { rssKb: 0, pssKb: 0 });
});

test(
  'a process that has gone is not counted, one that lives has time and memory',
  { skip: process.platform !== 'linux' && 'needs /proc' },
  () => {
    const usage = usageOf([process.pid, 2 ** 22 + 1]);
    assert.equal(usage.found, 1);
    assert.ok(usage.cpuSeconds > 0 && usage.rssKb > 0);
  },
);
