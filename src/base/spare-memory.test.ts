import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SpareMemory } from './spare-memory.ts';

const MEGABYTE = 1_048_576;

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ bytes: fc.integer({ min: 4097, max: 5 * MEGABYTE }) }) },
  { weight: 5, arbitrary: fc.record({ giveBack: fc.nat() }) },
  { weight: 1, arbitrary: fc.constant('letIdleGo' as const) },
);

test('nobody is given memory that somebody else has, too little of it or four times too much', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), steps => {
      const memory = new SpareMemory();
      const inUse: Buffer[] = [];
      for (const what of steps) {
        if (what === 'letIdleGo') memory.letIdleGo();
        else if ('bytes' in what) {
          const block = memory.take(what.bytes);
          assert.ok(block.length >= what.bytes && block.length < 4 * what.bytes && !inUse.includes(block));
          inUse.push(block);
        } else for (const block of inUse.splice(what.giveBack % (inUse.length + 1), 1)) memory.giveBack(block);
      }
    }),
    { numRuns: 30 },
  );
});

test('ten packets of a megabyte that come together take turns in the same memory', () => {
  const memory = new SpareMemory();
  const places = new Set<Buffer>();
  for (let turn = 0; turn < 20; turn++) {
    const blocks = Array.from({ length: 10 }, () => memory.take(1_000_000));
    for (const block of blocks) places.add(block);
    for (const block of blocks) memory.giveBack(block);
  }
  assert.equal(places.size, 10);
});

test('what nobody has needed since the last time is let go, and what somebody needed is not', () => {
  const memory = new SpareMemory();
  const blocks = Array.from({ length: 10 }, () => memory.take(MEGABYTE));
  for (const block of blocks) memory.giveBack(block);
  memory.letIdleGo();
  const needed = [1, 2, 3].map(() => memory.take(MEGABYTE));
  for (const block of needed) memory.giveBack(block);
  memory.letIdleGo();
  const again = [1, 2, 3, 4].map(() => memory.take(MEGABYTE));
  assert.deepEqual(
    again.map(block => blocks.includes(block)),
    [true, true, true, false],
  );
});

test('sixteen megabytes wait to be used again, whatever is given back', () => {
  const memory = new SpareMemory();
  const blocks = Array.from({ length: 40 }, () => memory.take(MEGABYTE));
  for (const block of blocks) memory.giveBack(block);
  const again = Array.from({ length: 40 }, () => memory.take(MEGABYTE));
  assert.equal(again.filter(block => blocks.includes(block)).length, 16);
});
