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
  // Whoever has held longest sends what he holds of so many turns.
  { weight: 3, arbitrary: fc.record({ turns: fc.integer({ min: 1, max: 4 }) }) },
);

test('what somebody holds is never written again, whatever comes after it', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), steps => {
      const arena = new Arena();
      const held: { number: number; pieces: [Buffer, number][] }[] = [];
      let pieces: [Buffer, number][] = [];
      let number = 0;
      for (const [mark, what] of steps.entries()) {
        if (typeof what === 'number') pieces.push([write(arena, what, mark), mark]);
        else {
          number++;
          if (what === 'rewind') arena.rewind();
          else {
            held.push({ number, pieces });
            arena.keep(number);
          }
          pieces = [];
          if (typeof what === 'object') held.splice(0, what.turns);
          arena.release(held[0]?.number ?? Infinity);
        }
      }
      const all = [...held.flatMap(turn => turn.pieces), ...pieces];
      for (const [bytes, mark] of all) assert.ok(bytes.every(byte => byte === mark));
    }),
    { numRuns: 500 },
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

test('what was held is written to again once nobody holds it', () => {
  const arena = new Arena();
  const places = new Set<ArrayBufferLike>();
  for (let turn = 1; turn <= 50; turn++) {
    for (let packet = 0; packet < 40; packet++) places.add(write(arena, 5000, 1).buffer);
    arena.keep(turn);
    arena.release(turn - 1);
  }
  assert.ok(places.size <= 16, `${places.size} slabs`);
});

test('large packets are written to the same memory, too', () => {
  const arena = new Arena();
  const places = new Set<ArrayBufferLike>();
  for (let turn = 0; turn < 50; turn++) {
    for (let packet = 0; packet < 8; packet++) places.add(write(arena, 65_600 + turn, 1).buffer);
    arena.rewind();
  }
  assert.ok(places.size <= 9, `${places.size} blocks`);
});

test('memory of one large packet is not kept for small ones', () => {
  const arena = new Arena();
  write(arena, 10_000_000, 1);
  arena.keep(1);
  arena.release(2);
  assert.ok(write(arena, 10, 1).buffer.byteLength < 100_000);
});
