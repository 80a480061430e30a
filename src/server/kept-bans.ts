/**
 * Bans over a restart: a file beside the store, for its owner alone, replaced in one step.
 *
 *   a ban is imposed or lifted ── a second later, and at the end ──> bans.json ── at the next start ──> in force again
 *
 * Where nothing is kept over a restart (no store), bans are not either.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { storeFile, type Settings } from '../conf/mod.ts';
import type { AddressDoorkeeper, Ban } from '../listeners/mod.ts';
import type { Log } from '../broker/ports.ts';

const WRITTEN_AFTER_MS = 1000;

/** Beside the store; null where there is none. */
export function bansFile(settings: Settings): string | null {
  const store = storeFile(settings);
  return store === null ? null : path.join(path.dirname(store), 'bans.json');
}

/** Returns what ends it, and writes what is not written yet. */
export function keepBans(file: string | null, door: AddressDoorkeeper, log: Log): () => void {
  if (file === null) return () => {};
  door.restore(readBans(file, log));
  let timer: NodeJS.Timeout | null = null;
  const write = (): void => {
    timer = null;
    writeBans(file, door.list(), log);
  };
  door.onChange = () => {
    timer ??= setTimeout(write, WRITTEN_AFTER_MS);
    timer.unref();
  };
  return () => {
    door.onChange = null;
    if (timer === null) return;
    clearTimeout(timer);
    write();
  };
}

function readBans(file: string, log: Log): Ban[] {
  try {
    const { bans } = JSON.parse(readFileSync(file, 'utf8')) as { bans: unknown };
    if (Array.isArray(bans) && bans.every(isBan)) return bans;
    throw new Error('it has no list of bans');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') {
      log.write('warning', `Warning: The bans in ${file} cannot be read, so nobody is banned: ${message}.`, {
        code: 'connection.bans-not-kept',
        file,
      });
    }
    return [];
  }
}

function isBan(value: unknown): value is Ban {
  const { source, by, since, until, because, turnedAway } = (value ?? {}) as Record<string, unknown>;
  const texts = typeof source === 'string' && typeof because === 'string';
  const numbers = [since, until, turnedAway].every(each => typeof each === 'number' && Number.isFinite(each));
  return texts && numbers && (by === 'failed logins' || by === 'operator');
}

function writeBans(file: string, bans: readonly Ban[], log: Log): void {
  const unfinished = `${file}.tmp-${process.pid}`;
  try {
    const handle = openSync(unfinished, 'wx', 0o600);
    try {
      writeFileSync(handle, `${JSON.stringify({ version: 1, bans }, null, 1)}\n`);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(unfinished, file);
  } catch (error) {
    rmSync(unfinished, { force: true });
    const because = (error as Error).message;
    log.write('warning', `Warning: The bans cannot be written to ${file}, and end with the broker: ${because}.`, {
      code: 'connection.bans-not-kept',
      file,
    });
  }
}
