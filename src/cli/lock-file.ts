/**
 * One program at a time changes a file: whoever has made FILE.lock may, and the others wait for it to go.
 *
 * The lock holds the number of its process. One whose process has ended without removing it, or that is older than any
 * change takes, is removed by the next who comes. Where no lock can be made (a folder that may not be written) there is
 * none: the caller has to notice by himself that somebody else was faster.
 */
import fs from 'node:fs';

/** A change takes milliseconds: passwords are hashed before. */
const oldestMs = 10_000;
const pauseMs = 5;

/** Returns how to give it back. */
export function lockFile(file: string): () => void {
  const lock = `${file}.lock`;
  for (;;) {
    try {
      fs.writeFileSync(lock, String(process.pid), { flag: 'wx', mode: 0o600 });
      return () => fs.rmSync(lock, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return () => undefined;
    }
    if (isAbandoned(lock)) fs.rmSync(lock, { force: true });
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
  }
}

function isAbandoned(lock: string): boolean {
  try {
    const ageMs = Date.now() - fs.statSync(lock).mtimeMs;
    return ageMs > oldestMs || hasEnded(Number(fs.readFileSync(lock, 'utf8')));
  } catch {
    // It has gone in between.
    return false;
  }
}

/** A lock that was made this instant is still empty: 0. */
function hasEnded(pid: number): boolean {
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
