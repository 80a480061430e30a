/**
 * The subscriptions of one session, by filter. Most clients have a few: up to FEW they are in an array of just that
 * length (48 bytes for one), which is looked through; beyond it in a map, which takes 200 bytes for the first.
 */
import type { Subscription } from './subscription.ts';

const FEW = 8;
const NONE: readonly never[] = [];

export class Subscriptions<S> {
  private few: readonly Subscription<S>[] = NONE;
  private many: Map<string, Subscription<S>> | null = null;

  get size(): number {
    return this.many === null ? this.few.length : this.many.size;
  }

  get(filter: string): Subscription<S> | undefined {
    return this.many === null ? this.few.find(each => each.filter === filter) : this.many.get(filter);
  }

  /** One whose filter is not there yet. */
  add(subscription: Subscription<S>): void {
    if (this.many === null && this.few.length < FEW) {
      this.few = [...this.few, subscription];
      return;
    }
    this.many ??= new Map(this.few.map(each => [each.filter, each]));
    this.few = NONE;
    this.many.set(subscription.filter, subscription);
  }

  remove(subscription: Subscription<S>): void {
    if (this.many === null) this.few = this.few.filter(each => each !== subscription);
    else this.many.delete(subscription.filter);
  }

  /** In the order they were made; what is removed meanwhile is still among them. */
  all(): readonly Subscription<S>[] {
    return this.many === null ? this.few : [...this.many.values()];
  }
}
