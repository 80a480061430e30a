/**
 * FrameReader cuts a stream of chunks into whole MQTT packets.
 *
 *   chunk  chunk      chunk           push() takes what the link gave us
 *   [P1 P2a][P2b P3a][P3b P4]         next() yields P1, P2, P3, P4
 *
 * A packet inside one chunk is a view of it; only P2 and P3, which cross a border, are copied. The current packet is in
 * the fields (bytes, first, start, end), not in an object: the reader makes no garbage per packet.
 * It does not look inside a packet, it never waits, and it believes a length only as far as bytes have arrived: a peer
 * that announces two megabytes and sends ten bytes costs ten bytes.
 */
import { ownBytes, type SpareMemory } from '../base/mod.ts';

export const frameStatus = { wait: 0, packet: 1, malformedLength: 2, tooLarge: 3 } as const;
export type FrameStatus = (typeof frameStatus)[keyof typeof frameStatus];

/** Largest packet by type in whole bytes, 0 for none; the index is the packet type. */
export type FrameLimits = Readonly<ArrayLike<number>>;

const NOTHING = Buffer.alloc(0);

export class FrameReader {
  /** The present packet: its bytes, its first byte, and where its body (behind the fixed header) starts and ends. */
  bytes: Buffer = NOTHING;
  first = 0;
  /** Where the packet begins, header and all. */
  packetStart = 0;
  start = 0;
  end = 0;
  limits: FrameLimits;

  private chunk: Buffer = NOTHING;
  private position = 0;
  /** The beginning of a packet that crosses chunks; its length is known once `expected` is not 0. */
  private partial: Buffer = NOTHING;
  private filled = 0;
  private expected = 0;
  /** Where packets that cross chunks are put together, which are then valid until next(); null: they stay as they are. */
  private readonly memory: SpareMemory | null;
  /** What the present packet was put together in. */
  private joined: Buffer = NOTHING;

  constructor(limits: FrameLimits, memory: SpareMemory | null = null) {
    this.limits = limits;
    this.memory = memory;
  }

  /** Takes the next chunk. What its owner has not read of the one before (next() did not say wait) stays in front. */
  push(chunk: Buffer): void {
    const isUnread = this.position < this.chunk.length;
    this.chunk = isUnread ? Buffer.concat([this.chunk.subarray(this.position), chunk]) : chunk;
    this.position = 0;
  }

  /** The chunk is its owner's again: what has not been read of it moves into memory of its own. */
  keepUnread(): void {
    if (this.position >= this.chunk.length) return;
    this.chunk = ownBytes(this.chunk.subarray(this.position));
    this.bytes = NOTHING;
    this.position = 0;
  }

