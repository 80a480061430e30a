/**
 * Backup of a store, and its way back.
 *
 *   store (in use or not) ── copy of one moment ── sound? ── renamed to the backup's name
 *   backup ── copy ── sound? ── present store set aside ── renamed into its place
 */
import fs from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isDamage, sqliteErrors, sqliteFault } from '../sqlite-fault.ts';
import { copyStore, finishCopy, isSqlite } from './copy-store.ts';
import { MovingError } from './moving-error.ts';
import { giveToOwnerOf, inPrivateFolder, stamp, syncFolder } from './private-folder.ts';
import { startOf } from './start-of.ts';

/** Returns how many bytes the backup has. */
export async function backUp(store: string, target: string): Promise<number> {
  if (!fs.existsSync(store)) throw nothingThere(store);
  refuseForeignTarget(store, target);
  return inPrivateFolder(target, async folder => {
    const copy = await copyStore(store, folder);
    finishCopy(copy, store);
    fs.renameSync(copy, target);
    syncFolder(path.dirname(path.resolve(target)));
    return fs.statSync(target).size;
  });
}

/** A backup may replace the one of yesterday, and nothing else. */
function refuseForeignTarget(store: string, target: string): void {
  if (!fs.existsSync(target)) return;
  if (fs.realpathSync(target) === fs.realpathSync(store)) {
    throw new MovingError('moving.same-file', [`Error: ${target} is the store itself. Name another file.`]);
  }
  if (fs.statSync(target).isFile() && (fs.statSync(target).size === 0 || isSqlite(startOf(target)))) return;
  throw new MovingError('moving.foreign-target', [
    `Error: ${target} is there already and is no backup; it was left as it is. Name another file.`,
  ]);
}

/** Returns under which name the present store was set aside, null when there was none. */
export async function restore(backup: string, store: string, now: Date): Promise<string | null> {
  if (!isSqlite(startOf(backup))) {
    throw new MovingError('moving.no-backup', [
      `Error: ${backup} is no backup.`,
      `  'zancudo backup FILE' makes one. For mosquitto.db and exports there is 'zancudo import'.`,
    ]);
  }
  return inPrivateFolder(store, async folder => {
    const copy = await copyStore(backup, folder);
    finishCopy(copy, backup);
    giveToOwnerOf(path.dirname(store), copy);
    const aside = setAside(store, now);
    fs.renameSync(copy, store);
    syncFolder(path.dirname(store));
    return aside;
  });
}

function setAside(store: string, now: Date): string | null {
  if (!fs.existsSync(store)) return null;
  refuseInUse(store);
  const aside = `${store}.before-restore-${stamp(now)}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (fs.existsSync(store + suffix)) fs.renameSync(store + suffix, aside + suffix);
  }
  return aside;
}

/** Takes the lock for a moment. A damaged store has no broker, and is the best reason to put a backup back. */
export function refuseInUse(store: string): void {
  const db = new DatabaseSync(store, { timeout: 0 });
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE');
    db.exec('BEGIN EXCLUSIVE');
    db.exec('ROLLBACK');
  } catch (error) {
    if (sqliteFault(error).primary === sqliteErrors.busy) throw inUse(store);
    if (!isDamage(error)) throw error;
  } finally {
    db.close();
  }
}

function inUse(store: string): MovingError {
  return new MovingError('moving.in-use', [
    `Error: ${store} is in use, perhaps by a broker that is still running.`,
    '  Stop the broker first, and start it again afterwards.',
  ]);
}

export function nothingThere(store: string): MovingError {
  return new MovingError('moving.no-store', [`Error: ${store} does not exist: this broker has not kept anything yet.`]);
}
