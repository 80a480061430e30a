/**
 * The store's own thread: it opens the file, sends what it holds, then writes one batch after the other and says so.
 * Whatever waits for a disk waits here, so that the routing thread never does.
 *
 *   batch ──> transaction ──> settled
 *                └─ no room, read-only, I/O error ──> trouble, again after 0.25, 0.5 … 10 s ──> healed, settled
 *   page  ──> what waits for a client, whatever trouble there is with writing
 *
 * What takes long, such as the removal of a million messages of a session that has ended, is done in small steps between
 * batches.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { BatchApplier } from './apply.ts';
import { CheckpointHold } from './checkpoint-hold.ts';
import { openFile, type OpenedFile } from './open-file.ts';
import { noRows } from './page-writer.ts';
import type { Batch, WorkerReply, WorkerRequest, WorkerStart } from './protocol.ts';
import { idsMax, stateChunks } from './read-state.ts';
import { repair } from './repair.ts';
import { TailReader } from './read-tail.ts';
import { isDamage, sqliteErrors, sqliteFault } from './sqlite-fault.ts';
import { StoreError } from './store-error.ts';

const RETRY_FIRST_MS = 250;
const RETRY_LONGEST_MS = 10_000;

/** Mosquitto's message identifiers count from here, in units of 2^-23 seconds (docs/compat/persist-sqlite.md, 5). */
const MOSQUITTO_EPOCH_SECONDS = 1_637_168_273;
const IDS_PER_SECOND = 2 ** 23;

/** Rows of an ended session that are removed in one step: some 10 ms. */
const PURGED_AT_ONCE = 2000;

/** What is left to remove when the broker stops is done for so long; the rest waits for the next start. */
const PURGE_AT_CLOSE_MS = 2000;

const port = parentPort!;
const { file, wall, sync } = workerData as WorkerStart;

function send(reply: WorkerReply): void {
  port.postMessage(reply, transferred(reply));
}

/** Blocks change their owner instead of being copied. */
function transferred(reply: WorkerReply): ArrayBuffer[] {
  if (reply.kind === 'page') return [reply.bytes.buffer, reply.numbers.buffer];
  return reply.kind === 'chunk' ? [reply.bytes.buffer] : [];
}

class StoreWorker {
  #opened!: OpenedFile;
  #applier!: BatchApplier;
  #hold!: CheckpointHold;
  #reader!: TailReader;
  #purging = false;
  #batch: Batch | null = null;
  #retry: NodeJS.Timeout | null = null;
  #retryMs = RETRY_FIRST_MS;
  #closing = false;

  constructor() {
    this.#open();
    this.#purgeSoon();
  }

  sendState(): void {
    try {
      return this.#sendState();
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
    const { db, remarks } = this.#opened;
    db.close();
    this.#open([...remarks, ...repair(file, wall)]);
    send({ kind: 'again' });
    this.#sendState();
  }

  #open(remarksBefore: string[] = []): void {
    this.#opened = openFile(file, wall, sync);
    this.#opened.remarks.unshift(...remarksBefore);
    this.#applier = new BatchApplier(this.#opened.db);
    this.#hold = new CheckpointHold(this.#opened.db, file);
    this.#reader = new TailReader(this.#opened.db);
  }

  #sendState(): void {
    const { db, remarks } = this.#opened;
    for (const chunk of stateChunks(db)) send(chunk);
    const rows = db.prepare(`SELECT max(rowid) AS n FROM client_msgs WHERE rowid <= ${idsMax}`).get();
    const messages = db.prepare(`SELECT max(store_id) AS n FROM base_msgs WHERE store_id <= ${idsMax}`).get();
    const byClock = (Math.floor(wall / 1000) - MOSQUITTO_EPOCH_SECONDS) * IDS_PER_SECOND;
    const nextMessage = Math.max(Number(messages?.['n'] ?? 0) + 1, byClock);
    send({ kind: 'opened', nextRow: Number(rows?.['n'] ?? 0) + 1, nextMessage, remarks });
  }

  receive(request: WorkerRequest): void {
    switch (request.kind) {
      case 'batch':
        this.#batch = request.batch;
        return this.#write();
      case 'page':
        return this.#reading(
          () => this.#reader.page(request),
          () => ({ kind: 'page', id: request.id, ...noRows(), full: false }),
        );
      case 'expired':
        return this.#findExpired(request.second, 0);
      case 'close':
        this.#closing = true;
        if (this.#batch !== null) this.#write();
        this.#close();
    }
  }

  /** Damage shows when its page is read: what is lost is lost, and the rest is given. */
  #reading(read: () => WorkerReply, nothing: () => WorkerReply): void {
    try {
      return send(read());
    } catch (error) {
      const isRepaired = (isDamage(error) || !this.#opened.db.isOpen) && this.#repaired();
      if (isRepaired) return this.#reading(read, nothing);
      send({ kind: 'trouble', lines: [`Error: ${file}: cannot be read: ${sqliteFault(error).text}.`] });
      send(nothing());
    }
  }

  #findExpired(second: number, after: number): void {
    const stop = (): WorkerReply => ({ kind: 'expired', cells: [], last: true });
    this.#reading(() => {
      const { cells, next } = this.#reader.expired(second, after);
      if (next !== null) setImmediate(() => this.#findExpired(second, next));
      return { kind: 'expired', cells, last: next === null };
    }, stop);
  }

  #purgeSoon(): void {
    if (this.#purging) return;
    this.#purging = true;
    setImmediate(() => {
      this.#purging = false;
      // A batch that does not get onto the disk goes first.
      if (this.#batch === null && !this.#closing && this.#purge()) this.#purgeSoon();
    });
  }

  /** False when there is nothing more to remove, or no way to. */
  #purge(): boolean {
    try {
      this.#hold.look();
      return this.#applier.purge(PURGED_AT_ONCE);
    } catch (error) {
      // Of other trouble the next batch speaks.
      return isDamage(error) && this.#repaired();
    }
  }

  #write(): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    const inTrouble = this.#retry !== null;
    this.#retry = null;
    try {
      this.#hold.look();
      this.#applier.apply(this.#batch!);
    } catch (error) {
      const unusable = isDamage(error) || !this.#opened.db.isOpen;
      if (unusable && this.#repaired()) return this.#write();
      return this.#tryLater(error, inTrouble);
    }
    if (this.#batch!.wipedTails.length > 0) this.#purgeSoon();
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
      this.#open();
      send({ kind: 'trouble', lines: remarks });
      send({ kind: 'healed', lines: [`${file}: the repaired file is in use.`] });
      return true;
    } catch {
      return false;
    }
  }

  #close(): void {
    const deadline = performance.now() + PURGE_AT_CLOSE_MS;
    while (this.#batch === null && performance.now() < deadline && this.#purge());
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
