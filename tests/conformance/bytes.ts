/**
 * MQTT packets as bytes, for the conformance tests only.
 *
 *   fields → packet builders → Buffer            what a test sends, right or wrong on purpose
 *   Buffer → decode()        → Received          what the broker answered, field by field
 *
 * Written from the specification and independent of src/codec: a mistake made there is not repeated here.
 */
import assert from 'node:assert/strict';

export type Version = 3 | 4 | 5;

export const u8 = (value: number): Buffer => Buffer.of(value);
export const u16 = (value: number): Buffer => Buffer.of(value >> 8, value & 0xff);

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Variable byte integer; `bytesMin` above what the value needs makes the overlong form. */
export function varint(value: number, bytesMin = 1): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 128);
  } while (rest > 0 || bytes.length < bytesMin);
  bytes[bytes.length - 1]! &= 0x7f;
  return Buffer.from(bytes);
}

/** A length-prefixed string or binary field. */
export function field(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([u16(bytes.length), bytes]);
}

/** `hex('20 02 00 00')`: for bytes that a test wants to show. */
export const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

export function frame(firstByte: number, ...body: Buffer[]): Buffer {
  const content = Buffer.concat(body);
  return Buffer.concat([u8(firstByte), varint(content.length), content]);
}

type PropertyType = 'byte' | 'u16' | 'u32' | 'varint' | 'string' | 'binary' | 'pair';

/** The 27 properties of MQTT 5, 2.2.2.2. */
const PROPERTIES = {
  payloadFormat: [0x01, 'byte'],
  messageExpiry: [0x02, 'u32'],
  contentType: [0x03, 'string'],
  responseTopic: [0x08, 'string'],
  correlationData: [0x09, 'binary'],
  subscriptionIdentifier: [0x0b, 'varint'],
  sessionExpiry: [0x11, 'u32'],
  assignedClientId: [0x12, 'string'],
  serverKeepAlive: [0x13, 'u16'],
  authenticationMethod: [0x15, 'string'],
  authenticationData: [0x16, 'binary'],
  requestProblemInformation: [0x17, 'byte'],
  willDelay: [0x18, 'u32'],
  requestResponseInformation: [0x19, 'byte'],
  responseInformation: [0x1a, 'string'],
  serverReference: [0x1c, 'string'],
  reasonString: [0x1f, 'string'],
  receiveMaximum: [0x21, 'u16'],
  topicAliasMaximum: [0x22, 'u16'],
  topicAlias: [0x23, 'u16'],
  maximumQos: [0x24, 'byte'],
  retainAvailable: [0x25, 'byte'],
  userProperty: [0x26, 'pair'],
  maximumPacketSize: [0x27, 'u32'],
  wildcardSubscriptionAvailable: [0x28, 'byte'],
  subscriptionIdentifierAvailable: [0x29, 'byte'],
  sharedSubscriptionAvailable: [0x2a, 'byte'],
} as const satisfies Record<string, readonly [number, PropertyType]>;

export type PropertyName = keyof typeof PROPERTIES;
export type PropertyValue = number | string | Buffer | readonly [string, string];
export type Property = readonly [PropertyName, PropertyValue];

function encodeValue(type: PropertyType, value: PropertyValue): Buffer {
  switch (type) {
    case 'byte':
      return u8(value as number);
    case 'u16':
      return u16(value as number);
    case 'u32':
      return u32(value as number);
    case 'varint':
      return varint(value as number);
    case 'string':
    case 'binary':
      return field(value as string | Buffer);
    case 'pair': {
      const [name, content] = value as readonly [string, string];
      return Buffer.concat([field(name), field(content)]);
    }
  }
}

/** Properties without their length, in the order given. */
export function propertyBytes(properties: readonly Property[]): Buffer {
  return Buffer.concat(
    properties.flatMap(([name, value]) => {
      const [id, type] = PROPERTIES[name];
      return [u8(id), encodeValue(type, value)];
    }),
  );
}

/** Properties with their length; raw bytes pass as they are behind their true length. */
export function propertyField(properties: readonly Property[] | Buffer): Buffer {
  const bytes = Buffer.isBuffer(properties) ? properties : propertyBytes(properties);
  return Buffer.concat([varint(bytes.length), bytes]);
}

/** What a version 5 packet carries at this place; nothing in older versions. */
const propertiesIn = (version: Version, properties: readonly Property[] | Buffer): Buffer =>
  version === 5 ? propertyField(properties) : Buffer.alloc(0);

export interface Will {
  topic: string | Buffer;
  payload?: string | Buffer;
  qos?: number;
  retain?: boolean;
  properties?: readonly Property[] | Buffer;
}

