/**
 * Import: entries of another file into a store, all of them or, when anything fails, none.
 *
 *   into a store that is there      one transaction
 *   into none                       a new file in a private folder, renamed into place when it is complete
 *   dry run                         a temporary database that knows by name what is there already
 */
import fs from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openFile } from '../open-file.ts';
import { createTables } from '../schema.ts';
import { rememberCookie, sweep } from '../sweep.ts';
import { refuseInUse } from './backup.ts';
import { syncFile } from './copy-store.ts';
import type { Source } from './entry.ts';
import { EntryWriter, type Tally } from './entry-writer.ts';
import { counted } from './told.ts';
import { MovingError } from './moving-error.ts';
import { openSource, type SourceHelp } from './open-source.ts';
import { giveToOwnerOf, inPrivateFolder, syncFolder } from './private-folder.ts';

export interface ImportRequest {
  file: string;
  store: string;
  /** What the file has takes the place of what is there. */
  replace: boolean;
  propertiesToJson: SourceHelp['propertiesToJson'];
  /** Of the broker that is to have it: mount points by the port of their listener. */
  mountPoints: ReadonlyMap<number, string>;
  /** Unix millisecond. */
  wall: number;
}

export interface Imported {
  /** What the file was. */
  what: string;
  tally: Tally;
  /** Lines about what could not be read. */
  losses: string[];
}

export async function importFile(request: ImportRequest): Promise<Imported> {
  requireFolder(request.store);
  return withSource(request, async source => {
    if (hasContent(request.store)) return importInto(source, request);
    return inPrivateFolder(request.store, folder => importAnew(source, request, folder));
  });
}

/** Says what an import would bring: the counts, and by `list` one line for each session and retained topic. */
export async function dryRun(request: ImportRequest, list: (line: string) => void): Promise<Imported> {
  requireFolder(request.store);
  // An empty name is a temporary database, on the disk when it is large.
  const db = new DatabaseSync('');
  try {
    createTables(db);
    if (hasContent(request.store)) copyNames(request.store, db);
    return await withSource(request, source => {
      const imported = write(db, source, request);
      for (const line of listing(db)) list(line);
      return imported;
    });
  } finally {
    db.close();
  }
}

async function withSource<T>(request: ImportRequest, use: (source: Source) => T | Promise<T>): Promise<T> {
  return inPrivateFolder(request.store, async folder => {
    const source = await openSource(request.file, { ...request, folder });
    try {
      return await use(source);
    } finally {
      source.close();
    }
  });
}

function importInto(source: Source, request: ImportRequest): Imported {
  const { db, remarks } = openFile(request.store, request.wall);
  try {
    const imported = write(db, source, request);
    settle(db);
    return { ...imported, losses: [...remarks, ...imported.losses] };
  } finally {
    db.close();
  }
}

function importAnew(source: Source, request: ImportRequest, folder: string): Imported {
  const unfinished = path.join(folder, 'store.sqlite3');
  fs.closeSync(fs.openSync(unfinished, 'wx', 0o600));
  const { db } = openFile(unfinished, request.wall);
  let imported: Imported;
  try {
    imported = write(db, source, request);
    settle(db);
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } finally {
    db.close();
  }
  syncFile(unfinished);
  giveToOwnerOf(path.dirname(request.store), unfinished);
  if (hasContent(request.store)) throw new MovingError('moving.store-appeared', [`Error: ${request.store} was made by somebody else meanwhile. Nothing was imported; try again.`]); // prettier-ignore
  fs.renameSync(unfinished, request.store);
  syncFolder(path.dirname(request.store));
  return imported;
}

function write(db: DatabaseSync, source: Source, { replace, wall, ...request }: ImportRequest): Imported {
  const { what, makesUpSessions } = source;
  const mountPoints = source.hidesMountPoints ? request.mountPoints : new Map<number, string>();
  const now = Math.floor(wall / 1000);
  db.exec('BEGIN IMMEDIATE');
  try {
    const writer = new EntryWriter(db, { replace, makesUpSessions, mountPoints, now });
    for (const entry of source.entries()) writer.add(entry);
    writer.finish();
    // Interrupted between here and settle(): the next to open the file sweeps it.
    forgetCookie(db);
    db.exec('COMMIT');
    return { what, tally: writer.tally, losses: source.losses() };
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** What our own way of keeping adds to the rows, and messages that nothing points to, as after another broker. */
function settle(db: DatabaseSync): void {
  sweep(db, null);
  rememberCookie(db);
}

function forgetCookie(db: DatabaseSync): void {
  db.exec(`DELETE FROM zancudo_state WHERE key = 'schema_cookie'`);
}

/** Of what is there already only the names matter; rows without a time, and without a message, are such. */
function copyNames(store: string, target: DatabaseSync): void {
  refuseInUse(store);
  const present = new DatabaseSync(store, { readOnly: true });
  try {
    const client = target.prepare('INSERT OR IGNORE INTO clients (client_id) VALUES (?)');
    for (const table of ['clients', 'wills']) {
      for (const row of present.prepare(`SELECT client_id AS id FROM ${table}`).iterate()) client.run(row['id']!);
    }
    const topic = target.prepare('INSERT OR IGNORE INTO retains (topic, store_id) VALUES (?, 0)');
    for (const row of present.prepare('SELECT topic AS t FROM retains').iterate()) topic.run(row['t']!);
  } finally {
    present.close();
  }
}

function* listing(db: DatabaseSync): Generator<string> {
  const sessions = db.prepare(`SELECT client_id AS id,
      (SELECT count(*) FROM subscriptions s WHERE s.client_id = c.client_id) AS subscriptions, w.n AS waiting
    FROM clients c LEFT JOIN (SELECT client_id, count(*) AS n FROM client_msgs GROUP BY client_id) w USING (client_id)
    WHERE connection_time IS NOT NULL ORDER BY client_id`);
  for (const { id, subscriptions, waiting } of sessions.iterate()) {
    yield `session   ${printable(String(id))}: ${counted(Number(subscriptions), 'subscription')}, ${counted(Number(waiting ?? 0), 'message')} waiting`;
  }
  const retained = db.prepare(`SELECT CAST(r.topic AS TEXT) AS topic, payloadlen AS bytes
    FROM retains r JOIN base_msgs USING (store_id) ORDER BY r.topic`);
  for (const { topic, bytes } of retained.iterate()) {
    yield `retained  ${printable(String(topic))}: ${counted(Number(bytes), 'byte')}`;
  }
}

/** Names are chosen by clients: what would steer a terminal is shown as what it is. */
function printable(name: string): string {
  return name.replace(/\p{Cc}/gu, each => `\\u{${each.codePointAt(0)!.toString(16)}}`);
}

function hasContent(file: string): boolean {
  return (fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

function requireFolder(store: string): void {
  const folder = path.dirname(store);
  if (fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new MovingError('moving.no-folder', [
    `Error: ${folder} is no directory, and the store is to be in it.`,
    '  Make it, for the user that the broker runs as.',
  ]);
}
