/**
 * LevelTable holds the shape of a tree of topic levels as rows of numbers:
 *
 *   root ─ home ─ kitchen ─ temp        row 5: parent 3, level 'kitchen' (a number), next in the bucket 9, ...
 *
 *   (parent, level) ── hash ── bucket ── row ── row     the one look-up that every walk consists of
 *
 * A node costs 24 bytes, a bucket and its share of the level's text, which is kept once however many nodes bear it. What
 * else is in a row is the affair of who looks: for topics there are filters (filter-levels.ts), for filters topics
 * (name-levels.ts).
 *
 * With 100,000 filters a tree of Map objects took 310 bytes a filter and 3.7 microseconds a match on the machine where
 * this one takes 114 bytes and 1.7 microseconds (level-table.bench.ts).
 */
import { giveBack } from '../base/mod.ts';
import { LevelNames } from './level-names.ts';

/** Where a column lies in a row; from OWN on there are three of the kind of tree. */
const PARENT = 0;
const LEVEL = 1;
/** In the chain of the bucket; of a free row, the next free one. */
const CHAIN = 2;
export const OWN = 3;
export const COLUMNS = 6;

/** No node, and no level. */
export const NONE = 0;
export const ROOT = 1;

const FIRST_CAPACITY = 64;

export abstract class LevelTable {
  protected rows = new Int32Array(FIRST_CAPACITY * COLUMNS);
  private buckets = new Int32Array(FIRST_CAPACITY);
  /** Rows in use or freed; row 0 is nobody's. */
  private made = 2;
  private free = NONE;
  private inUse = 1;
  /** Level names are the clients': without it they could choose ones that share a bucket. */
  private readonly seed = Math.trunc(Math.random() * 0x7fffffff);
  private readonly levels = new LevelNames();
  private readonly numbers: number[] = [];

  /** The child of that name, or NONE. */
  child(node: number, level: string): number {
    return this.childOfLevel(node, this.levels.find(level, 0, level.length));
  }

  /** The same for the number of a level; there is no child without one. */
  childOfLevel(node: number, level: number): number {
    if (level === NONE) return NONE;
    const { rows } = this;
    let at = this.buckets[this.bucketOf(node, level)]!;
    while (at !== NONE && (rows[at * COLUMNS + PARENT] !== node || rows[at * COLUMNS + LEVEL] !== level)) {
      at = rows[at * COLUMNS + CHAIN]!;
    }
    return at;
  }

