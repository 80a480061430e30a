/**
 * LogFile appends lines to one file, created 0600.
 *
 * A rotated file (renamed, removed) is noticed before a batch is written, at most once a second, and the path is
 * opened anew; so rotation works with SIGHUP, and without any signal too. Nothing needs `copytruncate`, which works
 * as well because of O_APPEND.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, statSync } from 'node:fs';
import { DescriptorSink, type DescriptorOptions } from './descriptor-sink.ts';
import type { Sink } from './sink.ts';

const rotationCheckMilliseconds = 1000;

export interface LogFileOptions extends Omit<DescriptorOptions, 'fd' | 'name'> {
  path: string;
  /** The path cannot be opened anew; lines go on into the old file. Told once until it can. */
  onReopenError: (error: NodeJS.ErrnoException) => void;
}

export class LogFile implements Sink {
  #path: string;
  #sink: DescriptorSink;
  #onReopenError: (error: NodeJS.ErrnoException) => void;
  #failing = false;
  #checkedAt = -Infinity;

  /** Throws when the file cannot be opened. */
  constructor(options: LogFileOptions) {
    this.#path = options.path;
    this.#onReopenError = options.onReopenError;
    this.#sink = new DescriptorSink({
      ...options,
      fd: openForAppending(options.path),
      name: `log file ${options.path}`,
    });
  }

  write(line: string): void {
    this.#sink.write(line);
  }

  flush(): void {
    const now = performance.now();
    if (now - this.#checkedAt >= rotationCheckMilliseconds) {
      this.#checkedAt = now;
      if (!this.#pathIsOurFile()) this.reopen();
    }
    this.#sink.flush();
  }

  /** Keeps the old file when the new one cannot be opened. Lines that are waiting go into the new one. */
  reopen(): void {
    try {
      const fd = openForAppending(this.#path);
      closeSync(this.#sink.fd);
      this.#sink.fd = fd;
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.#onReopenError(error as NodeJS.ErrnoException);
      this.#failing = true;
    }
  }

  close(): void {
    this.#sink.close();
    closeSync(this.#sink.fd);
  }

  #pathIsOurFile(): boolean {
    const now = statSync(this.#path, { throwIfNoEntry: false });
    const ours = fstatSync(this.#sink.fd);
    return now !== undefined && now.ino === ours.ino && now.dev === ours.dev;
  }
}

/** Symbolic links are refused as in Mosquitto 2.1, and the same variable permits them. */
function openForAppending(path: string): number {
  const followsLinks = process.env['MOSQUITTO_UNSAFE_ALLOW_SYMLINKS'] !== undefined;
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOCTTY;
  return openSync(path, followsLinks ? flags : flags | constants.O_NOFOLLOW, 0o600);
}

/** What is wrong, and what to do, for the line after `Error: Unable to open log file`. */
export function explainLogFileError(path: string, error: NodeJS.ErrnoException): string {
  if (error.code === 'ELOOP' && lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
    return `  ${path} is a symbolic link. Name the file itself, use 'log_dest stdout', or set MOSQUITTO_UNSAFE_ALLOW_SYMLINKS=1.`;
  }
  const who = process.getuid === undefined ? 'this user' : `user id ${process.getuid()}`;
  const remedies: Record<string, string> = {
    EACCES: `${who} may not write there. Give it the folder ('chown'), or choose another 'log_dest file'.`,
    ENOENT: `the folder does not exist. Make it ('mkdir -p'), or choose another 'log_dest file'.`,
    EISDIR: `it is a folder. Add a file name to 'log_dest file'.`,
    EROFS: `the file system is read-only. Choose another 'log_dest file'.`,
    ENOSPC: `the disk is full. Make room; lines are written again as soon as there is some.`,
  };
  return `  Because ${remedies[error.code ?? ''] ?? `of this: ${error.message}.`}`;
}
