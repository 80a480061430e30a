/** Starts the store's thread, takes in what the file holds, and gives out the store with it. */
import { Worker } from 'node:worker_threads';
import type { StoredState } from '../broker/ports.ts';
import { DurableStore, type DurableStoreOptions } from './durable.ts';
import { Pending } from './pending.ts';
import type { WorkerReply, WorkerStart } from './protocol.ts';
import { Restored } from './restored.ts';
import { StoreError } from './store-error.ts';

export interface OpenedStore {
  store: DurableStore;
  state: StoredState;
  /** What the operator should know of the file as it was found; empty when all is well. */
  remarks: string[];
}

/** The broker runs with a small young generation (docs/decisions); cells by the ten thousand want a large one. */
const WORKER_LIMITS = { maxYoungGenerationSizeMb: 48 };

/** Opens the file, or makes it. Rejects with a StoreError when the broker cannot run on it. */
export async function openDurableStore(options: DurableStoreOptions): Promise<OpenedStore> {
  const start: WorkerStart = { file: options.file, wall: options.now(), sync: options.durability.kind !== 'none' };
  // scripts/bundle.mjs knows this way to name a file: in a bundle it is the worker's own.
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: start,
    resourceLimits: WORKER_LIMITS,
  });
  const { restored, pending, remarks } = await received(worker, options);
  if (restored.unusable > 0)
    remarks.push(`${options.file}: ${restored.unusable} rows make no sense and were passed over.`);
  return { store: new DurableStore(worker, pending, restored, options), state: restored.state, remarks };
}

interface Received {
  pending: Pending;
  restored: Restored;
  remarks: string[];
}

function received(worker: Worker, { propertiesFromJson }: DurableStoreOptions): Promise<Received> {
  return new Promise((resolve, reject) => {
    let pending = new Pending();
    let restored = new Restored(pending, propertiesFromJson);
    const stop = (): void => {
      worker.off('message', onMessage);
      worker.off('error', reject);
    };
    const onMessage = (reply: WorkerReply): void => {
      if (reply.kind === 'chunk') return restored.add(reply);
      if (reply.kind === 'again') {
        pending = new Pending();
        restored = new Restored(pending, propertiesFromJson);
        return;
      }
      stop();
      if (reply.kind === 'opened') {
        pending.nextRow = reply.nextRow;
        pending.nextMessage = reply.nextMessage;
        resolve({ pending, restored, remarks: reply.remarks });
      } else if (reply.kind === 'refused') reject(new StoreError(reply.code, reply.lines, reply.exitCode));
    };
    worker.on('message', onMessage);
    worker.on('error', reject);
    worker.on('exit', () => reject(new Error('the thread of the store has ended before it was open')));
  });
}
