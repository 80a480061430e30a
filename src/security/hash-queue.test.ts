import assert from 'node:assert/strict';
import test from 'node:test';
import { HashQueue } from './hash-queue.ts';

function gate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

test('no more than the allowed number of checks run at once, and the rest follow in order', async () => {
  const queue = new HashQueue(10, 2);
  const gates = Array.from({ length: 5 }, gate);
  const started: number[] = [];
  const done = gates.map((g, i) =>
    queue.run(async () => {
      started.push(i);
      await g.opened;
      return i;
    }),
  );
  for (const [i, g] of gates.entries()) {
    assert.deepEqual(started, [0, 1, 2, 3, 4].slice(0, Math.min(i + 2, 5)));
    g.open();
    assert.equal(await done[i], i);
    await new Promise(setImmediate);
  }
});

test('when the queue is full the next login is refused at once and counted', async () => {
  const queue = new HashQueue(1, 1);
  const g = gate();
  const first = queue.run(() => g.opened);
  const second = queue.run(() => 'second');
  assert.equal(
    queue.run(() => 'third'),
    null,
  );
  assert.equal(queue.refused, 1);
  g.open();
  await first;
  assert.equal(await second, 'second');
  assert.equal(await queue.run(() => 'fourth'), 'fourth');
});

test('a check that fails makes room for the next one', async () => {
  const queue = new HashQueue(5, 1);
  const failing = queue.run(() => Promise.reject(new Error('out of memory')));
  const next = queue.run(() => 'next');
  await assert.rejects(failing!, /out of memory/);
  assert.equal(await next, 'next');
});
