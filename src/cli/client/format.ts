/**
 * The output formats of `-F`: `%[-][0][width][.precision][separator]letter`, `@x` for strftime's %x, and escapes.
 * A format is compiled once into pieces; each turns a message into bytes, or into null when it cannot be printed.
 */
import { strftime } from '../../base/mod.ts';
import type { Message } from '../../client/mod.ts';
import { jsonOf } from './json.ts';

/** A message and what is known of its arrival. */
export interface Arrival {
  message: Message;
  when: Date;
  /** Of the second. */
  nanoseconds: number;
}

export interface FormatContext {
  pretty: boolean;
  complain(line: string): void;
}

export type Piece = (arrival: Arrival, context: FormatContext) => Buffer | string;

export class FormatFault extends Error {
  readonly hint: string | null;
  constructor(message: string, hint: string | null = null) {
    super(message);
    this.hint = hint;
  }
}

interface Field {
  left: boolean;
  pad: string;
  width: number;
  /** -1 when absent. */
  precision: number;
  separator: string;
}

type Specifier = (field: Field) => Piece;

const specifiers: Record<string, Specifier> = {
  '%': () => () => '%',
  A: number(({ message }) => message.properties.topicAlias),
  C: string(({ message }) => message.properties.contentType),
  D: () => arrival => arrival.message.properties.correlationData ?? '',
  d: float(8, payload => payload.readDoubleLE(0), 'double'),
  E: number(({ message }) => message.properties.messageExpiryInterval),
  F: number(({ message }) => message.properties.payloadFormatIndicator),
  f: float(4, payload => payload.readFloatLE(0), 'float'),
  I: string(({ when }) => isoTime(when)),
  j:
    () =>
    (arrival, { pretty }) =>
      jsonOf(arrival, 'text', pretty) ?? '',
  J: () => payloadAsJson,
  l: number(({ message }) => message.payload.length),
  m: number(({ message }) => message.packetId),
  P: () => arrival => (arrival.message.properties.userProperties ?? []).map(pair => pair.join(':')).join(' '),
  p: field => arrival => payload(arrival.message.payload, field),
  q: () => arrival => String(arrival.message.qos),
  R: responseTopic,
  r: () => arrival => (arrival.message.retain ? '1' : '0'),
  S: number(({ message }) => message.properties.subscriptionIdentifier),
  t: string(({ message }) => message.topic),
  U: () => arrival => unixTime(arrival),
  x: field => arrival => hex(arrival.message.payload, field),
  X: field => arrival => hex(arrival.message.payload, field).toUpperCase(),
};

const escapes: Record<string, string> = {
  '\\': '\\',
  '0': '\0',
  a: '\x07',
  e: '\x1b',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

const isoTime = strftime('%FT%T%z');

export function compileFormat(format: string): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < format.length;) {
    const [piece, length] = pieceAt(format, at);
    pieces.push(piece);
    at += length;
  }
  return pieces;
}

function pieceAt(format: string, at: number): [Piece, number] {
  const first = format[at] as string;
  if (first === '%') return specifierAt(format, at);
  if (first === '@') return [timeAt(format, at), 2];
  if (first === '\\') return [escapeAt(format, at), 2];
  const text = /^[^%@\\]+/.exec(format.slice(at))![0];
  return [() => text, text.length];
}

