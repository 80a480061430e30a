/** Finds what was probably meant: option names by spelling, for whoever has mistyped one. */
import { optionNames } from './options/table.ts';

/**
 * Edits that turn one word into the other: insert, delete, replace, or swap two neighbours. Stops above `most` and says
 * Infinity: words are compared with every option and every file of a directory.
 */
export function editDistance(from: string, to: string, most: number): number {
  if (Math.abs(from.length - to.length) > most) return Infinity;
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
        swapped ? at(beforeLast, column - 2) + 1 : Infinity,
      );
    }
    if (Math.min(...current) > most) return Infinity;
    [beforeLast, last] = [last, current];
  }
  const distance = at(last, to.length);
  return distance > most ? Infinity : distance;
}

const at = (row: readonly number[], index: number): number => row[index] ?? Infinity;

/** Letters may differ in case, words in how they are joined: Max-QoS is max_qos. */
const plain = (name: string): string => name.toLowerCase().replaceAll('-', '_');

/** A third of the letters may be wrong, three at most: more is another word. */
const errorsAllowed = (name: string): number => Math.min(3, Math.floor(name.length / 3));

/** The candidates nearest to `name`, best first; none when nothing is near. */
export function nearest(name: string, candidates: readonly string[]): string[] {
  const most = errorsAllowed(name);
  const ranked = candidates
    .map(candidate => ({ candidate, distance: editDistance(plain(name), plain(candidate), most) }))
    .filter(({ distance }) => distance !== Infinity)
    .sort((left, right) => left.distance - right.distance);
  const best = ranked[0]?.distance;
  return ranked.filter(({ distance }) => distance === best).map(({ candidate }) => candidate);
}

/** Our lines under "Unknown configuration variable". */
export function explainUnknown(name: string): string[] {
  if (/^(?:\/\/|;|--)/.test(name)) return ["Comments begin with '#' at the start of a line."];
  const [word = '', sign = ''] = /^([A-Za-z0-9_.-]+)([=:])/.exec(name)?.slice(1) ?? [];
  if (sign !== '') return [`Write a space instead of '${sign}': '${nearest(word, optionNames)[0] ?? word} VALUE'.`];
  const meant = nearest(name, optionNames).slice(0, 3);
  if (meant.length > 0)
    return [`Did you mean ${meant.map(each => `'${each}'`).join(' or ')}? Names are written in small letters.`];
  return ['No option is spelled like this. docs/reference/options.md lists them all.'];
}
