/**
 * RetainedMessages keeps the last word on each topic in little memory. A message as others know it has two Buffers, which
 * cost more than what is in them; most retained messages are short, and nobody asks for them for hours. So topic name,
 * properties and payload lie side by side in one string of bytes, which is the cheapest box that V8 has:
 *
 *   'home/kitchen/temp21.5'     topicBytes: 17        message() makes a Message of it, in memory of its own
 *
 * A retained message takes 207 bytes beyond its payload, its place in the tree included, instead of 909
 * (retained-messages.bench.ts). Long ones, and those that the store holds in memory anyway, stay as they are.
 */
import { NO_BYTES, type ProtocolVersion, writeVarint } from '../codec/mod.ts';
import { Message } from '../session/mod.ts';
import { RetainedTree } from '../topics/mod.ts';
import type { Arena } from './arena.ts';
import type { Identity } from './ports.ts';
import type { Publication } from './publication.ts';
import type { BrokerMessage } from './types.ts';

/** Topic, properties and payload together; from here on the box is small beside its contents. */
const PACKED_BYTES_MAX = 1024;

/** The longest packet that isPlainFor() says yes to, and a little more. */
export const PLAIN_PACKET_BYTES_MAX = PACKED_BYTES_MAX + 10;

/** PUBLISH at QoS 0 with the retain flag (MQTT 5, 3.3.1). */
const PUBLISH_RETAINED = 0x31;
/** In the layout of a message. */
const LENGTH_MAX = 0x7ff;
const REPLACED = 1 << 24;
const BEYOND_ASCII = 1 << 25;
const NO_PROPERTIES = '\0';

const lengthBytes = new Uint8Array(4);

/**
 * One of them. There may be hundreds of thousands: 56 bytes each, 88 with a field for each fact.
 *
 *   layout   [ topic beyond ASCII | replaced | bytes of properties: 11 bits | bytes of topic: 11 bits | QoS: 2 bits ]
 */
export class RetainedMessage {
  readonly expiresAt: number;
  readonly publisher: Identity | null;
  /** As a string of bytes, or as it came. */
  private readonly contents: string | BrokerMessage;
  private layout: number;

  constructor(contents: string | BrokerMessage, layout: number, expiresAt: number, publisher: Identity | null) {
    this.expiresAt = expiresAt;
    this.publisher = publisher;
    this.contents = contents;
    this.layout = layout;
  }

  get qos(): 0 | 1 | 2 {
    return (this.layout & 3) as 0 | 1 | 2;
  }

  get payloadLength(): number {
    const { contents } = this;
    if (typeof contents !== 'string') return contents.payloadLength;
    return contents.length - this.topicBytes - this.propertyBytes;
  }

  /** Whether it is still the last word on its topic. */
  get isCurrent(): boolean {
    return (this.layout & REPLACED) === 0;
  }

  replaced(): void {
    this.layout |= REPLACED;
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
    return (this.layout & BEYOND_ASCII) === 0 ? name : Buffer.from(name, 'latin1').toString();
  }

  /**
   * Whether the packet at QoS 0 for this version is nothing but the contents behind a header. That is most of them, and
   * 50,000 go to a new subscriber in a third of the time that it takes to make messages of them first.
   */
  isPlainFor(version: ProtocolVersion): boolean {
    if (typeof this.contents !== 'string') return false;
    return version !== 5 || (this.propertyBytes === 0 && this.expiresAt === 0);
  }

  /** That packet as a string of bytes, behind the header that is said by plainHeader(). */
  plainBody(version: ProtocolVersion): string {
    const contents = this.contents as string;
    if (version !== 5 && this.propertyBytes === 0) return contents;
    const behindTopic = contents.slice(this.topicBytes + this.propertyBytes);
    return `${contents.slice(0, this.topicBytes)}${version === 5 ? NO_PROPERTIES : ''}${behindTopic}`;
  }

  plainHeader(version: ProtocolVersion): string {
    const { topicBytes } = this;
    const end = writeVarint(lengthBytes, 0, 2 + topicBytes + (version === 5 ? 1 : 0) + this.payloadLength);
    return String.fromCharCode(PUBLISH_RETAINED, ...lengthBytes.slice(0, end), topicBytes >>> 8, topicBytes & 0xff);
  }

