/**
 * Arena is where outgoing packets are written, each once, one behind the other:
 *
 *   slab  [ P1 | P2 | P3 | P4 | . . . . ]
 *           └ a link that gets P1, P2, P3 holds one range of it; so does every other subscriber of the same run
 *
 * Nothing is overwritten while somebody may hold it. After a turn in which every link has got rid of all that it was
 * given, the same memory is written again (rewind): it is still in the processor's cache, and neither malloc nor the
 * collector has to see to it. Otherwise it is put by until those who held something then have sent it (keep, release).
 * Whoever says none of these gets memory that is never written twice.
 *
 *   current  [ of earlier turns, held | this turn ... ]      held  [slab, until 7] [slab, until 9] ...      free  [slab] ...
 *                                     ^ floor: where a rewind goes back to
 */
import { SpareMemory } from '../base/mod.ts';

const SLAB_BYTES = 65_536;
/** Memory that waits to be written again: 2 MB, as much as 32 sockets bring at once. */
const FREE_MAX = 32;
/** Beyond these the collector takes them, when the last link that holds a range has sent it. */
const HELD_MAX = 64;

interface Held {
  slab: Buffer;
  until: number;
}

export class Arena {
  slab: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  position = 0;
  /** Those of this turn before `slab`. */
  private readonly full: Buffer[] = [];
  private readonly free: Buffer[] = [];
  /** For packets that fit no slab. */
  private readonly blocks = new SpareMemory();
  /** The oldest first. */
  private readonly held: Held[] = [];
  /** How far the first slab of this turn was held when the turn began, and until when. */
  private floor = 0;
  private floorUntil = 0;

  /** Makes room for `bytes` in one piece and returns where to write; the caller moves `position`. */
  reserve(bytes: number): number {
    if (this.position + bytes > this.slab.length) this.takeNext(bytes);
    return this.position;
  }

  /** Nobody holds anything of what was written since the last call of either. */
  rewind(): void {
    if (this.full.length > 0) this.goBack();
    this.position = this.floor;
  }

  /** Somebody holds something of it until release() is called with more than `until`, which never falls. */
  keep(until: number): void {
    if (this.full.length > 0) this.putBy(this.full, until);
    this.floor = this.position;
    this.floorUntil = until;
  }

  /** Nobody holds anything any more that was kept until less than `before`. Between two turns only. */
  release(before: number): void {
    if (this.floor > 0 && this.floorUntil < before) this.beginAnew();
    const { held } = this;
    let count = 0;
    while (count < held.length && held[count]!.until < before) this.reuse(held[count++]!.slab);
    if (count > 0) held.splice(0, count);
  }

  /** To be called now and then: what large packets needed is not kept for ever. */
  letIdleGo(): void {
    this.blocks.letIdleGo();
  }

  private goBack(): void {
    const [first, ...others] = [...this.full, this.slab];
    this.full.length = 0;
    if (this.floor <= SLAB_BYTES / 2) {
      for (const slab of others) this.reuse(slab);
      this.slab = first;
      return;
    }
    this.putBy([first], this.floorUntil);
    for (const slab of others) this.reuse(slab);
    this.slab = this.spare();
    this.floor = 0;
  }

  private beginAnew(): void {
    if (this.slab.length > SLAB_BYTES) {
      this.reuse(this.slab);
      this.slab = this.spare();
    }
    this.floor = this.position = 0;
  }

  private spare(): Buffer {
    return this.free.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
  }

  private takeNext(bytes: number): void {
    this.full.push(this.slab);
    this.position = 0;
    this.slab = bytes > SLAB_BYTES ? this.blocks.take(bytes) : this.spare();
  }

  private putBy(slabs: Buffer[], until: number): void {
    for (const slab of slabs) this.held.push({ slab, until });
    slabs.length = 0;
    if (this.held.length > HELD_MAX) this.held.splice(0, this.held.length - HELD_MAX);
  }

  private reuse(slab: Buffer): void {
    if (slab.length > SLAB_BYTES) this.blocks.giveBack(slab);
    else if (this.free.length < FREE_MAX) this.free.push(slab);
  }
}
