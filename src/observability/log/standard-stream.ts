/**
 * Standard error and standard output, opened so that a reader who sleeps cannot stop the broker.
 *
 * Making descriptor 2 itself non-blocking would do the same to the shell that shares it. Opening /proc/self/fd/2 gives
 * pipes and terminals a description of our own; files take everything at once anyway, and sockets cannot be opened
 * again and stay as they are. It has to happen early: after privileges are dropped the pipe may not be ours to open.
 */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

export interface StandardStream {
  fd: number;
  close(): void;
}

export function openStandardStream(fd: number): StandardStream {
  const own = mayBlock(fd) ? openAgain(fd) : null;
  if (own === null) return { fd, close: () => {} };
  return { fd: own, close: () => closeSync(own) };
}

function mayBlock(fd: number): boolean {
  try {
    return fstatSync(fd).isFIFO() || isatty(fd);
  } catch {
    return false;
  }
}

function openAgain(fd: number): number | null {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return null;
  }
}
