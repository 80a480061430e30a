import type { Store } from '../broker/ports.ts';

/** The store of a broker without persistence: it keeps nothing, so whatever it is told is settled at once. */
export class MemoryStore implements Store {
  readonly keeps = false;

  get settled(): boolean {
    return true;
  }

  get changes(): number {
    return 0;
  }

  get overloaded(): boolean {
    return false;
  }

  onSettled(then: () => void): void {
    then();
  }

  putSession(): void {}
  removeSession(): void {}
  putSubscription(): void {}
  removeSubscription(): void {}
  putDelivery(): void {}
  removeDelivery(): void {}
  appendDelivery(): void {}
  stow(): void {}
  fetchPage(): void {}
  removeExpired(): void {}
  putExchange(): void {}
  removeExchange(): void {}
  putRetained(): void {}
  removeRetained(): void {}
}
