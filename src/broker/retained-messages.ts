/**
 * RetainedMessages keeps the last word on each topic in little memory. A message as others know it has two Buffers, which
 * cost more than what is in them; most retained messages are short, and nobody asks for them for hours. So topic name,
 * properties and payload lie side by side in one string of bytes, which is the cheapest box that V8 has:
 *
 *   'home/kitchen/temp21.5'     topicBytes: 17        message() makes a Message of it, in memory of its own
 *
 * A retained message takes 266 bytes beyond its payload, its place in the tree included, instead of 909
 * (retained-messages.bench.ts). Long ones, and those that the store holds in memory anyway, stay as they are.
 */
import { NO_BYTES, packetLength, type ProtocolVersion, writeVarint } from '../codec/mod.ts';
import { Message } from '../session/mod.ts';
import { NONE, RetainedTree } from '../topics/mod.ts';
import type { Arena } from './arena.ts';
import type { Identity } from './ports.ts';
import type { BrokerMessage } from './types.ts';

/** Topic, properties and payload together; from here on the box is small beside its contents. */
const PACKED_BYTES_MAX = 1024;

/** PUBLISH at QoS 0 with the retain flag (MQTT 5, 3.3.1). */
const PUBLISH_RETAINED = 0x31;
const ASCII = /^[\0-\x7f]*$/;

export function isShort({ topic, properties, payloadLength }: BrokerMessage): boolean {
  return topic.length + properties.length + payloadLength <= PACKED_BYTES_MAX;
}

export class RetainedMessage {
  /** Where it is in the tree. */
  node = NONE;
  readonly payloadLength: number;
  readonly expiresAt: number;
  readonly publisher: Identity | null;
  readonly qos: 0 | 1 | 2;
  private readonly topicBytes: number;
  private readonly propertyBytes: number;
  /** As a string of bytes, or as it came. */
  private readonly contents: string | BrokerMessage;

  constructor(
    { topic, properties, payloadLength, qos, expiresAt, publisher }: BrokerMessage,
    contents: string | BrokerMessage,
  ) {
    this.payloadLength = payloadLength;
    this.expiresAt = expiresAt;
    this.publisher = publisher;
    this.qos = qos;
    this.topicBytes = topic.length;
    this.propertyBytes = properties.length;
    this.contents = contents;
  }

  /** As Message.isExpired. */
  isExpired(unixSecond: number): boolean {
    return this.expiresAt !== 0 && unixSecond > this.expiresAt;
  }

  /** For the access rules. */
  get topicName(): string {
    const { contents, topicBytes } = this;
    if (typeof contents !== 'string') return contents.topicName;
    const name = contents.slice(0, topicBytes);
    return ASCII.test(name) ? name : Buffer.from(name, 'latin1').toString();
  }

  /**
   * Whether the packet at QoS 0 for this version is nothing but the contents behind a header. That is most of them, and
   * 50,000 go to a new subscriber in a third of the time that it takes to make messages of them first.
   */
  isPlainFor(version: ProtocolVersion): boolean {
    if (typeof this.contents !== 'string') return false;
    return version !== 5 || (this.propertyBytes === 0 && this.expiresAt === 0);
  }

  /** Writes that packet, retain flag set, and returns where it begins in the slab; the arena's position is its end. */
  writePlain(arena: Arena, version: ProtocolVersion): number {
    const contents = this.contents as string;
    const { topicBytes, payloadLength } = this;
    const noProperties = version === 5 ? 1 : 0;
    const remainingLength = 2 + topicBytes + noProperties + payloadLength;
    const start = arena.reserve(packetLength(remainingLength));
    const { slab } = arena;
    slab[start] = PUBLISH_RETAINED;
    let at = writeVarint(slab, start + 1, remainingLength);
    slab[at++] = topicBytes >>> 8;
    slab[at++] = topicBytes & 0xff;
    if (noProperties === 0 && this.propertyBytes === 0) at += slab.write(contents, at, 'latin1');
    else {
      at += slab.write(contents.slice(0, topicBytes), at, 'latin1');
      if (version === 5) slab[at++] = 0;
      at += slab.write(contents.slice(topicBytes + this.propertyBytes), at, 'latin1');
    }
    arena.position = at;
    return start;
  }

  message(): BrokerMessage {
    const { contents, qos, expiresAt, publisher } = this;
    if (typeof contents !== 'string') return contents;
    const bytes = Buffer.from(contents, 'latin1');
    const payloadStart = this.topicBytes + this.propertyBytes;
    const topic = bytes.subarray(0, this.topicBytes);
    const payload = bytes.subarray(payloadStart);
    const properties = this.propertyBytes === 0 ? NO_BYTES : bytes.subarray(this.topicBytes, payloadStart);
    return new Message(topic.toString(), topic, payload, properties, qos, true, expiresAt, publisher);
  }
}

export class RetainedMessages {
  private readonly tree = new RetainedTree<RetainedMessage>();
  private readonly scratch = Buffer.allocUnsafeSlow(PACKED_BYTES_MAX);

  get size(): number {
    return this.tree.size;
  }

  has(topicName: string): boolean {
    return this.tree.get(topicName) !== undefined;
  }

  get(topicName: string): BrokerMessage | undefined {
    return this.tree.get(topicName)?.message();
  }

  /** 0 where nothing is retained. */
  payloadLengthOn(topicName: string): number {
    return this.tree.get(topicName)?.payloadLength ?? 0;
  }

  /** `keepsObject`: somebody else holds this very object anyway, and has to recognise it. */
  set(message: BrokerMessage, keepsObject: boolean): void {
    const contents = keepsObject || !isShort(message) ? message : this.pack(message);
    const retained = new RetainedMessage(message, contents);
    retained.node = this.tree.set(message.topicName, retained);
  }

  /** False when there was nothing. */
  delete(topicName: string): boolean {
    const node = this.tree.find(topicName);
    if (node !== NONE) this.tree.delete(node);
    return node !== NONE;
  }

  /** Whether it is still the last word on its topic. */
  holds(retained: RetainedMessage): boolean {
    return this.tree.at(retained.node) === retained;
  }

  /** In the order in which their topics first appeared at each level. */
  match(filter: string): RetainedMessage[] {
    return this.tree.match(filter);
  }

  *values(): IterableIterator<BrokerMessage> {
    for (const retained of this.tree.values()) yield retained.message();
  }

  /** A list, for whoever removes them. */
  expired(unixSecond: number): RetainedMessage[] {
    return [...this.tree.values()].filter(retained => retained.isExpired(unixSecond));
  }

  private pack({ topic, properties, bytes, payloadStart, payloadLength }: BrokerMessage): string {
    const { scratch } = this;
    scratch.set(topic);
    scratch.set(properties, topic.length);
    const behind = topic.length + properties.length;
    bytes.copy(scratch, behind, payloadStart, payloadStart + payloadLength);
    return scratch.toString('latin1', 0, behind + payloadLength);
  }
}
