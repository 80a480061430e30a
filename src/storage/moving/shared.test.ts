/** What the tests of this folder share: mosquitto.db files of every format, made by hand from the layouts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Entry } from './entry.ts';
import { chunkKinds, magic } from './mosquitto-db/chunk.ts';

export function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'zancudo-moving-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** As the real function, for properties that a test can read. */
export function propertiesToJson(properties: Buffer): string {
  if (properties[0] !== 0x01) throw new Error('no property');
  return JSON.stringify([{ identifier: 'payload-format-indicator', value: properties[1] }]);
}

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
const u32 = (value: number): Buffer => Buffer.concat([u16(value >>> 16), u16(value & 0xffff)]);
const text = (value: string): Buffer => Buffer.from(value);
const string = (value: string): Buffer => Buffer.concat([u16(text(value).length), text(value)]);

/** In the order of the machine. */
function u64(value: number, bigEndian = false): Buffer {
  const bytes = Buffer.alloc(8);
  if (bigEndian) bytes.writeBigInt64BE(BigInt(value));
  else bytes.writeBigInt64LE(BigInt(value));
  return bytes;
}

export interface Machine {
  bigEndian?: boolean;
  /** Structures end where their last field does. */
  is32Bit?: boolean;
}

/** One session with a subscription and two messages, one of them queued, one half-received, and one retained. */
export function mosquittoDb(format: number, machine: Machine = {}): Buffer {
  return Buffer.concat([...chunks(format, machine)]);
}

/** The header first, then one buffer for each chunk. */
export function chunks(format: number, machine: Machine = {}): Buffer[] {
  const header = Buffer.concat([magic, u32(0), u32(format)]);
  return [header, ...(format >= 5 ? newChunks(format, machine) : oldChunks(format, machine))];
}

function newChunks(format: number, { bigEndian = false, is32Bit = false }: Machine): Buffer[] {
  const n64 = (value: number): Buffer => u64(value, bigEndian);
  const chunk = (kind: number, ...body: Buffer[]): Buffer => {
    const whole = Buffer.concat(body);
    return Buffer.concat([u32(kind), u32(whole.length), whole]);
  };
  const filling = Buffer.alloc(is32Bit ? 0 : 4);
  const message = (id: number, topic: string, payload: string, expiresAt: number, properties: Buffer): Buffer =>
    chunk(chunkKinds.message, n64(id), n64(expiresAt), u32(payload.length), u16(9), u16(1), u16(2), u16(topic.length), u16(1883),
      Buffer.from([1, 0]), text('p'), text('us'), text(topic), text(payload), properties); // prettier-ignore
  const waiting = (id: number, mid: number, qos: number, state: number, direction: number, properties: Buffer): Buffer =>
    chunk(chunkKinds.clientMessage, n64(id), u16(mid), u16(2), Buffer.from([qos, state, 0x11, direction]), text('c1'), properties); // prettier-ignore
  const client = format === 5 ? [] : [u16(8883), u16(3), filling];
  const none = Buffer.alloc(0);
  return [
    chunk(chunkKinds.configuration, n64(9), Buffer.from([1, 8]), Buffer.alloc(is32Bit ? 2 : 6)),
    message(7, 'a/b', 'hello', 0, Buffer.from([2, 1, 1])),
    message(8, '007', 'num', 1_900_000_000, none),
    chunk(chunkKinds.client, n64(1_900_000_001), u32(3600), u16(4), u16(2), ...client, text('c1'), text(format === 5 ? '' : 'bob')), // prettier-ignore
    waiting(7, 3, 2, 9, 1, Buffer.from([2, 0x0b, 42])),
    waiting(8, 4, 1, 11, 1, none),
    waiting(8, 5, 2, 7, 0, none),
    chunk(chunkKinds.subscription, u32(42), u16(2), u16(3), Buffer.from([2, 4, 0, 0]), text('c1'), text('a/#')),
    chunk(chunkKinds.retained, n64(8)),
  ];
}

function oldChunks(format: number, { bigEndian = false, is32Bit = false }: Machine): Buffer[] {
  const n64 = (value: number): Buffer => u64(value, bigEndian);
  const chunk = (kind: number, ...body: Buffer[]): Buffer => {
    const whole = Buffer.concat(body);
    return Buffer.concat([u16(kind), u32(whole.length), whole]);
  };
  const user = format >= 4 ? [string('us'), u16(1883)] : [];
  const message = (id: number, topic: string, payload: string): Buffer =>
    chunk(chunkKinds.message, n64(id), string('p'), ...user, u16(9), u16(0), string(topic), Buffer.from([1, 0]), u32(payload.length), text(payload)); // prettier-ignore
  const waiting = (id: number, mid: number, qos: number, state: number, direction: number): Buffer =>
    chunk(chunkKinds.clientMessage, string('c1'), n64(id), u16(mid), Buffer.from([qos, 1, direction, state, 1]));
  return [
    chunk(chunkKinds.configuration, Buffer.from([1, 8]), n64(9)),
    message(7, 'a/b', 'hello'),
    message(8, '007', 'num'),
    chunk(chunkKinds.client, string('c1'), u16(4), is32Bit ? u32(1_600_000_000) : n64(1_600_000_000)),
    waiting(7, 3, 2, 9, 1),
    waiting(8, 4, 1, 11, 1),
    waiting(8, 5, 2, 7, 0),
    chunk(chunkKinds.subscription, string('c1'), string('a/#'), Buffer.from([2])),
    chunk(chunkKinds.retained, n64(8)),
  ];
}

/** What such a file says, in every format. */
export function expectedEntries(format: number): Entry[] {
  const isNew = format >= 5;
  const publisher = { clientId: 'p', username: format >= 4 ? 'us' : null, port: format >= 4 ? 1883 : 0 };
  const c1 = { clientId: 'c1' };
  const message = { kind: 'message', qos: 1, retain: false, publisher } as const;
  const out = { kind: 'delivery', ...c1, retain: true, dup: true } as const;
  const properties = isNew ? '[{"identifier":"payload-format-indicator","value":1}]' : null;
  const session = isNew ? { endsAt: 1_900_000_001, expiryInterval: 3600 } : { endsAt: 0, expiryInterval: 0xffff_ffff };
  return [
    { ...message, id: 7n, topic: 'a/b', payload: Buffer.from('hello'), expiresAt: 0, properties },
    { ...message, id: 8n, topic: '007', payload: Buffer.from('num'), expiresAt: isNew ? 1_900_000_000 : 0, properties: null },
    { kind: 'session', ...c1, username: format === 6 ? 'bob' : null, port: format === 6 ? 8883 : 0, version: null, ...session, will: null },
    { ...out, message: 7n, qos: 2, packetId: 3, state: 2, subscriptionIdentifier: isNew ? 42 : 0 },
    { ...out, message: 8n, qos: 1, packetId: 0, state: 0, subscriptionIdentifier: 0 },
    { kind: 'exchange', ...c1, message: 8n, packetId: 5, deliver: true },
    { kind: 'subscription', ...c1, filter: 'a/#', mountPoint: '', qos: 2, noLocal: isNew, retainAsPublished: false, identifier: isNew ? 42 : 0 },
    { kind: 'retained', message: 8n },
  ]; // prettier-ignore
}
