/** What a plugin answers about a message, looked at before anybody relies on it. A wrong answer throws: the plugin's fault. */
import type { HookAnswer, MessageChange, MessageProperties } from '../broker/ports.ts';
import { isValidTopicName } from '../topics/mod.ts';
import type { RefusalCode } from './types.ts';

/** MQTT 5, 3.4.2.1 and 3.5.2.1. */
const refusalCodes: Readonly<Record<RefusalCode, number>> = {
  'implementation-specific': 0x83,
  'not-authorized': 0x87,
  'topic-name-invalid': 0x90,
  'quota-exceeded': 0x97,
  'payload-format-invalid': 0x99,
};

export const REFUSED = refusalCodes['implementation-specific'];

/** A packet must still be able to hold it, with a topic and properties of the largest size. */
const PAYLOAD_BYTES_MAX = 268_000_000;
/** What the 16-bit length in front of a string or of binary data can say (MQTT 5, 1.5.4 and 1.5.6). */
const TEXT_BYTES_MAX = 65_535;
const PROPERTIES_BYTES_MAX = 1_048_576;

type Fields = Readonly<Record<string, unknown>>;

/** `topic` is that of the message it answers about. */
export function incomingAnswer(answer: unknown, topic: string): HookAnswer {
  if (answer === undefined || answer === null) return null;
  const fields = fieldsOf(answer, ['topic', 'payload', 'properties', 'qos', 'retain', 'drop', 'refuse', 'code']);
  if (fields['refuse'] !== undefined) {
    return { kept: text(fields['refuse'], 'refuse'), reasonCode: refusalCode(fields['code']) };
  }
  return outcome(fields, topic);
}

export function outgoingAnswer(answer: unknown): HookAnswer {
  if (answer === undefined || answer === null) return null;
  return outcome(fieldsOf(answer, ['payload', 'properties', 'drop']), '');
}

function fieldsOf(answer: unknown, known: readonly string[]): Fields {
  if (typeof answer !== 'object')
    throw new TypeError(`it answered ${JSON.stringify(answer)}, not an object or nothing`);
  const strange = Object.keys(answer!).find(name => !known.includes(name));
  if (strange !== undefined) throw new TypeError(`its answer has '${strange}'; there are ${known.join(', ')}`);
  return answer as Fields;
}

function outcome(fields: Fields, topic: string): HookAnswer {
  if (fields['drop'] !== undefined) return { kept: text(fields['drop'], 'drop'), reasonCode: 0 };
  const change = {
    ...(fields['topic'] === undefined ? {} : { topic: topicName(fields['topic'], topic) }),
    ...(fields['payload'] === undefined ? {} : { payload: payload(fields['payload']) }),
    ...(fields['properties'] === undefined ? {} : { properties: properties(fields['properties']) }),
    ...(fields['qos'] === undefined ? {} : { qos: qos(fields['qos']) }),
    ...(fields['retain'] === undefined ? {} : { retain: flag(fields['retain'], 'retain') }),
  } satisfies MessageChange;
  return Object.keys(change).length === 0 ? null : change;
}

function refusalCode(code: unknown): number {
  if (code === undefined) return REFUSED;
  if (Object.hasOwn(refusalCodes, code as string)) return refusalCodes[code as RefusalCode];
  throw new TypeError(`'code' is ${JSON.stringify(code)}; there are ${Object.keys(refusalCodes).join(', ')}`);
}

/** Topics of the broker's own have services and rules of their own: nothing is led there. */
function topicName(value: unknown, before: string): string {
  const name = text(value, 'topic');
  if (!isValidTopicName(name)) throw new TypeError(`'topic' is '${name}', which is no topic name`);
  if (name.startsWith('$') && name !== before)
    throw new TypeError(`'topic' is '${name}': topics with $ are the broker's`);
  return name;
}

function payload(value: unknown): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`'payload' is neither a string nor a Uint8Array`);
  if (bytes.length > PAYLOAD_BYTES_MAX) throw new RangeError(`'payload' has ${bytes.length} bytes`);
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const propertyChecks: { readonly [K in keyof MessageProperties]-?: (value: unknown) => number } = {
  payloadFormatIndicator: value => {
    if (value !== 0 && value !== 1) throw new TypeError("'payloadFormatIndicator' is neither 0 nor 1");
    return 2;
  },
  contentType: value => Buffer.byteLength(text(value, 'contentType')),
  responseTopic: value => {
    const name = text(value, 'responseTopic');
    if (!isValidTopicName(name)) throw new TypeError(`'responseTopic' is '${name}', which is no topic name`);
    return Buffer.byteLength(name);
  },
  correlationData: value => {
    if (Buffer.isBuffer(value) && value.length <= TEXT_BYTES_MAX) return value.length;
    throw new TypeError(`'correlationData' is no Buffer of at most ${TEXT_BYTES_MAX} bytes`);
  },
  userProperties: value => {
    if (!Array.isArray(value)) throw new TypeError("'userProperties' is no list of pairs of strings");
    return value.reduce<number>((sum, pair) => sum + pairBytes(pair), 0);
  },
};

function pairBytes(pair: unknown): number {
  if (!Array.isArray(pair) || pair.length !== 2) throw new TypeError("'userProperties' is no list of pairs of strings");
  return 5 + Buffer.byteLength(text(pair[0], 'userProperties')) + Buffer.byteLength(text(pair[1], 'userProperties'));
}

function properties(value: unknown): MessageProperties {
  const fields = fieldsOf(value, Object.keys(propertyChecks));
  let bytes = 0;
  for (const [name, each] of Object.entries(fields)) {
    if (each !== undefined) bytes += propertyChecks[name as keyof MessageProperties](each);
  }
  if (bytes > PROPERTIES_BYTES_MAX) throw new RangeError(`'properties' have ${bytes} bytes`);
  return fields;
}

function text(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new TypeError(`'${name}' is no string`);
  if (Buffer.byteLength(value) > TEXT_BYTES_MAX)
    throw new RangeError(`'${name}' has more than ${TEXT_BYTES_MAX} bytes`);
  // [MQTT-1.5.4-1], [MQTT-1.5.4-2]: whoever got it would have to end the connection.
  if (!value.isWellFormed() || value.includes('\0')) throw new TypeError(`'${name}' is no text that MQTT can carry`);
  return value;
}

function qos(value: unknown): 0 | 1 | 2 {
  if (value === 0 || value === 1 || value === 2) return value;
  throw new TypeError("'qos' is none of 0, 1 and 2");
}

function flag(value: unknown, name: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new TypeError(`'${name}' is neither true nor false`);
}
