/**
 * PUBLISH (MQTT 5, 3.3), the packet that everything is about.
 *
 *   first | remaining length | topic length, topic | packet id (QoS > 0) | properties (5) | payload
 *
 * Reading fills a PublishView, one reused object of positions into the frame: a million publishes make no garbage.
 * The properties that travel with the message (3.3.2.3: payload format, content type, response topic, correlation
 * data, user properties) are kept as raw bytes in the publisher's order; expiry, alias and subscription identifiers
 * belong to one hop and are written anew behind them.
 */
import { ByteReader } from '../byte-reader.ts';
import { varintLength, writeVarint } from '../byte-writer.ts';
import { malformed, protocolError } from '../packet-error.ts';
import { packetTypes, type ProtocolVersion } from '../packet-types.ts';
import { readPropertyRow } from '../properties.ts';
import { isMqttUtf8 } from '../utf8.ts';

export const NO_BYTES: Buffer = Buffer.alloc(0);

/** Where the parts of one PUBLISH lie. Valid until the next packet is read. */
export class PublishView {
  bytes: Buffer = NO_BYTES;
  qos: 0 | 1 | 2 = 0;
  dup = false;
  retain = false;
  topicStart = 0;
  topicEnd = 0;
  /** 0 at QoS 0. */
  packetId = 0;
  payloadStart = 0;
  payloadEnd = 0;
  /** Forwardable properties as raw bytes without the block's length. */
  properties: Buffer = NO_BYTES;
  /** Seconds; -1 when absent. */
  messageExpiryInterval = -1;
  /** 0 when absent. */
  topicAlias = 0;
  /** Only a server sends these; empty nearly always. */
  subscriptionIdentifiers: readonly number[] = NO_NUMBERS;
}

const NO_NUMBERS: readonly number[] = Object.freeze([]);

/** Fills `view` from a frame. The topic's text is not looked at: that is the topic cache's business. */
export function readPublish(
  view: PublishView,
  bytes: Buffer,
  first: number,
  start: number,
  end: number,
  version: ProtocolVersion,
): void {
  const qos = (first >> 1) & 3;
  if (qos === 3) throw malformed('Invalid QoS in PUBLISH from %c, disconnecting.'); // [MQTT-3.3.1-4]
  const dup = (first & 8) !== 0;
  // [MQTT-3.3.1-2]
  if (dup && qos === 0) throw malformed('Invalid PUBLISH (QoS=0 and DUP=1) from %c, disconnecting.');
  if (end - start < 2) throw malformed();
  const topicEnd = start + 2 + ((bytes[start]! << 8) | bytes[start + 1]!);
  let position = topicEnd;
  if (qos > 0) position += 2;
  if (position > end) throw malformed();
  if (view.bytes !== bytes) view.bytes = bytes;
  view.qos = qos as 0 | 1 | 2;
  view.dup = dup;
  view.retain = (first & 1) !== 0;
  view.topicStart = start + 2;
  view.topicEnd = topicEnd;
  view.packetId = qos > 0 ? (bytes[topicEnd]! << 8) | bytes[topicEnd + 1]! : 0;
  if (qos > 0 && view.packetId === 0) throw protocolError('PUBLISH packet with mid = 0.'); // [MQTT-2.2.1-3]
  view.properties = NO_BYTES;
  view.messageExpiryInterval = -1;
  view.topicAlias = 0;
  view.subscriptionIdentifiers = NO_NUMBERS;
  view.payloadEnd = end;
  if (version !== 5) view.payloadStart = position;
  else if (position < end && bytes[position] === 0) view.payloadStart = position + 1;
  else view.payloadStart = readPublishProperties(view, bytes, position, end);
}

/** Reads the property block at `position` and returns where the payload starts. */
function readPublishProperties(view: PublishView, bytes: Buffer, position: number, end: number): number {
  const reader = new ByteReader(bytes, position, end);
  const length = reader.varint();
  if (length > reader.left) throw malformed();
  reader.end = reader.position + length;
  const hop: HopProperties = { messageExpiryInterval: -1, topicAlias: 0, subscriptionIdentifiers: [] };
  view.properties = readForwardable(reader, 'publish', hop);
  view.messageExpiryInterval = hop.messageExpiryInterval;
  view.topicAlias = hop.topicAlias;
  if (hop.subscriptionIdentifiers.length > 0) view.subscriptionIdentifiers = hop.subscriptionIdentifiers;
  return reader.end;
}

/** The properties that end with the hop they came over. -1 and 0 mean absent. */
export interface HopProperties {
  messageExpiryInterval: number;
  topicAlias: number;
  subscriptionIdentifiers: number[];
  /** Wills only. */
  willDelayInterval?: number;
}

/**
 * Checks every property up to the reader's end, puts those of the hop into `hop` and returns the raw bytes of the
 * others in the order they came: a view of the frame where they stand together, a copy where they do not.
 */
export function readForwardable(reader: ByteReader, place: 'publish' | 'will', hop: HopProperties): Buffer {
  const parts: Buffer[] = [];
  const seen: boolean[] = [];
  while (reader.left > 0) {
    const from = reader.position;
    const row = readPropertyRow(reader, place);
    if (row.name !== 'userProperties' && row.name !== 'subscriptionIdentifier') {
      if (seen[row.id] === true) throw protocolError('Duplicate property in property list');
      seen[row.id] = true;
    }
    if (skipValue(reader, row.id, hop)) parts.push(reader.bytes.subarray(from, reader.position));
  }
  return parts.length === 1 ? parts[0]! : parts.length === 0 ? NO_BYTES : Buffer.concat(parts);
}

