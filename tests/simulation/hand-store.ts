/**
 * The durable store itself, with its thread moved by hand: a test decides when the thread takes the next request, whether
 * there is room on the disk, and when its answer is heard.
 *
 *   heart ── DurableStore ── inbox ── work() ──> tables in memory
 *                 └──────── answer() ── outbox ─────┘
 *
 * What was committed is what the next store finds (fall).
 */
import { EventEmitter } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import type { Worker } from 'node:worker_threads';
import type { StoredState } from '../../src/broker/ports.ts';
import { BatchApplier } from '../../src/storage/apply.ts';
import { hexJson } from '../../src/storage/durable.contract.ts';
import { DurableStore } from '../../src/storage/durable.ts';
import { Pending } from '../../src/storage/pending.ts';
import type { Batch, WorkerReply, WorkerRequest } from '../../src/storage/protocol.ts';
import { stateChunks } from '../../src/storage/read-state.ts';
import { TailReader } from '../../src/storage/read-tail.ts';
import { Restored } from '../../src/storage/restored.ts';
import { createTables } from '../../src/storage/schema.ts';

class HandMovedThread extends EventEmitter {
  readonly #applier: BatchApplier;
  readonly #reader: TailReader;
  readonly #inbox: WorkerRequest[] = [];
  readonly #outbox: WorkerReply[] = [];
  /** Has been taken and is not on the disk. */
  #batch: Batch | null = null;

  constructor(db: DatabaseSync) {
    super();
    this.#applier = new BatchApplier(db);
    this.#reader = new TailReader(db);
  }

  postMessage(request: WorkerRequest): void {
    this.#inbox.push(structuredClone(request));
  }

  /** False when there was nothing to do, or no room for it. */
  work(isFull: boolean): boolean {
    if (this.#batch !== null && !isFull) return this.#write(this.#batch);
    const request = this.#inbox.shift();
    if (request?.kind === 'batch') this.#batch = request.batch;
    else if (request?.kind === 'page') this.#outbox.push(this.#reader.page(request));
    else if (request?.kind === 'expired') this.#outbox.push({ kind: 'expired', cells: [], last: true });
    return request !== undefined;
  }

  answer(): boolean {
    const reply = this.#outbox.shift();
    if (reply !== undefined) this.emit('message', structuredClone(reply));
    return reply !== undefined;
  }

  #write(batch: Batch): boolean {
    this.#applier.apply(batch);
    this.#batch = null;
    this.#outbox.push({ kind: 'settled' });
    return true;
  }
}

export class HandStore {
  readonly #db = new DatabaseSync(':memory:');
  #thread!: HandMovedThread;
  store!: DurableStore;
  /** While the disk is full nothing is committed; it can be read. */
  isFull = false;

  constructor() {
    createTables(this.#db);
    this.#open();
  }

  /** The thread does one thing. */
  work(): boolean {
    return this.#thread.work(this.isFull);
  }

  /** One of its answers is heard. */
  answer(): boolean {
    return this.#thread.answer();
  }

  /** Everything that can be done is, and is heard of. */
  rest(): void {
    while (this.work() || this.answer());
  }

  /** The process ends: what was not committed is forgotten. Another store has the file from now on. */
  fall(): StoredState {
    this.#thread.removeAllListeners();
    return this.#open();
  }

  discard(): void {
    this.#thread.removeAllListeners();
    this.#db.close();
  }

  #open(): StoredState {
    this.#thread = new HandMovedThread(this.#db);
    const pending = new Pending();
    pending.nextRow = this.#next('client_msgs', 'rowid');
    pending.nextMessage = this.#next('base_msgs', 'store_id');
    const restored = new Restored(pending, hexJson.propertiesFromJson);
    for (const chunk of stateChunks(this.#db)) restored.add(chunk);
    const quiet = { onTrouble: () => {}, onHealed: () => {} };
    const options = { file: 'memory', durability: { kind: 'commit' }, ...hexJson, now: () => 0, ...quiet } as const;
    this.store = new DurableStore(this.#thread as unknown as Worker, pending, restored, options);
    return restored.state;
  }

  #next(table: string, column: string): number {
    const found = this.#db.prepare(`SELECT max(${column}) AS n FROM ${table}`).get();
    return Number(found?.['n'] ?? 0) + 1;
  }
}
