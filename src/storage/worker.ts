/**
 * The store's own thread: it opens the file, sends what it holds, then writes one batch after the other and says so.
 * Whatever waits for a disk waits here, so that the routing thread never does.
 *
 *   batch ──> transaction ──> settled
 *                └─ no room, read-only, I/O error ──> trouble, again after 0.25, 0.5 … 10 s ──> healed, settled
 */
import { parentPort, workerData } from 'node:worker_threads';
import { BatchApplier } from './apply.ts';
import { openFile, type OpenedFile } from './open-file.ts';
import type { Batch, WorkerReply, WorkerRequest, WorkerStart } from './protocol.ts';
import { idsMax, stateChunks } from './read-state.ts';
import { repair } from './repair.ts';
import { isDamage, sqliteErrors, sqliteFault } from './sqlite-fault.ts';
import { StoreError } from './store-error.ts';

const RETRY_FIRST_MS = 250;
const RETRY_LONGEST_MS = 10_000;

/** Mosquitto's message identifiers count from here, in units of 2^-23 seconds (docs/compat/persist-sqlite.md, 5). */
const MOSQUITTO_EPOCH_SECONDS = 1_637_168_273;
const IDS_PER_SECOND = 2 ** 23;

const port = parentPort!;
const { file, wall } = workerData as WorkerStart;

function send(reply: WorkerReply): void {
  port.postMessage(reply, reply.kind === 'chunk' ? [reply.bytes.buffer] : []);
}

class StoreWorker {
  #opened: OpenedFile;
  #applier: BatchApplier;
  #batch: Batch | null = null;
  #retry: NodeJS.Timeout | null = null;
  #retryMs = RETRY_FIRST_MS;
  #closing = false;

  constructor() {
    this.#opened = openFile(file, wall);
    this.#applier = new BatchApplier(this.#opened.db);
  }

  sendState(): void {
    const { db, remarks } = this.#opened;
    for (const chunk of stateChunks(db)) send(chunk);
    const rows = db.prepare(`SELECT max(rowid) AS n FROM client_msgs WHERE rowid <= ${idsMax}`).get();
    const messages = db.prepare(`SELECT max(store_id) AS n FROM base_msgs WHERE store_id <= ${idsMax}`).get();
    const byClock = (Math.floor(wall / 1000) - MOSQUITTO_EPOCH_SECONDS) * IDS_PER_SECOND;
    const nextMessage = Math.max(Number(messages?.['n'] ?? 0) + 1, byClock);
    send({ kind: 'opened', nextRow: Number(rows?.['n'] ?? 0) + 1, nextMessage, remarks });
  }

  receive(request: WorkerRequest): void {
    if (request.kind === 'batch') {
      this.#batch = request.batch;
      this.#write();
    } else {
      this.#closing = true;
      if (this.#batch !== null) this.#write();
      this.#close();
    }
  }

  #write(): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    const inTrouble = this.#retry !== null;
    this.#retry = null;
    try {
      this.#applier.apply(this.#batch!);
    } catch (error) {
      const unusable = isDamage(error) || !this.#opened.db.isOpen;
      if (unusable && this.#repaired()) return this.#write();
      return this.#tryLater(error, inTrouble);
    }
    this.#batch = null;
    this.#retryMs = RETRY_FIRST_MS;
    if (inTrouble) send({ kind: 'healed', lines: [`${file}: changes are on the disk again; nothing was lost.`] });
    send({ kind: 'settled' });
  }

  #tryLater(error: unknown, inTrouble: boolean): void {
    if (!inTrouble) send({ kind: 'trouble', lines: troubleLines(error) });
    if (this.#closing) return;
    this.#retry = setTimeout(() => this.#write(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_LONGEST_MS);
  }

  /** Damage that shows only while writing, such as in an index. False when the repair failed too, until the next try. */
  #repaired(): boolean {
    try {
      if (this.#opened.db.isOpen) this.#opened.db.close();
      const remarks = repair(file, Date.now());
      this.#opened = openFile(file, Date.now());
      this.#applier = new BatchApplier(this.#opened.db);
      send({ kind: 'trouble', lines: remarks });
      send({ kind: 'healed', lines: [`${file}: the repaired file is in use.`] });
      return true;
    } catch {
      return false;
    }
  }

  #close(): void {
    const { db } = this.#opened;
    try {
      db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      db.close();
    } catch {
      // What is in the write-ahead log stays there and is read at the next start.
    }
    port.close();
  }
}

/** What it means for the clients stands first: nothing is acknowledged that is not safe. */
function troubleLines(error: unknown): string[] {
  const { primary, text } = sqliteFault(error);
  const remedies: Record<number, string> = {
    [sqliteErrors.full]: 'Make room on its disk; the broker goes on by itself then.',
    [sqliteErrors.readOnly]: 'Make it writable again; the broker goes on by itself then.',
  };
  return [
    `Error: ${file}: changes cannot be written: ${text}.`,
    '  QoS 1 and 2 messages are not acknowledged until they are safe; QoS 0 goes on.',
    `  ${remedies[primary] ?? 'Look at the disk and its mount; the broker tries again by itself.'}`,
  ];
}

try {
  const worker = new StoreWorker();
  worker.sendState();
  port.on('message', (request: WorkerRequest) => worker.receive(request));
} catch (error) {
  const known = error instanceof StoreError ? error : null;
  const lines = known?.lines ?? [`Sqlite persistence: Error opening ${file}: ${sqliteFault(error).text}`];
  send({
    kind: 'refused',
    code: known?.code ?? 'store.cannot-open',
    lines: [...lines],
    exitCode: known?.exitCode ?? 13,
  });
  port.close();
}
