/**
 * A file system of one's own (tmpfs), which can be filled and made read-only without harm to anybody: in a mount namespace
 * that ends with the process, for which root and unshare are needed.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../harness/mod.ts';

const INSIDE = 'ZANCUDO_OWN_MOUNTS';
const MEGABYTES = 64;

/** The exit code of the same command line in mounts of its own; null for whoever is in them, or cannot have them. */
export function runInOwnMounts(): number | null {
  if (process.env[INSIDE] !== undefined || process.getuid?.() !== 0) return null;
  if (spawnSync('unshare', ['--mount', 'true']).status !== 0) return null;
  const again = ['--mount', process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const { status } = spawnSync('unshare', again, { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } });
  return status ?? 1;
}

export const hasOwnMounts = (): boolean => process.env[INSIDE] === '1';

/** Leaves not a page free where the file is; without it there is room again. */
export function fillDisk(ballast: string): void {
  const handle = openSync(ballast, 'w');
  try {
    for (;;) writeSync(handle, Buffer.alloc(65_536, 1));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(handle);
  }
}

export class OwnDisk {
  readonly #place = temporaryDirectory();

  constructor() {
    this.#mount('-t', 'tmpfs', '-o', `size=${MEGABYTES}m`, 'tmpfs');
  }

  get path(): string {
    return this.#place.path;
  }

  /** Leaves not a page free. */
  fill(): void {
    fillDisk(this.#ballast);
  }

  relieve(): void {
    rmSync(this.#ballast, { force: true });
  }

  /** Nobody may have a file of it open for writing. */
  readOnly(isReadOnly: boolean): void {
    this.#mount('-o', `remount,${isReadOnly ? 'ro' : 'rw'}`);
  }

  remove(): void {
    spawnSync('umount', [this.path]);
    this.#place.remove();
  }

  get #ballast(): string {
    return join(this.path, 'ballast');
  }

  #mount(...args: string[]): void {
    const { status, stderr } = spawnSync('mount', [...args, this.path], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`mount ${args.join(' ')}: ${stderr}`);
  }
}
