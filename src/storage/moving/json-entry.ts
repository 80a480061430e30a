/**
 * One entry as one line of JSON, in both directions; docs/reference/export.md is the description for users.
 *
 *   {"kind":"message","id":1,"topic":"a/b","text":"hello","payload":"aGVsbG8=","qos":1,…}
 *   {"kind":"retained","message":1}
 *   {"kind":"session","clientId":"meter-7","expiryInterval":null,…}
 *
 * `text` is there for people: what is read back is `payload`. Fields that are left out have the values of `absent`.
 */
import { isUtf8 } from 'node:buffer';
import { type Entry, isQos, type MessageId, neverExpires, type WillEntry } from './entry.ts';

const stateWords = ['queued', 'sent', 'released', 'release due'] as const;

export function entryToJson(entry: Entry): string {
  return JSON.stringify(plain(entry));
}

function plain(entry: Entry): object {
  switch (entry.kind) {
    case 'message': {
      const { kind, id, topic, payload, properties, ...rest } = entry;
      return { kind, id, topic, ...payloadFields(payload), ...rest, properties: propertyList(properties) };
    }
    case 'session': {
      const { will, expiryInterval, ...rest } = entry;
      return { ...rest, expiryInterval: lifetime(expiryInterval), will: will === null ? null : plainWill(will) };
    }
    case 'delivery':
      return { ...entry, state: stateWords[entry.state] };
    default:
      return entry;
  }
}

function plainWill({ payload, properties, messageExpiryInterval, ...rest }: WillEntry): object {
  const expiry = messageExpiryInterval < 0 ? null : messageExpiryInterval;
  return { ...rest, ...payloadFields(payload), messageExpiryInterval: expiry, properties: propertyList(properties) };
}

/** Null for never: nobody should have to know that 4294967295 means it. */
function lifetime(seconds: number): number | null {
  return seconds === neverExpires ? null : seconds;
}

function payloadFields(payload: Uint8Array): { text?: string; payload: string } {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  const base64 = bytes.toString('base64');
  return isUtf8(bytes) ? { text: bytes.toString(), payload: base64 } : { payload: base64 };
}

function propertyList(json: string | null): unknown[] {
  if (json === null) return [];
  try {
    const value: unknown = JSON.parse(json);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

type Fields = Record<string, unknown>;

/** Null when the line is no entry. */
export function entryFromJson(line: string): Entry | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const fields = value as Fields;
  const kind = fields['kind'];
  return typeof kind === 'string' && Object.hasOwn(readers, kind) ? readers[kind]!(fields) : null;
}

const readers: Readonly<Record<string, (fields: Fields) => Entry | null>> = {
  message(fields) {
    const [id, topic, payload] = [messageId(fields['id']), string(fields['topic']), payloadOf(fields)];
    if (id === null || topic === null || payload === null) return null;
    const expiresAt = count(fields['expiresAt']);
    const [publisher, properties] = [publisherOf(fields['publisher']), propertiesOf(fields)];
    return { kind: 'message', id, topic, payload, ...delivered(fields), expiresAt, publisher, properties };
  },
  retained(fields) {
    const message = messageId(fields['message']);
    return message === null ? null : { kind: 'retained', message };
  },
  session(fields) {
    const clientId = string(fields['clientId']);
    if (clientId === null) return null;
    const { version, will } = fields;
    return {
      kind: 'session',
      clientId,
      username: string(fields['username']),
      port: count(fields['port']),
      version: version === 3 || version === 4 || version === 5 ? version : null,
      expiryInterval: seconds32(fields['expiryInterval'] ?? neverExpires),
      endsAt: count(fields['endsAt']),
      will: typeof will === 'object' && will !== null ? willOf(will as Fields) : null,
    };
  },
  subscription(fields) {
    const [clientId, filter] = [string(fields['clientId']), string(fields['filter'])];
    if (clientId === null || filter === null) return null;
    return {
      kind: 'subscription',
      clientId,
      filter,
      mountPoint: string(fields['mountPoint']) ?? '',
      qos: qos(fields['qos']),
      noLocal: fields['noLocal'] === true,
      retainAsPublished: fields['retainAsPublished'] === true,
      identifier: count(fields['identifier']),
    };
  },
  delivery(fields) {
    const [clientId, message] = [string(fields['clientId']), messageId(fields['message'])];
    if (clientId === null || message === null) return null;
    const state = Math.max(0, stateWords.indexOf(fields['state'] as (typeof stateWords)[number])) as 0 | 1 | 2 | 3;
    const packetId = packet(fields['packetId']);
    const isInFlight = state !== 0 && packetId !== 0;
    return {
      kind: 'delivery',
      clientId,
      message,
      ...delivered(fields),
      packetId: isInFlight ? packetId : 0,
      state: isInFlight ? state : 0,
      dup: fields['dup'] === true,
      subscriptionIdentifier: count(fields['subscriptionIdentifier']),
    };
  },
  exchange(fields) {
    const [clientId, message] = [string(fields['clientId']), messageId(fields['message'])];
    if (clientId === null || message === null) return null;
    const [packetId, deliver] = [packet(fields['packetId']), fields['deliver'] !== false];
    return { kind: 'exchange', clientId, message, packetId, deliver };
  },
};

function willOf(fields: Fields): WillEntry | null {
  const [topic, payload] = [string(fields['topic']), payloadOf(fields)];
  if (topic === null || payload === null) return null;
  const expiry = fields['messageExpiryInterval'];
  return {
    topic,
    payload,
    ...delivered(fields),
    properties: propertiesOf(fields),
    delayInterval: seconds32(fields['delayInterval'] ?? 0),
    messageExpiryInterval: typeof expiry === 'number' ? seconds32(expiry) : -1,
    dueAt: count(fields['dueAt']),
  };
}

function delivered(fields: Fields): { qos: 0 | 1 | 2; retain: boolean } {
  return { qos: qos(fields['qos']), retain: fields['retain'] === true };
}

/** `payload` counts; whoever writes such lines by hand may leave it out and give `text`. */
function payloadOf({ payload, text }: Fields): Buffer | null {
  if (typeof payload === 'string') return Buffer.from(payload, 'base64');
  if (typeof text === 'string') return Buffer.from(text);
  return payload === undefined && text === undefined ? Buffer.alloc(0) : null;
}

function publisherOf(value: unknown): { clientId: string; username: string | null; port: number } | null {
  if (typeof value !== 'object' || value === null) return null;
  const fields = value as Fields;
  return { clientId: string(fields['clientId']) ?? '', username: string(fields['username']), port: count(fields['port']) };
} // prettier-ignore

/** What is none of our properties is passed over when it is read from the store. */
function propertiesOf({ properties }: Fields): string | null {
  return Array.isArray(properties) && properties.length > 0 ? JSON.stringify(properties) : null;
}

function messageId(value: unknown): MessageId | null {
  if (typeof value === 'string') return value;
  return Number.isSafeInteger(value) ? (value as number) : null;
}

function string(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function qos(value: unknown): 0 | 1 | 2 {
  return isQos(value) ? value : 0;
}

function count(value: unknown): number {
  return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : 0;
}

function packet(value: unknown): number {
  const number = count(value);
  return number <= 65_535 ? number : 0;
}

function seconds32(value: unknown): number {
  return Math.min(count(value), neverExpires);
}
