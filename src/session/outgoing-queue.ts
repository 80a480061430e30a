/**
 * OutgoingQueue is what waits for one client: a window in memory and, behind it, a tail that only the store has.
 *
 *   shift() ◄── [ window: deliveries ] ◄── arrive() ── [ tail: a count and its bytes ] ◄── append()
 *           push() while there is no tail             stow() puts the window back into it
 *
 * It counts, for itself and in the totals of all queues. Who fetches and when is not decided here.
 */
import { RingQueue } from '../base/mod.ts';
import type { Delivery } from './delivery.ts';
import { type Held, hold, release } from './held.ts';

/** Of one queue, or of all together. */
export interface QueueTotals {
  messages: number;
  payloadBytes: number;
  /** Memory that the windows take, roughly. */
  windowBytes: number;
}

/** Objects around a payload: delivery, message, topic, and the store's two rows. Measured: 400 to 600. */
const DELIVERY_BYTES = 512;

const memoryOf = ({ message }: Delivery): number => message.payloadLength + DELIVERY_BYTES;

export class OutgoingQueue<P = unknown> {
  payloadBytes = 0;
  windowBytes = 0;
  tailMessages = 0;
  tailBytes = 0;
  /** A page of the tail is on its way. */
  fetching = false;
  readonly #window = new RingQueue<Delivery<P>>();
  readonly #totals: QueueTotals;
  readonly #held: Held;

  constructor(totals: QueueTotals, held: Held) {
    this.#totals = totals;
    this.#held = held;
  }

  /** Messages that wait, wherever. */
  get size(): number {
    return this.#window.size + this.tailMessages;
  }

  /** Messages in memory. */
  get windowSize(): number {
    return this.#window.size;
  }

  push(delivery: Delivery<P>): void {
    this.#window.push(delivery);
    this.#count(1, delivery.message.payloadLength);
    this.#countWindow(memoryOf(delivery));
    hold(this.#held, delivery.message);
  }

  peek(): Delivery<P> | undefined {
    return this.#window.peek();
  }

  shift(): Delivery<P> | undefined {
    const delivery = this.#window.shift();
    if (delivery === undefined) return undefined;
    this.#count(-1, -delivery.message.payloadLength);
    this.#countWindow(-memoryOf(delivery));
    release(this.#held, delivery.message);
    return delivery;
  }

  /** Somebody else keeps it. */
  append(messages: number, payloadBytes: number): void {
    this.#countTail(messages, payloadBytes);
    this.#count(messages, payloadBytes);
  }

  /** The head of the tail comes into the window. */
  arrive(delivery: Delivery<P>): void {
    this.removeFromTail(1, delivery.message.payloadLength);
    this.push(delivery);
  }

  removeFromTail(messages: number, payloadBytes: number): void {
    const [fewer, lighter] = [Math.min(messages, this.tailMessages), Math.min(payloadBytes, this.tailBytes)];
    this.#countTail(-fewer, -lighter);
    this.#count(-fewer, -lighter);
  }

  /** Whoever keeps the tail says that there is nothing left of it. */
  endTail(): void {
    this.removeFromTail(this.tailMessages, this.tailBytes);
  }

  /** Takes everything out of the window, which is in front of the tail from now on. */
  stow(): Delivery<P>[] {
    const deliveries = [...this.#window];
    this.#countWindow(-this.windowBytes);
    this.#window.clear();
    for (const { message } of deliveries) {
      release(this.#held, message);
      this.#countTail(1, message.payloadLength);
    }
    this.fetching = false;
    return deliveries;
  }

  /** Forgets what is in the window and `keep` says no to. */
  sift(keep: (delivery: Delivery<P>) => boolean): void {
    if (this.#window.size === 0) return;
    for (let left = this.#window.size; left > 0; left--) {
      const delivery = this.shift()!;
      if (keep(delivery)) this.push(delivery);
    }
  }

  clear(): void {
    this.endTail();
    while (this.shift() !== undefined);
    this.fetching = false;
  }

  /** Of the window. */
  [Symbol.iterator](): IterableIterator<Delivery<P>> {
    return this.#window[Symbol.iterator]();
  }

  #count(messages: number, payloadBytes: number): void {
    this.payloadBytes += payloadBytes;
    this.#totals.messages += messages;
    this.#totals.payloadBytes += payloadBytes;
  }

  #countTail(messages: number, bytes: number): void {
    this.tailMessages += messages;
    this.tailBytes += bytes;
    this.#held.messages += messages;
    this.#held.bytes += bytes;
  }

  #countWindow(bytes: number): void {
    this.windowBytes += bytes;
    this.#totals.windowBytes += bytes;
  }
}
