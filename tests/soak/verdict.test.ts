import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultsOf, type Taking } from './verdict.ts';

/** One number a second; a new connection where the list is cut. */
const taken = (...connections: number[][]): Taking[] => {
  let at = 0;
  return connections.flatMap((numbers, n) => numbers.map(number => ({ number, at: at++, connection: n + 1 })));
};
const upTo = (count: number): Set<number> => new Set(Array.from({ length: count }, (_, n) => n));

test('a stream that came whole and in order is faultless, and at QoS 1 may repeat itself', () => {
  assert.deepEqual(faultsOf(taken([0, 1, 2], [3]), upTo(4), 2), []);
  assert.deepEqual(faultsOf(taken([0, 1], [1, 2]), upTo(3), 1), []);
});

test('what was lost or doubled is counted and named', () => {
  assert.deepEqual(faultsOf(taken([0, 2], [2]), upTo(3), 2), [
    '1 acknowledged messages lost, the first is 1',
    '1 came twice at QoS 2, the first is 2 at 2.0 s on connection 2',
  ]);
});

test('what came late is told with what came before it, and whether that was over a reconnect', () => {
  assert.deepEqual(faultsOf(taken([0, 2, 3], [1, 4]), upTo(5), 2), [
    '1 out of order: 1 at 3.0 s on connection 2, after 2 at 1.0 s on connection 1',
  ]);
});
