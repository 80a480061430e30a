/**
 * A publisher that keeps its side of the protocol over the broker's crashes: it numbers its messages, remembers what is
 * not acknowledged, and sends that again when it is back. What it holds as `acknowledged` the broker has promised.
 */
import { acknowledgement, publish, RawClient, type RawPacket } from '../harness/mod.ts';

/** Not more at a time than any client would. */
const WINDOW = 20;

interface Outgoing {
  readonly number: number;
  readonly packetId: number;
  /** PUBREC has come: PUBREL is what is sent again. */
  received: boolean;
}

export class Publisher {
  readonly clientId: string;
  readonly topic: string;
  readonly qos: 1 | 2;
  /** Numbers whose PUBACK or PUBCOMP has come. */
  readonly acknowledged = new Set<number>();
  /** Numbers that were given to messages so far: 0 to sent - 1. */
  sent = 0;
  #client: RawClient | null = null;
  /** In the order of sending; it outlives the connection. */
  readonly #outgoing = new Map<number, Outgoing>();
  #packetId = 0;

  constructor(clientId: string, topic: string, qos: 1 | 2) {
    this.clientId = clientId;
    this.topic = topic;
    this.qos = qos;
  }

  get online(): boolean {
    return this.#client !== null && !this.#client.isClosed;
  }

  async connect(port: number): Promise<void> {
    this.#client = await RawClient.dial({ port });
    await this.#client.connect({ clientId: this.clientId, clean: false });
    for (const message of this.#outgoing.values()) {
      if (message.received) this.#client.send(acknowledgement('pubrel', message.packetId));
      else this.#send(message, true);
    }
  }

  /** Publishes as fast as the window lets it, until `until` says enough or the broker is gone. */
  async run(until: () => boolean): Promise<void> {
    for (;;) {
      while (!until() && this.#outgoing.size < WINDOW) this.#publishNext();
      if (this.#outgoing.size === 0) return;
      const packet = await this.#client!.next();
      if (packet === null) return;
      this.#handle(packet);
    }
  }

  destroy(): void {
    this.#client?.destroy();
  }

  #publishNext(): void {
    this.#packetId = (this.#packetId % 65535) + 1;
    const message = { number: this.sent++, packetId: this.#packetId, received: false };
    this.#outgoing.set(message.packetId, message);
    this.#send(message, false);
  }

  #send({ number, packetId }: Outgoing, dup: boolean): void {
    const { topic, qos } = this;
    this.#client!.send(publish({ topic, qos, dup, packetId, payload: String(number) }));
  }

  #handle({ type, packetId = 0 }: RawPacket): void {
    const message = this.#outgoing.get(packetId);
    if (message === undefined) return;
    if (type === 'pubrec') {
      message.received = true;
      this.#client!.send(acknowledgement('pubrel', packetId));
    } else if (type === 'puback' || type === 'pubcomp') {
      this.#outgoing.delete(packetId);
      this.acknowledged.add(message.number);
    }
  }
}
