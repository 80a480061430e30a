import type { Message } from './message.ts';

/** A QoS 2 message that has come in and waits for its PUBREL (MQTT 5, 4.3.3: the message is passed on at release). */
export interface IncomingExchange<P> {
  message: Message<P>;
  /** False when the access rules said no: the exchange is completed, the message goes nowhere. */
  deliver: boolean;
}

/** The QoS 2 exchanges a client has opened and not released, by packet identifier. */
export class IncomingExchanges<P = unknown> {
  /** Made with the first exchange: most clients never open one. */
  private byId: Map<number, IncomingExchange<P>> | null = null;

  /** Payload bytes of what is open. */
  payloadBytes = 0;

  get size(): number {
    return this.byId === null ? 0 : this.byId.size;
  }

  get(packetId: number): IncomingExchange<P> | undefined {
    return this.byId?.get(packetId);
  }

  open(packetId: number, message: Message<P>, deliver: boolean): void {
    this.byId ??= new Map();
    this.byId.set(packetId, { message, deliver });
    this.payloadBytes += message.payloadLength;
  }

  /** Takes the exchange out: its message is now to be delivered, exactly once. */
  release(packetId: number): IncomingExchange<P> | undefined {
    const exchange = this.byId?.get(packetId);
    if (exchange === undefined) return undefined;
    this.byId!.delete(packetId);
    this.payloadBytes -= exchange.message.payloadLength;
    return exchange;
  }

  *messages(): IterableIterator<Message<P>> {
    if (this.byId !== null) for (const { message } of this.byId.values()) yield message;
  }

  /** Takes everything out that was never released. */
  drain(): [packetId: number, exchange: IncomingExchange<P>][] {
    const open = [...(this.byId ?? [])];
    this.byId = null;
    this.payloadBytes = 0;
    return open;
  }
}
