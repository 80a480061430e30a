/**
 * From a text to the line that is written:
 *
 *   1795301780: New connection from 127.0.0.1:44574 on port 1883.
 *   └ prefix ─┘ └ text, control characters made visible; the whole at most 1000 bytes ┘
 *
 * Client ids, topics and user names are the peer's words. None of them can start a new line, colour a terminal or
 * turn the writing direction round.
 */
import { strftime } from '../../base/mod.ts';

export interface LineStyle {
  timestamp: boolean;
  /** strftime text; null is Unix seconds. */
  timestampFormat: string | null;
}

/** Longer lines are cut here and end in three dots. */
export const lineBytesMax = 1000;

/** C0 but for TAB, DEL, C1, line and paragraph separators, and the marks that change the writing direction. */
const unprintable = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
const everyUnprintable = new RegExp(unprintable, 'g');

const shortEscapes: Record<string, string> = { '\n': '\\n', '\r': '\\r' };

export function makeVisible(text: string): string {
  return unprintable.test(text) ? text.replace(everyUnprintable, escapeCharacter) : text;
}

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0);
  const long = code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  return shortEscapes[character] ?? long;
}

/** Makes the function that turns a text into a line, without the newline. The prefix is made once a second. */
export function lineFormatter(style: LineStyle, wall: () => number): (text: string) => string {
  if (!style.timestamp) return text => cut(makeVisible(text));
  const write = style.timestampFormat === null ? null : strftime(style.timestampFormat);
  let second = Number.NaN;
  let prefix = '';
  return text => {
    const now = Math.floor(wall() / 1000);
    if (now !== second) {
      second = now;
      prefix = `${write === null ? now : makeVisible(write(new Date(now * 1000)))}: `;
    }
    return cut(prefix + makeVisible(text));
  };
}

function cut(line: string): string {
  // One UTF-16 unit takes at most three bytes of UTF-8, so most lines are not measured.
  if (line.length * 3 <= lineBytesMax || Buffer.byteLength(line) <= lineBytesMax) return line;
  const bytes = Buffer.from(line);
  let end = lineBytesMax - 3;
  while (((bytes[end] as number) & 0xc0) === 0x80) end--;
  return `${bytes.toString('utf8', 0, end)}...`;
}
