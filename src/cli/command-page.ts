/**
 * What can be said about a command, as one table: `--help`, the man page and the completion of the shells are made
 * from it.
 */
import type { Context } from './context.ts';

/** What may stand in the place of an argument, for completion. */
export type Completion = 'file' | 'folder' | readonly string[];

export interface OptionRow {
  short?: string;
  long?: string;
  /** Name of its argument, in capitals. */
  argument?: string;
  completes?: Completion;
  ours?: true;
  says: string;
}

/** A word behind the options, or one of several that may stand there. */
export interface OperandRow {
  name: string;
  completes?: Completion;
  says: string;
}

/** Commands inside a command, by heading. */
export interface ChapterRow {
  title: string;
  rows: readonly { usage: string; says: string }[];
}

export interface CommandPage {
  command: string;
  /** The Mosquitto tool whose place it takes. */
  tool?: string;
  /** A few words, no full stop. */
  summary: string;
  /** What stands behind the program's name. */
  usage: readonly string[];
  about: readonly string[];
  options: readonly OptionRow[];
  operands?: readonly OperandRow[];
  chapters?: readonly ChapterRow[];
  exitCodes: readonly { code: string; when: string }[];
}

/** The program's name in usage texts and hints: the tool's own where it was called by it. */
export function programName(page: CommandPage, context: Context): string {
  return context.calledAs === page.tool ? page.tool : `zancudo ${page.command}`;
}
