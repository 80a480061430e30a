/**
 * Every packet through one door, for tests: bytes → AnyPacket → bytes.
 *
 * The broker never needs this: it knows what it waits for. Tests want to treat fifteen packets alike.
 */
import {
  type Ack,
  type AckName,
  type Auth,
  checkPing,
  type Connack,
  type Connect,
  type Disconnect,
  encodeAck,
  encodeAuth,
  encodeConnack,
  encodeConnect,
  encodeDisconnect,
  encodePublish,
  encodeSuback,
  encodeSubscribe,
  encodeUnsubscribe,
  FrameReader,
  frameStatus,
  PacketError,
  PINGREQ,
  PINGRESP,
  type ProtocolVersion,
  type PublishParts,
  PublishView,
  readAck,
  readAuth,
  readConnack,
  readConnect,
  readDisconnect,
  readPublish,
  readSuback,
  readSubscribe,
  readUnsubscribe,
  type Suback,
  type Subscribe,
  type Unsubscribe,
} from '../mod.ts';

/** A PUBLISH in one object; what the view holds as positions is cut out. */
export interface PlainPublish {
  qos: 0 | 1 | 2;
  dup: boolean;
  retain: boolean;
  topic: Buffer;
  packetId: number;
  /** Raw forwardable properties. */
  properties: Buffer;
  /** Seconds; 0 for none. */
  messageExpiryInterval: number;
  topicAlias: number;
  /** 0 for none. */
  subscriptionIdentifier: number;
  payload: Buffer;
}

export type AnyPacket =
  | { type: 'connect'; packet: Connect }
  | { type: 'connack'; packet: Connack }
  | { type: 'publish'; packet: PlainPublish }
  | { type: AckName; packet: Ack }
  | { type: 'subscribe'; packet: Subscribe }
  | { type: 'suback' | 'unsuback'; packet: Suback }
  | { type: 'unsubscribe'; packet: Unsubscribe }
  | { type: 'pingreq' | 'pingresp' }
  | { type: 'disconnect'; packet: Disconnect }
  | { type: 'auth'; packet: Auth };

const ALL_VERSIONS: readonly ProtocolVersion[] = [3, 4, 5];
/** No packet is too large: sizes are the frame reader's own test. */
export const NO_LIMITS: readonly number[] = new Array<number>(16).fill(0);

const TYPES = [
  null,
  'connect',
  'connack',
  'publish',
  'puback',
  'pubrec',
  'pubrel',
  'pubcomp',
  'subscribe',
  'suback',
  'unsubscribe',
  'unsuback',
  'pingreq',
  'pingresp',
  'disconnect',
  'auth',
] as const;

/** The body of one frame as a packet. Throws PacketError, as the readers do. */
export function decodeFrame(
  bytes: Buffer,
  first: number,
  start: number,
  end: number,
  version: ProtocolVersion,
): AnyPacket {
  const type = TYPES[first >> 4]!;
  switch (type) {
    case null:
      throw new Error('there is no packet type 0');
    case 'connect':
      return { type, packet: readConnect(bytes, first, start, end, ALL_VERSIONS) };
    case 'connack':
      return { type, packet: readConnack(bytes, first, start, end, version) };
    case 'publish':
      return { type, packet: plainPublish(bytes, first, start, end, version) };
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return { type, packet: readAck(type, bytes, first, start, end, version) };
    case 'subscribe':
      return { type, packet: readSubscribe(bytes, first, start, end, version) };
    case 'suback':
    case 'unsuback':
      return { type, packet: readSuback(type, bytes, first, start, end, version) };
    case 'unsubscribe':
      return { type, packet: readUnsubscribe(bytes, first, start, end, version) };
    case 'pingreq':
    case 'pingresp':
      checkPing(first, start, end, version);
      return { type };
    case 'disconnect':
      return { type, packet: readDisconnect(bytes, first, start, end, version) };
    case 'auth':
      return { type, packet: readAuth(bytes, first, start, end) };
  }
}

function plainPublish(
  bytes: Buffer,
  first: number,
  start: number,
  end: number,
  version: ProtocolVersion,
): PlainPublish {
  const view = new PublishView();
  readPublish(view, bytes, first, start, end, version);
  return {
    qos: view.qos,
    dup: view.dup,
    retain: view.retain,
    topic: bytes.subarray(view.topicStart, view.topicEnd),
    packetId: view.packetId,
    properties: view.properties,
    messageExpiryInterval: Math.max(0, view.messageExpiryInterval),
    topicAlias: view.topicAlias,
    subscriptionIdentifier: view.subscriptionIdentifiers[0] ?? 0,
    payload: bytes.subarray(view.payloadStart, view.payloadEnd),
  };
}

/** One whole packet, header included. */
export function decodePacket(bytes: Buffer, version: ProtocolVersion): AnyPacket {
  const reader = new FrameReader(NO_LIMITS);
  reader.push(bytes);
  if (reader.next() !== frameStatus.packet) throw new Error(`${bytes.toString('hex')} is not one whole packet`);
  return decodeFrame(reader.bytes, reader.first, reader.start, reader.end, version);
}

/** The packet, or the PacketError that stands for it. Anything else that is thrown is a fault of ours and passes. */
export function tryDecode(bytes: Buffer, version: ProtocolVersion): AnyPacket | PacketError {
  try {
    return decodePacket(bytes, version);
  } catch (error) {
    if (error instanceof PacketError) return error;
    throw error;
  }
}

export function encodePacket(any: AnyPacket, version: ProtocolVersion): Buffer {
  switch (any.type) {
    case 'connect':
      return encodeConnect(any.packet);
    case 'connack':
      return encodeConnack(any.packet, version);
    case 'publish':
      return encodePublish(publishParts(any.packet, version));
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return encodeAck(any.type, any.packet, version);
    case 'subscribe':
      return encodeSubscribe(any.packet, version);
    case 'suback':
    case 'unsuback':
      return encodeSuback(any.type, any.packet, version);
    case 'unsubscribe':
      return encodeUnsubscribe(any.packet, version);
    case 'pingreq':
      return PINGREQ;
    case 'pingresp':
      return PINGRESP;
    case 'disconnect':
      return encodeDisconnect(any.packet, version);
    case 'auth':
      return encodeAuth(any.packet);
  }
}

function publishParts(packet: PlainPublish, version: ProtocolVersion): PublishParts {
  return { ...packet, version, payloadStart: 0, payloadEnd: packet.payload.length };
}

/** Puts a fixed header in front of a body, with the length that it has. */
export function framed(first: number, body: Buffer): Buffer {
  const length: number[] = [];
  for (let rest = body.length; ; rest >>= 7) {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) break;
  }
  return Buffer.concat([Buffer.from([first, ...length]), body]);
}
