/**
 * Reads what a broker sent. Tolerant: a body that cannot be understood keeps its bytes and says so in `unread`,
 * so that a test can show the bytes instead of dying in the reader.
 */
import { packetTypes, type PacketType, type Version } from './packets.ts';
import { Cursor, readProperties, type PropertyValue, type ReadProperty } from './properties.ts';

export interface RawPacket {
  type: PacketType;
  flags: number;
  body: Buffer;
  /** The whole packet, fixed header included. */
  bytes: Buffer;
  topic?: string;
  payload?: Buffer;
  qos?: number;
  retain?: boolean;
  dup?: boolean;
  packetId?: number;
  sessionPresent?: boolean;
  reasonCode?: number;
  /** Of SUBACK and UNSUBACK. */
  reasonCodes?: number[];
  /** In the order of the wire; empty for versions before 5. */
  properties: ReadProperty[];
  /** Why the body could not be decoded, or what was left over behind it. */
  unread?: string;
}

/** The first value of a property, or undefined. */
export function property(from: RawPacket, name: string): PropertyValue | undefined {
  return from.properties.find(([key]) => key === name)?.[1];
}

type Body = (into: RawPacket, from: Cursor, version: Version) => void;

const readPublish: Body = (into, from, version) => {
  into.topic = from.text();
  into.qos = (into.flags >> 1) & 3;
  into.retain = (into.flags & 1) === 1;
  into.dup = (into.flags & 8) === 8;
  if (into.qos > 0) into.packetId = from.u16();
  if (version === 5) into.properties = readProperties(from);
  into.payload = from.rest();
};

const readConnack: Body = (into, from, version) => {
  into.sessionPresent = (from.byte() & 1) === 1;
  into.reasonCode = from.byte();
  if (version === 5) into.properties = readProperties(from);
};

const readAcknowledgement: Body = (into, from) => {
  into.packetId = from.u16();
  into.reasonCode = from.left > 0 ? from.byte() : 0;
  if (from.left > 0) into.properties = readProperties(from);
};

const readCodes: Body = (into, from, version) => {
  into.packetId = from.u16();
  if (version === 5) into.properties = readProperties(from);
  into.reasonCodes = [...from.rest()];
};

const readReason: Body = (into, from) => {
  into.reasonCode = from.left > 0 ? from.byte() : 0;
  if (from.left > 0) into.properties = readProperties(from);
};

const bodies: Partial<Record<PacketType, Body>> = {
  connack: readConnack,
  publish: readPublish,
  puback: readAcknowledgement,
  pubrec: readAcknowledgement,
  pubrel: readAcknowledgement,
  pubcomp: readAcknowledgement,
  suback: readCodes,
  unsuback: readCodes,
  disconnect: readReason,
  auth: readReason,
};

function decode(bytes: Buffer, body: Buffer, version: Version): RawPacket {
  const first = bytes[0] ?? 0;
  const result: RawPacket = { type: packetTypes[first >> 4]!, flags: first & 15, body, bytes, properties: [] };
  const from = new Cursor(body);
  try {
    bodies[result.type]?.(result, from, version);
    if (from.left > 0) result.unread = `${from.left} bytes behind the end`;
  } catch (error) {
    result.unread = String(error);
  }
  return result;
}

/** Length of the remaining-length field and its value, or null while it is incomplete. */
function header(bytes: Buffer): { size: number; length: number } | null {
  let length = 0;
  for (let index = 1; index <= 4; index++) {
    const digit = bytes[index];
    if (digit === undefined) return null;
    length += (digit & 0x7f) * 128 ** (index - 1);
    if (digit < 0x80) return { size: index + 1, length };
  }
  throw new Error(`remaining length of more than four bytes from the broker: ${bytes.subarray(0, 6).toString('hex')}`);
}

/** Takes the first whole packet from `bytes`: the packet and what is behind it, or null if it is not all there. */
export function readPacket(bytes: Buffer, version: Version): { packet: RawPacket; rest: Buffer } | null {
  const head = header(bytes);
  if (!head || bytes.length < head.size + head.length) return null;
  const end = head.size + head.length;
  return {
    packet: decode(bytes.subarray(0, end), bytes.subarray(head.size, end), version),
    rest: bytes.subarray(end),
  };
}
