import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Arena } from './arena.ts';

/** Writes one packet of so many bytes, all of them `mark`. */
function write(arena: Arena, bytes: number, mark: number): Buffer {
  const start = arena.reserve(bytes);
  arena.slab.fill(mark, start, start + bytes);
  arena.position = start + bytes;
  return arena.slab.subarray(start, start + bytes);
}

const step = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 1, max: 30_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 200_000 }) },
  { weight: 4, arbitrary: fc.constant('rewind' as const) },
  { weight: 2, arbitrary: fc.constant('keep' as const) },
);

test('what somebody holds is never written again, whatever comes after it', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), steps => {
      const arena = new Arena();
      const held: [Buffer, number][] = [];
      let turn: [Buffer, number][] = [];
      for (const [mark, what] of steps.entries()) {
        if (typeof what === 'number') turn.push([write(arena, what, mark), mark]);
        else {
          if (what === 'keep') held.push(...turn);
          turn = [];
          arena[what]();
        }
      }
      for (const [bytes, mark] of [...held, ...turn]) assert.ok(bytes.every(byte => byte === mark));
    }),
    { numRuns: 300 },
  );
});

test('turns that leave nothing behind are written to the same memory', () => {
  const arena = new Arena();
  const places = new Set<ArrayBufferLike>();
  for (let turn = 0; turn < 50; turn++) {
    for (let packet = 0; packet < 40; packet++) places.add(write(arena, 5000, 1).buffer);
    arena.rewind();
  }
  assert.equal(places.size, 4);
});
