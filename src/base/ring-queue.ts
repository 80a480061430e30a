/**
 * A first-in, first-out queue in one array that wraps around.
 *
 *   slots   [ c d . . . a b ]      head points at a, size is 4
 *
 * push and shift cost the same at any length (Array.shift copies), and an empty queue keeps no array at all.
 */
export class RingQueue<T> {
  private slots: (T | undefined)[] = EMPTY as (T | undefined)[];
  private head = 0;
  size = 0;

  push(item: T): void {
    if (this.size === this.slots.length) this.grow();
    this.slots[(this.head + this.size) & (this.slots.length - 1)] = item;
    this.size++;
  }

  peek(): T | undefined {
    return this.size === 0 ? undefined : this.slots[this.head];
  }

  shift(): T | undefined {
    if (this.size === 0) return undefined;
    const item = this.slots[this.head];
    this.slots[this.head] = undefined;
    this.head = (this.head + 1) & (this.slots.length - 1);
    if (--this.size === 0) this.clear();
    return item;
  }

  clear(): void {
    this.slots = EMPTY as (T | undefined)[];
    this.head = 0;
    this.size = 0;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let i = 0; i < this.size; i++) yield this.slots[(this.head + i) & (this.slots.length - 1)] as T;
  }

  /** Keeps only what `keep` says yes to, in order. */
  filter(keep: (item: T) => boolean): void {
    const kept = [...this].filter(keep);
    this.clear();
    for (const item of kept) this.push(item);
  }

  private grow(): void {
    const wider: (T | undefined)[] = new Array<T | undefined>(Math.max(8, this.slots.length * 2)).fill(undefined);
    for (let i = 0; i < this.size; i++) wider[i] = this.slots[(this.head + i) & (this.slots.length - 1)];
    this.slots = wider;
    this.head = 0;
  }
}

const EMPTY: unknown[] = [];
