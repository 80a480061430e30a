/**
 * What can be typed, drawn from the pages:
 *
 *   "ca"         -> issue, list, …        words behind a path of words, options left out
 *   "ca issue"   -> server, client
 *   options of a command, and what stands behind each
 */
import type { CommandPage, Completion, OptionRow } from '../command-page.ts';

export interface Choice {
  word: string;
  says: string;
}

export interface CommandWords {
  command: string;
  tool: string | null;
  summary: string;
  options: readonly OptionRow[];
  /** By the words in front, joined by blanks, the command's own first. */
  paths: ReadonlyMap<string, readonly Choice[]>;
  /** What else may stand where no fixed word may. */
  operand: Completion | null;
}

export function wordsOf(page: CommandPage): CommandWords {
  return {
    command: page.command,
    tool: page.tool ?? null,
    summary: page.summary,
    options: page.options,
    paths: pathsOf(page),
    operand: page.operands?.find(row => row.completes !== undefined)?.completes ?? null,
  };
}

function pathsOf(page: CommandPage): Map<string, Choice[]> {
  const paths = new Map<string, Choice[]>();
  const add = (words: readonly string[], says: string): void => {
    words.forEach((word, at) => {
      const path = [page.command, ...words.slice(0, at)].join(' ');
      const choices = paths.get(path) ?? [];
      const isLast = at === words.length - 1;
      if (!choices.some(each => each.word === word)) choices.push({ word, says: isLast ? says : '' });
      paths.set(path, choices);
    });
  };
  for (const usage of page.usage) add(fixedWords(usage), '');
  for (const { name, says } of page.operands ?? []) if (isFixed(name)) add([name], says);
  for (const { rows } of page.chapters ?? []) for (const { usage, says } of rows) add(fixedWords(usage), says);
  return paths;
}

/** `issue server NAME` begins with two words that are typed as they stand. */
function fixedWords(usage: string): string[] {
  const words = usage.split(' ');
  const end = words.findIndex(word => !isFixed(word));
  return end === -1 ? words : words.slice(0, end);
}

/** Names of arguments are in capitals or in brackets. */
function isFixed(word: string): boolean {
  return /^[a-z][A-Za-z-]*$/.test(word);
}

export function namesOf({ short, long }: OptionRow): string[] {
  return [short, long].filter(name => name !== undefined);
}

/** The command that a name of the program stands for. */
export function programsOf(commands: readonly CommandWords[]): { program: string; command: string }[] {
  return commands.flatMap(({ tool, command }) => (tool === null ? [] : [{ program: tool, command }]));
}
