import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { qrCode, qrSvg, type Modules } from './qr.ts';
import { gaps, times } from './qr-correction.ts';

/**
 * Reads a drawn code back, from the standard and not from the drawer: format bits, mask, zigzag, blocks, syndromes.
 * Where data may stand is worked out again from the size.
 */
function read(modules: Modules): { text: string; syndromes: number } {
  const size = modules.length;
  const version = (size - 17) / 4;
  const dark = (x: number, y: number): number => (modules[y]![x] ? 1 : 0);
  let format = 0;
  for (const [x, y] of [[8, 0], [8, 1], [8, 2], [8, 3], [8, 4], [8, 5], [8, 7], [8, 8], [7, 8], [5, 8], [4, 8], [3, 8], [2, 8], [1, 8], [0, 8]].reverse() as [number, number][]) format = (format << 1) | dark(x, y); // prettier-ignore
  format ^= 0x5412;
  assert.equal(format >> 13, 0b01, 'level L');
  const mask = (format >> 10) & 7;
  const words = zigzag(size, (x, y) => isData(x, y, version), (x, y) => dark(x, y) ^ masked(mask, x, y)); // prettier-ignore
  const { perBlock, blocks } = gaps(version);
  const short = Math.floor(words.length / blocks);
  const long = words.length % blocks;
  const parts = Array.from({ length: blocks }, () => [] as number[]);
  let at = 0;
  for (let row = 0; row <= short - perBlock; row++) {
    parts.forEach((part, i) => (row < short - perBlock || i >= blocks - long) && part.push(words[at++]!));
  }
  const data = parts.flatMap(part => [...part]);
  for (let row = 0; row < perBlock; row++) for (const part of parts) part.push(words[at++]!);
  const bits = data.map(word => word.toString(2).padStart(8, '0')).join('');
  assert.equal(bits.slice(0, 4), '0100', 'byte mode');
  const lengthBits = version < 10 ? 8 : 16;
  const length = parseInt(bits.slice(4, 4 + lengthBits), 2);
  const bytes = Array.from({ length }, (_, i) => parseInt(bits.slice(4 + lengthBits + i * 8, 12 + lengthBits + i * 8), 2)); // prettier-ignore
  return {
    text: Buffer.from(bytes).toString(),
    syndromes: parts.reduce((sum, part) => sum + wrong(part, perBlock), 0),
  };
}

/** How many of a block's syndromes are not zero. */
function wrong(block: readonly number[], perBlock: number): number {
  let count = 0;
  for (let i = 0, root = 1; i < perBlock; i++, root = times(root, 2)) {
    if (block.reduce((sum, word) => times(sum, root) ^ word, 0) !== 0) count++;
  }
  return count;
}

function zigzag(
  size: number,
  isIn: (x: number, y: number) => boolean,
  bit: (x: number, y: number) => number,
): number[] {
  const bits: number[] = [];
  let up = true;
  for (let x = size - 1; x > 0; x -= 2, up = !up) {
    if (x === 6) x--;
    for (let i = 0; i < size; i++) {
      const y = up ? size - 1 - i : i;
      for (const column of [x, x - 1]) if (isIn(column, y)) bits.push(bit(column, y));
    }
  }
  return Array.from({ length: bits.length >> 3 }, (_, i) => parseInt(bits.slice(i * 8, i * 8 + 8).join(''), 2));
}

/** Second column of table E.1: the distances between alignment marks, as the standard lists their places. */
const alignmentPlaces: Record<number, number[]> = {
  1: [], 2: [6, 18], 6: [6, 34], 7: [6, 22, 38], 14: [6, 26, 46, 66], 20: [6, 34, 62, 90], 21: [6, 28, 50, 72, 94],
  23: [6, 30, 54, 78, 102], 32: [6, 34, 60, 86, 112, 138], 36: [6, 24, 50, 76, 102, 128, 154],
  40: [6, 30, 58, 86, 114, 142, 170],
}; // prettier-ignore

function isData(x: number, y: number, version: number): boolean {
  const size = version * 4 + 17;
  const finder = (x < 9 && y < 9) || (x > size - 9 && y < 9) || (x < 9 && y > size - 9);
  const info = version >= 7 && ((x > size - 12 && y < 6) || (y > size - 12 && x < 6));
  if (finder || info || x === 6 || y === 6) return false;
  const places = alignmentPlaces[version]!;
  const last = places.at(-1);
  return !places.some(cx =>
    places.some(cy => {
      const onFinder = (cx === 6 && cy === 6) || (cx === 6 && cy === last) || (cx === last && cy === 6);
      return !onFinder && Math.abs(x - cx) <= 2 && Math.abs(y - cy) <= 2;
    }),
  );
}

function masked(mask: number, x: number, y: number): number {
  const yes = [
    (x + y) % 2, y % 2, x % 3, (x + y) % 3, ((y >> 1) + Math.floor(x / 3)) % 2, ((x * y) % 2) + ((x * y) % 3),
    (((x * y) % 2) + ((x * y) % 3)) % 2, (((x + y) % 2) + ((x * y) % 3)) % 2,
  ][mask] === 0; // prettier-ignore
  return yes ? 1 : 0;
}

/** The most that versions 1, 2, 6, ... hold at level L, from the standard's table 7. */
const capacities: [version: number, bytes: number][] = [
  [1, 17], [2, 32], [6, 134], [7, 154], [14, 458], [20, 858], [21, 929], [23, 1091], [32, 1952], [36, 2431], [40, 2953],
]; // prettier-ignore

for (const [version, bytes] of capacities) {
  test(`a QR code of version ${version} holds ${bytes} bytes and reads back without an error`, () => {
    const text = Array.from({ length: bytes }, (_, i) => String.fromCharCode(33 + ((i * 7919) % 90))).join('');
    const modules = qrCode(text);
    assert.equal(modules.length, version * 4 + 17);
    assert.deepEqual(read(modules), { text, syndromes: 0 });
    if (version < 40) assert.ok(qrCode(`${text}x`).length > modules.length);
  });
}

test('whatever fits into a small QR code comes back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 8 }), text => {
      fc.pre(Buffer.byteLength(text) <= 32);
      assert.deepEqual(read(qrCode(text)), { text: Buffer.from(text).toString(), syndromes: 0 });
    }),
    { numRuns: 30 },
  );
});

test('what is too long for any QR code is refused, and an image has its white border', () => {
  assert.throws(() => qrCode('x'.repeat(2954)), RangeError);
  assert.match(qrSvg('hello'), /^<svg [^>]*viewBox="0 0 29 29"/);
});
