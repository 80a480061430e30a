/** Reed-Solomon over GF(256) as QR codes use it (ISO/IEC 18004, 7.5 and table 9), for level L. */

/** Correction words per block, and blocks, of versions 1 to 40. */
const perBlock = [7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28, 28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30]; // prettier-ignore
const blocks = [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25]; // prettier-ignore

export function gaps(version: number): { perBlock: number; blocks: number } {
  return { perBlock: perBlock[version - 1] ?? 0, blocks: blocks[version - 1] ?? 0 };
}

/** The remainder of the words, as a polynomial, divided by the generator of that degree. */
export function reedSolomon(words: readonly number[], degree: number): number[] {
  const divisor = generator(degree);
  let remainder = new Array<number>(degree).fill(0);
  for (const word of words) {
    const factor = word ^ (remainder[0] ?? 0);
    remainder = [...remainder.slice(1), 0].map((each, i) => each ^ times(divisor[i] ?? 0, factor));
  }
  return remainder;
}

/** (x - 1)(x - 2)(x - 4)..., without the leading 1. */
function generator(degree: number): number[] {
  let polynomial = new Array<number>(degree - 1).fill(0).concat(1);
  for (let root = 1, i = 0; i < degree; i++, root = times(root, 2)) {
    polynomial = polynomial.map((each, at) => times(each, root) ^ (polynomial[at + 1] ?? 0));
  }
  return polynomial;
}

/** Multiplication in the field of x^8 + x^4 + x^3 + x^2 + 1. */
export function times(a: number, b: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) {
    product = (product << 1) ^ ((product >> 7) * 0x11d);
    product ^= ((b >> bit) & 1) * a;
  }
  return product;
}
