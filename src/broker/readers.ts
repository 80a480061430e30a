/**
 * Readers of packets are lent: a connection has one from its first byte until nothing of a packet is left, which mostly
 * is within one turn. 10,000 idle connections share a handful instead of keeping 104 bytes each.
 */
import type { SpareMemory } from '../base/mod.ts';
import { type FrameLimits, FrameReader } from '../codec/mod.ts';

/** What a connection has while it has nothing to read. Nothing is ever pushed into it. */
export const NOTHING_TO_READ = new FrameReader([]);

/** As many as were in use at once may be kept, up to this. */
const SPARE_READERS_MAX = 64;

export class Readers {
  private readonly spare: FrameReader[] = [];
  private readonly memory: SpareMemory;

  constructor(memory: SpareMemory) {
    this.memory = memory;
  }

  lend(limits: FrameLimits): FrameReader {
    const reader = this.spare.pop();
    if (reader === undefined) return new FrameReader(limits, this.memory);
    reader.limits = limits;
    return reader;
  }

  /** Of one that is empty. */
  takeBack(reader: FrameReader): void {
    if (this.spare.length < SPARE_READERS_MAX) this.spare.push(reader);
  }
}
