/**
 * DescriptorSink writes lines to a file descriptor: a log file, standard error, standard output.
 *
 *   write() ──► #text ──flush──► #rest ──write(2)──► descriptor
 *               (lines)          (bytes the kernel has not taken)
 *
 * A regular file takes everything at once (a batch of 4 kB costs about 5 µs). A pipe or terminal whose reader sleeps
 * would stop the whole broker, so those are opened again without blocking (standard-stream.ts): what does not fit
 * stays in #rest and is tried again later, and when too much waits, lines are dropped and counted.
 */
import { writeSync } from 'node:fs';
import { droppedLinesText, sinkBounds, type Sink } from './sink.ts';

export interface DescriptorOptions {
  fd: number;
  /** As it is named in lines about it: `standard error`, `log file /x`. */
  name: string;
  /** Puts the timestamp in front of a line of the sink's own. */
  format: (text: string) => string;
  /** Told about the first failure, and again only after a success. */
  onError: (error: NodeJS.ErrnoException) => void;
}

export class DescriptorSink implements Sink {
  fd: number;
  #options: DescriptorOptions;
  #text = '';
  #rest: Buffer | null = null;
  #lines = 0;
  #dropped = 0;
  #failing = false;
  #retry: NodeJS.Timeout | null = null;

  constructor(options: DescriptorOptions) {
    this.fd = options.fd;
    this.#options = options;
  }

  write(line: string): void {
    if (this.#pendingBytes() > sinkBounds.pendingBytesMax) {
      this.#dropped++;
      return;
    }
    this.#lines++;
    this.#text += `${line}\n`;
    if (this.#text.length >= sinkBounds.flushAtBytes && this.#retry === null) this.flush();
  }

  flush(): void {
    if (this.#drain() && this.#dropped > 0 && !this.#failing) {
      this.#text = `${this.#options.format(droppedLinesText(this.#dropped, this.#options.name))}\n`;
      this.#dropped = 0;
      this.#drain();
    }
    if (this.#rest !== null) this.#tryLater();
  }

  close(): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    const until = performance.now() + sinkBounds.exitWaitMilliseconds;
    while (!this.#drain() && performance.now() < until) pause(sinkBounds.retryMilliseconds);
  }

  #pendingBytes(): number {
    return (this.#rest?.length ?? 0) + this.#text.length;
  }

  /** True when nothing is left. */
  #drain(): boolean {
    while (this.#rest !== null || this.#text !== '') {
      if (this.#rest === null) {
        this.#rest = Buffer.from(this.#text);
        this.#text = '';
      }
      if (!this.#writeRest(this.#rest)) return false;
    }
    this.#lines = 0;
    return true;
  }

  /** False when the reader has to catch up first. */
  #writeRest(bytes: Buffer): boolean {
    try {
      const written = writeSync(this.fd, bytes);
      this.#rest = written === bytes.length ? null : bytes.subarray(written);
      this.#failing = false;
      return true;
    } catch (thrown) {
      const error = thrown as NodeJS.ErrnoException;
      if (error.code === 'EAGAIN') return false;
      this.#discard(error);
      return true;
    }
  }

  #discard(error: NodeJS.ErrnoException): void {
    this.#dropped += this.#lines;
    this.#lines = 0;
    this.#text = '';
    this.#rest = null;
    if (!this.#failing) this.#options.onError(error);
    this.#failing = true;
  }

  #tryLater(): void {
    this.#retry ??= setTimeout(() => {
      this.#retry = null;
      this.flush();
    }, sinkBounds.retryMilliseconds).unref();
  }
}

/** Sleeps. Only for the end of the process, when there is no event loop to come back to. */
function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
