/** What the store says of itself; null for a broker that keeps nothing. */
import fs from 'node:fs';
import type { StoreFacts } from '../observability/mod.ts';
import { DurableStore } from '../storage/mod.ts';
import type { RunningBroker } from './assemble.ts';

export function storeFacts({ broker }: RunningBroker): (StoreFacts & { file: string }) | null {
  const { store } = broker;
  if (!(store instanceof DurableStore)) return null;
  const { waitingChanges, waitingBytes, commits, commitSeconds, rowsWritten, inTrouble, file } = store.stats();
  const fileBytes = sizeOf(file) + sizeOf(`${file}-wal`);
  return { waitingChanges, waitingBytes, commits, commitSeconds, rowsWritten, inTrouble, file, fileBytes };
}

function sizeOf(file: string): number {
  return fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
