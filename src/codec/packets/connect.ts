/**
 * CONNECT (MQTT 5, 3.1; MQTT 3.1.1, 3.1): who is there, and how they want to talk.
 *
 * The order of the checks and the answer to each are those of docs/compat/packets.md, 2: most faults close the link, some
 * are told with a CONNACK. What depends on the listener's rules (versions aside) is not checked here.
 */
import { ownBytes } from '../../base/mod.ts';
import { ByteReader } from '../byte-reader.ts';
import { ByteWriter, packetBytes } from '../byte-writer.ts';
import { type Answer, PacketError } from '../packet-error.ts';
import { packetTypes, type ProtocolVersion } from '../packet-types.ts';
import { NO_PROPERTIES, type Properties, readProperties, writeProperties } from '../properties.ts';
import { type ReasonCode, reasonCodes, returnCodes } from '../reason-codes.ts';
import { isMqttUtf8, utf8Text } from '../utf8.ts';
import { type HopProperties, NO_BYTES, readForwardable } from './publish.ts';

export interface Will {
  topicName: string;
  payload: Buffer;
  qos: 0 | 1 | 2;
  retain: boolean;
  /** Forwardable properties as raw bytes, in the client's order. */
  properties: Buffer;
  /** Seconds; 0 for at once. */
  delayInterval: number;
  /** Seconds; -1 when absent. */
  messageExpiryInterval: number;
}

export interface Connect {
  version: ProtocolVersion;
  /** Bit 0x80 of the protocol level: the peer is a bridge (Mosquitto's try_private). */
  bridge: boolean;
  cleanStart: boolean;
  /** Seconds; 0 for none. */
  keepAlive: number;
  clientId: string;
  username: string | null;
  password: Buffer | null;
  will: Will | null;
  properties: Readonly<Properties>;
}

const CLOSE: Answer = { kind: 'close' };
const CONNACK_5: Answer = { kind: 'connack-v5' };

function closed(text = '', code: ReasonCode = reasonCodes.protocolError): PacketError {
  return new PacketError(code, text, CLOSE);
}

function refused(code: ReasonCode, text = ''): PacketError {
  return new PacketError(code, text, CONNACK_5);
}

/** The fault, told with a CONNACK where the version is 5 and by closing the link where it is not. */
function refusedIn5(version: ProtocolVersion, code: ReasonCode, text = ''): PacketError {
  return version === 5 ? refused(code, text) : closed(text, code);
}

export function readConnect(
  bytes: Buffer,
  first: number,
  start: number,
  end: number,
  acceptedVersions: readonly ProtocolVersion[],
): Connect {
  const reader = new ByteReader(bytes, start, end);
  const level = readProtocol(reader);
  const { version, bridge } = checkLevel(level, acceptedVersions);
  if ((first & 0x0f) !== 0 && version !== 3) {
    throw closed(`CONNECT with non-zero reserved flags (${hex(first)}).`);
  }
  const flags = orClose(() => reader.byte(), 'CONNECT with missing connect flags.');
  checkFlags(flags, version);
  const keepAlive = orClose(() => reader.uint16(), '');
  const properties = version === 5 ? inConnack(() => readProperties(reader, 'connect')) : NO_PROPERTIES;
  if (properties.authenticationData !== undefined && properties.authenticationMethod === undefined) {
    throw refused(reasonCodes.protocolError); // 3.1.2.11.10
  }
  const clientId = readClientId(reader, version);
  const will = (flags & 4) !== 0 ? readWill(reader, flags, version) : null;
  const username = (flags & 0x80) !== 0 ? readUsername(reader, version) : null;
  const password = (flags & 0x40) !== 0 ? readPassword(reader, version) : null;
  if (reader.left > 0) throw refusedIn5(version, reasonCodes.malformedPacket, overlong(end - start, reader));
  return { version, bridge, cleanStart: (flags & 2) !== 0, keepAlive, clientId, username, password, will, properties };
}

const hex = (n: number): string => n.toString(16).toUpperCase().padStart(2, '0');

function overlong(length: number, reader: ByteReader): string {
  return `CONNECT packet with overlong remaining length (${length - reader.left}:${length}).`;
}

/** Returns name and level together: `MQTT` 4 and 5, `MQIsdp` 3. */
function readProtocol(reader: ByteReader): { name: string; level: number } {
  const length = orClose(() => reader.uint16(), 'CONNECT with missing protocol string length.');
  if (length !== 4 && length !== 6) throw closed(`CONNECT with incorrect protocol string length (${length}).`);
  if (reader.left < length) throw closed('CONNECT with missing protocol string.');
  const name = reader.bytes.toString('latin1', reader.position, reader.position + length);
  reader.position += length;
  if (name !== 'MQTT' && name !== 'MQIsdp') throw closed(`CONNECT with invalid protocol "${name}".`);
  const level = orClose(() => reader.byte(), 'CONNECT with missing protocol version.');
  return { name, level };
}

function checkLevel(
  { name, level }: { name: string; level: number },
  accepted: readonly ProtocolVersion[],
): { version: ProtocolVersion; bridge: boolean } {
  const version = level & 0x7f;
  const text = `CONNECT with invalid protocol version (${level}).`;
  const namedFor = name === 'MQIsdp' ? version === 3 : version === 4 || version === 5;
  const known = version === 3 || version === 4 || version === 5;
  const old = level === 3 || level === 4;
  if (!known || !accepted.includes(version)) throw old ? wrongVersion3(text) : wrongVersion5(text);
  if (!namedFor) throw version === 5 ? wrongVersion5(text) : wrongVersion3(text); // [MQTT-3.1.2-2]
  return { version, bridge: level > 0x7f };
}

