/** Standard output that waits for its reader, so that an export of any length needs no memory for what is not read yet. */
import fs from 'node:fs';

const STANDARD_OUTPUT = 1;
const PAUSE_MS = 5;

export class StandardOutput {
  readonly #pause = new Int32Array(new SharedArrayBuffer(4));
  #isClosed = false;

  write(text: string): void {
    let bytes = Buffer.from(text);
    while (bytes.length > 0 && !this.#isClosed) bytes = bytes.subarray(this.#writeSome(bytes));
  }

  #writeSome(bytes: Buffer): number {
    try {
      return fs.writeSync(STANDARD_OUTPUT, bytes);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN') Atomics.wait(this.#pause, 0, 0, PAUSE_MS);
      // The reader has seen enough, such as head.
      else if (code === 'EPIPE') this.#isClosed = true;
      else throw error;
      return 0;
    }
  }
}