const shape = /^%(-?)(0?)(\d*)(?:\.(\d*))?([ -/:-@[-`{-~]?)/;

function specifierAt(format: string, at: number): [Piece, number] {
  const rest = format.slice(at);
  const [all, left, zero, width, precision, punctuation] = shape.exec(rest)!;
  // The percent sign is a letter here and no separator.
  const separator = punctuation === '%' ? '' : (punctuation ?? '');
  const letterAt = all.length - (punctuation ?? '').length + separator.length;
  const letter = rest[letterAt];
  if (letter === undefined) throw new FormatFault('Incomplete format specifier.', 'A percent sign is written %%.');
  const specifier = Object.hasOwn(specifiers, letter) ? specifiers[letter] : undefined;
  if (specifier === undefined) throw new FormatFault(`Invalid format specifier '${letter}'.`, knownSpecifiers());
  const field: Field = {
    left: left === '-',
    pad: zero === '0' ? '0' : ' ',
    width: Number(width),
    precision: precision === undefined ? -1 : Number(precision),
    separator: separator || ' ',
  };
  return [specifier(field), letterAt + 1];
}

function knownSpecifiers(): string {
  return `There are ${Object.keys(specifiers).join(' ')}.`;
}

function timeAt(format: string, at: number): Piece {
  const letter = format[at + 1];
  if (letter === undefined) throw new FormatFault('Incomplete format specifier.', 'An at sign is written @@.');
  if (letter === '@') return () => '@';
  if (letter === 'N') return arrival => nine(arrival.nanoseconds);
  const write = strftime(`%${letter}`);
  return arrival => write(arrival.when);
}

function escapeAt(format: string, at: number): Piece {
  const letter = format[at + 1];
  if (letter === undefined) throw new FormatFault('Incomplete escape specifier.', 'A backslash is written \\\\.');
  const text = Object.hasOwn(escapes, letter) ? escapes[letter] : undefined;
  if (text === undefined)
    throw new FormatFault(`Invalid escape specifier '${letter}'.`, 'There are \\\\ \\0 \\a \\e \\n \\r \\t \\v.');
  return () => text;
}

function unixTime({ when, nanoseconds }: Arrival): string {
  return `${Math.floor(when.getTime() / 1000)}.${nine(nanoseconds)}`;
}

function nine(nanoseconds: number): string {
  return String(nanoseconds).padStart(9, '0');
}

function number(value: (arrival: Arrival) => number | undefined): Specifier {
  return field => arrival => {
    const found = value(arrival);
    return found === undefined ? field.pad.repeat(field.width) : aligned(String(found), field, field.pad);
  };
}

/** Width and precision count bytes, as C's do. */
function string(value: (arrival: Arrival) => string | undefined): Specifier {
  return field => arrival => {
    const found = value(arrival);
    return found === undefined ? field.pad.repeat(field.width) : text(found, field);
  };
}

function responseTopic(field: Field): Piece {
  return arrival => {
    const topic = arrival.message.properties.responseTopic;
    return topic === undefined ? '' : text(topic, field);
  };
}

function text(value: string, field: Field): Buffer | string {
  if (field.width === 0 && field.precision < 0) return value;
  const bytes = Buffer.from(value);
  const cut = field.precision < 0 ? bytes : bytes.subarray(0, field.precision);
  return padded(cut, field, ' ');
}

function padded(bytes: Buffer, field: Field, pad: string): Buffer {
  const missing = Math.max(0, field.width - bytes.length);
  if (field.left) return Buffer.concat([bytes, Buffer.from(' '.repeat(missing))]);
  return Buffer.concat([Buffer.from(pad.repeat(missing)), bytes]);
}

/** Zeros stand between the sign and the digits. */
function aligned(digits: string, field: Field, pad: string): string {
  if (field.left) return digits.padEnd(field.width);
  if (pad !== '0' || !digits.startsWith('-')) return digits.padStart(field.width, pad);
  return `-${digits.slice(1).padStart(field.width - 1, '0')}`;
}

function float(bytes: number, read: (payload: Buffer) => number, name: string): Specifier {
  return field => (arrival, context) => {
    const { payload: value } = arrival.message;
    if (value.length !== bytes) {
      context.complain(`requested ${name} printing, but non-${name} data received`);
      return '';
    }
    return aligned(decimals(read(value), field.precision), field, field.pad);
  };
}

/** printf's %f: six decimals unless told, and its words for what is no number. */
function decimals(value: number, precision: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  const places = precision < 0 ? 6 : Math.min(precision, 100);
  if (Math.abs(value) >= 1e21) return `${BigInt(value)}${places === 0 ? '' : `.${'0'.repeat(places)}`}`;
  return value.toFixed(places);
}

/** A width also cuts the payload. */
function payload(bytes: Buffer, field: Field): Buffer {
  return field.width === 0 ? bytes : padded(bytes.subarray(0, field.width), field, field.pad);
}

function hex(bytes: Buffer, field: Field): string {
  const shown = field.width === 0 ? bytes : bytes.subarray(0, field.width);
  const missing = field.pad.repeat(Math.max(0, field.width - 2 * shown.length));
  const digits = grouped(shown.toString('hex'), field);
  return field.left ? `${digits}${' '.repeat(missing.length)}` : `${missing}${digits}`;
}

/** Groups of `precision` digits. */
function grouped(digits: string, { precision, separator }: Field): string {
  if (precision <= 0) return digits;
  return (digits.match(new RegExp(`.{1,${precision}}`, 'g')) ?? []).join(separator);
}

function payloadAsJson(arrival: Arrival, context: FormatContext): string {
  const json = jsonOf(arrival, 'json', context.pretty);
  if (json === null) context.complain(`Error: Message payload is not valid JSON on topic ${arrival.message.topic}.`);
  return json ?? '';
}
