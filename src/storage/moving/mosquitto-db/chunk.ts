/**
 * The chunks of mosquitto.db, as both families of formats give them.
 *
 *   00 B5 00 "mosquitto db"  checksum, always 0 (4)  format (4)  chunk, chunk, …
 *
 *   formats 3 and 4    kind (2)  length (4)  body           Mosquitto 1.0 to 1.6
 *   formats 5 and 6    kind (4)  length (4)  body           Mosquitto 1.6 to 2.1
 *
 * Lengths are in network order and count the body alone.
 */
import type { Entry } from '../entry.ts';

export const magic = Buffer.from('00b5006d6f7371756974746f206462', 'hex');

/** Behind it the chunks begin. */
export const HEADER_BYTES = magic.length + 8;

export const chunkKinds = { configuration: 1, message: 2, clientMessage: 3, retained: 4, subscription: 5, client: 6 };

export interface Layout {
  headerBytes: number;
  /** Kind and length from the header's bytes. */
  header(bytes: Buffer): { kind: number; length: number };
  /** How many bytes of the body tell whether its length can be true; 0 when the whole body has to be looked at. */
  fixedBytes(kind: number): number;
  /** Whether the lengths inside go with the length of the body. */
  fits(kind: number, length: number, fixed: Buffer): boolean;
  /** What stands in the body, null when it says nothing to anybody. Throws Misfit when it is no such chunk. */
  read(kind: number, body: Buffer, help: ReadHelp): Entry | null;
}

export interface ReadHelp {
  /** Properties of MQTT 5 into the text that stores keep; throws when they are none. */
  propertiesToJson: (properties: Buffer) => string | null;
  /** Counts what was given up inside a chunk that is otherwise good. */
  lostProperties(): void;
}

/** What a client_msg chunk calls its direction: 0 in from the client, 1 out to it. */
export function waitingEntry(row: {
  clientId: string;
  message: bigint;
  packetId: number;
  qos: 0 | 1 | 2;
  retain: boolean;
  dup: boolean;
  direction: number;
  state: 0 | 1 | 2 | 3;
  subscriptionIdentifier: number;
}): Entry {
  const { clientId, message, packetId, direction } = row;
  if (direction === 0) return { kind: 'exchange', clientId, message, packetId, deliver: true };
  const { qos, retain, dup, state, subscriptionIdentifier } = row;
  const inFlight = state !== 0 && packetId !== 0;
  return {
    kind: 'delivery',
    clientId,
    message,
    qos,
    retain,
    dup,
    packetId: inFlight ? packetId : 0,
    state: inFlight ? state : 0,
    subscriptionIdentifier,
  };
}

/** Mosquitto writes an empty client identifier for messages of its own. */
export function publisherOf(clientId: string, username: string, port: number) {
  if (clientId === '' && username === '' && port === 0) return null;
  return { clientId, username: username === '' ? null : username, port };
}
