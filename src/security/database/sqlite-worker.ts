/** The thread of sqlite.ts. It reads and never writes; a file that is not there yet is looked for again. */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { SqliteReply, SqliteRequest, SqliteStart } from './sqlite.ts';

const port = parentPort!;
const { file, busyMs } = workerData as SqliteStart;
let database: DatabaseSync | null = null;
const statements = new Map<string, StatementSync>();

/** SQLite's codes for a question that makes no sense: SQLITE_ERROR, SQLITE_MISMATCH, SQLITE_RANGE. */
const OPINIONS = new Set([1, 20, 25]);

port.on('message', (request: SqliteRequest) => port.postMessage(answer(request)));

function answer({ id, text, values }: SqliteRequest): SqliteReply {
  try {
    database ??= new DatabaseSync(file, { readOnly: true, timeout: busyMs });
    return { id, rows: statement(database, text).all(...values) as unknown as unknown[][] };
  } catch (error) {
    const { message, errcode = 0 } = error as Error & { errcode?: number };
    const answered = OPINIONS.has(errcode & 0xff);
    if (!answered) forget();
    return { id, rows: [], error: answered ? message : `${file}: ${message}`, answered };
  }
}

function statement(open: DatabaseSync, text: string): StatementSync {
  let made = statements.get(text);
  if (made === undefined) {
    made = open.prepare(text);
    made.setReturnArrays(true);
    statements.set(text, made);
  }
  return made;
}

/** The file may have been replaced, or repaired. */
function forget(): void {
  statements.clear();
  database?.close();
  database = null;
}
