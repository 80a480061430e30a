/**
 * The QoS 2 exchanges a client has opened and not released, by packet identifier.
 *
 *   heads  [ . | 17 ─> 9 | . | 3 ]        as many as are open, rounded up: 17 and 9 share one
 *
 * A Map in their place was made anew for every few exchanges that came and went, within its own memory: with the garbage
 * 3 % of a broker's CPU under QoS 2.
 */
import type { Message } from './message.ts';

/** A QoS 2 message that has come in and waits for its PUBREL (MQTT 5, 4.3.3: the message is passed on at release). */
export interface IncomingExchange<P> {
  readonly message: Message<P>;
  /** False when the access rules said no: the exchange is completed, the message goes nowhere. */
  readonly deliver: boolean;
}

class Exchange<P> implements IncomingExchange<P> {
  readonly packetId: number;
  readonly message: Message<P>;
  readonly deliver: boolean;
  /** Which was opened before which. */
  readonly serial: number;
  /** The next of the same head. */
  next: Exchange<P> | null;

  constructor(packetId: number, message: Message<P>, deliver: boolean, serial: number, next: Exchange<P> | null) {
    this.packetId = packetId;
    this.message = message;
    this.deliver = deliver;
    this.serial = serial;
    this.next = next;
  }
}

const HEADS_MIN = 8;
/** More than these are not kept when the last exchange is released. */
const HEADS_KEPT = 64;

export class IncomingExchanges<P = unknown> {
  size = 0;
  /** Payload bytes of what is open. */
  payloadBytes = 0;
  private heads: (Exchange<P> | null)[] = noHeads(HEADS_MIN);
  private serial = 0;

  get(packetId: number): IncomingExchange<P> | undefined {
    let found = this.head(packetId);
    while (found !== null && found.packetId !== packetId) found = found.next;
    return found ?? undefined;
  }

  /** One of this identifier that was open is no more. */
  open(packetId: number, message: Message<P>, deliver: boolean): void {
    this.release(packetId);
    if (this.size === this.heads.length) this.widen();
    this.add(packetId, message, deliver, this.serial++);
    this.size++;
    this.payloadBytes += message.payloadLength;
  }

  /** Takes the exchange out: its message is now to be delivered, exactly once. */
  release(packetId: number): IncomingExchange<P> | undefined {
    let before: Exchange<P> | null = null;
    let found = this.head(packetId);
    while (found !== null && found.packetId !== packetId) {
      before = found;
      found = found.next;
    }
    if (found === null) return undefined;
    if (before === null) this.heads[packetId & (this.heads.length - 1)] = found.next;
    else before.next = found.next;
    this.payloadBytes -= found.message.payloadLength;
    if (--this.size === 0 && this.heads.length > HEADS_KEPT) this.heads = noHeads(HEADS_MIN);
    return found;
  }

  *messages(): IterableIterator<Message<P>> {
    for (const { message } of this.inOrder()) yield message;
  }

  /** Takes everything out that was never released, in the order it was opened. */
  drain(): [packetId: number, exchange: IncomingExchange<P>][] {
    const open = this.inOrder();
    this.heads = noHeads(HEADS_MIN);
    this.size = this.payloadBytes = 0;
    return open.map(exchange => [exchange.packetId, exchange]);
  }

  private add(packetId: number, message: Message<P>, deliver: boolean, serial: number): void {
    const first = new Exchange(packetId, message, deliver, serial, this.head(packetId));
    this.heads[packetId & (this.heads.length - 1)] = first;
  }

  private head(packetId: number): Exchange<P> | null {
    return this.heads[packetId & (this.heads.length - 1)] ?? null;
  }

  private widen(): void {
    const open = this.inOrder();
    this.heads = noHeads(2 * this.heads.length);
    for (const { packetId, message, deliver, serial } of open) this.add(packetId, message, deliver, serial);
  }

  private inOrder(): Exchange<P>[] {
    const open: Exchange<P>[] = [];
    for (const head of this.heads) for (let one = head; one !== null; one = one.next) open.push(one);
    return open.sort((a, b) => a.serial - b.serial);
  }
}

const noHeads = <P>(count: number): (Exchange<P> | null)[] => new Array<Exchange<P> | null>(count).fill(null);
