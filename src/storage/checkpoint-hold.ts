/**
 * While somebody copies the file of a store from outside (moving/copy-store.ts), its write-ahead log may only grow.
 *
 *   copying:  FILE-copying is made ── file and log are copied ── FILE-copying is removed
 *   writing:  before each batch: is it there? then no checkpoint ── is it gone? then as always
 *
 * The sign counts for a minute after it was last touched, so that a copy that died holds nothing up for good.
 */
import fs from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';

const SIGN = '-copying';
const SIGN_COUNTS_MS = 60_000;

/** Pages in the write-ahead log before they are copied into the file: 16 MB. A page that changes often is copied once. */
export const WAL_PAGES = 4096;

export class CheckpointHold {
  readonly #db: DatabaseSync;
  readonly #sign: string;
  readonly #pages: number;
  #held = false;

  constructor(db: DatabaseSync, file: string, pages = WAL_PAGES) {
    this.#db = db;
    this.#sign = file + SIGN;
    this.#pages = pages;
  }

  /** To be called before each batch; two microseconds. */
  look(): void {
    const touched = fs.statSync(this.#sign, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const held = Date.now() - touched < SIGN_COUNTS_MS;
    if (held === this.#held) return;
    this.#held = held;
    this.#db.exec(`PRAGMA wal_autocheckpoint = ${held ? 0 : this.#pages}`);
  }
}

/** Puts up the sign for as long as `copy` takes. Who may not write beside the store copies without it, and may be unlucky. */
export function whileHeld<T>(file: string, copy: () => T): T {
  const sign = file + SIGN;
  try {
    fs.writeFileSync(sign, '', { mode: 0o600 });
    const now = new Date();
    fs.utimesSync(sign, now, now);
  } catch {
    return copy();
  }
  try {
    return copy();
  } finally {
    fs.rmSync(sign, { force: true });
  }
}
