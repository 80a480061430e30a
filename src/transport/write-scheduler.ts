/**
 * One write per socket per turn of the event loop, or per half megabyte that is read.
 *
 *   turn:  read  read  timer  ...  | setImmediate: flush every link that was written to
 *          write write write       | one system call each
 *
 * The scheduler also owns what links need only between a write and its flush, so that an idle link owns none of it:
 * the lists of further ranges, and the slab that small ranges are gathered in.
 *
 *   slab  [ taken, still with a slow socket | next gather ... ]
 *                                            ^ used
 * Whatever the kernel took at once is given back, so the slab is filled only by what really waits.
 */

import type { Nap } from './nap.ts';

/** Ranges gathered into one write are at most this long together. */
export const GATHER_BYTES_MAX = 65_536;
/**
 * After so much a turn ends early: libuv reads a socket up to 32 times before it looks after the next, which for ten of
 * them is 20 MB, more than stays in any cache of the processor until it is written.
 */
const READ_BYTES_MAX = 524_288;
/** Lists kept for reuse; more links than this in one turn allocate and drop theirs. */
const SPARE_LISTS_MAX = 256;
/** A list that grew beyond this is not kept. */
const SPARE_RANGES_MAX = 1024;

export interface Flushable {
  endTurn(): void;
}

/**
 * `isHeld`: a link holds something of what was written in this turn. `heldSince`: the first turn of which anything is
 * held; Infinity when nothing is.
 */
export type WhenFlushed = (turn: number, isHeld: boolean, heldSince: number) => void;

/** Ranges behind the first: buffers[i] from bounds[2i] to bounds[2i+1]. */
export class RangeList {
  readonly buffers: Buffer[] = [];
  readonly bounds: number[] = [];
}

export class WriteScheduler {
  private dirty: Flushable[] = [];
  private flushing: Flushable[] = [];
  private readonly spare: RangeList[] = [];
  private slab: Buffer | null = null;
  private used = 0;
  private readonly nap: Nap | null;
  private turn = 1;
  private isHeld = false;
  private bytesRead = 0;
  /** Links that could not get rid of what they were given, and since which turn; the longest first. */
  private readonly holders = new Map<Flushable, number>();
  /** Told at the end of each turn. */
  whenFlushed: WhenFlushed = () => {};
  private readonly run = (): void => this.flushAll();

  constructor(nap: Nap | null = null) {
    this.nap = nap;
  }

  /**
   * A link has read so much. What is written in answer goes before the next read, not while others may be writing. What a
   * link reads first is no message: a crowd that comes is not worth a nap, which cost it a tenth more CPU.
   */
  heard(bytes: number, isFirst = false): void {
    if (!isFirst) this.nap?.heard(bytes);
    this.bytesRead += bytes;
    if (this.bytesRead <= READ_BYTES_MAX) return;
    this.bytesRead = 0;
    process.nextTick(this.run);
  }

  /** Flushes the link at the end of this turn. */
  add(link: Flushable): void {
    if (this.dirty.push(link) === 1) setImmediate(this.run);
  }

  borrowList(): RangeList {
    return this.spare.pop() ?? new RangeList();
  }

  returnList(list: RangeList): void {
    if (list.buffers.length > SPARE_RANGES_MAX || this.spare.length >= SPARE_LISTS_MAX) return;
    list.buffers.length = 0;
    list.bounds.length = 0;
    this.spare.push(list);
  }

  /** A piece of the slab; bytes must not be more than GATHER_BYTES_MAX. */
  take(bytes: number): Buffer {
    if (this.slab === null || this.used + bytes > this.slab.length) {
      this.slab = Buffer.allocUnsafeSlow(GATHER_BYTES_MAX);
      this.used = 0;
    }
    const piece = this.slab.subarray(this.used, this.used + bytes);
    this.used += bytes;
    return piece;
  }

  /** The piece last taken is no longer needed by anyone. */
  giveBack(bytes: number): void {
    this.used -= bytes;
  }

  /** A link could not get rid of what it was given in this turn. */
  hold(link: Flushable): void {
    this.isHeld = true;
    // Some of it may be of the turn before, written there after its flush.
    if (!this.holders.has(link)) this.holders.set(link, this.turn - 1);
  }

  /** It holds nothing any more. */
  release(link: Flushable): void {
    this.holders.delete(link);
  }

  private flushAll(): void {
    this.bytesRead = 0;
    const links = this.dirty;
    this.dirty = this.flushing;
    this.flushing = links;
    for (const link of links) link.endTurn();
    links.length = 0;
    const waits = this.dirty.length > 0;
    this.whenFlushed(this.turn, this.isHeld || waits, Math.min(this.heldSince(), waits ? this.turn : Infinity));
    this.turn++;
    this.isHeld = false;
    this.nap?.turnEnded();
  }

  private heldSince(): number {
    return this.holders.size === 0 ? Infinity : this.holders.values().next().value!;
  }
}
