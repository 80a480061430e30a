/**
 * Formats 3 and 4, of Mosquitto 1.0 to 1.6: fields one after the other, texts behind their lengths. Format 4 adds user
 * name and port of the publisher. Only clients of MQTT 3 are in them, whose stored sessions never end by themselves.
 */
import { stateOfRow } from '../../columns.ts';
import { type Entry, neverExpires } from '../entry.ts';
import { chunkKinds, type Layout, publisherOf, waitingEntry } from './chunk.ts';
import { Fields, Misfit } from './fields.ts';

export function oldLayout(format: number): Layout {
  return {
    headerBytes: 6,
    header: bytes => ({ kind: bytes.readUInt16BE(0), length: bytes.readUInt32BE(2) }),
    fixedBytes: () => 0,
    fits: (kind, length) => length >= (shortest[kind] ?? Infinity) && length <= longest(kind),
    read(kind, body) {
      const fields = new Fields(body);
      const entry = readers[kind]!(fields, format);
      if (fields.left > 0) throw new Misfit();
      return entry;
    },
  };
}

/** Everything but a payload is at most a few texts of 65535 bytes. */
function longest(kind: number): number {
  return kind === chunkKinds.message ? 268_435_456 + 4 * 65_537 : 3 * 65_537;
}

const shortest: Readonly<Record<number, number>> = {
  [chunkKinds.configuration]: 10,
  [chunkKinds.message]: 22,
  [chunkKinds.clientMessage]: 18,
  [chunkKinds.retained]: 8,
  [chunkKinds.subscription]: 7,
  [chunkKinds.client]: 5,
};

type Reader = (fields: Fields, format: number) => Entry | null;

const readers: Readonly<Record<number, Reader>> = {
  [chunkKinds.configuration]: fields => {
    fields.skip(2);
    fields.id();
    return null;
  },
  [chunkKinds.message]: message,
  [chunkKinds.clientMessage]: clientMessage,
  [chunkKinds.retained]: fields => ({ kind: 'retained', message: fields.id() }),
  [chunkKinds.subscription]: subscription,
  [chunkKinds.client]: client,
};

function message(fields: Fields, format: number): Entry {
  const id = fields.id();
  const clientId = fields.string();
  const username = format >= 4 ? fields.string() : '';
  const port = format >= 4 ? fields.u16() : 0;
  // Packet identifiers of long ago.
  fields.skip(4);
  const topic = fields.string();
  const qos = fields.qos();
  const retain = fields.flag();
  const payload = fields.blob(fields.u32());
  const publisher = publisherOf(clientId, username, port);
  return { kind: 'message', id, topic, payload, qos, retain, expiresAt: 0, publisher, properties: null };
}

function clientMessage(fields: Fields): Entry {
  const clientId = fields.string();
  const message = fields.id();
  const packetId = fields.u16();
  const qos = fields.qos();
  const retain = fields.flag();
  const direction = fields.u8();
  const state = stateOfRow(qos, fields.u8());
  const dup = fields.u8() !== 0;
  if (clientId === '' || direction > 1) throw new Misfit();
  return waitingEntry({ clientId, message, packetId, qos, retain, dup, direction, state, subscriptionIdentifier: 0 });
}

function subscription(fields: Fields): Entry {
  const clientId = fields.string();
  const filter = fields.string();
  const qos = fields.qos();
  if (clientId === '' || filter === '') throw new Misfit();
  const options = { noLocal: false, retainAsPublished: false, identifier: 0 };
  return { kind: 'subscription', clientId, filter, mountPoint: '', qos, ...options };
}

/** The time is when the client left: 8 bytes, or 4 from a 32-bit machine. It ends nothing. */
function client(fields: Fields): Entry {
  const clientId = fields.string();
  fields.skip(2);
  if (clientId === '' || ![0, 4, 8].includes(fields.left)) throw new Misfit();
  fields.skip(fields.left);
  return {
    kind: 'session',
    clientId,
    username: null,
    port: 0,
    version: null,
    expiryInterval: neverExpires,
    endsAt: 0,
    will: null,
  };
}
