/**
 * Standard output as C's stdio has it: bytes gather and are written whole, at the end of the turn and before the
 * process ends, whatever ends it. A reader that is slow holds us up; one that has gone is noticed.
 */
import { writeSync } from 'node:fs';

const stdout = 1;
/** A full pipe that does not block is tried again after this long. */
const retryMs = 2;

export class Output {
  /** The reader has gone. */
  closed = false;
  /** Told once when it is noticed that the reader has gone. */
  onClosed: () => void = () => undefined;
  private waiting: Buffer[] = [];

  write(bytes: Buffer | string): void {
    if (bytes.length === 0) return;
    const first = this.waiting.push(typeof bytes === 'string' ? Buffer.from(bytes) : bytes) === 1;
    if (first) setImmediate(() => this.flush());
  }

  flush(): void {
    if (this.waiting.length === 0) return;
    let block = Buffer.concat(this.waiting);
    this.waiting = [];
    while (block.length > 0 && !this.closed) block = block.subarray(this.writeSome(block));
  }

  private writeSome(block: Buffer): number {
    try {
      return writeSync(stdout, block);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') this.close();
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
      return 0;
    }
  }

  private close(): void {
    this.closed = true;
    this.onClosed();
  }
}