export interface ConnectFields {
  version?: Version;
  /** Level byte when it is not the one of the version. */
  level?: number;
  protocolName?: string;
  clientId?: string | Buffer;
  clean?: boolean;
  keepAlive?: number;
  properties?: readonly Property[] | Buffer;
  will?: Will;
  username?: string | Buffer;
  password?: string | Buffer;
  /** Bits to turn over in the connect flags, to make them wrong. */
  flipFlags?: number;
  /** Bytes behind the last field. */
  trailing?: Buffer;
  firstByte?: number;
}

function connectFlags(fields: ConnectFields): number {
  const { will } = fields;
  let flags = fields.clean === false ? 0 : 0x02;
  if (will) flags |= 0x04 | ((will.qos ?? 0) << 3) | (will.retain ? 0x20 : 0);
  if (fields.username !== undefined) flags |= 0x80;
  if (fields.password !== undefined) flags |= 0x40;
  return flags ^ (fields.flipFlags ?? 0);
}

function connectPayload(fields: ConnectFields, version: Version): Buffer[] {
  const { will } = fields;
  const parts = [field(fields.clientId ?? '')];
  if (will) parts.push(propertiesIn(version, will.properties ?? []), field(will.topic), field(will.payload ?? ''));
  if (fields.username !== undefined) parts.push(field(fields.username));
  if (fields.password !== undefined) parts.push(field(fields.password));
  return parts;
}

export function connect(fields: ConnectFields = {}): Buffer {
  const version = fields.version ?? 5;
  return frame(
    fields.firstByte ?? 0x10,
    field(fields.protocolName ?? (version === 3 ? 'MQIsdp' : 'MQTT')),
    u8(fields.level ?? version),
    u8(connectFlags(fields)),
    u16(fields.keepAlive ?? 60),
    propertiesIn(version, fields.properties ?? []),
    ...connectPayload(fields, version),
    fields.trailing ?? Buffer.alloc(0),
  );
}

export interface PublishFields {
  version?: Version;
  topic: string | Buffer;
  payload?: string | Buffer;
  qos?: number;
  retain?: boolean;
  dup?: boolean;
  packetId?: number;
  properties?: readonly Property[] | Buffer;
}

export function publish(fields: PublishFields): Buffer {
  const qos = fields.qos ?? 0;
  return frame(
    0x30 | (fields.dup ? 8 : 0) | (qos << 1) | (fields.retain ? 1 : 0),
    field(fields.topic),
    qos > 0 ? u16(fields.packetId ?? 1) : Buffer.alloc(0),
    propertiesIn(fields.version ?? 5, fields.properties ?? []),
    Buffer.from(fields.payload ?? ''),
  );
}

/** Topic filter and the byte behind it: the QoS, in version 5 with the other options. */
export type FilterOptions = readonly [filter: string | Buffer, options: number];

export const NO_LOCAL = 0x04;
export const RETAIN_AS_PUBLISHED = 0x08;
export const RETAIN_IF_NEW = 0x10;
export const RETAIN_NEVER = 0x20;

export function subscribe(
  version: Version,
  packetId: number,
  filters: readonly FilterOptions[],
  properties: readonly Property[] | Buffer = [],
  firstByte = 0x82,
): Buffer {
  const pairs = filters.flatMap(([filter, options]) => [field(filter), u8(options)]);
  return frame(firstByte, u16(packetId), propertiesIn(version, properties), ...pairs);
}

export function unsubscribe(
  version: Version,
  packetId: number,
  filters: readonly (string | Buffer)[],
  properties: readonly Property[] | Buffer = [],
  firstByte = 0xa2,
): Buffer {
  return frame(firstByte, u16(packetId), propertiesIn(version, properties), ...filters.map(field));
}

/** PUBACK 0x40, PUBREC 0x50, PUBREL 0x62, PUBCOMP 0x70 in the short form, or with a reason code (version 5). */
export const ack = (firstByte: number, packetId: number, reason?: number): Buffer =>
  frame(firstByte, u16(packetId), reason === undefined ? Buffer.alloc(0) : u8(reason));

export const PUBACK = 0x40;
export const PUBREC = 0x50;
export const PUBREL = 0x62;
export const PUBCOMP = 0x70;
export const PINGREQ = hex('c0 00');

export interface Received {
  name: string;
  flags: number;
  /** The whole packet. */
  bytes: Buffer;
  packetId: number;
  /** Reason or return code; 0 where the short form leaves it out. */
  code: number;
  /** SUBACK and UNSUBACK. */
  codes: number[];
  sessionPresent: boolean;
  properties: Property[];
  topic: string;
  payload: Buffer;
  qos: number;
  retain: boolean;
  dup: boolean;
}

