/**
 * The fixed parts of a QR code: three finders, timing lines, alignment marks, format and version (ISO/IEC 18004, 6.3
 * and 7.9). What they cover is not data.
 */
export class FunctionPatterns {
  readonly size: number;
  readonly modules: boolean[][];
  private readonly covered: boolean[][];
  private readonly version: number;

  constructor(version: number, mask: number) {
    this.version = version;
    this.size = version * 4 + 17;
    const square = (): boolean[][] =>
      Array.from({ length: this.size }, () => new Array<boolean>(this.size).fill(false));
    this.modules = square();
    this.covered = square();
    this.timing();
    for (const [x, y] of [[3, 3], [this.size - 4, 3], [3, this.size - 4]] as const) this.finder(x, y); // prettier-ignore
    this.alignments();
    this.format(mask);
    this.versions();
  }

  has(x: number, y: number): boolean {
    return this.covered[y]![x]!;
  }

  private set(x: number, y: number, dark: boolean): void {
    this.modules[y]![x] = dark;
    this.covered[y]![x] = true;
  }

  private timing(): void {
    for (let i = 0; i < this.size; i++) {
      this.set(6, i, i % 2 === 0);
      this.set(i, 6, i % 2 === 0);
    }
  }

  private finder(cx: number, cy: number): void {
    for (let dy = -4; dy <= 4; dy++) {
      for (let dx = -4; dx <= 4; dx++) {
        const [x, y, ring] = [cx + dx, cy + dy, Math.max(Math.abs(dx), Math.abs(dy))];
        if (x >= 0 && x < this.size && y >= 0 && y < this.size) this.set(x, y, ring !== 2 && ring !== 4);
      }
    }
  }

  private alignments(): void {
    const places = this.alignmentPlaces();
    const last = places.length - 1;
    for (const [i, x] of places.entries()) {
      for (const [j, y] of places.entries()) {
        const onFinder = (i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0);
        if (!onFinder) this.alignment(x, y);
      }
    }
  }

  private alignment(cx: number, cy: number): void {
    for (let dy = -2; dy <= 2; dy++) {
      for (let dx = -2; dx <= 2; dx++) this.set(cx + dx, cy + dy, Math.max(Math.abs(dx), Math.abs(dy)) !== 1);
    }
  }

  /** Evenly spread from the far edge back, the first always at 6. Version 32 is the standard's own exception. */
  private alignmentPlaces(): number[] {
    if (this.version === 1) return [];
    const count = Math.floor(this.version / 7) + 2;
    const even = Math.ceil((this.version * 4 + 4) / (count * 2 - 2)) * 2;
    const step = this.version === 32 ? 26 : even;
    const places = Array.from({ length: count - 1 }, (_, i) => this.size - 7 - i * step);
    return [6, ...places.reverse()];
  }

  /** Level L is 01; five bits, ten of BCH, and a mask of their own, written twice. */
  private format(mask: number): void {
    const bits = ((0b01 << 13) | (mask << 10) | remainder((0b01 << 3) | mask, 10, 0x537)) ^ 0x5412;
    const dark = (i: number): boolean => ((bits >> i) & 1) === 1;
    for (let i = 0; i <= 5; i++) this.set(8, i, dark(i));
    this.set(8, 7, dark(6));
    this.set(8, 8, dark(7));
    this.set(7, 8, dark(8));
    for (let i = 9; i < 15; i++) this.set(14 - i, 8, dark(i));
    for (let i = 0; i < 8; i++) this.set(this.size - 1 - i, 8, dark(i));
    for (let i = 8; i < 15; i++) this.set(8, this.size - 15 + i, dark(i));
    this.set(8, this.size - 8, true);
  }

  private versions(): void {
    if (this.version < 7) return;
    const bits = (this.version << 12) | remainder(this.version, 12, 0x1f25);
    for (let i = 0; i < 18; i++) {
      const [far, near] = [this.size - 11 + (i % 3), Math.floor(i / 3)];
      this.set(far, near, ((bits >> i) & 1) === 1);
      this.set(near, far, ((bits >> i) & 1) === 1);
    }
  }
}

/** Of `value` followed by `degree` zero bits, divided by the polynomial. */
function remainder(value: number, degree: number, polynomial: number): number {
  let rest = value;
  for (let i = 0; i < degree; i++) rest = (rest << 1) ^ ((rest >> (degree - 1)) * polynomial);
  return rest;
}
