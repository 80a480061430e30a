/**
 * The JSON of `$CONTROL` topics, whoever serves them (docs/compat/dynsec.md, 2).
 *
 *   {"commands":[{"command":"getRole","rolename":"r","correlationData":"7"}, …]}
 *   {"responses":[{"command":"getRole","data":{…},"correlationData":"7"}, …]}
 *
 * What is wrong with the frame of a request ends it: the commands before it run, and the last response says why the
 * others did not. Names of members count without regard to case, as cJSON takes them.
 */
import { isUtf8 } from 'node:buffer';

export type JsonObject = Record<string, unknown>;

export interface ControlCall {
  /** As it was written. */
  command: string;
  fields: JsonObject;
  correlationData?: string;
}

export interface ControlReply {
  command: string;
  error?: string;
  data?: JsonObject;
  correlationData?: string;
}

export interface ControlRequest {
  calls: ControlCall[];
  /** What came behind the calls and is no call. */
  refusal: ControlReply | null;
  /** False where bytes of the payload were replaced to read it. */
  isUtf8: boolean;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function member(object: JsonObject, name: string): unknown {
  if (Object.hasOwn(object, name)) return object[name];
  const wanted = name.toLowerCase();
  const found = Object.keys(object).find(key => key.toLowerCase() === wanted);
  return found === undefined ? undefined : object[found];
}

export function readControlRequest(payload: Buffer): ControlRequest {
  const request: ControlRequest = { calls: [], refusal: null, isUtf8: isUtf8(payload) };
  const commands = commandsOf(payload);
  if (typeof commands === 'string') return { ...request, refusal: unknown(commands) };
  for (const command of commands) {
    const read = readCall(command);
    if ('error' in read) return { ...request, refusal: read };
    request.calls.push(read);
  }
  return request;
}

/** A string is what is wrong. */
function commandsOf(payload: Buffer): unknown[] | string {
  try {
    const tree: unknown = JSON.parse(payload.toString());
    const commands = isObject(tree) ? member(tree, 'commands') : undefined;
    return Array.isArray(commands) ? (commands as unknown[]) : 'Invalid/missing commands';
  } catch {
    return 'Payload not valid JSON';
  }
}

function unknown(error: string): ControlReply & { error: string } {
  return { command: 'Unknown command', error };
}

function readCall(fields: unknown): ControlCall | (ControlReply & { error: string }) {
  if (!isObject(fields)) return unknown('Command not an object');
  const command = member(fields, 'command');
  if (typeof command !== 'string') return unknown('Missing command');
  const correlationData = member(fields, 'correlationData');
  if (correlationData === undefined) return { command, fields };
  if (typeof correlationData === 'string') return { command, fields, correlationData };
  return { command, error: 'Invalid correlationData data type.' };
}

/** Larger answers than any client takes are not put together. */
const REPLY_CHARACTERS_MAX = 100_000_000;

/** The payload of the response; members in Mosquitto's order. */
export function controlResponse(replies: readonly ControlReply[]): Buffer {
  let length = 0;
  const texts = replies.map(({ command, error, data, correlationData }) => {
    const text = JSON.stringify({ command, error, data, correlationData });
    length += text.length;
    if (length <= REPLY_CHARACTERS_MAX) return text;
    return JSON.stringify({ command, error: 'Response too large', correlationData });
  });
  return Buffer.from(`{"responses":[${texts.join(',')}]}`);
}

const LOGGED_CHARACTERS_MAX = 200;

/** A value of a request as a log line shows it. */
export function shownValue(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return text.length > LOGGED_CHARACTERS_MAX ? `${text.slice(0, LOGGED_CHARACTERS_MAX)}...` : text;
}