  /** Whether the headers of both are the same. */
  isAsLongAs(other: RetainedMessage): boolean {
    const { topicBytes, payloadLength } = this;
    return other.topicBytes === topicBytes && other.payloadLength === payloadLength;
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

  /** Of a packed one; 0 otherwise. */
  private get topicBytes(): number {
    return (this.layout >>> 2) & LENGTH_MAX;
  }

  private get propertyBytes(): number {
    return (this.layout >>> 13) & LENGTH_MAX;
  }
}

/** Of UTF-8 as many bytes as UTF-16 has units: all of them are ASCII. */
function layoutOf(topicName: string, topicBytes: number, propertyBytes: number, qos: 0 | 1 | 2): number {
  const beyond = topicName.length === topicBytes ? 0 : BEYOND_ASCII;
  return beyond | (propertyBytes << 13) | (topicBytes << 2) | qos;
}

/**
 * PlainRun gathers such packets, retain flag set, and writes them together: the call into C++ for each cost more than all
 * else about it, the access rules included. What joins the strings is V8's ropes, which cost next to nothing to make.
 */
export class PlainRun {
  packets = 0;
  bytes = 0;
  payloadBytes = 0;
  private text = '';
  private before: RetainedMessage | null = null;
  /** Of the packet before: most have the same. */
  private header = '';
  private version: ProtocolVersion = 4;

  add(retained: RetainedMessage, version: ProtocolVersion): void {
    if (this.before === null || this.version !== version || !retained.isAsLongAs(this.before)) {
      this.header = retained.plainHeader(version);
      this.version = version;
    }
    this.before = retained;
    const body = retained.plainBody(version);
    this.text += this.header + body;
    this.packets++;
    this.bytes += this.header.length + body.length;
    this.payloadBytes += retained.payloadLength;
  }

  /** Returns where they begin in the slab; the arena's position is their end. Then it is empty. */
  write(arena: Arena): number {
    const start = arena.reserve(this.bytes);
    arena.position += arena.slab.write(this.text, start, 'latin1');
    this.text = '';
    this.before = null;
    this.packets = this.bytes = this.payloadBytes = 0;
    return start;
  }
}

export class RetainedMessages {
  /** Of all payloads together. */
  payloadBytes = 0;
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
    const { topicName, topic, properties, qos, expiresAt, publisher, bytes, payloadStart, payloadLength } = message;
    if (keepsObject || topic.length + properties.length + payloadLength > PACKED_BYTES_MAX) {
      return this.replace(topicName, new RetainedMessage(message, qos, expiresAt, publisher));
    }
    topic.copy(this.scratch);
    const contents = this.packedBehind(topic.length, properties, bytes, payloadStart, payloadLength);
    const layout = layoutOf(topicName, topic.length, properties.length, qos);
    this.replace(topicName, new RetainedMessage(contents, layout, expiresAt, publisher));
  }

  /**
   * Packs what is being published, at QoS 0 and 3.1.1 in one piece as it came: 4.1 microseconds each became 3.1 without the
   * Message in between and a look-up for it. False when it is too long for that.
   */
  put(publication: Publication): boolean {
    const { topic, source, topicStart, topicEnd, properties, payloadLength, qos, expiresAt, publisher } = publication;
    const isNamed = topic.is(source, topicStart, topicEnd);
    const topicBytes = isNamed ? topicEnd - topicStart : topic.bytes.length;
    if (topicBytes + properties.length + payloadLength > PACKED_BYTES_MAX) return false;
    const contents = this.packedAsItCame(publication, isNamed);
    const layout = layoutOf(topic.name, topicBytes, properties.length, qos);
    this.replace(topic.name, new RetainedMessage(contents, layout, expiresAt, publisher));
    return true;
  }

  /** False when there was nothing. */
  delete(topicName: string): boolean {
    const deleted = this.tree.delete(topicName);
    if (deleted === undefined) return false;
    this.payloadBytes -= deleted.payloadLength;
    deleted.replaced();
    return true;
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

  private replace(topicName: string, retained: RetainedMessage): void {
    const before = this.tree.set(topicName, retained);
    this.payloadBytes += retained.payloadLength;
    if (before === undefined) return;
    this.payloadBytes -= before.payloadLength;
    before.replaced();
  }

  /** `isNamed`: the packet has the whole name of the topic. */
  private packedAsItCame(publication: Publication, isNamed: boolean): string {
    const { topic, source, topicStart, topicEnd, properties, payloadStart, payloadEnd } = publication;
    if (isNamed && topicEnd === payloadStart) return source.toString('latin1', topicStart, payloadEnd);
    const { scratch } = this;
    const end = isNamed ? source.copy(scratch, 0, topicStart, topicEnd) : topic.bytes.copy(scratch);
    return this.packedBehind(end, properties, source, payloadStart, payloadEnd - payloadStart);
  }

  /** The topic is in `scratch` already. */
  private packedBehind(
    topicBytes: number,
    properties: Buffer,
    bytes: Buffer,
    payloadStart: number,
    payloadLength: number,
  ): string {
    const { scratch } = this;
    scratch.set(properties, topicBytes);
    const behind = topicBytes + properties.length;
    bytes.copy(scratch, behind, payloadStart, payloadStart + payloadLength);
    return scratch.toString('latin1', 0, behind + payloadLength);
  }
}
