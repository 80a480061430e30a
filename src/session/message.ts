/**
 * Message is what was published, in memory of its own: it outlives the chunk it arrived in, and everyone who has to
 * wait for it (queues, messages in flight, the retained tree) holds the same one.
 */
export class Message<Publisher = unknown> {
  readonly topicName: string;
  /** The topic name as UTF-8. */
  readonly topic: Buffer;
  readonly payload: Buffer;
  /** Forwardable MQTT 5 properties as raw bytes, in the publisher's order. */
  readonly properties: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** Unix second after which nobody gets it any more; 0 for never. */
  readonly expiresAt: number;
  /** Who published it; null for the broker itself. */
  readonly publisher: Publisher | null;

  constructor(
    topicName: string,
    topic: Buffer,
    payload: Buffer,
    properties: Buffer,
    qos: 0 | 1 | 2,
    retain: boolean,
    expiresAt: number,
    publisher: Publisher | null,
  ) {
    this.topicName = topicName;
    this.topic = topic;
    this.payload = payload;
    this.properties = properties;
    this.qos = qos;
    this.retain = retain;
    this.expiresAt = expiresAt;
    this.publisher = publisher;
  }

  /** With exactly no second left it is still delivered (docs/compat/packets.md, 5). */
  isExpired(unixSecond: number): boolean {
    return this.expiresAt !== 0 && unixSecond > this.expiresAt;
  }
}
