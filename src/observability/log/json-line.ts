/**
 * `log_format json`: one object for each line, and never more than 8 kB of it.
 *
 *   {"time":"2026-11-22T04:52:23.118Z","level":"notice","code":"tls.client-certificate-expired",
 *    "message":"...","client":"lamp1","address":"10.0.0.5","port":41022,"listener":"port 8883"}
 *
 * `message` is the line of the text form; what is in it as well stands in fields of its own, because a client
 * identifier may look like anything, the rest of the line included. Values are the peer's bytes: JSON's escapes keep
 * them apart, and what could still colour a terminal or break a line for some reader is escaped, too.
 */
import type { About } from '../../base/mod.ts';
import type { LogClass } from '../../broker/ports.ts';
import { type LineStyle, type LineWriter, momentWriter, unprintableCharacters } from './log-line.ts';

export const jsonLineBytesMax = 8192;

/** How many UTF-16 units of a text are kept; the second row when the first does not fit into jsonLineBytesMax. */
const cuts = [
  { message: 1000, field: 500 },
  // 17 texts of 60 units, each six bytes long when escaped, and the message: 7.3 kB.
  { message: 200, field: 60 },
] as const;

export function jsonLines(style: LineStyle, wall: () => number): LineWriter {
  const moment = momentWriter(style.timestampFormat ?? 'iso');
  const time = style.timestamp ? () => moment(wall()) : () => undefined;
  return (as, text, about) => {
    const now = time();
    const roomy = objectText(now, as, text, about, cuts[0]);
    if (roomy.length * 3 <= jsonLineBytesMax || Buffer.byteLength(roomy) <= jsonLineBytesMax) return roomy;
    return objectText(now, as, text, about, cuts[1]);
  };
}

function objectText(
  time: string | undefined,
  level: LogClass,
  text: string,
  about: About | null,
  cut: (typeof cuts)[number],
): string {
  const { code, ...fields } = about ?? { code: undefined };
  const object: Record<string, unknown> = { time, level, code, message: bounded(text.trim(), cut.message) };
  for (const [name, value] of Object.entries(fields)) {
    if (value !== null) object[name] = typeof value === 'string' ? bounded(value, cut.field) : value;
  }
  return JSON.stringify(object).replace(unprintableCharacters, escaped);
}

/** JSON.stringify escapes C0 and lone surrogates; these stand in a string, or it would not have let them through. */
function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function bounded(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max)}...`;
}