/** Steps over one value, checking it; true when it travels with the message. */
function skipValue(reader: ByteReader, id: number, hop: HopProperties): boolean {
  switch (id) {
    case 0x01:
      if (reader.byte() > 1) throw protocolError();
      return true;
    case 0x02:
      hop.messageExpiryInterval = reader.uint32();
      return false;
    case 0x08:
      checkResponseTopic(reader.string());
      return true;
    case 0x09:
      reader.binary();
      return true;
    case 0x0b:
      hop.subscriptionIdentifiers.push(notZero(reader.varint()));
      return false;
    case 0x18:
      hop.willDelayInterval = reader.uint32();
      return false;
    case 0x23:
      hop.topicAlias = aliasNotZero(reader.uint16());
      return false;
    case 0x26:
      reader.string();
      reader.string();
      return true;
    default:
      reader.string(); // 0x03, content type
      return true;
  }
}

function notZero(value: number): number {
  if (value === 0) throw protocolError();
  return value;
}

function aliasNotZero(alias: number): number {
  if (alias === 0) throw protocolError('PUBLISH invalid topic alias (0).'); // [MQTT-3.3.2-8]
  return alias;
}

/** A response topic is a topic name: not empty, no wildcards. [MQTT-3.3.2-14] */
function checkResponseTopic(name: string): void {
  if (name.length === 0 || /[+#]/.test(name)) throw protocolError();
}

/** One PUBLISH as it goes out. Plain fields that the fast path sets one by one. */
export interface PublishParts {
  version: ProtocolVersion;
  qos: 0 | 1 | 2;
  dup: boolean;
  retain: boolean;
  /** UTF-8; empty when the alias stands for it. */
  topic: Uint8Array;
  packetId: number;
  /** Raw forwardable properties. */
  properties: Uint8Array;
  /** Seconds left; 0 for none. */
  messageExpiryInterval: number;
  topicAlias: number;
  subscriptionIdentifier: number;
  payload: Buffer;
  payloadStart: number;
  payloadEnd: number;
}

function hopPropertiesLength(expiry: number, alias: number, identifier: number): number {
  return (expiry > 0 ? 5 : 0) + (alias > 0 ? 3 : 0) + (identifier > 0 ? 1 + varintLength(identifier) : 0);
}

/** Remaining length of the packet these parts make. */
export function publishRemainingLength(p: PublishParts): number {
  let length = 2 + p.topic.length + (p.qos > 0 ? 2 : 0) + (p.payloadEnd - p.payloadStart);
  if (p.version === 5) {
    const properties =
      p.properties.length + hopPropertiesLength(p.messageExpiryInterval, p.topicAlias, p.subscriptionIdentifier);
    length += varintLength(properties) + properties;
  }
  return length;
}

/** First byte, four bytes of length, and what these can say (MQTT 5, 1.5.5). Larger ones cannot be written. */
export const LARGEST_PACKET_BYTES = 5 + 268_435_455;

/** Whole size of a packet with this remaining length. */
export function packetLength(remainingLength: number): number {
  return 1 + varintLength(remainingLength) + remainingLength;
}

/**
 * Writes the packet at `position` of `out`, which must have room for packetLength(remainingLength), and returns the
 * position behind it. Order of properties as Mosquitto's: the publisher's own, then expiry, alias, subscription
 * identifier (docs/compat/packets.md, 5).
 */
export function writePublish(out: Buffer, position: number, p: PublishParts, remainingLength: number): number {
  out[position++] = (packetTypes.publish << 4) | (p.dup ? 8 : 0) | (p.qos << 1) | (p.retain ? 1 : 0);
  position = writeVarint(out, position, remainingLength);
  position = putUint16(out, position, p.topic.length);
  position = putBytes(out, position, p.topic);
  if (p.qos > 0) position = putUint16(out, position, p.packetId);
  if (p.version === 5) position = writePublishProperties(out, position, p);
  return position + p.payload.copy(out, position, p.payloadStart, p.payloadEnd);
}

function writePublishProperties(out: Buffer, position: number, p: PublishParts): number {
  const { messageExpiryInterval: expiry, topicAlias: alias, subscriptionIdentifier: identifier } = p;
  position = writeVarint(out, position, p.properties.length + hopPropertiesLength(expiry, alias, identifier));
  position = putBytes(out, position, p.properties);
  if (expiry > 0) {
    out[position++] = 0x02;
    position = putUint16(out, position, expiry >>> 16);
    position = putUint16(out, position, expiry & 0xffff);
  }
  if (alias > 0) {
    out[position++] = 0x23;
    position = putUint16(out, position, alias);
  }
  if (identifier > 0) {
    out[position++] = 0x0b;
    position = writeVarint(out, position, identifier);
  }
  return position;
}

function putUint16(out: Buffer, position: number, value: number): number {
  out[position] = value >> 8;
  out[position + 1] = value & 0xff;
  return position + 2;
}

/** Below some 24 bytes a loop beats the call into C++. */
function putBytes(out: Buffer, position: number, bytes: Uint8Array): number {
  if (bytes.length > 24) out.set(bytes, position);
  else for (let i = 0; i < bytes.length; i++) out[position + i] = bytes[i]!;
  return position + bytes.length;
}

/** A whole PUBLISH in its own buffer, for the client side and for tests. */
export function encodePublish(parts: PublishParts): Buffer {
  const remainingLength = publishRemainingLength(parts);
  const out = Buffer.allocUnsafe(packetLength(remainingLength));
  writePublish(out, 0, parts, remainingLength);
  return out;
}

/** True when the topic of the view is valid MQTT UTF-8. */
export function hasValidTopicText(view: PublishView): boolean {
  return isMqttUtf8(view.bytes, view.topicStart, view.topicEnd);
}
