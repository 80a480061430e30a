/**
 * The 27 properties of MQTT 5 (2.2.2.2, table 2-4) as a table, with one reader and one writer for all of them.
 * A property is an entry of a plain object; only user properties may repeat, and they keep their order.
 */
import { ownBytes } from '../base/mod.ts';
import type { ByteReader } from './byte-reader.ts';
import { ByteWriter, varintLength } from './byte-writer.ts';
import { malformed, protocolError } from './packet-error.ts';

export interface Properties {
  payloadFormatIndicator?: number;
  messageExpiryInterval?: number;
  contentType?: string;
  responseTopic?: string;
  correlationData?: Buffer;
  subscriptionIdentifier?: number;
  sessionExpiryInterval?: number;
  assignedClientIdentifier?: string;
  serverKeepAlive?: number;
  authenticationMethod?: string;
  authenticationData?: Buffer;
  requestProblemInformation?: number;
  willDelayInterval?: number;
  requestResponseInformation?: number;
  responseInformation?: string;
  serverReference?: string;
  reasonString?: string;
  receiveMaximum?: number;
  topicAliasMaximum?: number;
  topicAlias?: number;
  maximumQos?: number;
  retainAvailable?: number;
  userProperties?: [string, string][];
  maximumPacketSize?: number;
  wildcardSubscriptionAvailable?: number;
  subscriptionIdentifierAvailable?: number;
  sharedSubscriptionAvailable?: number;
}

type ValueType = 'byte' | 'flag' | 'uint16' | 'uint32' | 'varint' | 'string' | 'binary' | 'pair';

/** Where a property may stand. A will's properties are inside CONNECT but have rules of their own. */
export type PropertyPlace =
  | 'connect'
  | 'connack'
  | 'publish'
  | 'will'
  | 'puback'
  | 'pubrec'
  | 'pubrel'
  | 'pubcomp'
  | 'subscribe'
  | 'suback'
  | 'unsubscribe'
  | 'unsuback'
  | 'disconnect'
  | 'auth';

export interface PropertyRow {
  id: number;
  name: keyof Properties;
  type: ValueType;
  places: readonly PropertyPlace[];
  /** Zero is a protocol error (3.1.2.11.3, 3.1.2.11.4, 3.3.2.3.4, 3.8.2.1.2). */
  notZero?: true;
}

const acks: PropertyPlace[] = ['puback', 'pubrec', 'pubrel', 'pubcomp', 'suback', 'unsuback'];

export const propertyTable: readonly PropertyRow[] = [
  { id: 0x01, name: 'payloadFormatIndicator', type: 'flag', places: ['publish', 'will'] },
  { id: 0x02, name: 'messageExpiryInterval', type: 'uint32', places: ['publish', 'will'] },
  { id: 0x03, name: 'contentType', type: 'string', places: ['publish', 'will'] },
  { id: 0x08, name: 'responseTopic', type: 'string', places: ['publish', 'will'] },
  { id: 0x09, name: 'correlationData', type: 'binary', places: ['publish', 'will'] },
  { id: 0x0b, name: 'subscriptionIdentifier', type: 'varint', places: ['publish', 'subscribe'], notZero: true },
  { id: 0x11, name: 'sessionExpiryInterval', type: 'uint32', places: ['connect', 'connack', 'disconnect'] },
  { id: 0x12, name: 'assignedClientIdentifier', type: 'string', places: ['connack'] },
  { id: 0x13, name: 'serverKeepAlive', type: 'uint16', places: ['connack'] },
  { id: 0x15, name: 'authenticationMethod', type: 'string', places: ['connect', 'connack', 'auth'] },
  { id: 0x16, name: 'authenticationData', type: 'binary', places: ['connect', 'connack', 'auth'] },
  { id: 0x17, name: 'requestProblemInformation', type: 'flag', places: ['connect'] },
  { id: 0x18, name: 'willDelayInterval', type: 'uint32', places: ['will'] },
  { id: 0x19, name: 'requestResponseInformation', type: 'flag', places: ['connect'] },
  { id: 0x1a, name: 'responseInformation', type: 'string', places: ['connack'] },
  { id: 0x1c, name: 'serverReference', type: 'string', places: ['connack', 'disconnect'] },
  { id: 0x1f, name: 'reasonString', type: 'string', places: ['connack', ...acks, 'disconnect', 'auth'] },
  { id: 0x21, name: 'receiveMaximum', type: 'uint16', places: ['connect', 'connack'], notZero: true },
  { id: 0x22, name: 'topicAliasMaximum', type: 'uint16', places: ['connect', 'connack'] },
  { id: 0x23, name: 'topicAlias', type: 'uint16', places: ['publish'], notZero: true },
  { id: 0x24, name: 'maximumQos', type: 'flag', places: ['connack'] },
  { id: 0x25, name: 'retainAvailable', type: 'flag', places: ['connack'] },
  {
    id: 0x26,
    name: 'userProperties',
    type: 'pair',
    places: ['connect', 'connack', 'publish', 'will', ...acks, 'subscribe', 'unsubscribe', 'disconnect', 'auth'],
  },
  { id: 0x27, name: 'maximumPacketSize', type: 'uint32', places: ['connect', 'connack'], notZero: true },
  { id: 0x28, name: 'wildcardSubscriptionAvailable', type: 'flag', places: ['connack'] },
  { id: 0x29, name: 'subscriptionIdentifierAvailable', type: 'flag', places: ['connack'] },
  { id: 0x2a, name: 'sharedSubscriptionAvailable', type: 'flag', places: ['connack'] },
];

