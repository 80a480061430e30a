/**
 * Arena is where outgoing packets are written, each once, one behind the other:
 *
 *   slab  [ P1 | P2 | P3 | P4 | . . . . ]
 *           └ a link that gets P1, P2, P3 holds one range of it; so does every other subscriber of the same run
 *
 * Nothing is overwritten while somebody may hold it. After a turn in which every link has got rid of all that it was
 * given, the same memory is written again (rewind): it is still in the processor's cache, and neither malloc nor the
 * collector has to see to it. Otherwise what was written stays as it is (keep), for the collector to take when the last
 * link that holds a range of it has sent it. Whoever says neither gets memory that is never written twice.
 *
 *   [ of earlier turns, held | this turn ... ]
 *                            ^ floor: where a rewind goes back to
 */
const SLAB_BYTES = 65_536;
/** What a turn writes beyond these is not written again: 1 MB, as much as 16 sockets bring at once. */
const SLABS_KEPT = 16;

export class Arena {
  slab: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  position = 0;
  private slabs: Buffer[] = [this.slab];
  /** How many of `slabs` this turn has taken. */
  private taken = 1;
  private floor = 0;

  /** Makes room for `bytes` in one piece and returns where to write; the caller moves `position`. */
  reserve(bytes: number): number {
    if (this.position + bytes > this.slab.length) this.takeNext(bytes);
    return this.position;
  }

  /** Nobody holds anything of what was written since the last call of either. */
  rewind(): void {
    if (this.slab !== this.slabs[0]) this.goBack();
    this.position = this.floor;
  }

  /** Somebody holds something of it. */
  keep(): void {
    this.slabs = [this.slab];
    this.taken = 1;
    this.floor = this.position;
  }

  private goBack(): void {
    if (this.floor > SLAB_BYTES / 2 && this.slabs.length > 1) {
      this.slabs.shift();
      this.floor = 0;
    }
    this.slab = this.slabs[0]!;
    this.taken = 1;
  }

  private takeNext(bytes: number): void {
    this.position = 0;
    const isLarge = bytes > SLAB_BYTES;
    const next = isLarge ? undefined : this.slabs[this.taken];
    this.slab = next ?? Buffer.allocUnsafeSlow(isLarge ? bytes : SLAB_BYTES);
    if (isLarge || this.taken >= SLABS_KEPT) return;
    this.slabs[this.taken++] = this.slab;
  }
}
