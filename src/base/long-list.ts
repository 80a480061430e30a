/**
 * LongList is a list that grows to hundreds of thousands: in pages, so that nothing is ever outgrown and copied. An array
 * takes half as much again for what may come, and leaves behind twice its size of what it was, for the collector to find
 * some time: 50 bytes for each of 100,000 entries of 8.
 */
const PAGE_BITS = 8;
const PAGE = 1 << PAGE_BITS;

export class LongList<T> {
  length = 0;
  private readonly pages: T[][] = [];

  /** From 0 on; undefined past the end. */
  at(index: number): T | undefined {
    return this.pages[index >>> PAGE_BITS]?.[index & (PAGE - 1)];
  }

  /** Of an entry that is there. */
  set(index: number, value: T): void {
    this.pages[index >>> PAGE_BITS]![index & (PAGE - 1)] = value;
  }

  push(value: T): void {
    const page = this.length++ >>> PAGE_BITS;
    if (page === this.pages.length) this.pages.push([]);
    this.pages[page]!.push(value);
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (const page of this.pages) yield* page;
  }
}
