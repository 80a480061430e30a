/**
 * Cuts the bytes of a configuration file into the lines that say something.
 *
 *   # comment            left out, as are empty lines
 *      # indented        left out too, and remembered: Mosquitto takes it for an option called #
 *   max_qos 1            { number, text }
 *
 * A line is cut at LF; CR before it goes. Nothing is interpreted here but blanks and comments.
 */
import { Argument } from './options/argument.ts';

export interface ConfLine {
  number: number;
  name: string;
  argument: Argument;
}

/** What Mosquitto would have stumbled over and we did not, with the lines it was found on. */
export class Oddities {
  readonly #lines = new Map<string, number[]>();

  add(what: string, line: number): void {
    const lines = this.#lines.get(what);
    if (lines === undefined) this.#lines.set(what, [line]);
    else if (lines.at(-1) !== line) lines.push(line);
  }

  /** One sentence for each kind: a page's worth of non-breaking spaces is one warning, not forty. */
  warnings(file: string): string[] {
    return [...this.#lines].map(([what, lines]) => `${file}:${lineList(lines)}: ${what}`);
  }
}

function lineList(lines: readonly number[]): string {
  const shown = lines.slice(0, 5).join(',');
  return lines.length <= 5 ? shown : `${shown} and ${lines.length - 5} more`;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(bytes: Buffer): { text: string; malformed: boolean } {
  try {
    return { text: utf8.decode(bytes), malformed: false };
  } catch {
    return { text: bytes.toString('utf8'), malformed: true };
  }
}

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

export function* confLines(bytes: Buffer, oddities: Oddities): Generator<ConfLine> {
  let start = 0;
  if (bytes.subarray(0, 3).equals(byteOrderMark)) {
    oddities.add('found a byte order mark (U+FEFF), which Mosquitto takes for part of the first word; passed over.', 1);
    start = 3;
  }
  for (let number = 1; start < bytes.length; number++) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline;
    const line = confLine(bytes.subarray(start, end), number, oddities);
    if (line !== null) yield line;
    start = end + 1;
  }
}

function confLine(bytes: Buffer, number: number, oddities: Oddities): ConfLine | null {
  if (bytes[0] === 0x23) return null;
  const { text, malformed } = decode(bytes);
  const argument = new Argument(text.replace(/\r+$/, ''), malformed);
  const name = argument.word();
  if (name === null) return null;
  if (!name.startsWith('#')) return { number, name, argument };
  oddities.add("found a comment that does not begin at the start of its line, which Mosquitto refuses; passed over.", number); // prettier-ignore
  return null;
}
