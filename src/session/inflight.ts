/**
 * Inflight holds what was sent at QoS 1 or 2 and is not acknowledged yet, in order, under consecutive packet
 * identifiers 1, 2 ... 65535, 1 ... that go on over reconnects.
 *
 *   ids      7  8  9 10 11        8 and 10 are acknowledged: holes
 *   slots  [ d  .  d  .  d ]      head is 7; a look-up is a subtraction
 *
 * An identifier is never given out while it is in use [MQTT-2.2.1-2 ff.]: when the holes have eaten all 65535,
 * canAdd says no until the oldest is acknowledged.
 */
import type { Delivery } from './delivery.ts';
import { type Held, hold, release } from './held.ts';

const IDS = 65535;

export class Inflight<P = unknown> {
  /** Deliveries in flight. */
  size = 0;
  payloadBytes = 0;
  private slots: (Delivery<P> | undefined)[] = [];
  /** Index of the head in `slots`, its packet identifier, and how many identifiers head and holes span. */
  private head = 0;
  private headId = 1;
  private span = 0;
  private readonly held: Held;

  constructor(held: Held) {
    this.held = held;
  }

  get canAdd(): boolean {
    return this.span < IDS;
  }

  /** Takes a delivery in and gives it the next packet identifier. */
  add(delivery: Delivery<P>): number {
    if (this.span === this.slots.length) this.grow();
    delivery.packetId = ((this.headId - 1 + this.span) % IDS) + 1;
    this.slots[(this.head + this.span) & (this.slots.length - 1)] = delivery;
    this.span++;
    this.size++;
    this.payloadBytes += delivery.message.payloadLength;
    hold(this.held, delivery.message);
    return delivery.packetId;
  }

  /** Puts back what was in flight before a restart, oldest first, under the identifiers it had. */
  restore(delivery: Delivery<P>): void {
    if (this.span === 0) this.headId = delivery.packetId;
    const offset = (delivery.packetId - this.headId + IDS) % IDS;
    while (this.span <= offset) {
      if (this.span === this.slots.length) this.grow();
      this.slots[(this.head + this.span++) & (this.slots.length - 1)] = undefined;
    }
    this.slots[(this.head + offset) & (this.slots.length - 1)] = delivery;
    this.size++;
    this.payloadBytes += delivery.message.payloadLength;
    hold(this.held, delivery.message);
  }

  get(packetId: number): Delivery<P> | undefined {
    const offset = (packetId - this.headId + IDS) % IDS;
    return offset < this.span ? this.slots[(this.head + offset) & (this.slots.length - 1)] : undefined;
  }

  remove(delivery: Delivery<P>): void {
    const offset = (delivery.packetId - this.headId + IDS) % IDS;
    this.slots[(this.head + offset) & (this.slots.length - 1)] = undefined;
    this.size--;
    this.payloadBytes -= delivery.message.payloadLength;
    release(this.held, delivery.message);
    while (this.span > 0 && this.slots[this.head] === undefined) {
      this.head = (this.head + 1) & (this.slots.length - 1);
      this.headId = (this.headId % IDS) + 1;
      this.span--;
    }
  }

  clear(): void {
    for (const delivery of [...this]) this.remove(delivery);
  }

  /** In the order they were first sent. */
  *[Symbol.iterator](): IterableIterator<Delivery<P>> {
    for (let i = 0; i < this.span; i++) {
      const delivery = this.slots[(this.head + i) & (this.slots.length - 1)];
      if (delivery !== undefined) yield delivery;
    }
  }

  private grow(): void {
    const wider: (Delivery<P> | undefined)[] = new Array<Delivery<P> | undefined>(
      Math.max(4, this.slots.length * 2),
    ).fill(undefined);
    for (let i = 0; i < this.span; i++) wider[i] = this.slots[(this.head + i) & (this.slots.length - 1)];
    this.slots = wider;
    this.head = 0;
  }
}
