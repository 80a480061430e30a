/** Things by their names, which can also be walked in the order of the names' bytes, the order of files and lists. */

export class Named<T> {
  private readonly byName = new Map<string, T>();
  private readonly names: string[] = [];

  get size(): number {
    return this.byName.size;
  }

  get(name: string): T | undefined {
    return this.byName.get(name);
  }

  set(name: string, thing: T): void {
    if (!this.byName.has(name)) this.names.splice(this.placeOf(name), 0, name);
    this.byName.set(name, thing);
  }

  delete(name: string): void {
    if (this.byName.delete(name)) this.names.splice(this.placeOf(name), 1);
  }

  /** Sorted; not to be changed. */
  sortedNames(): readonly string[] {
    return this.names;
  }

  *values(): Iterable<T> {
    for (const name of this.names) yield this.byName.get(name)!;
  }

  private placeOf(name: string): number {
    let low = 0;
    let high = this.names.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (byteOrder(this.names[middle]!, name) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** As the UTF-8 forms compare: UTF-16 puts what takes two units (U+10000 and above) in front of U+E000 to U+FFFF. */
export function byteOrder(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  const isSurrogate = unit >= 0xd800 && unit <= 0xdfff;
  return isSurrogate ? unit + 0x2000 : unit >= 0xe000 ? unit - 0x800 : unit;
}
