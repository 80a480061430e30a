/**
 * PUBACK, PUBREC, PUBREL and PUBCOMP (MQTT 5, 3.4 to 3.7): four packets of one shape.
 *
 *   first | remaining length | packet id | reason code (5, left out when 0) | properties (5, left out when empty)
 */
import { ByteReader } from '../byte-reader.ts';
import { ByteWriter, packetBytes } from '../byte-writer.ts';
import { malformed, PacketError, protocolError } from '../packet-error.ts';
import { packetTypes, type ProtocolVersion } from '../packet-types.ts';
import { NO_PROPERTIES, type Properties, readProperties, writeProperties } from '../properties.ts';
import { reasonCodes } from '../reason-codes.ts';

/** By packet type. */
export const ackNames = {
  [packetTypes.puback]: 'puback',
  [packetTypes.pubrec]: 'pubrec',
  [packetTypes.pubrel]: 'pubrel',
  [packetTypes.pubcomp]: 'pubcomp',
} as const;
export type AckName = (typeof ackNames)[keyof typeof ackNames];

/** Undefined for all other packet types. */
export function ackNameOf(type: number): AckName | undefined {
  return (ackNames as Readonly<Record<number, AckName | undefined>>)[type];
}

export interface Ack {
  packetId: number;
  reasonCode: number;
  properties: Readonly<Properties>;
}

/** Reason codes that may stand in each (tables 3-4, 3-5, 3-6, 3-7). */
const publishCodes: readonly number[] = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
const releaseCodes: readonly number[] = [0x00, 0x92];
const allowed: Record<AckName, readonly number[]> = {
  puback: publishCodes,
  pubrec: publishCodes,
  pubrel: releaseCodes,
  pubcomp: releaseCodes,
};

/** Only PUBREL has flags: 0010. [MQTT-3.6.1-1]; MQTT 3.1 let senders set others. */
const flagsOf: Record<AckName, number> = { puback: 0, pubrec: 0, pubrel: 2, pubcomp: 0 };

/**
 * The identifier of one of the shortest kind, two bytes which say nothing else; 0 for any other. Nearly all are of that
 * kind, and for these nothing need be made.
 */
export function shortAckId(bytes: Buffer, first: number, start: number, end: number): number {
  const flags = first >> 4 === packetTypes.pubrel ? flagsOf.pubrel : 0;
  return end - start === 2 && (first & 0x0f) === flags ? (bytes[start]! << 8) | bytes[start + 1]! : 0;
}

export function readAck(
  name: AckName,
  bytes: Buffer,
  first: number,
  start: number,
  end: number,
  version: ProtocolVersion,
): Ack {
  const packetId = shortAckId(bytes, first, start, end);
  if (packetId === 0) return readLongAck(name, bytes, first, start, end, version);
  return { packetId, reasonCode: 0, properties: NO_PROPERTIES };
}

function readLongAck(
  name: AckName,
  bytes: Buffer,
  first: number,
  start: number,
  end: number,
  version: ProtocolVersion,
): Ack {
  const flags = first & 0x0f;
  if (flags !== flagsOf[name] && !(version === 3 && name === 'pubrel')) throw malformed();
  if (version !== 5 && end - start !== 2) throw malformed();
  const reader = new ByteReader(bytes, start, end);
  const packetId = reader.uint16();
  if (packetId === 0) throw protocolError(`${name.toUpperCase()} with mid = 0.`);
  if (reader.left === 0) return { packetId, reasonCode: 0, properties: NO_PROPERTIES };
  const reasonCode = reader.byte();
  if (!allowed[name].includes(reasonCode)) {
    throw new PacketError(reasonCodes.protocolError, `${name.toUpperCase()} with reason code = ${reasonCode}.`);
  }
  const properties = reader.left === 0 ? NO_PROPERTIES : readProperties(reader, name);
  if (reader.left > 0) throw malformed();
  return { packetId, reasonCode, properties };
}

export function firstByteOf(name: AckName): number {
  return (packetTypes[name] << 4) | flagsOf[name];
}

/** Writes an ack without properties at `position` and returns the position behind it: 4 or 5 bytes. */
export function writeAck(out: Buffer, position: number, first: number, packetId: number, reasonCode: number): number {
  out[position] = first;
  out[position + 1] = reasonCode === 0 ? 2 : 3;
  out[position + 2] = packetId >> 8;
  out[position + 3] = packetId & 0xff;
  if (reasonCode === 0) return position + 4;
  out[position + 4] = reasonCode;
  return position + 5;
}

export function encodeAck(name: AckName, ack: Ack, version: ProtocolVersion): Buffer {
  const body = new ByteWriter().uint16(ack.packetId);
  const hasProperties = Object.keys(ack.properties).length > 0;
  if (version === 5 && (ack.reasonCode !== 0 || hasProperties)) {
    body.byte(ack.reasonCode);
    if (hasProperties) writeProperties(body, ack.properties);
  }
  return packetBytes(firstByteOf(name), body);
}