const byId: (PropertyRow | undefined)[] = [];
const byName = new Map<keyof Properties, PropertyRow>();
for (const row of propertyTable) {
  byId[row.id] = row;
  byName.set(row.name, row);
}

/** No properties: shared, so that the many packets without any cost no object. */
export const NO_PROPERTIES: Readonly<Properties> = Object.freeze({});

/**
 * Reads a property block with its length in front. Unknown identifiers and truncation are malformed; a property in the
 * wrong packet, twice, or with a value that has no meaning is a protocol error. [MQTT-2.2.2.2]
 */
export function readProperties(reader: ByteReader, place: PropertyPlace): Readonly<Properties> {
  const length = reader.varint();
  if (length === 0) return NO_PROPERTIES;
  if (length > reader.left) throw malformed();
  const packetEnd = reader.end;
  reader.end = reader.position + length;
  const properties: Properties = {};
  while (reader.left > 0) readOne(reader, place, properties);
  reader.end = packetEnd;
  return properties;
}

/** Identifier of the next property, for readers that keep the raw bytes (publish.ts). */
export function readPropertyRow(reader: ByteReader, place: PropertyPlace): PropertyRow {
  const id = reader.varint();
  const row = byId[id];
  if (row === undefined) throw malformed(`Unsupported property type: ${id}`);
  // Mosquitto calls it malformed in these two and a protocol error elsewhere (docs/compat/packets.md).
  if (!row.places.includes(place))
    throw place === 'subscribe' || place === 'unsubscribe' ? malformed() : protocolError();
  return row;
}

export function readOne(reader: ByteReader, place: PropertyPlace, into: Properties): PropertyRow {
  const row = readPropertyRow(reader, place);
  const value = readValue(reader, row);
  if (row.name === 'userProperties') {
    (into.userProperties ??= []).push(value as [string, string]);
  } else {
    if (into[row.name] !== undefined) throw protocolError('Duplicate property in property list');
    (into as Record<string, unknown>)[row.name] = value;
  }
  return row;
}

function readValue(reader: ByteReader, row: PropertyRow): number | string | Buffer | [string, string] {
  switch (row.type) {
    case 'string':
      return reader.string();
    case 'binary':
      return ownBytes(reader.binary());
    case 'pair':
      return [reader.string(), reader.string()];
    default: {
      const value = readNumber(reader, row.type);
      if (value === 0 && row.notZero === true) throw protocolError();
      if (row.type === 'flag' && value > 1) throw protocolError();
      return value;
    }
  }
}

function readNumber(reader: ByteReader, type: 'byte' | 'flag' | 'uint16' | 'uint32' | 'varint'): number {
  if (type === 'uint16') return reader.uint16();
  if (type === 'uint32') return reader.uint32();
  return type === 'varint' ? reader.varint() : reader.byte();
}

/** Writes a property block with its length in front, in the order in which the object's entries were made. */
export function writeProperties(writer: ByteWriter, properties: Readonly<Properties>): void {
  const block = new ByteWriter();
  for (const name of Object.keys(properties) as (keyof Properties)[]) writeOne(block, name, properties);
  writer.varint(block.length).raw(block.view());
}

function writeOne(block: ByteWriter, name: keyof Properties, properties: Readonly<Properties>): void {
  const row = byName.get(name)!;
  const value = properties[name];
  if (value === undefined) return;
  if (name === 'userProperties') {
    for (const [key, text] of properties.userProperties!) block.varint(row.id).string(key).string(text);
    return;
  }
  block.varint(row.id);
  if (typeof value === 'string') block.string(value);
  else if (typeof value === 'number') writeNumber(block, row.type, value);
  else block.binary(value as Buffer);
}

function writeNumber(block: ByteWriter, type: ValueType, value: number): void {
  if (type === 'uint16') block.uint16(value);
  else if (type === 'uint32') block.uint32(value);
  else if (type === 'varint') block.varint(value);
  else block.byte(value);
}

/** Bytes that a property block of this content length takes, its own length included. */
export function propertyBlockLength(contentLength: number): number {
  return varintLength(contentLength) + contentLength;
}
