/**
 * Opens the file for this broker alone, whatever state it is in.
 *
 *   interrupted repair finished ── opened and locked ── not newer than we are ── tables ── sound? ──no──> repaired, again
 *                                                                                          └─yes─> swept if another
 *                                                                                                  broker had it
 * Only three things refuse a start: a file that cannot be opened or written at all, one that another process uses, and
 * one of a newer layout.
 */
import { DatabaseSync } from 'node:sqlite';
import { finishRepair, repair } from './repair.ts';
import { createTables, missingColumns, refuseNewerSchema, tableColumns } from './schema.ts';
import { StoreError } from './store-error.ts';
import { rememberCookie, rememberedCookie, schemaCookie, sweep } from './sweep.ts';
import { WAL_PAGES } from './checkpoint-hold.ts';
import { isDamage, sqliteErrors, sqliteFault } from './sqlite-fault.ts';

/** A broker that is just ending may hold the file for so long. */
const LOCK_PATIENCE_MS = 2000;

/** The write-ahead log is cut back to this after it had to grow. */
const WAL_BYTES_KEPT = 67_108_864;

export interface OpenedFile {
  db: DatabaseSync;
  remarks: string[];
}

/** Without `sync` a power cut may cost the last transactions, though never more, and no write waits for the disk. */
export function openFile(file: string, wall: number, sync = true): OpenedFile {
  const remarks: string[] = [];
  finishRepair(file, wall);
  let db = attempt(file, sync);
  if (db === null) {
    remarks.push(...repaired(file, wall));
    db = attempt(file, sync);
  }
  if (db === null) {
    throw new StoreError(
      'store.damaged',
      [`Sqlite persistence: Error opening ${file}: it is damaged even after repair`],
      13,
    );
  }
  if (rememberedCookie(db) !== schemaCookie(db)) {
    const swept = sweep(db, wall);
    if (swept.length > 0) remarks.push(`${file}: another broker has used it and left rows of no use:`, ...swept);
    rememberCookie(db);
  }
  return { db, remarks };
}

/** A repair needs about as much room as the file has; without it the damaged file stays where it is. */
function repaired(file: string, wall: number): string[] {
  try {
    return repair(file, wall);
  } catch (error) {
    throw refusal(file, error);
  }
}

/** Null when the file is damaged. */
function attempt(file: string, sync: boolean): DatabaseSync | null {
  const db = openDatabase(file);
  try {
    lockAndTune(db, sync);
    refuseNewerSchema(db, file);
    createTables(db);
    if (isSound(db)) return db;
    db.close();
    return null;
  } catch (error) {
    db.close();
    // Its tables are not the ones they are named after: as useless as a damaged page.
    const isForeign = sqliteFault(error).primary === sqliteErrors.logic;
    if (isDamage(error) || isForeign) return null;
    throw error instanceof StoreError ? error : refusal(file, error);
  }
}

function openDatabase(file: string): DatabaseSync {
  try {
    return new DatabaseSync(file, { timeout: LOCK_PATIENCE_MS });
  } catch (error) {
    throw refusal(file, error);
  }
}

/**
 * The exclusive lock of SQLite itself keeps other brokers out, Mosquitto included, and ends with the process however it
 * dies. It also spares the shared-memory file beside the write-ahead log.
 */
function lockAndTune(db: DatabaseSync, sync: boolean): void {
  db.exec('PRAGMA locking_mode = EXCLUSIVE');
  db.exec('PRAGMA journal_mode = WAL');
  db.exec(`PRAGMA synchronous = ${sync ? 'FULL' : 'NORMAL'}`);
  db.exec(`PRAGMA wal_autocheckpoint = ${WAL_PAGES}`);
  db.exec(`PRAGMA journal_size_limit = ${WAL_BYTES_KEPT}`);
  db.exec('BEGIN IMMEDIATE');
  db.exec('COMMIT');
}

/** Up to this size the whole structure is looked at before the start: two seconds per gigabyte, when it is in memory. */
const CHECKED_WHOLE_BYTES = 268_435_456;

/**
 * Structure only; values are looked at as they are read. Of a large file the messages are left out, which are nearly all
 * of it: damage among them shows, and is repaired, when they are read.
 */
function isSound(db: DatabaseSync): boolean {
  if (missingColumns(db).length > 0) return false;
  const pages = Number(db.prepare('PRAGMA page_count').get()?.['page_count']);
  const size = Number(db.prepare('PRAGMA page_size').get()?.['page_size']) * pages;
  if (size <= CHECKED_WHOLE_BYTES) return isOk(db.prepare('PRAGMA quick_check(1)').get());
  const tables = Object.keys(tableColumns).filter(table => table !== 'base_msgs');
  return tables.every(table => isOk(db.prepare(`PRAGMA quick_check(${table})`).get()));
}

function isOk(result: Record<string, unknown> | undefined): boolean {
  return result?.['quick_check'] === 'ok';
}

/** Mosquitto's line first, then what it means here. */
function refusal(file: string, error: unknown): StoreError {
  const { primary, text } = sqliteFault(error);
  const line = `Sqlite persistence: Error opening ${file}: ${text}`;
  if (primary === sqliteErrors.busy) {
    return new StoreError(
      'store.in-use',
      [
        line,
        '  Another process has it open, perhaps a broker that is still running. End that one, or name another file.',
      ],
      13,
    );
  }
  const remedies: Record<number, string> = {
    [sqliteErrors.full]: '  There is no room left on its disk. Make room, then start again.',
    [sqliteErrors.readOnly]: "  It must be writable for the broker's user.",
  };
  const remedy = remedies[primary] ?? "  Its directory must exist, and be writable for the broker's user.";
  return new StoreError('store.cannot-open', [line, remedy], 13);
}
