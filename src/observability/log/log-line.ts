/**
 * From a text to the line that is written:
 *
 *   1795301780: New connection from 127.0.0.1:44574 on port 1883.
 *   └ prefix ─┘ └ text, control characters made visible; the whole at most 1000 bytes ┘
 *
 * Client ids, topics and user names are the peer's words. None of them can start a new line, colour a terminal or
 * turn the writing direction round.
 */
import { type About, type Code, rowOf, strftime } from '../../base/mod.ts';
import type { LogClass } from '../../broker/ports.ts';

export interface LineStyle {
  timestamp: boolean;
  /** strftime text; null is Unix seconds. */
  timestampFormat: string | null;
}

/** Makes the line, without the newline. */
export type LineWriter = (as: LogClass, text: string, about: About | null) => string;

/** Longer lines are cut here and end in three dots. */
export const lineBytesMax = 1000;

/** C0 but for TAB, DEL, C1, line and paragraph separators, and the marks that change the writing direction. */
const unprintable = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
export const unprintableCharacters = new RegExp(unprintable, 'g');

const shortEscapes: Record<string, string> = { '\n': '\\n', '\r': '\\r' };

export function makeVisible(text: string): string {
  return unprintable.test(text) ? text.replace(unprintableCharacters, escapeCharacter) : text;
}

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0);
  const long = code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  return shortEscapes[character] ?? long;
}

/**
 * Makes the function that turns a text into a line, without the newline. The prefix is made once a second.
 *
 * Errors and the like end in their code, `... [tls.psk-unknown-identity]`: on our own line, because Mosquitto's are
 * what people search their logs for; and once, where several lines explain the same.
 */
export function textLines(style: LineStyle, wall: () => number): LineWriter {
  const prefix = style.timestamp ? prefixWriter(style, wall) : () => '';
  const codeBehind = codeWriter();
  return (_as, text, about) => {
    const code = codeBehind(text, about);
    return cut(prefix() + makeVisible(text), lineBytesMax - code.length) + code;
  };
}

function codeWriter(): (text: string, about: About | null) => string {
  let shown: Code | null = null;
  return (text, about) => {
    const isBelow = text.startsWith('  ');
    const row = about === null ? null : rowOf(about.code);
    const isDue = row?.kind === 'ours' || (row?.kind === 'theirs' && isBelow);
    const isRepeated = isBelow && shown !== null && shown === about?.code;
    if (!isBelow || isDue) shown = isDue ? about!.code : null;
    return isDue && !isRepeated ? ` [${about!.code}]` : '';
  };
}

function prefixWriter({ timestampFormat }: LineStyle, wall: () => number): () => string {
  const moment = momentWriter(timestampFormat);
  let second = Number.NaN;
  let prefix = '';
  return () => {
    const now = Math.floor(wall() / 1000);
    if (now === second) return prefix;
    second = now;
    return (prefix = `${moment(now * 1000)}: `);
  };
}

/** Unix seconds when there is no format; `iso` is UTC with milliseconds. */
export function momentWriter(format: string | null): (wall: number) => string {
  if (format === null) return wall => String(Math.floor(wall / 1000));
  if (format === 'iso') return wall => new Date(wall).toISOString();
  const write = strftime(format);
  return wall => makeVisible(write(new Date(wall)));
}

function cut(line: string, bytesMax: number): string {
  // One UTF-16 unit takes at most three bytes of UTF-8, so most lines are not measured.
  if (line.length * 3 <= bytesMax || Buffer.byteLength(line) <= bytesMax) return line;
  const bytes = Buffer.from(line);
  let end = bytesMax - 3;
  while (((bytes[end] as number) & 0xc0) === 0x80) end--;
  return `${bytes.toString('utf8', 0, end)}...`;
}
