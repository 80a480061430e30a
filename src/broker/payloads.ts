/**
 * Payloads of messages that have to wait for somebody, side by side: a Buffer for each would cost more than most of them
 * hold. What lies here is never written again; the collector takes a shelf when the last message on it is gone.
 */
const SHELF_BYTES = 8192;
/** A larger one has memory of its own, or one that waits long would keep a shelf of others with it. */
const SHARED_BYTES_MAX = 2048;

export class Payloads {
  /** Where the payload kept last lies. */
  bytes: Buffer = Buffer.allocUnsafeSlow(SHELF_BYTES);
  start = 0;
  private shelf = this.bytes;
  private used = 0;

  /** Copies a payload; `bytes` and `start` say where to. */
  keep(source: Buffer, start: number, end: number): void {
    const length = end - start;
    if (length > SHARED_BYTES_MAX) {
      this.bytes = Buffer.allocUnsafeSlow(length);
      this.start = 0;
    } else {
      if (this.used + length > SHELF_BYTES) this.takeNext();
      this.bytes = this.shelf;
      this.start = this.used;
      this.used += length;
    }
    source.copy(this.bytes, this.start, start, end);
  }

  /** The same for something short that belongs to the payload kept next. */
  copyOf(source: Buffer): Buffer {
    this.keep(source, 0, source.length);
    return this.bytes.subarray(this.start, this.start + source.length);
  }

  private takeNext(): void {
    this.shelf = Buffer.allocUnsafeSlow(SHELF_BYTES);
    this.used = 0;
  }
}
