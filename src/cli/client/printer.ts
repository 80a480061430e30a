/** How a message is printed: plain, with its topic, or in a format; with colours where a person looks at it. */
import type { Message } from '../../client/mod.ts';
import type { Console } from './console.ts';
import type { Draft } from './draft.ts';
import { compileFormat, type Arrival, type Piece } from './format.ts';

export type Printer = (message: Message) => void;

export function makePrinter(draft: Draft, console: Console, forPeople: boolean): Printer {
  if (draft.format !== undefined) return formatted(draft, compileFormat(draft.format), console);
  if (draft.verbose) return forPeople ? aligned(draft, console) : withTopic(draft, console);
  return plain(draft, console);
}

/** Nothing for an empty message, not even the newline. */
function plain({ newline }: Draft, { output }: Console): Printer {
  return ({ payload }) => {
    if (payload.length === 0) return;
    output.write(payload);
    if (newline) output.write('\n');
  };
}

function withTopic({ newline }: Draft, { output }: Console): Printer {
  return ({ topic, payload }) => {
    // With -N Mosquitto's tools print nothing at all for an empty message.
    if (payload.length === 0 && !newline) return;
    output.write(`${topic} `);
    output.write(payload.length === 0 ? '(null)' : payload);
    if (newline) output.write('\n');
  };
}

/** The column grows with the longest topic, as far as this. */
const columnMax = 40;
const cyan = '\x1b[36m';
const faint = '\x1b[2m';
const plainAgain = '\x1b[0m';

function aligned(draft: Draft, { output }: Console): Printer {
  let column = 0;
  return ({ topic, payload, retain }) => {
    column = Math.min(columnMax, Math.max(column, topic.length));
    output.write(`${cyan}${topic.padEnd(column)}${plainAgain} `);
    output.write(payload.length === 0 ? `${faint}(null)${plainAgain}` : payload);
    if (retain) output.write(` ${faint}(retained)${plainAgain}`);
    if (draft.newline) output.write('\n');
  };
}

function formatted({ newline, pretty }: Draft, pieces: readonly Piece[], console: Console): Printer {
  const context = { pretty, complain: (line: string) => console.complain(line) };
  return message => {
    const arrival = arrivalOf(message);
    for (const piece of pieces) console.output.write(piece(arrival, context));
    if (newline) console.output.write('\n');
  };
}

/** Time in the resolution that the platform has. */
function arrivalOf(message: Message): Arrival {
  const ms = performance.timeOrigin + performance.now();
  return { message, when: new Date(ms), nanoseconds: Math.floor((ms % 1000) * 1e6) };
}
