/** Views of `sub` that are more than one message after another: --watch, --tree and --message-rate. */
import type { Console } from './console.ts';
import type { Draft } from './draft.ts';
import type { Printer } from './printer.ts';
import { TopicTree } from './topic-tree.ts';

/** A view prints messages, and stops when the command ends. */
export interface View {
  print: Printer;
  stop(): void;
}

export function makeView(draft: Draft, console: Console): View | null {
  if (draft.messageRate) return messageRate(console);
  if (draft.tree) return tree(console);
  return draft.watch ? watch(console) : null;
}

function messageRate({ output }: Console): View {
  let count = 0;
  const timer = setInterval(() => {
    output.write(`${count} msgs/s\n`);
    count = 0;
  }, 1000);
  return { print: () => void count++, stop: () => clearInterval(timer) };
}

const clearScreen = '\x1b[2J\x1b[1;1H';
const clearRest = '\x1b[K';

function watch({ output }: Console): View {
  const lines = new Map<string, number>();
  output.write(clearScreen);
  return {
    print: ({ topic, payload }) => {
      const line = lines.get(topic) ?? lines.size + 1;
      lines.set(topic, line);
      output.write(`\x1b[${line};1H${topic} `);
      output.write(payload.length === 0 ? '(null)' : payload);
      output.write(clearRest);
    },
    stop: () => output.write(`\x1b[${lines.size + 1};1H`),
  };
}

const redrawMs = 250;

/** On a terminal it is drawn anew as it grows; elsewhere once, at the end. */
function tree({ output }: Console): View {
  const topics = new TopicTree();
  const { isTTY, columns = 80, rows = 24 } = process.stdout;
  let drawn = performance.now();
  const lines = (): string[] => {
    const now = performance.now();
    const seconds = (now - drawn) / 1000;
    drawn = now;
    return topics.draw(isTTY ? columns : Infinity, seconds);
  };
  const redraw = (): void =>
    output.write(
      `${clearScreen}${lines()
        .slice(0, rows - 1)
        .join('\n')}\n`,
    );
  const timer = isTTY ? setInterval(redraw, redrawMs) : null;
  return {
    print: ({ topic, payload }) => topics.add(topic, payload),
    stop: () => {
      if (timer !== null) clearInterval(timer);
      output.write(`${isTTY ? clearScreen : ''}${lines().join('\n')}\n`);
    },
  };
}
