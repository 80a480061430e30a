/** A message as a JSON object, for %j and %J: the keys and their order are those of mosquitto_sub 2.1. */
import { strftime } from '../../base/mod.ts';
import type { Properties } from '../../client/mod.ts';
import type { Arrival } from './format.ts';

/** Null when the payload was to be inserted as JSON and is none. */
export function jsonOf(
  { message, when, nanoseconds }: Arrival,
  payloadAs: 'text' | 'json',
  pretty: boolean,
): string | null {
  const payload = payloadAs === 'json' ? inserted(message.payload) : text(message.payload);
  if (payload === undefined) return null;
  const { properties } = message;
  const object = {
    tst: timestamp(when, nanoseconds),
    topic: message.topic,
    qos: message.qos,
    retain: message.retain,
    payloadlen: message.payload.length,
    ...(message.qos > 0 ? { mid: message.packetId } : {}),
    ...(Object.keys(properties).length > 0 ? { properties: named(properties) } : {}),
    payload,
  };
  return pretty ? prettyJson(object, 0) : JSON.stringify(object);
}

const toSeconds = strftime('%FT%T');
const zone = strftime('%z');

function timestamp(when: Date, nanoseconds: number): string {
  const micros = String(Math.floor(nanoseconds / 1000)).padStart(6, '0');
  return `${toSeconds(when)}.${micros}${zone(when)}`;
}

function text(payload: Buffer): string | null {
  return payload.length === 0 ? null : payload.toString();
}

/** ECMAScript 2026, which Node has and TypeScript's library does not describe yet. */
type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown;
type ParseWithSource = (text: string, reviver: Reviver) => unknown;
const { rawJSON, isRawJSON } = JSON as unknown as {
  rawJSON: (text: string) => object;
  isRawJSON: (value: unknown) => boolean;
};

/** A serial number of 64 bits would lose its last digits as a double; they stay as they came. */
const keepLongIntegers: Reviver = (_key, value, { source }) =>
  typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source ?? '') ? rawJSON(source!) : value;

/** Undefined when it is no JSON. */
function inserted(payload: Buffer): unknown {
  if (payload.length === 0) return null;
  try {
    return (JSON.parse as ParseWithSource)(payload.toString(), keepLongIntegers);
  } catch {
    return undefined;
  }
}

function named(properties: Readonly<Properties>): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(properties) as [keyof Properties, unknown][]) {
    if (name === 'userProperties') {
      object['user-properties'] = (value as [string, string][]).map(([key, text]) => ({ [key]: text }));
    } else {
      object[kebab(name)] = Buffer.isBuffer(value) ? value.toString() : value;
    }
  }
  return object;
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
}

/** As cJSON prints it: a tab behind the colon, arrays on one line. */
function prettyJson(value: unknown, depth: number): string {
  if (Array.isArray(value)) return `[${value.map(item => prettyJson(item, depth + 1)).join(', ')}]`;
  if (typeof value !== 'object' || value === null || isRawJSON(value)) return JSON.stringify(value);
  const lines = Object.entries(value).map(
    ([key, item]) => `${'\t'.repeat(depth + 1)}${JSON.stringify(key)}:\t${prettyJson(item, depth + 1)}`,
  );
  return `{\n${lines.join(',\n')}${lines.length === 0 ? '' : '\n'}${'\t'.repeat(depth)}}`;
}
