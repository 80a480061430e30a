/**
 * Formats 5 and 6, of Mosquitto 1.6 to 2.1: a C structure of fixed width, then the texts and bytes that it tells the
 * lengths of, then properties of MQTT 5 up to the end of the chunk. Format 6 adds user name and port of the client.
 *
 *   message        id 8  expiry 8  payload 4  packet 2  client 2  user 2  topic 2  port 2  qos 1  retain 1
 *   client message id 8  packet 2  client 2  qos 1  state 1  retain and dup, four bits each 1  direction 1
 *   subscription   identifier 4  client 2  topic 2  qos 1  options 1  filling 2
 *   client         end 8  interval 4  packet 2  client 2 [ port 2  user 2  filling 4, or 0 on a 32-bit machine ]
 *   retained       id 8
 *   configuration  last id 8  shutdown 1  width of an id 1  filling 6, or 2
 */
import { stateOfRow } from '../../columns.ts';
import type { Entry } from '../entry.ts';
import { chunkKinds, type Layout, publisherOf, type ReadHelp, waitingEntry } from './chunk.ts';
import { Fields, Misfit } from './fields.ts';

const SUBSCRIPTION_IDENTIFIER = 0x0b;

export function newLayout(format: number): Layout {
  return {
    headerBytes: 8,
    header: bytes => ({ kind: bytes.readUInt32BE(0), length: bytes.readUInt32BE(4) }),
    fixedBytes: kind => (kind === chunkKinds.client && format === 5 ? 16 : (fixedBytes[kind] ?? 0)),
    fits: (kind, length, fixed) => fits(kind, length, fixed, format),
    read: (kind, body, help) => readers[kind]!(new Fields(body), help, format),
  };
}

/** Without the filling behind the last field, where machines differ in it. */
const fixedBytes: Readonly<Record<number, number>> = {
  [chunkKinds.configuration]: 10,
  [chunkKinds.message]: 32,
  [chunkKinds.clientMessage]: 16,
  [chunkKinds.retained]: 8,
  [chunkKinds.subscription]: 12,
  [chunkKinds.client]: 20,
};

function fits(kind: number, length: number, fixed: Buffer, format: number): boolean {
  switch (kind) {
    case chunkKinds.configuration:
      return (length === 12 || length === 16) && fixed[9] === 8;
    case chunkKinds.message: {
      const texts = fixed.readUInt16BE(22) + fixed.readUInt16BE(24) + fixed.readUInt16BE(26);
      return propertiesFit(length - 32 - texts - fixed.readUInt32BE(16));
    }
    case chunkKinds.clientMessage:
      return propertiesFit(length - 16 - fixed.readUInt16BE(10));
    case chunkKinds.retained:
      return length === 8;
    case chunkKinds.subscription:
      return length === 12 + fixed.readUInt16BE(4) + fixed.readUInt16BE(6);
    case chunkKinds.client: {
      const rest = length - fixed.readUInt16BE(14);
      if (format === 5) return rest === 16;
      const filling = rest - 20 - fixed.readUInt16BE(18);
      return filling === 4 || filling === 0;
    }
    default:
      return false;
  }
}

/** All properties of one message together are held by one packet of MQTT. */
function propertiesFit(bytes: number): boolean {
  return bytes >= 0 && bytes <= 268_435_455;
}

type Reader = (fields: Fields, help: ReadHelp, format: number) => Entry | null;

const readers: Readonly<Record<number, Reader>> = {
  [chunkKinds.configuration]: () => null,
  [chunkKinds.message]: message,
  [chunkKinds.clientMessage]: clientMessage,
  [chunkKinds.retained]: fields => ({ kind: 'retained', message: fields.id() }),
  [chunkKinds.subscription]: subscription,
  [chunkKinds.client]: client,
};

function message(fields: Fields, help: ReadHelp): Entry {
  const id = fields.id();
  const expiresAt = fields.second();
  const payloadBytes = fields.u32();
  fields.skip(2);
  const [clientBytes, userBytes, topicBytes, port] = [fields.u16(), fields.u16(), fields.u16(), fields.u16()];
  const qos = fields.qos();
  const retain = fields.flag();
  const clientId = fields.text(clientBytes);
  const username = fields.text(userBytes);
  const topic = fields.text(topicBytes);
  const payload = fields.blob(payloadBytes);
  const properties = propertiesOf(fields, help);
  const publisher = publisherOf(clientId, username, port);
  return { kind: 'message', id, topic, payload, qos, retain, expiresAt, publisher, properties };
}

/** A message whose properties make no sense is still a message. */
function propertiesOf(fields: Fields, help: ReadHelp): string | null {
  if (fields.left === 0) return null;
  try {
    const length = fields.varint();
    return help.propertiesToJson(fields.blob(length));
  } catch {
    help.lostProperties();
    return null;
  }
}

function clientMessage(fields: Fields, help: ReadHelp): Entry {
  const message = fields.id();
  const packetId = fields.u16();
  const clientBytes = fields.u16();
  const qos = fields.qos();
  const state = stateOfRow(qos, fields.u8());
  const flags = fields.u8();
  const direction = fields.u8();
  const clientId = fields.text(clientBytes);
  if (clientId === '' || direction > 1) throw new Misfit();
  const [retain, dup] = [flags >> 4 !== 0, (flags & 0x0f) !== 0];
  const subscriptionIdentifier = identifierOf(fields, help);
  return waitingEntry({ clientId, message, packetId, qos, retain, dup, direction, state, subscriptionIdentifier });
}

/** The one property that a message on its way to a client has of its own. */
function identifierOf(fields: Fields, help: ReadHelp): number {
  if (fields.left === 0) return 0;
  try {
    fields.varint();
    if (fields.u8() === SUBSCRIPTION_IDENTIFIER) return fields.varint();
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
  }
  help.lostProperties();
  return 0;
}

function subscription(fields: Fields): Entry {
  const identifier = fields.u32();
  const [clientBytes, topicBytes] = [fields.u16(), fields.u16()];
  const qos = fields.qos();
  const options = fields.u8();
  fields.skip(2);
  const clientId = fields.text(clientBytes);
  const filter = fields.text(topicBytes);
  if (clientId === '' || filter === '') throw new Misfit();
  const [noLocal, retainAsPublished] = [(options & 4) !== 0, (options & 8) !== 0];
  return { kind: 'subscription', clientId, filter, mountPoint: '', qos, noLocal, retainAsPublished, identifier };
}

function client(fields: Fields, _help: ReadHelp, format: number): Entry {
  const endsAt = fields.second();
  const expiryInterval = fields.u32();
  fields.skip(2);
  const clientBytes = fields.u16();
  const [port, userBytes] = format === 5 ? [0, 0] : [fields.u16(), fields.u16()];
  fields.skip(fields.left - clientBytes - userBytes);
  const clientId = fields.text(clientBytes);
  const username = userBytes === 0 ? null : fields.text(userBytes);
  if (clientId === '') throw new Misfit();
  return { kind: 'session', clientId, username, port, version: null, expiryInterval, endsAt, will: null };
}
