/**
 * ManySubscriptions are those of a session with hundreds or thousands: in a list in the order they were made, with an index
 * by filter. What is removed leaves a gap; when half of the list are gaps, it is written anew.
 *
 * Beside the object, one of 10,000 takes 21 bytes; in a Map it took 46, and as much again for the ones outgrown.
 */
import { LongList, TextIndex } from '../base/mod.ts';
import type { Subscription } from './subscription.ts';

export class ManySubscriptions<S> extends TextIndex {
  size = 0;
  /** By number; 0 is no number. */
  private readonly list = new LongList<Subscription<S> | null>();

  constructor(subscriptions: Iterable<Subscription<S>>) {
    super();
    this.list.push(null);
    for (const subscription of subscriptions) this.add(subscription);
  }

  get(filter: string): Subscription<S> | undefined {
    return this.list.at(this.indexed(filter, 0, filter.length)) ?? undefined;
  }

  /** One whose filter is not there yet. */
  add(subscription: Subscription<S>): void {
    this.list.push(subscription);
    this.index(this.list.length - 1);
    this.size++;
  }

  remove({ filter }: Subscription<S>): void {
    const number = this.indexed(filter, 0, filter.length);
    if (number === 0) return;
    this.unindex(number);
    this.list.set(number, null);
    this.size--;
  }

  get isMostlyGaps(): boolean {
    return this.list.length > 2 * this.size + 2;
  }

  all(): Subscription<S>[] {
    const all: Subscription<S>[] = [];
    for (const subscription of this.list) if (subscription !== null) all.push(subscription);
    return all;
  }

  protected text(number: number): string {
    return this.list.at(number)!.filter;
  }
}
