/** A file, however large, through a window of moderate size: what is asked for is read when it lies outside. */
import fs from 'node:fs';

const WINDOW_BYTES = 1_048_576;

export class Window {
  readonly length: number;
  readonly #handle: number;
  #bytes: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(file: string) {
    this.#handle = fs.openSync(file, 'r');
    this.length = fs.fstatSync(this.#handle).size;
  }

  /** Null when the file does not reach so far. The bytes are good until the next call. */
  bytes(at: number, length: number): Buffer | null {
    if (at < 0 || length < 0 || at + length > this.length) return null;
    if (at < this.#start || at + length > this.#start + this.#bytes.length) this.#move(at, length);
    const from = at - this.#start;
    return from + length > this.#bytes.length ? null : this.#bytes.subarray(from, from + length);
  }

  close(): void {
    fs.closeSync(this.#handle);
  }

  #move(at: number, length: number): void {
    const bytes = Buffer.allocUnsafe(Math.min(Math.max(length, WINDOW_BYTES), this.length - at));
    let filled = 0;
    while (filled < bytes.length) {
      const count = fs.readSync(this.#handle, bytes, filled, bytes.length - filled, at + filled);
      if (count === 0) break;
      filled += count;
    }
    this.#bytes = bytes.subarray(0, filled);
    this.#start = at;
  }
}