const NAMES =
  'RESERVED CONNECT CONNACK PUBLISH PUBACK PUBREC PUBREL PUBCOMP SUBSCRIBE SUBACK UNSUBSCRIBE UNSUBACK PINGREQ PINGRESP DISCONNECT AUTH'.split(
    ' ',
  );

class Reader {
  readonly bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  take(count: number): Buffer {
    assert.ok(
      this.at + count <= this.bytes.length,
      `the broker sent a truncated packet: ${this.bytes.toString('hex')}`,
    );
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  u8 = (): number => this.take(1).readUInt8();
  u16 = (): number => this.take(2).readUInt16BE();
  u32 = (): number => this.take(4).readUInt32BE();
  binary = (): Buffer => this.take(this.u16());
  string = (): string => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.binary());

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  properties(): Property[] {
    const end = this.varint() + this.at;
    const found: Property[] = [];
    while (this.at < end) found.push(this.property());
    assert.equal(this.at, end, 'a property runs over the end of the property length');
    return found;
  }

  property(): Property {
    const id = this.u8();
    const row = Object.entries(PROPERTIES).find(([, [known]]) => known === id);
    assert.ok(row, `the broker sent the unknown property 0x${id.toString(16)}`);
    const name = row[0] as PropertyName;
    switch (row[1][1]) {
      case 'byte':
        return [name, this.u8()];
      case 'u16':
        return [name, this.u16()];
      case 'u32':
        return [name, this.u32()];
      case 'varint':
        return [name, this.varint()];
      case 'string':
        return [name, this.string()];
      case 'binary':
        return [name, this.binary()];
      case 'pair':
        return [name, [this.string(), this.string()]];
    }
  }
}

function decodePublish(reader: Reader, version: Version, into: Received): void {
  into.dup = (into.flags & 8) !== 0;
  into.qos = (into.flags >> 1) & 3;
  into.retain = (into.flags & 1) !== 0;
  into.topic = reader.string();
  if (into.qos > 0) into.packetId = reader.u16();
  if (version === 5) into.properties = reader.properties();
  into.payload = reader.take(reader.left);
}

function decodeConnack(reader: Reader, version: Version, into: Received): void {
  const flags = reader.u8();
  assert.equal(flags & 0xfe, 0, 'reserved CONNACK flags are set [MQTT-3.2.2-1]');
  into.sessionPresent = flags === 1;
  into.code = reader.u8();
  if (version === 5 && reader.left > 0) into.properties = reader.properties();
}

function decodeSubscriptionAck(reader: Reader, version: Version, into: Received): void {
  into.packetId = reader.u16();
  if (version === 5) into.properties = reader.properties();
  into.codes = [...reader.take(reader.left)];
}

/** Acks, DISCONNECT and AUTH end early when nothing is to be said. */
function decodeShort(reader: Reader, hasPacketId: boolean, into: Received): void {
  if (hasPacketId) into.packetId = reader.u16();
  if (reader.left > 0) into.code = reader.u8();
  if (reader.left > 0) into.properties = reader.properties();
}

/** One whole packet. Fails the test when it is not well formed. */
export function decode(packet: Buffer, version: Version): Received {
  const reader = new Reader(packet);
  const first = reader.u8();
  const name = NAMES[first >> 4]!;
  reader.varint();
  const into: Received = {
    name,
    flags: first & 15,
    bytes: packet,
    packetId: 0,
    code: 0,
    codes: [],
    sessionPresent: false,
    properties: [],
    topic: '',
    payload: Buffer.alloc(0),
    qos: 0,
    retain: false,
    dup: false,
  };
  if (name === 'PUBLISH') decodePublish(reader, version, into);
  else if (name === 'CONNACK') decodeConnack(reader, version, into);
  else if (name === 'SUBACK' || name === 'UNSUBACK') decodeSubscriptionAck(reader, version, into);
  else if (name.startsWith('PUB')) decodeShort(reader, true, into);
  else decodeShort(reader, false, into);
  assert.equal(reader.left, 0, `bytes are left behind ${name}: ${packet.toString('hex')}`);
  return into;
}

/** Cuts the first whole packet off; null when there is none yet. */
export function cutPacket(bytes: Buffer): [packet: Buffer, rest: Buffer] | null {
  let length = 0;
  for (let at = 1, scale = 1; at < bytes.length; at += 1, scale *= 128) {
    length += (bytes[at]! & 0x7f) * scale;
    if (bytes[at]! >= 0x80) continue;
    const end = at + 1 + length;
    return bytes.length < end ? null : [bytes.subarray(0, end), bytes.subarray(end)];
  }
  return null;
}
