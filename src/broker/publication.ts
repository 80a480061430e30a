/**
 * Publication is one message while it is being routed: it says where the parts lie in the chunk they came in, and makes
 * from them, only when somebody asks, a Message that lasts and the encoded forms that subscribers share.
 *
 *   form      3.1 and 3.1.1 | 5        with and without the retain flag: four at most, each encoded once
 */
import {
  NO_BYTES,
  packetLength,
  type ProtocolVersion,
  type PublishParts,
  publishRemainingLength,
  type PublishView,
  writePublish,
} from '../codec/mod.ts';
import { Message } from '../session/mod.ts';
import type { Arena } from './arena.ts';
import type { Payloads } from './payloads.ts';
import type { Identity } from './ports.ts';
import type { TopicEntry } from './topic-cache.ts';
import type { BrokerMessage } from './types.ts';

/** First bytes at QoS 0 (MQTT 5, 3.3.1). */
const PUBLISH = 0x30;
const PUBLISH_RETAINED = 0x31;

/** One encoded packet in the arena. */
export interface Form {
  slab: Buffer;
  start: number;
  end: number;
}

export class Publication {
  topic!: TopicEntry;
  source: Buffer = NO_BYTES;
  /** What the packet calls the topic: nothing where it has an alias, and not all of it where there is a mount point. */
  topicStart = 0;
  topicEnd = 0;
  payloadStart = 0;
  payloadEnd = 0;
  properties: Buffer = NO_BYTES;
  qos: 0 | 1 | 2 = 0;
  retain = false;
  /** Unix second; 0 for never. */
  expiresAt = 0;
  publisher: Identity | null = null;
  private message: BrokerMessage | null = null;
  /** The packet as it came, where it can go on as it is; see passThrough(). */
  private packetStart = 0;
  private packetEnd = 0;
  private packetIs5 = false;
  private readonly payloads: Payloads;
  private readonly forms: Form[] = [0, 1, 2, 3].map(() => ({ slab: NO_BYTES, start: 0, end: 0 }));

  constructor(payloads: Payloads) {
    this.payloads = payloads;
  }

  /** From a packet that was just read. */
  fromView(view: PublishView, topic: TopicEntry, publisher: Identity, expiresAt: number): this {
    this.topic = topic;
    if (this.source !== view.bytes) this.source = view.bytes;
    this.topicStart = view.topicStart;
    this.topicEnd = view.topicEnd;
    this.payloadStart = view.payloadStart;
    this.payloadEnd = view.payloadEnd;
    this.properties = view.properties;
    this.qos = view.qos;
    this.retain = view.retain;
    this.expiresAt = expiresAt;
    this.publisher = publisher;
    this.message = null;
    this.packetEnd = 0;
    this.forgetForms();
    return this;
  }

  /**
   * The packet that this was read from is, byte for byte, what subscribers of its version at QoS 0 get, apart from the
   * retain flag: one copy instead of a header, a name and a payload.
   */
  passThrough(start: number, end: number, version: ProtocolVersion): void {
    this.packetStart = start;
    this.packetEnd = end;
    this.packetIs5 = version === 5;
  }

  fromMessage(message: BrokerMessage, topic: TopicEntry): this {
    this.topic = topic;
    this.source = message.bytes;
    this.topicStart = this.topicEnd = 0;
    this.payloadStart = message.payloadStart;
    this.payloadEnd = message.payloadStart + message.payloadLength;
    this.properties = message.properties;
    this.qos = message.qos;
    this.retain = message.retain;
    this.expiresAt = message.expiresAt;
    this.publisher = message.publisher;
    this.message = message;
    this.packetEnd = 0;
    this.forgetForms();
    return this;
  }

  get payloadLength(): number {
    return this.payloadEnd - this.payloadStart;
  }

  /** The message in memory of its own, made once however many have to keep it. */
  stable(): BrokerMessage {
    return (this.message ??= this.kept());
  }

  private kept(): BrokerMessage {
    const { topic, properties, payloads, payloadLength } = this;
    const kept = properties.length === 0 ? NO_BYTES : payloads.copyOf(properties);
    payloads.keep(this.source, this.payloadStart, this.payloadEnd);
    return new Message<Identity>(
      topic.name,
      topic.bytes,
      payloads.bytes,
      kept,
      this.qos,
      this.retain,
      this.expiresAt,
      this.publisher,
      payloads.start,
      payloadLength,
    );
  }

  /** The QoS 0 packet that every subscriber without special wishes shares. */
  form(arena: Arena, parts: PublishParts, version: 3 | 4 | 5, retain: boolean, unixSecond: number): Form {
    const form = this.forms[(version === 5 ? 1 : 0) | (retain ? 2 : 0)]!;
    if (form.end !== 0) return form;
    if (this.packetEnd !== 0 && this.packetIs5 === (version === 5)) return this.copied(form, arena, retain);
    this.fill(parts);
    parts.version = version;
    parts.retain = retain;
    parts.messageExpiryInterval = this.expiresAt === 0 ? 0 : Math.max(0, this.expiresAt - unixSecond);
    const remainingLength = publishRemainingLength(parts);
    form.start = arena.reserve(packetLength(remainingLength));
    form.slab = arena.slab;
    form.end = arena.position = writePublish(arena.slab, form.start, parts, remainingLength);
    return form;
  }

  private copied(form: Form, arena: Arena, retain: boolean): Form {
    const start = arena.reserve(this.packetEnd - this.packetStart);
    const { slab } = arena;
    form.start = start;
    form.slab = slab;
    form.end = arena.position = start + this.source.copy(slab, start, this.packetStart, this.packetEnd);
    slab[start] = retain ? PUBLISH_RETAINED : PUBLISH;
    return form;
  }

  /** Sets the parts of a plain QoS 0 packet; the caller adds what is special to one subscriber. */
  fill(parts: PublishParts): void {
    parts.qos = 0;
    parts.dup = false;
    parts.topic = this.topic.bytes;
    parts.packetId = 0;
    parts.properties = this.properties;
    parts.topicAlias = 0;
    parts.subscriptionIdentifier = 0;
    parts.payload = this.source;
    parts.payloadStart = this.payloadStart;
    parts.payloadEnd = this.payloadEnd;
  }

  private forgetForms(): void {
    const forms = this.forms;
    forms[0]!.end = forms[1]!.end = forms[2]!.end = forms[3]!.end = 0;
  }
}

export function emptyParts(): PublishParts {
  return {
    version: 4,
    qos: 0,
    dup: false,
    retain: false,
    topic: NO_BYTES,
    packetId: 0,
    properties: NO_BYTES,
    messageExpiryInterval: 0,
    topicAlias: 0,
    subscriptionIdentifier: 0,
    payload: NO_BYTES,
    payloadStart: 0,
    payloadEnd: 0,
  };
}
