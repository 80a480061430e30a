/**
 * Byte builders for every MQTT packet. They build what they are told to, right or wrong: a test of a broker needs both.
 *
 *   packet(type, flags, body)   the fixed header in front of any body
 *   connect({...}) ... auth()   the bodies, for `version` 3 (MQTT 3.1), 4 (3.1.1) and 5
 */
import { properties, text, u16, varint, type RawProperty } from './properties.ts';

export type Version = 3 | 4 | 5;

export const packetTypes = [
  'reserved',
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
export type PacketType = (typeof packetTypes)[number];

export function packet(type: PacketType, flags: number, body: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([Buffer.from([(packetTypes.indexOf(type) << 4) | flags]), varint(body.length), body]);
}

export interface ConnectFields {
  version?: Version;
  clientId?: string | Buffer;
  /** Clean session, or clean start in MQTT 5. True unless given. */
  clean?: boolean;
  keepAliveSeconds?: number;
  username?: string | Buffer;
  password?: string | Buffer;
  will?: {
    topic: string;
    payload?: string | Buffer;
    qos?: number;
    retain?: boolean;
    properties?: readonly RawProperty[];
  };
  properties?: readonly RawProperty[];
  /** Overrides, to send what is not allowed. */
  protocolName?: string;
  protocolLevel?: number;
  connectFlags?: number;
}

function connectFlags(fields: ConnectFields): number {
  const will = fields.will;
  const willBits = will ? 0x04 | ((will.qos ?? 0) << 3) | (will.retain ? 0x20 : 0) : 0;
  return (
    (fields.username === undefined ? 0 : 0x80) |
    (fields.password === undefined ? 0 : 0x40) |
    willBits |
    ((fields.clean ?? true) ? 0x02 : 0)
  );
}

export function connect(fields: ConnectFields = {}): Buffer {
  const version = fields.version ?? 4;
  const five = version === 5;
  const body = [
    text(fields.protocolName ?? (version === 3 ? 'MQIsdp' : 'MQTT')),
    Buffer.from([fields.protocolLevel ?? version, fields.connectFlags ?? connectFlags(fields)]),
    u16(fields.keepAliveSeconds ?? 60),
  ];
  if (five) body.push(properties(fields.properties));
  body.push(text(fields.clientId ?? ''));
  if (fields.will) {
    if (five) body.push(properties(fields.will.properties));
    body.push(text(fields.will.topic), text(fields.will.payload ?? ''));
  }
  if (fields.username !== undefined) body.push(text(fields.username));
  if (fields.password !== undefined) body.push(text(fields.password));
  return packet('connect', 0, Buffer.concat(body));
}

export interface PublishFields {
  version?: Version;
  topic: string | Buffer;
  payload?: string | Buffer;
  qos?: number;
  retain?: boolean;
  dup?: boolean;
  packetId?: number;
  properties?: readonly RawProperty[];
}

export function publish(fields: PublishFields): Buffer {
  const qos = fields.qos ?? 0;
  const body = [text(fields.topic)];
  if (qos > 0) body.push(u16(fields.packetId ?? 1));
  if (fields.version === 5) body.push(properties(fields.properties));
  body.push(Buffer.from(fields.payload ?? ''));
  return packet('publish', (fields.dup ? 8 : 0) | (qos << 1) | (fields.retain ? 1 : 0), Buffer.concat(body));
}

/** PUBACK, PUBREC, PUBREL, PUBCOMP: the short form unless a reason code or properties are given. */
export function acknowledgement(
  type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp',
  packetId: number,
  reasonCode?: number,
  list?: readonly RawProperty[],
): Buffer {
  const body = [u16(packetId)];
  if (reasonCode !== undefined || list) body.push(Buffer.from([reasonCode ?? 0]));
  if (list) body.push(properties(list));
  return packet(type, type === 'pubrel' ? 2 : 0, Buffer.concat(body));
}

/** A filter with its options byte: the QoS, and in MQTT 5 no-local (4), retain-as-published (8), retain handling (16, 32). */
export type FilterFields = readonly [filter: string, options?: number];

export interface SubscribeFields {
  version?: Version;
  packetId?: number;
  filters: readonly FilterFields[];
  properties?: readonly RawProperty[];
}

export function subscribe(fields: SubscribeFields): Buffer {
  const body = [u16(fields.packetId ?? 1)];
  if (fields.version === 5) body.push(properties(fields.properties));
  for (const [filter, options] of fields.filters) body.push(text(filter), Buffer.from([options ?? 0]));
  return packet('subscribe', 2, Buffer.concat(body));
}

export function unsubscribe(fields: { version?: Version; packetId?: number; filters: readonly string[] }): Buffer {
  const body = [u16(fields.packetId ?? 1)];
  if (fields.version === 5) body.push(properties());
  return packet('unsubscribe', 2, Buffer.concat([...body, ...fields.filters.map(text)]));
}

export const pingreq = (): Buffer => packet('pingreq', 0);

/** The two-byte form unless a reason code or properties are given (those are MQTT 5). */
export function disconnect(reasonCode?: number, list?: readonly RawProperty[]): Buffer {
  if (reasonCode === undefined && !list) return packet('disconnect', 0);
  return packet(
    'disconnect',
    0,
    Buffer.concat([Buffer.from([reasonCode ?? 0]), list ? properties(list) : Buffer.alloc(0)]),
  );
}

export function auth(reasonCode: number, list: readonly RawProperty[] = []): Buffer {
  return packet('auth', 0, Buffer.concat([Buffer.from([reasonCode]), properties(list)]));
}
