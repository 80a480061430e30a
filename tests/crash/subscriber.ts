/**
 * A subscriber with a lasting session that keeps its side of the protocol over the broker's crashes, and everything it
 * was given, in order.
 */
import { acknowledgement, RawClient, type RawPacket } from '../harness/mod.ts';

export class Subscriber {
  readonly clientId: string;
  /** Numbers of the messages taken, by topic, in the order of their coming. */
  readonly taken = new Map<string, number[]>();
  #client: RawClient | null = null;
  /** QoS 2 packet identifiers between PUBLISH and PUBREL: the same one again is the same message. */
  readonly #open = new Set<number>();
  readonly #onTaken: (number: number) => void;

  /** `onTaken` is told of each as it is taken. */
  constructor(clientId: string, onTaken: (number: number) => void = () => {}) {
    this.clientId = clientId;
    this.#onTaken = onTaken;
  }

  get online(): boolean {
    return this.#client !== null && !this.#client.isClosed;
  }

  /** Returns whether the broker still knew the session. */
  async connect(port: number): Promise<boolean> {
    this.#client = await RawClient.dial({ port });
    const { sessionPresent } = await this.#client.connect({ clientId: this.clientId, clean: false });
    return sessionPresent === true;
  }

  async subscribe(filter: string): Promise<void> {
    await this.#client!.subscribe([[filter, 2]]);
  }

  /** Takes and acknowledges what comes, until the connection is gone. */
  async run(): Promise<void> {
    for (;;) {
      const packet = await this.#client!.next();
      if (packet === null) return;
      this.#handle(packet);
    }
  }

  destroy(): void {
    this.#client?.destroy();
  }

  has(topic: string, number: number): boolean {
    return this.taken.get(topic)?.includes(number) ?? false;
  }

  #handle(packet: RawPacket): void {
    const { type, packetId = 0 } = packet;
    if (type === 'pubrel') {
      this.#open.delete(packetId);
      this.#client!.send(acknowledgement('pubcomp', packetId));
    } else if (type === 'publish' && packet.qos === 1) {
      this.#take(packet);
      this.#client!.send(acknowledgement('puback', packetId));
    } else if (type === 'publish') {
      if (!this.#open.has(packetId)) this.#take(packet);
      this.#open.add(packetId);
      this.#client!.send(acknowledgement('pubrec', packetId));
    }
  }

  #take({ topic = '', payload }: RawPacket): void {
    const numbers = this.taken.get(topic) ?? [];
    const number = Number(String(payload));
    numbers.push(number);
    this.taken.set(topic, numbers);
    this.#onTaken(number);
  }
}
