/**
 * Changes a file so that it is never half there.
 *
 *   FILE.lock is ours? -> read FILE -> change its text -> FILE.tmp-PID, fsync -> FILE is as it was? -> rename over FILE
 *
 * The lock keeps programs like this one apart; the look back before the rename notices editors, who know of no lock.
 * Owner, group and mode stay. Where a rename is impossible (a folder that may not be written, a file mounted alone into
 * a container, an owner that cannot be kept) the text goes into the file itself, and the caller is told.
 * Text is read and written as Latin-1, which keeps every byte of every line, whatever its encoding.
 */
import fs from 'node:fs';
import path from 'node:path';
import { lockFile } from './lock-file.ts';

export interface Replaced {
  /** Why the file was overwritten in place, null when it was replaced in one step. */
  inPlaceBecause: unknown;
  /** Users other than the owner and his group can read it. */
  isWorldReadable: boolean;
}

/** Another process that writes as often as this is broken. */
const triesMax = 100;

/** `change` gives the new text, or null to leave the file alone. It is called again when somebody else was faster. */
export function changeFile(file: string, change: (text: string) => string | null): Replaced | null {
  const target = fs.realpathSync(file);
  const unlock = lockFile(target);
  try {
    return changeTarget(target, change);
  } finally {
    unlock();
  }
}

function changeTarget(target: string, change: (text: string) => string | null): Replaced | null {
  for (let tries = 1; tries <= triesMax; tries++) {
    const before = fs.statSync(target);
    const text = change(fs.readFileSync(target, 'latin1'));
    if (text === null) return null;
    const inPlaceBecause = replace(target, text, before);
    if (inPlaceBecause === changedMeanwhile) continue;
    return { inPlaceBecause, isWorldReadable: (before.mode & 0o004) !== 0 };
  }
  throw new Error('Another process changes it all the time');
}

/** A new file, for its owner alone. Throws EEXIST where one is. */
export function createFile(file: string, text: string): void {
  const handle = fs.openSync(file, 'wx', 0o600);
  try {
    fs.fchmodSync(handle, 0o600);
    fs.writeFileSync(handle, text, 'latin1');
    fs.fsyncSync(handle);
  } catch (error) {
    fs.rmSync(file, { force: true });
    throw error;
  } finally {
    fs.closeSync(handle);
  }
  syncFolderOf(file);
}

const changedMeanwhile = Symbol('changed meanwhile');

/** What keeps a file from being replaced, and not from being written. */
const renameRefusals = ['EACCES', 'EBUSY', 'EPERM', 'EROFS', 'EXDEV'];

/** Null when it went in one step. */
function replace(target: string, text: string, before: fs.Stats): unknown {
  const unfinished = `${target}.tmp-${process.pid}`;
  try {
    writeUnfinished(unfinished, text, before);
    if (!isSame(before, fs.statSync(target))) return changedMeanwhile;
    fs.renameSync(unfinished, target);
  } catch (error) {
    if (!renameRefusals.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    overwrite(target, text);
    return error;
  } finally {
    removeIfThere(unfinished);
  }
  syncFolderOf(target);
  return null;
}

/** In a folder that may not be written there is nothing to remove, and rmSync would complain. */
function removeIfThere(file: string): void {
  if (fs.existsSync(file)) fs.rmSync(file);
}

function writeUnfinished(unfinished: string, text: string, like: fs.Stats): void {
  const handle = fs.openSync(unfinished, 'wx', 0o600);
  try {
    const { uid, gid } = fs.fstatSync(handle);
    if (uid !== like.uid || gid !== like.gid) fs.fchownSync(handle, like.uid, like.gid);
    fs.fchmodSync(handle, like.mode & 0o777);
    fs.writeFileSync(handle, text, 'latin1');
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
}

function overwrite(target: string, text: string): void {
  const handle = fs.openSync(target, 'r+');
  try {
    fs.writeFileSync(handle, text, 'latin1');
    // One byte for each character of Latin-1.
    fs.ftruncateSync(handle, text.length);
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
}

function isSame(before: fs.Stats, now: fs.Stats): boolean {
  return before.ino === now.ino && before.size === now.size && before.mtimeMs === now.mtimeMs;
}

/** Without this a power cut may forget the name. Some file systems cannot; then nothing more can be done. */
function syncFolderOf(file: string): void {
  let handle: number | null = null;
  try {
    handle = fs.openSync(path.dirname(file), 'r');
    fs.fsyncSync(handle);
  } catch {
    return;
  } finally {
    if (handle !== null) fs.closeSync(handle);
  }
}