  next(): FrameStatus {
    if (this.joined !== NOTHING) this.letGo();
    if (this.filled > 0) return this.continuePartial();
    const bytes = this.chunk;
    const from = this.position;
    if (from >= bytes.length) return this.wait();
    let at = from + 1;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= bytes.length) return this.keep(from, 0);
      if (shift > 21) return frameStatus.malformedLength;
      const b = bytes[at++]!;
      length += (b & 0x7f) << shift;
      if (b < 0x80) break;
    }
    const end = at + length;
    if (this.exceedsLimit(bytes[from]!, end - from)) return frameStatus.tooLarge;
    if (end > bytes.length) return this.keep(from, end - from);
    // Most packets lie in the chunk of the one before. To store a young object in an old one is a note for the collector.
    if (this.bytes !== bytes) this.bytes = bytes;
    this.first = bytes[from]!;
    this.packetStart = from;
    this.start = at;
    this.end = this.position = end;
    return frameStatus.packet;
  }

  /** Whether everything that was pushed has been yielded. */
  get isEmpty(): boolean {
    return this.filled === 0 && this.position >= this.chunk.length;
  }

  /** The present packet comes again with next(). */
  putBack(): void {
    const header = [this.first];
    let length = this.end - this.start;
    for (; length >= 0x80; length >>= 7) header.push((length & 0x7f) | 0x80);
    header.push(length);
    const body = this.bytes.subarray(this.start, this.end);
    this.chunk = Buffer.concat([Buffer.from(header), body, this.chunk.subarray(this.position)]);
    this.position = 0;
  }

  /** Type and flags of a packet whose header has come but whose end has not; for telling what was too large. */
  get pendingFirst(): number {
    return this.filled > 0 ? this.partial[0]! : (this.chunk[this.position] ?? 0);
  }

  /** Bytes of the chunk that no packet has taken; for telling what a stream that is not MQTT might be. */
  get unread(): Buffer {
    return this.filled > 0 ? this.partial.subarray(0, this.filled) : this.chunk.subarray(this.position);
  }

  /** Lets go of the chunk: an idle connection must not hold the last thing it read. */
  private wait(): FrameStatus {
    this.chunk = this.bytes = NOTHING;
    this.position = 0;
    return frameStatus.wait;
  }

  private exceedsLimit(first: number, total: number): boolean {
    const limit = this.limits[first >> 4]!;
    return limit !== 0 && total > limit;
  }

  /** Sets the start of a packet aside; `expected` is its whole length, 0 while the header is not complete. */
  private keep(from: number, expected: number): FrameStatus {
    const have = this.chunk.length - from;
    this.partial = this.take(Math.max(16, have));
    this.chunk.copy(this.partial, 0, from);
    this.filled = have;
    this.expected = expected;
    return this.wait();
  }

  private continuePartial(): FrameStatus {
    while (this.expected === 0) {
      const status = this.completeHeader();
      if (status !== frameStatus.packet) return status;
    }
    const take = Math.min(this.expected - this.filled, this.chunk.length - this.position);
    this.room(this.filled + take);
    this.chunk.copy(this.partial, this.filled, this.position, this.position + take);
    this.filled += take;
    this.position += take;
    if (this.filled < this.expected) return this.wait();
    return this.yieldPartial();
  }

  /** Moves header bytes over one at a time: it happens once in a while and five times at most. */
  private completeHeader(): FrameStatus {
    let length = 0;
    for (let i = 1, shift = 0; i < this.filled; i++, shift += 7) {
      if (shift > 21) return frameStatus.malformedLength;
      const b = this.partial[i]!;
      length += (b & 0x7f) << shift;
      if (b < 0x80) {
        this.expected = i + 1 + length;
        return this.exceedsLimit(this.partial[0]!, this.expected) ? frameStatus.tooLarge : frameStatus.packet;
      }
    }
    if (this.filled > 4) return frameStatus.malformedLength;
    if (this.position >= this.chunk.length) return this.wait();
    this.room(this.filled + 1);
    this.partial[this.filled++] = this.chunk[this.position++]!;
    return frameStatus.packet;
  }

  private yieldPartial(): FrameStatus {
    this.bytes = this.partial;
    this.first = this.partial[0]!;
    this.packetStart = 0;
    let start = 1;
    while (this.partial[start]! >= 0x80) start++;
    this.start = start + 1;
    this.end = this.expected;
    if (this.memory !== null) this.joined = this.partial;
    this.partial = NOTHING;
    this.filled = 0;
    this.expected = 0;
    return frameStatus.packet;
  }

  private take(bytes: number): Buffer {
    return this.memory === null ? Buffer.allocUnsafe(bytes) : this.memory.take(bytes);
  }

  private letGo(): void {
    this.memory?.giveBack(this.joined);
    this.joined = this.bytes = NOTHING;
  }

  /** Grows by doubling, and never beyond what has arrived by more than that. */
  private room(size: number): void {
    if (size <= this.partial.length) return;
    const wider = this.take(Math.min(Math.max(size, this.partial.length * 2), Math.max(this.expected, size)));
    this.partial.copy(wider, 0, 0, this.filled);
    this.memory?.giveBack(this.partial);
    this.partial = wider;
  }
}
