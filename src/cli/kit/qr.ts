/**
 * Draws QR codes (ISO/IEC 18004): a text in, a square of dark and light modules out.
 *
 *   text -> bytes -> code words -> blocks with Reed-Solomon words -> zigzag into the square -> the best of 8 masks
 *
 * Byte mode and error correction level L, all 40 sizes: up to 2,953 bytes, of which a certificate in PEM is a quarter.
 */
import { gaps, reedSolomon } from './qr-correction.ts';
import { FunctionPatterns } from './qr-patterns.ts';

/** Rows of modules; true is dark. */
export type Modules = readonly (readonly boolean[])[];

export function qrCode(text: string): Modules {
  const bytes = Buffer.from(text);
  const version = versionFor(bytes.length);
  const words = interleaved(dataWords(bytes, version), version);
  let best: boolean[][] = [];
  let lowest = Infinity;
  for (let mask = 0; mask < 8; mask++) {
    const modules = drawn(words, version, mask);
    const penalty = penaltyOf(modules);
    if (penalty >= lowest) continue;
    best = modules;
    lowest = penalty;
  }
  return best;
}

/** Words of a version that are left for data. */
function capacity(version: number): number {
  const { perBlock, blocks } = gaps(version);
  return Math.floor(rawBits(version) / 8) - perBlock * blocks;
}

/** All modules without the function patterns. */
function rawBits(version: number): number {
  const alignments = version < 2 ? 0 : Math.floor(version / 7) + 2;
  const without = (16 * version + 128) * version + 64;
  const withAlignment = alignments === 0 ? without : without - (25 * alignments - 10) * alignments + 55;
  return version < 7 ? withAlignment : withAlignment - 36;
}

/** Mode and length take 12 bits up to version 9, 20 from then on. */
const headerBits = (version: number): number => (version < 10 ? 12 : 20);

function versionFor(length: number): number {
  for (let version = 1; version <= 40; version++) {
    if (length * 8 + headerBits(version) <= capacity(version) * 8) return version;
  }
  throw new RangeError(`${length} bytes do not fit into a QR code`);
}

function dataWords(bytes: Buffer, version: number): number[] {
  const bits: number[] = [];
  const put = (value: number, count: number): void => {
    for (let at = count - 1; at >= 0; at--) bits.push((value >>> at) & 1);
  };
  put(0b0100, 4);
  put(bytes.length, headerBits(version) - 4);
  for (const byte of bytes) put(byte, 8);
  const wanted = capacity(version) * 8;
  put(0, Math.min(4, wanted - bits.length));
  while (bits.length % 8 !== 0) bits.push(0);
  for (let filler = 0xec; bits.length < wanted; filler ^= 0xec ^ 0x11) put(filler, 8);
  return Array.from({ length: bits.length / 8 }, (_, i) => parseInt(bits.slice(i * 8, i * 8 + 8).join(''), 2));
}

/** Short blocks come first; word by word through all blocks, data before correction. */
function interleaved(data: readonly number[], version: number): number[] {
  const { perBlock, blocks } = gaps(version);
  const raw = Math.floor(rawBits(version) / 8);
  const short = Math.floor(raw / blocks) - perBlock;
  const shortBlocks = blocks - (raw % blocks);
  let taken = 0;
  const parts = Array.from({ length: blocks }, (_, i) => {
    const length = short + (i < shortBlocks ? 0 : 1);
    const words = data.slice(taken, (taken += length));
    return { words, correction: reedSolomon(words, perBlock) };
  });
  const columns = (pick: (part: (typeof parts)[number]) => readonly number[], height: number): number[] =>
    Array.from({ length: height }, (_, row) => parts.flatMap(part => pick(part)[row] ?? [])).flat();
  return [...columns(part => part.words, short + 1), ...columns(part => part.correction, perBlock)];
}

const masks: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_x, y) => y % 2 === 0,
  x => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

function drawn(words: readonly number[], version: number, mask: number): boolean[][] {
  const patterns = new FunctionPatterns(version, mask);
  const { size, modules } = patterns;
  let at = 0;
  for (let right = size - 1; right >= 1; right -= 2) {
    // The column of the timing pattern is skipped.
    if (right === 6) right = 5;
    const upward = ((right + 1) & 2) === 0;
    for (let step = 0; step < size; step++) {
      const y = upward ? size - 1 - step : step;
      for (const x of [right, right - 1]) {
        if (patterns.has(x, y)) continue;
        const bit = (((words[at >> 3] ?? 0) >> (7 - (at & 7))) & 1) === 1;
        at++;
        modules[y]![x] = bit !== masks[mask]!(x, y);
      }
    }
  }
  return modules;
}

/** How hard a code is to read: long runs, blocks, things that look like finders, an uneven share of dark. */
function penaltyOf(modules: readonly (readonly boolean[])[]): number {
  const size = modules.length;
  const rows = modules.map(row => row.map(Number).join(''));
  const columns = rows.map((_, x) => rows.map(row => row[x]).join(''));
  let penalty = 0;
  for (const line of [...rows, ...columns]) {
    for (const run of line.match(/0{5,}|1{5,}/g) ?? []) penalty += run.length - 2;
    penalty += 40 * (line.match(/(?=10111010000|00001011101)/g)?.length ?? 0);
  }
  for (let y = 1; y < size; y++) {
    for (let x = 1; x < size; x++) {
      const module = modules[y]![x];
      if (module === modules[y - 1]![x] && module === modules[y]![x - 1] && module === modules[y - 1]![x - 1])
        penalty += 3;
    }
  }
  const dark = rows.join('').replaceAll('0', '').length / (size * size);
  return penalty + 10 * Math.floor(Math.abs(dark - 0.5) * 20);
}

/** As an SVG image that grows with its surroundings; four modules of white around it are part of the code. */
export function qrSvg(text: string): string {
  const modules = qrCode(text);
  const size = modules.length + 8;
  const path = modules.flatMap((row, y) => row.flatMap((dark, x) => (dark ? `M${x + 4} ${y + 4}h1v1h-1z` : [])));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges" role="img"><path fill="#fff" d="M0 0h${size}v${size}H0z"/><path d="${path.join('')}"/></svg>`;
}
