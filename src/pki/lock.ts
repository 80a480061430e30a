/**
 * One writer per folder: a file `lock` with the writer's process id, made by an exclusive create.
 * Two first starts at once would otherwise each make a CA and mix them.
 */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PkiError } from './pki-error.ts';

/** Making a whole home takes a second; whoever has held the lock longer was killed, or is another program by now. */
const heldMsMax = 30_000;
const pollMs = 25;

/** Runs `work` while nobody else writes in the folder. On a read-only disk nobody does, and no lock is needed. */
export async function withLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const file = path.join(folder, 'lock');
  const unlock = await acquire(file);
  try {
    return await work();
  } finally {
    unlock();
  }
}

const heldHere = new Set<string>();

function release(file: string): void {
  heldHere.delete(file);
  fs.rmSync(file, { force: true });
}

async function acquire(file: string): Promise<() => void> {
  for (const deadline = Date.now() + heldMsMax; ; await sleep(pollMs)) {
    try {
      fs.writeFileSync(file, `${process.pid}\n`, { flag: 'wx', mode: 0o600 });
      heldHere.add(file);
      return () => release(file);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EROFS') return () => undefined;
      if (code !== 'EEXIST') throw error;
    }
    if (isStale(file)) fs.rmSync(file, { force: true });
    else if (Date.now() > deadline) throw stuck(file);
  }
}

function isStale(file: string): boolean {
  try {
    const pid = Number(fs.readFileSync(file, 'utf8'));
    const heldMs = Date.now() - fs.statSync(file).mtimeMs;
    // An empty file is one whose writer is between create and write, or died there.
    if (!Number.isInteger(pid) || pid <= 0) return heldMs > 1000;
    // Our own number in a lock we do not hold is from an earlier life: containers give out the same ones again.
    const fromEarlierLife = pid === process.pid && !heldHere.has(file);
    return heldMs > heldMsMax || fromEarlierLife || !isRunning(pid);
  } catch {
    return false;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function stuck(file: string): PkiError {
  return new PkiError({
    code: 'pki.locked',
    where: file,
    saw: 'another process has been writing here for a long time',
    why: 'Two writers at once would mix their keys and certificates.',
    remedy: [`If none is running, remove the file and start again: rm ${file}`],
  });
}
