/**
 * What happens to the store's file before it is opened.
 *
 *   there already                    nothing
 *   none, and a mosquitto.db         what Mosquitto kept is taken over; its file stays as it is
 *   none at all                      made, for the broker's user alone, with the page size that was asked for
 */
import fs from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { systemClock } from '../base/mod.ts';
import { mountPoints, type Settings } from '../conf/mod.ts';
import type { BrokerLog } from '../observability/mod.ts';
import { propertiesToJson } from './stored-properties.ts';

interface Refusal {
  lines: readonly string[];
  exitCode: number;
}

/** As Mosquitto ends when it cannot use its database. */
const EXIT_CODE = 1;

export async function prepareStoreFile(file: string, settings: Settings, log: BrokerLog): Promise<Refusal | null> {
  if (hasContent(file)) return null;
  const database = path.resolve(settings.persistenceLocation, settings.persistenceFile);
  const refusal =
    settings.storeFile === null && hasContent(database) ? await takeOver(database, file, settings, log) : null;
  if (refusal === null && !hasContent(file)) makeFile(file, settings.storePageSize);
  return refusal;
}

/** Nobody's sessions and retained messages vanish because the broker is another one now. */
async function takeOver(database: string, store: string, settings: Settings, log: BrokerLog): Promise<Refusal | null> {
  const { importFile, MovingError, remarkLines, tallyText } = await import('../storage/moving/mod.ts');
  try {
    const wall = systemClock.wall();
    const whose = { mountPoints: mountPoints(settings), propertiesToJson, wall };
    const { what, tally, losses } = await importFile({ file: database, store, replace: false, ...whose });
    log.write('notice', `Taken over from ${database} (${what}): ${tallyText(tally)}.`, {
      code: 'store.taken-over',
      file: database,
    });
    log.write(
      'information',
      `${database} stays as it is and is not read again; what is kept is in ${store}.`,
      'store.taken-over',
    );
    for (const line of [...losses, ...remarkLines(tally)])
      log.write('warning', `${database}: ${line}`, { code: 'store.remark', file: database });
    return null;
  } catch (error) {
    if (error instanceof MovingError && error.code === 'moving.unknown-format') return refusalOf(error.lines, database);
    return cannotTakeOver(error, database, log);
  }
}

/** A newer format is no damage: to start without what it holds would look as if it were lost. */
function refusalOf(lines: readonly string[], database: string): Refusal {
  const remedy = `  To start without what it holds, move ${database} away.`;
  return { lines: [...lines, remedy], exitCode: EXIT_CODE };
}

/** A damaged file keeps no broker from starting. */
function cannotTakeOver(error: unknown, database: string, log: BrokerLog): null {
  const reason = error instanceof Error ? error.message : String(error);
  log.write('warning', `Warning: ${database} could not be taken over, and stays as it is: ${reason}`, {
    code: 'store.not-taken-over',
    file: database,
  });
  log.write(
    'warning',
    `  Sessions and retained messages begin anew. 'zancudo import' tries again.`,
    'store.not-taken-over',
  );
  return null;
}

/** Messages are nobody else's business; SQLite gives its other files the mode of this one. */
function makeFile(file: string, pageSize: number | null): void {
  try {
    fs.closeSync(fs.openSync(file, 'a', 0o600));
    if (pageSize === null) return;
    const db = new DatabaseSync(file);
    // A size that SQLite does not know is its default, without a word.
    db.exec(`PRAGMA page_size = ${pageSize}; PRAGMA journal_mode = WAL`);
    db.close();
  } catch {
    // Why the file cannot be opened is said, in better words, by the store.
  }
}

function hasContent(file: string): boolean {
  return (fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0;
}
