/**
 * Arena is where outgoing packets are written, each once, one behind the other:
 *
 *   slab  [ P1 | P2 | P3 | P4 | . . . . ]
 *           └ a link that gets P1, P2, P3 holds one range of it; so does every other subscriber of the same run
 *
 * Nothing is ever overwritten: a full slab is left to the garbage collector, which takes it when the last link that
 * holds a range has sent it.
 */
const SLAB_BYTES = 65536;

export class Arena {
  slab: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  position = 0;

  /** Makes room for `bytes` in one piece and returns where to write; the caller moves `position`. */
  reserve(bytes: number): number {
    if (this.position + bytes > this.slab.length) {
      this.slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes));
      this.position = 0;
    }
    return this.position;
  }
}
