/**
 * SpareMemory is for blocks that are needed for a moment, again and again: each new one counts as external memory, for
 * which V8 marks the whole heap (40 % of the CPU at 64 kB a message).
 *
 *   take(70,000) ── rounded up ── 131,072   [block] [block]        or one of twice that size: more would lie idle
 *                                 262,144   [block]
 *
 * As much waits here as was in use at once, 16 MB at most: packets of 1 MB from ten publishers at a time take turns in the
 * same memory (650 microseconds each where it was 1,020 with 4 MB, and a tenth of the collections of the whole heap).
 * What nobody needs between two calls of letIdleGo() is let go.
 */

/** Shorter ones come from Node's pool. */
const POOLED_BYTES_MAX = 4096;
/** Longer ones are made as long as they are asked for, and not kept. */
const BLOCK_BYTES_MAX = 4_194_304;
const SPARE_BYTES_MAX = 16_777_216;

/** Of one length. */
interface Shelf {
  /** The one put here last is the first to go: it may still be in the processor's cache. */
  blocks: Buffer[];
  /** The least that lay here since letIdleGo(). */
  idle: number;
}

export class SpareMemory {
  /** By the power of two that the length is. */
  private readonly shelves: Shelf[] = [];
  private bytes = 0;

  constructor() {
    for (let power = 0; power <= powerFor(BLOCK_BYTES_MAX) + 1; power++) this.shelves.push({ blocks: [], idle: 0 });
  }

  /** At least so many bytes. */
  take(bytes: number): Buffer {
    if (bytes <= POOLED_BYTES_MAX) return Buffer.allocUnsafe(bytes);
    if (bytes > BLOCK_BYTES_MAX) return Buffer.allocUnsafeSlow(bytes);
    const power = powerFor(bytes);
    return this.takeFrom(power) ?? this.takeFrom(power + 1) ?? Buffer.allocUnsafeSlow(2 ** power);
  }

  /** Nobody looks at it any more. */
  giveBack(memory: Buffer): void {
    const { length } = memory;
    if (length <= POOLED_BYTES_MAX || length > BLOCK_BYTES_MAX || this.bytes + length > SPARE_BYTES_MAX) return;
    this.shelves[powerFor(length)]!.blocks.push(memory);
    this.bytes += length;
  }

  /** To be called now and then. */
  letIdleGo(): void {
    for (const shelf of this.shelves) {
      for (const block of shelf.blocks.splice(0, shelf.idle)) this.bytes -= block.length;
      shelf.idle = shelf.blocks.length;
    }
  }

  private takeFrom(power: number): Buffer | undefined {
    const shelf = this.shelves[power]!;
    const block = shelf.blocks.pop();
    if (block === undefined) return undefined;
    shelf.idle = Math.min(shelf.idle, shelf.blocks.length);
    this.bytes -= block.length;
    return block;
  }
}

/** The least power of two that is not less. */
function powerFor(bytes: number): number {
  return 32 - Math.clz32(bytes - 1);
}
