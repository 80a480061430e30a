/**
 * The commands of a $CONTROL API as rows: what each takes, what it sends, how its reply is printed.
 *
 *   words of the command line ──> row.arguments ──> {"command": …, fields}      build()
 *   {"command": …, "data": …} ──> row.print ──> lines
 */
import type { SecretAnswer } from '../secret-prompt.ts';
import { exitCodes } from './exit-codes.ts';

/** Whose names may stand in an argument's place; the shell completes them. */
export type NameKind = 'clients' | 'groups' | 'roles';

export interface ArgumentRow {
  /** Member of the command, and its name in usage texts. */
  field: string;
  /** A `count` is sent when it is positive; an `integer`, such as a priority, unless it is -1, which is the default. */
  kind?: 'text' | 'integer' | 'count' | 'access' | 'truth';
  optional?: true;
  names?: NameKind;
  /** The only words that may stand here, in any case. */
  words?: readonly string[];
}

/** What building a command may need beside its words. */
export interface Desk {
  ask(question: string, again: string | null): Promise<SecretAnswer>;
  print(text: string): void;
}

export type Fields = Record<string, unknown>;

export type Built = { ok: true; command: Fields } | { ok: false; exitCode: number; lines: readonly string[] };

export interface ControlCommand {
  name: string;
  chapter: string;
  says: string;
  arguments: readonly ArgumentRow[];
  /** Instead of what `arguments` says, where that is not enough. */
  usage?: string;
  /** Instead of one field for each argument. */
  build?: (words: readonly string[], row: ControlCommand, desk: Desk) => Promise<Built> | Built;
  /** The lines of a reply's data, more of them when `detailed`; null when it is not what it should be. */
  print?: (data: Fields, detailed: boolean) => string[] | null;
  /** The list that is another one afterwards. */
  changes?: NameKind;
}

export interface ControlModule {
  name: string;
  requestTopic: string;
  responseTopic: string;
  commands: readonly ControlCommand[];
  /** What is probably the matter when nobody answers. */
  whenSilent: string;
}

/** Commands are found in any case. */
export function commandNamed(module: ControlModule, name: string): ControlCommand | undefined {
  return module.commands.find(row => row.name.toLowerCase() === name.toLowerCase());
}

export function usageOf(row: ControlCommand): string {
  if (row.usage !== undefined) return `${row.name} ${row.usage}`;
  const words = row.arguments.map(argument => {
    const name = argument.words?.join('|') ?? (argument.kind === 'access' ? 'allow|deny' : `<${argument.field}>`);
    return argument.optional ? `[${name.replace(/^<(.*)>$/, '$1')}]` : name;
  });
  return [row.name, ...words].join(' ');
}

export function build(row: ControlCommand, words: readonly string[], desk: Desk): Promise<Built> | Built {
  return (row.build ?? buildFields)(words, row, desk);
}

/** One field for each word. */
export function buildFields(words: readonly string[], row: ControlCommand): Built {
  const needed = row.arguments.filter(argument => !argument.optional).length;
  if (words.length < needed || words.length > row.arguments.length) return invalidInput(row);
  const command: Fields = { command: row.name };
  for (const [at, word] of words.entries()) {
    const argument = row.arguments[at] as ArgumentRow;
    const value = valueOf(argument, word);
    if (value === null) return invalidInput(row, problemWith(argument, word));
    const isDefault = argument.kind === 'count' ? Number(value) <= 0 : value === -1;
    if (!isDefault) command[argument.field] = value;
  }
  return { ok: true, command };
}

function valueOf({ kind, words }: ArgumentRow, word: string): string | number | boolean | null {
  if (words !== undefined) return words.find(each => each.toLowerCase() === word.toLowerCase()) ?? null;
  const lower = word.toLowerCase();
  if (kind === 'integer' || kind === 'count') return /^[+-]?\d{1,9}$/.test(word) ? Number(word) : null;
  if (kind === 'access') return lower === 'allow' ? true : lower === 'deny' ? false : null;
  if (kind === 'truth') return lower === 'true' ? true : lower === 'false' ? false : null;
  return word;
}

function problemWith({ field, kind, words }: ArgumentRow, word: string): string {
  if (words !== undefined) return `'${word}' is no ${field}. There are ${words.join(', ')}.`;
  if (kind === 'access') return `'${word}' must be allow or deny.`;
  if (kind === 'truth') return `'${word}' must be true or false.`;
  return `'${word}' is no number (${field}).`;
}

/** Mosquitto's line for every wrong argument, then what would have been right. */
export function invalidInput(row: ControlCommand, problem?: string, before: readonly string[] = []): Built {
  const because = problem === undefined ? [] : [`  ${problem}`];
  return {
    ok: false,
    exitCode: exitCodes.invalid,
    lines: [...before, 'Error: Invalid input.', ...because, `  Usage: ${usageOf(row)}`],
  };
}
