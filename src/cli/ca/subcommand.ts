/**
 * Commands inside a command, as `ca` and `device` have them: a table of rows, and the way from arguments to a call.
 *
 *   issue server broker 192.168.1.20 --days 90  ->  row "issue server", words [broker, 192.168.1.20], days 90
 */
import { codedLines } from '../../base/mod.ts';
import { diskRegistryStore, PkiError, type RegistryHome } from '../../pki/mod.ts';
import { defaultHome } from '../default-home.ts';
import type { CommandPage, OptionRow } from '../command-page.ts';
import type { Context } from '../context.ts';
import { helpText } from '../help-text.ts';
import { nearestName } from '../nearest-name.ts';

export interface SubcommandOption extends OptionRow {
  long: string;
  /** May be given several times. */
  many?: true;
}

export interface Subcommand {
  /** One or two words: `list`, `issue server`. */
  name: string;
  operands?: string;
  /** How many operands. */
  atLeast: number;
  atMost: number;
  options: readonly SubcommandOption[];
  says: string;
  run(call: Call): Promise<number> | number;
}

/** What was asked for, and what it may touch. */
export class Call {
  readonly words: readonly string[];
  readonly context: Context;
  private readonly given: ReadonlyMap<string, readonly string[]>;

  constructor(words: readonly string[], given: ReadonlyMap<string, readonly string[]>, context: Context) {
    this.words = words;
    this.given = given;
    this.context = context;
  }

  has(option: string): boolean {
    return this.given.has(option);
  }

  value(option: string): string | null {
    return this.given.get(option)?.at(-1) ?? null;
  }

  values(option: string): readonly string[] {
    return this.given.get(option) ?? [];
  }

  get home(): RegistryHome {
    const folder = this.value('--home') ?? defaultHome(this.context.environment);
    return { folder, store: diskRegistryStore, now: this.context.wall() };
  }

  say(...lines: string[]): void {
    this.context.print(lines.map(line => `${line}\n`).join(''));
  }

  warn(...lines: string[]): void {
    this.context.complain(lines.map(line => `${line}\n`).join(''));
  }
}

/** Arguments that cannot be understood; shown with the way to the help text. */
export class UsageError extends Error {}

export const homeOption: SubcommandOption = {
  long: '--home',
  argument: 'DIR',
  completes: 'folder',
  says: 'The home of the broker: ~/.zancudo unless ZANCUDO_HOME says otherwise.',
};

const usageExitCode = 2;

export async function runSubcommand(
  page: CommandPage,
  rows: readonly Subcommand[],
  args: readonly string[],
  context: Context,
): Promise<number> {
  const program = `zancudo ${page.command}`;
  if (args.length === 0 || args.some(each => each === '--help' || each === '-h')) {
    context.print(helpText(page, program));
    return args.length === 0 ? usageExitCode : 0;
  }
  try {
    const { row, rest } = findRow(rows, args);
    return await row.run(parse(row, rest, context));
  } catch (error) {
    return explain(error, program, context);
  }
}

function explain(error: unknown, program: string, context: Context): number {
  if (error instanceof UsageError) {
    context.complain(`${program}: ${error.message}\n  '${program} --help' lists what there is.\n`);
    return usageExitCode;
  }
  if (error instanceof PkiError) {
    for (const line of codedLines(error.finding)) context.complain(`${line}\n`);
    return 1;
  }
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === undefined || path === undefined) throw error;
  context.complain(`${path}: ${(error as Error).message}\n`);
  return 1;
}

function findRow(rows: readonly Subcommand[], args: readonly string[]): { row: Subcommand; rest: readonly string[] } {
  for (const count of [2, 1]) {
    const name = args.slice(0, count).join(' ');
    const row = rows.find(each => each.name === name);
    if (row) return { row, rest: args.slice(count) };
  }
  const meant = nearestName(args.slice(0, 2).join(' '), names(rows)) ?? nearestName(args[0] ?? '', names(rows));
  throw new UsageError(`there is no '${args[0]}'.${meant === null ? '' : ` Did you mean '${meant}'?`}`);
}

const names = (rows: readonly Subcommand[]): string[] => rows.map(row => row.name);

function parse(row: Subcommand, args: readonly string[], context: Context): Call {
  const words: string[] = [];
  const given = new Map<string, string[]>();
  for (let at = 0; at < args.length; at++) {
    const word = args[at] as string;
    if (!word.startsWith('--')) words.push(word);
    else {
      const { option, inline } = findOption(row, word);
      const value = option.argument === undefined ? (inline ?? '') : (inline ?? args[++at]);
      if (value === undefined) throw new UsageError(`${option.long} needs ${option.argument}.`);
      const before = given.get(option.long);
      if (before && option.many === undefined) throw new UsageError(`${option.long} is given twice.`);
      given.set(option.long, [...(before ?? []), value]);
    }
  }
  if (words.length < row.atLeast || words.length > row.atMost) {
    throw new UsageError(`'${row.name}' takes ${row.operands ?? 'nothing more'}.`);
  }
  return new Call(words, given, context);
}

/** `--days 90` and `--days=90`. */
function findOption(row: Subcommand, word: string): { option: SubcommandOption; inline: string | null } {
  const equals = word.indexOf('=');
  const name = equals < 0 ? word : word.slice(0, equals);
  const options = [...row.options, homeOption];
  const option = options.find(each => each.long === name);
  if (option === undefined) {
    const meant = nearestName(name, options.map(each => each.long)); // prettier-ignore
    throw new UsageError(`'${row.name}' has no ${name}.${meant === null ? '' : ` Did you mean ${meant}?`}`);
  }
  if (equals >= 0 && option.argument === undefined) throw new UsageError(`${name} takes no value.`);
  return { option, inline: equals < 0 ? null : word.slice(equals + 1) };
}

/** The rows as `--help` shows them; options that several rows share are said once. */
export function pageOf(
  head: Pick<CommandPage, 'command' | 'summary' | 'about'>,
  rows: readonly Subcommand[],
): CommandPage {
  const options = new Map(
    [...rows.flatMap(row => row.options), homeOption].map(option => [
      `${option.long} ${option.argument ?? ''}`,
      option,
    ]),
  );
  return {
    ...head,
    usage: ['COMMAND [OPERAND...] [OPTION...]'],
    options: [...options.values(), { long: '--help', says: 'Show this text.' }],
    chapters: [
      {
        title: 'Commands',
        rows: rows.map(row => ({ usage: usageOf(row), says: row.says })),
      },
    ],
    exitCodes: [
      { code: '0', when: 'Done.' },
      { code: '1', when: 'It could not be done; why and what to do was said.' },
      { code: '2', when: 'The command line cannot be understood.' },
    ],
  };
}

function usageOf({ name, operands, options }: Subcommand): string {
  const own = options.map(({ long, argument }) => `[${long}${argument === undefined ? '' : ` ${argument}`}]`);
  return [name, operands ?? '', ...own].filter(each => each !== '').join(' ');
}