function wrongVersion3(text: string): PacketError {
  const answer: Answer = { kind: 'connack-v3', returnCode: returnCodes.unacceptableProtocolVersion };
  return new PacketError(reasonCodes.unsupportedProtocolVersion, text, answer);
}

function wrongVersion5(text: string): PacketError {
  return refused(reasonCodes.unsupportedProtocolVersion, text);
}

function checkFlags(flags: number, version: ProtocolVersion): void {
  if (version !== 5 && (flags & 0x40) !== 0 && (flags & 0x80) === 0) {
    throw closed('password without username, closing connection.'); // [MQTT-3.1.2-22] of 3.1.1
  }
  if (version === 3) {
    if (((flags >> 3) & 3) === 3 && (flags & 4) !== 0) throw closed('CONNECT with invalid Will QoS (3).');
    return;
  }
  if ((flags & 1) !== 0) throw closed(`CONNECT with non-zero connect reserved flag (${hex(flags)}).`); // [MQTT-3.1.2-3]
  const willQos = (flags >> 3) & 3;
  if (willQos === 3) throw closed('CONNECT with invalid Will QoS (3).'); // [MQTT-3.1.2-12]
  if ((flags & 4) === 0 && (flags & 0x38) !== 0) {
    // [MQTT-3.1.2-11], [MQTT-3.1.2-13]
    throw closed(`CONNECT without Will with non-zero QoS (${willQos}) or retain (${(flags >> 5) & 1}).`);
  }
}

/** Reads something whose absence closes the link without an answer. */
function orClose<T>(read: () => T, text: string): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof PacketError) throw closed(text, reasonCodes.malformedPacket);
    throw error;
  }
}

/** Reads properties: what is wrong with them is told with a CONNACK, unless it is their UTF-8. */
function inConnack<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof PacketError && error.answer.kind === 'disconnect') throw refused(error.reasonCode, error.text);
    throw error;
  }
}

function readClientId(reader: ByteReader, version: ProtocolVersion): string {
  const length = orClose(() => reader.uint16(), '');
  if (reader.left < length) throw closed('', reasonCodes.malformedPacket);
  const start = reader.position;
  reader.position += length;
  if (!isMqttUtf8(reader.bytes, start, reader.position)) {
    throw refusedIn5(version, reasonCodes.clientIdentifierNotValid); // [MQTT-3.1.3-4]
  }
  return utf8Text(reader.bytes, start, reader.position);
}

function readWill(reader: ByteReader, flags: number, version: ProtocolVersion): Will {
  const hop: HopProperties = { messageExpiryInterval: -1, topicAlias: 0, subscriptionIdentifiers: [] };
  const properties = version === 5 ? inConnack(() => readWillProperties(reader, hop)) : NO_BYTES;
  const topicName = orClose(() => reader.string(), '');
  if (topicName === '') throw refusedIn5(version, reasonCodes.protocolError, 'Will with empty topic.');
  const payload = orClose(() => reader.binary(), '');
  return {
    topicName,
    payload: ownBytes(payload),
    qos: ((flags >> 3) & 3) as 0 | 1 | 2,
    retain: (flags & 0x20) !== 0,
    properties: properties.length === 0 ? NO_BYTES : ownBytes(properties),
    delayInterval: hop.willDelayInterval ?? 0,
    messageExpiryInterval: hop.messageExpiryInterval,
  };
}

function readWillProperties(reader: ByteReader, hop: HopProperties): Buffer {
  const length = reader.varint();
  if (length > reader.left) throw new PacketError(reasonCodes.malformedPacket);
  const packetEnd = reader.end;
  reader.end = reader.position + length;
  const properties = readForwardable(reader, 'will', hop);
  reader.end = packetEnd;
  return properties;
}

/** 3.1 clients that set the flag and send no name exist; they count as anonymous (docs/compat/packets.md, 2). */
function readUsername(reader: ByteReader, version: ProtocolVersion): string | null {
  if (reader.left === 0 && version === 3) return null;
  return orClose(() => reader.string(), 'CONNECT with username flag but no username.');
}

function readPassword(reader: ByteReader, version: ProtocolVersion): Buffer | null {
  if (reader.left === 0 && version === 3) return null;
  return Buffer.from(orClose(() => reader.binary(), 'CONNECT with password flag but no password.'));
}

/** What a client writes; the will's forwardable properties are raw bytes as in Will. */
export function encodeConnect(packet: Connect): Buffer {
  const { version, will } = packet;
  const flags =
    (packet.cleanStart ? 2 : 0) |
    (will === null ? 0 : 4 | (will.qos << 3) | (will.retain ? 0x20 : 0)) |
    (packet.password === null ? 0 : 0x40) |
    (packet.username === null ? 0 : 0x80);
  const body = new ByteWriter().string(version === 3 ? 'MQIsdp' : 'MQTT');
  body
    .byte(version | (packet.bridge ? 0x80 : 0))
    .byte(flags)
    .uint16(packet.keepAlive);
  if (version === 5) writeProperties(body, packet.properties);
  body.string(packet.clientId);
  if (will !== null) writeWill(body, will, version);
  if (packet.username !== null) body.string(packet.username);
  if (packet.password !== null) body.binary(packet.password);
  return packetBytes(packetTypes.connect << 4, body);
}

function writeWill(body: ByteWriter, will: Will, version: ProtocolVersion): void {
  if (version === 5) {
    const block = new ByteWriter();
    if (will.delayInterval > 0) block.byte(0x18).uint32(will.delayInterval);
    if (will.messageExpiryInterval >= 0) block.byte(0x02).uint32(will.messageExpiryInterval);
    block.raw(will.properties);
    body.varint(block.length).raw(block.view());
  }
  body.string(will.topicName).binary(will.payload);
}
