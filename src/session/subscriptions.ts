/**
 * The subscriptions of one session, by filter. Most clients have a few: up to FEW they are in an array of just that
 * length (48 bytes for one), which is looked through; an index would take 500 bytes.
 */
import { ManySubscriptions } from './many-subscriptions.ts';
import type { Subscription } from './subscription.ts';

const FEW = 8;
const NONE: readonly never[] = [];

export class Subscriptions<S> {
  private few: readonly Subscription<S>[] = NONE;
  private many: ManySubscriptions<S> | null = null;

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
    this.many ??= new ManySubscriptions(this.few);
    this.few = NONE;
    this.many.add(subscription);
  }

  remove(subscription: Subscription<S>): void {
    if (this.many === null) this.few = this.few.filter(each => each !== subscription);
    else this.removeFromMany(this.many, subscription);
  }

  /** In the order they were made; what is removed meanwhile is still among them. */
  all(): readonly Subscription<S>[] {
    return this.many === null ? this.few : this.many.all();
  }

  private removeFromMany(many: ManySubscriptions<S>, subscription: Subscription<S>): void {
    many.remove(subscription);
    if (!many.isMostlyGaps) return;
    const left = many.all();
    this.many = left.length > FEW ? new ManySubscriptions(left) : null;
    if (this.many === null) this.few = left;
  }
}
