import { DurableStore } from '../storage/mod.ts';
import type { RunningBroker } from './assemble.ts';

/** Null when clients are served as promised; otherwise why not, in a few words. */
export function notReady({ broker, listeners }: RunningBroker): string | null {
  if (listeners.opened.length === 0) return 'no listener is open';
  const { store } = broker;
  if (store instanceof DurableStore && store.stats().inTrouble) return 'the disk does not take what it should';
  return null;
}
