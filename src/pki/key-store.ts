/**
 * Files that must never be half there: keys, certificates, passwords.
 *
 *   write NAME.tmp-PID -> fsync -> rename to NAME -> fsync the folder
 *
 * A power cut before the rename leaves the old file (and a leftover, swept by the next start); after it the new one.
 * Files are 0600, folders 0700. Started as root for somebody else's folder, the files become that somebody's.
 */
import fs from 'node:fs';
import path from 'node:path';

/** What the home is written with; the tests put one in its place that stops after n writes. */
export interface FileStore {
  makeFolder(folder: string): void;
  write(file: string, text: string): void;
  remove(file: string): void;
}

const temporary = /\.tmp-\d+$/;

export const diskStore: FileStore = {
  makeFolder(folder) {
    const first = fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (first === undefined) return;
    giveToOwnerOf(path.dirname(folder), folder);
    syncFolder(path.dirname(folder));
  },

  write(file, text) {
    const unfinished = `${file}.tmp-${process.pid}`;
    const handle = fs.openSync(unfinished, 'w', 0o600);
    try {
      fs.writeSync(handle, text);
      fs.fsyncSync(handle);
    } finally {
      fs.closeSync(handle);
    }
    giveToOwnerOf(path.dirname(file), unfinished);
    fs.renameSync(unfinished, file);
    syncFolder(path.dirname(file));
  },

  remove(file) {
    fs.rmSync(file, { force: true });
    syncFolder(path.dirname(file));
  },
};

/** Removes what an interrupted write left behind. Only for whoever holds the folder's lock. */
export function sweep(folder: string): void {
  for (const name of namesIn(folder)) {
    if (temporary.test(name)) fs.rmSync(path.join(folder, name), { force: true });
  }
}

/** The file's text, or null when there is no such file. Everything else is thrown: it is not the same as absent. */
export function readIfThere(file: string): string | null {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function namesIn(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}

function giveToOwnerOf(folder: string, target: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = fs.statSync(folder);
  fs.chownSync(target, uid, gid);
}

/** Without this a rename may be forgotten by a power cut. Some file systems cannot; then nothing more can be done. */
function syncFolder(folder: string): void {
  const handle = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(handle);
  } catch {
    return;
  } finally {
    fs.closeSync(handle);
  }
}
