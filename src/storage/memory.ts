import type { Store } from '../broker/ports.ts';

/** The store of a broker without persistence: what it is told is as safe as it will ever be, at once. */
export class MemoryStore implements Store {
  readonly settled = true;

  onSettled(then: () => void): void {
    then();
  }
}