  /**
   * The number of each level of a path, NONE where no node bears its name: for walks that come by a level twice. The list
   * is the same each time, written anew.
   */
  numbersOf(path: string): readonly number[] {
    const { numbers } = this;
    numbers.length = 0;
    let from = 0;
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', from)) {
      numbers.push(this.levels.find(path, from, slash));
      from = slash + 1;
    }
    numbers.push(this.levels.find(path, from, path.length));
    return numbers;
  }

  abstract hasChildren(node: number): boolean;

  levelOf(node: number): string {
    return this.levels.text(this.rows[node * COLUMNS + LEVEL]!);
  }

  /** The levels that lead to a node, joined. */
  pathOf(node: number): string {
    const levels: string[] = [];
    for (let at = node; at !== ROOT; at = this.rows[at * COLUMNS + PARENT]!) levels.push(this.levelOf(at));
    return levels.reverse().join('/');
  }

  /** The node at the end of the path, or NONE. */
  find(path: string): number {
    let node = ROOT;
    for (let from = 0; from <= path.length && node !== NONE;) {
      const to = levelEnd(path, from);
      node = this.childOfLevel(node, this.levels.find(path, from, to));
      from = to + 1;
    }
    return node;
  }

  /** The same; what is missing of the path is made. */
  reach(path: string): number {
    let node = ROOT;
    for (let from = 0; from <= path.length;) {
      const to = levelEnd(path, from);
      const level = this.levels.find(path, from, to);
      const child = this.childOfLevel(node, level);
      node = child === NONE ? this.makeChild(node, this.used(level, path, from, to)) : child;
      from = to + 1;
    }
    return node;
  }

  /** Removes the branch that ends with this node, as far up as `isNeeded` says no of a node without children. */
  prune(node: number, isNeeded: (node: number) => boolean): void {
    let at = node;
    while (at !== ROOT && !this.hasChildren(at) && !isNeeded(at)) {
      const parent = this.rows[at * COLUMNS + PARENT]!;
      this.remove(at);
      at = parent;
    }
  }

  /** The number of a level that one more node bears from now on. */
  private used(level: number, path: string, from: number, to: number): number {
    if (level === NONE) return this.levels.add(path.slice(from, to));
    this.levels.use(level);
    return level;
  }

  private makeChild(parent: number, level: number): number {
    const node = this.newRow();
    const { rows } = this;
    const at = node * COLUMNS;
    rows[at + PARENT] = parent;
    rows[at + LEVEL] = level;
    this.putIntoBucket(node);
    this.added(node, parent, level);
    return node;
  }

  /** A node has come or is about to go: for the kind's own columns. */
  protected abstract added(node: number, parent: number, level: number): void;
  protected abstract removing(node: number, parent: number, level: number): void;

  private putIntoBucket(node: number): void {
    const at = node * COLUMNS;
    const bucket = this.bucketOf(this.rows[at + PARENT]!, this.rows[at + LEVEL]!);
    this.rows[at + CHAIN] = this.buckets[bucket]!;
    this.buckets[bucket] = node;
  }

  private remove(node: number): void {
    const { rows } = this;
    const at = node * COLUMNS;
    const level = rows[at + LEVEL]!;
    this.takeFromBucket(node);
    this.removing(node, rows[at + PARENT]!, level);
    this.levels.release(level);
    // fill() is a call into C++.
    for (let column = at; column < at + COLUMNS; column++) rows[column] = 0;
    rows[at + CHAIN] = this.free;
    this.free = node;
    this.inUse--;
  }

  private takeFromBucket(node: number): void {
    const { rows } = this;
    const at = node * COLUMNS;
    const bucket = this.bucketOf(rows[at + PARENT]!, rows[at + LEVEL]!);
    let before = NONE;
    for (let other = this.buckets[bucket]!; other !== node; other = rows[other * COLUMNS + CHAIN]!) before = other;
    if (before === NONE) this.buckets[bucket] = rows[at + CHAIN]!;
    else rows[before * COLUMNS + CHAIN] = rows[at + CHAIN]!;
  }

  private newRow(): number {
    this.inUse++;
    if (this.inUse > this.buckets.length) this.rebuildBuckets(2 * this.buckets.length);
    if (this.free !== NONE) {
      const node = this.free;
      this.free = this.rows[node * COLUMNS + CHAIN]!;
      this.rows[node * COLUMNS + CHAIN] = NONE;
      return node;
    }
    const node = this.made++;
    if (this.made * COLUMNS > this.rows.length) this.rows = twiceAsLong(this.rows);
    return node;
  }

  private rebuildBuckets(size: number): void {
    giveBack(this.buckets);
    this.buckets = new Int32Array(size);
    for (let node = ROOT + 1; node < this.made; node++) {
      if (this.rows[node * COLUMNS + PARENT] !== NONE) this.putIntoBucket(node);
    }
  }

  private bucketOf(parent: number, level: number): number {
    let hash = Math.imul(parent ^ this.seed, 0x9e3779b1) ^ Math.imul(level, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
    return (hash ^ (hash >>> 13)) & (this.buckets.length - 1);
  }
}

function twiceAsLong(rows: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(2 * rows.length);
  longer.set(rows);
  giveBack(rows);
  return longer;
}

function levelEnd(path: string, from: number): number {
  const slash = path.indexOf('/', from);
  return slash === -1 ? path.length : slash;
}
