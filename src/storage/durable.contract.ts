/** A durable store in a directory of its own, for its tests: opened, closed, opened again, and looked at from outside. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import type { StoredDelivery, StoredState } from '../broker/ports.ts';
import type { Durability, DurableStore } from './durable.ts';
import { openDurableStore, type OpenedStore } from './open-durable.ts';

/** Properties stand in the file as JSON; any spelling will do here. */
export const hexJson = {
  propertiesToJson: (bytes: Buffer): string => JSON.stringify([bytes.toString('hex')]),
  propertiesFromJson: (text: string): Buffer => Buffer.from((JSON.parse(text) as string[])[0] ?? '', 'hex'),
};

export class Stage {
  readonly directory = mkdtempSync(join(tmpdir(), 'zancudo-store-'));
  readonly file = join(this.directory, 'mosquitto.sqlite3');
  /** What the stores have said of trouble and healing. */
  readonly said: string[] = [];
  wall = 1_800_000_000_000;
  durability: Durability = { kind: 'commit' };
  #open: DurableStore | null = null;

  async open(): Promise<OpenedStore> {
    const opened = await openDurableStore({
      file: this.file,
      durability: this.durability,
      ...hexJson,
      now: () => this.wall,
      onTrouble: lines => this.said.push(...lines),
      onHealed: lines => this.said.push(...lines),
    });
    this.#open = opened.store;
    return opened;
  }

  async close(): Promise<void> {
    await this.#open?.close();
    this.#open = null;
  }

  /** Closes, opens, and gives what the file had kept. */
  async reopen(): Promise<OpenedStore> {
    await this.close();
    return this.open();
  }

  /** Rows of the closed file. */
  query(sql: string, ...values: (string | number)[]): Record<string, SQLOutputValue>[] {
    const db = new DatabaseSync(this.file);
    try {
      return db
        .prepare(sql)
        .all(...values)
        .map(row => ({ ...row }));
    } finally {
      db.close();
    }
  }

  count(table: string): number {
    return Number(this.query(`SELECT count(*) AS n FROM ${table}`)[0]!['n']);
  }

  async discard(): Promise<void> {
    await this.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Takes everything out of a tail. */
export async function wholeTail(store: DurableStore, clientId: string, pageSize = 100): Promise<StoredDelivery[]> {
  const taken: StoredDelivery[] = [];
  const take = (given: StoredDelivery): StoredDelivery => {
    taken.push(given);
    return given;
  };
  for (let end = false; !end;) {
    end = await new Promise(done => store.fetchPage(clientId, { messages: pageSize, bytes: 1_000_000, take, done }));
  }
  return taken;
}

/** The state as if nothing were in a tail. */
export async function wholeState({ store, state }: OpenedStore): Promise<StoredState> {
  const sessions = [];
  for (const session of state.sessions) {
    const { clientId, deliveries, waiting } = session;
    const tail = waiting.messages === 0 ? [] : await wholeTail(store, clientId);
    sessions.push({ ...session, deliveries: [...deliveries, ...tail], waiting: { messages: 0, payloadBytes: 0 } });
  }
  return { ...state, sessions };
}

export function settled(store: DurableStore): Promise<void> {
  return new Promise(resolve => store.onSettled(resolve));
}

/** Runs with a stage and clears it away, however it ends. */
export function staged(body: (stage: Stage) => Promise<void>): () => Promise<void> {
  return async () => {
    const stage = new Stage();
    try {
      await body(stage);
    } finally {
      await stage.discard();
    }
  };
}
