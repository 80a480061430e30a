/**
 * SQLite on a thread of its own: a file that somebody else has locked, or a query that takes long, holds nobody up. A
 * thread that does not answer is ended and started anew.
 */
import { Worker } from 'node:worker_threads';
import type { Connection } from './connection.ts';
import { Answered } from './gate.ts';
import type { SqlDriver, SqlStatement } from './sql-source.ts';

export interface SqliteStart {
  file: string;
  busyMs: number;
}

export interface SqliteRequest {
  id: number;
  text: string;
  values: readonly (string | number)[];
}

export interface SqliteReply {
  id: number;
  rows: unknown[][];
  error?: string;
  /** The error is about the question, not about the file. */
  answered?: boolean;
}

interface Waiting {
  resolve: (reply: SqliteReply) => void;
  reject: (error: Error) => void;
}

export class SqliteDriver implements SqlDriver {
  private readonly start: SqliteStart;
  private readonly timeoutMs: number;
  private worker: Worker | null = null;
  private lastId = 0;
  private readonly waiting = new Map<number, Waiting>();

  constructor({ settings, timeoutMs }: Connection) {
    this.start = { file: settings.file ?? '', busyMs: Math.ceil(timeoutMs / 2) };
    this.timeoutMs = timeoutMs;
  }

  mark(nth: number): string {
    return `?${nth}`;
  }

  async query({ text }: SqlStatement, values: readonly (string | number)[]): Promise<unknown[][]> {
    const request: SqliteRequest = { id: ++this.lastId, text, values };
    const timer = setTimeout(() => this.giveUp('the query takes too long'), 2 * this.timeoutMs);
    timer.unref();
    try {
      const { rows, error, answered } = await new Promise<SqliteReply>((resolve, reject) => {
        this.waiting.set(request.id, { resolve, reject });
        (this.worker ??= this.run()).postMessage(request);
      });
      if (error === undefined) return rows;
      throw answered === true ? new Answered(error) : new Error(error);
    } finally {
      clearTimeout(timer);
      this.waiting.delete(request.id);
    }
  }

  async close(): Promise<void> {
    const { worker } = this;
    this.worker = null;
    await worker?.terminate();
  }

  private run(): Worker {
    // scripts/bundle.mjs knows this way to name a file: in a bundle it is the worker's own.
    const worker = new Worker(new URL('./sqlite-worker.ts', import.meta.url), { workerData: this.start });
    worker.unref();
    worker.on('message', (reply: SqliteReply) => this.waiting.get(reply.id)?.resolve(reply));
    worker.on('error', (error: Error) => this.worker === worker && this.giveUp(error.message));
    return worker;
  }

  private giveUp(because: string): void {
    void this.close();
    for (const { reject } of this.waiting.values()) reject(new Error(because));
    this.waiting.clear();
  }
}
