/**
 * SpareMemory is for blocks that are needed for a moment, again and again: each new one counts as external memory, for
 * which V8 marks the whole heap (40 % of the CPU at 64 kB a message).
 */

/** Shorter ones come from Node's pool. */
const POOLED_BYTES_MAX = 4096;
/** What waits to be used again. */
const SPARE_BYTES_MAX = 4_194_304;
/** Of a block much longer than what is asked for most would lie idle. */
const WASTE_MAX = 4;

export class SpareMemory {
  private readonly spare: Buffer[] = [];
  private spareBytes = 0;

  /** At least so many bytes. */
  take(bytes: number): Buffer {
    if (bytes <= POOLED_BYTES_MAX) return Buffer.allocUnsafe(bytes);
    const at = this.spare.findIndex(({ length }) => length >= bytes && length <= WASTE_MAX * bytes);
    if (at === -1) return Buffer.allocUnsafeSlow(bytes > SPARE_BYTES_MAX ? bytes : 2 ** Math.ceil(Math.log2(bytes)));
    const [found] = this.spare.splice(at, 1);
    this.spareBytes -= found!.length;
    return found!;
  }

  /** Nobody looks at it any more. */
  giveBack(memory: Buffer): void {
    if (memory.length <= POOLED_BYTES_MAX || this.spareBytes + memory.length > SPARE_BYTES_MAX) return;
    this.spare.push(memory);
    this.spareBytes += memory.length;
  }
}
