/** The tests that every store passes, whatever it is made of. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Store } from '../broker/ports.ts';

export function storeContract(name: string, open: () => Store): void {
  test(`${name}: whoever waits for the store's word is called once, in the order of asking`, async () => {
    const store = open();
    const called: number[] = [];
    for (const n of [1, 2, 3]) store.onSettled(() => called.push(n));
    while (!store.settled) await new Promise(resolve => setImmediate(resolve));
    assert.deepEqual(called, [1, 2, 3]);
  });

  test(`${name}: a store that was told nothing is settled`, () => {
    assert.equal(open().settled, true);
  });
}
