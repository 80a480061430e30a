/**
 * Message is what was published, in memory of its own: it outlives the chunk it arrived in, and everyone who has to
 * wait for it (queues, messages in flight, the retained tree) holds the same one.
 *
 * Its payload may lie among those of others (`bytes` from `payloadStart` on). A Buffer of its own is made when somebody
 * asks for one: nobody does on the way of a message from client to client, and of all objects on that way it is the
 * most expensive to make.
 */
import { ownBytes } from '../base/mod.ts';

export class Message<Publisher = unknown> {
  readonly topicName: string;
  /** The topic name as UTF-8. */
  readonly topic: Buffer;
  /** Where the payload lies. */
  bytes: Buffer;
  payloadStart: number;
  readonly payloadLength: number;
  /** Forwardable MQTT 5 properties as raw bytes, in the publisher's order. */
  properties: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** Unix second after which nobody gets it any more; 0 for never. */
  readonly expiresAt: number;
  /** Who published it; null for the broker itself. */
  readonly publisher: Publisher | null;
  /** Queues and tables of what is in flight that have it; kept by held.ts. */
  holders = 0;
  private own: Buffer | null = null;

  /** `bytes` are the payload, or hold it. */
  constructor(
    topicName: string,
    topic: Buffer,
    bytes: Buffer,
    properties: Buffer,
    qos: 0 | 1 | 2,
    retain: boolean,
    expiresAt: number,
    publisher: Publisher | null,
    payloadStart = 0,
    payloadLength = bytes.length,
  ) {
    this.topicName = topicName;
    this.topic = topic;
    this.bytes = bytes;
    this.payloadStart = payloadStart;
    this.payloadLength = payloadLength;
    this.properties = properties;
    this.qos = qos;
    this.retain = retain;
    this.expiresAt = expiresAt;
    this.publisher = publisher;
  }

  get payload(): Buffer {
    if (this.payloadLength === this.bytes.length) return this.bytes;
    return (this.own ??= this.bytes.subarray(this.payloadStart, this.payloadStart + this.payloadLength));
  }

  /** It will wait long, for one who has gone: those it lies among shall not stay for its sake. */
  settle(): void {
    if (this.properties.length < this.properties.buffer.byteLength) this.properties = ownBytes(this.properties);
    if (this.payloadLength === this.bytes.buffer.byteLength) return;
    this.bytes = ownBytes(this.payload);
    this.payloadStart = 0;
    this.own = null;
  }

  /** With exactly no second left it is still delivered (docs/compat/packets.md, 5). */
  isExpired(unixSecond: number): boolean {
    return this.expiresAt !== 0 && unixSecond > this.expiresAt;
  }
}
