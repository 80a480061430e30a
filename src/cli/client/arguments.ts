/** From the words of the command line, and of the options file before them, to a draft. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nearestName } from '../nearest-name.ts';
import { invalid, newDraft, type Draft, type Tool, type UsageError } from './draft.ts';
import { missingArgument, optionsOf, type ClientOption } from './options.ts';
import { contradiction } from './contradictions.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export function readArguments(tool: Tool, args: readonly string[], environment: Environment): Draft | UsageError {
  const file = optionsFile(tool, args, environment);
  if (typeof file === 'object' && file !== null) return file;
  const draft = newDraft(tool);
  const lines = file === null ? [] : readOptionsFile(file);
  for (const words of [...lines, args]) {
    const fault = readWords(draft, words);
    if (fault !== null) return fault;
  }
  return contradiction(draft) ?? draft;
}

/** `-o FILE` is looked for first, because what the file says comes before the command line. */
function optionsFile(tool: Tool, args: readonly string[], environment: Environment): string | null | UsageError {
  const at = args.indexOf('-o');
  if (at >= 0) {
    if (args.indexOf('-o', at + 1) > 0) return invalid('Duplicate -o argument given.', true);
    const path = args[at + 1];
    return path ?? invalid('-o argument given but no options file specified.', true);
  }
  const folder = environment['XDG_CONFIG_HOME'] || (environment['HOME'] ? join(environment['HOME'], '.config') : null);
  return folder === null ? null : join(folder, `mosquitto_${tool}`);
}

/** One option per line; its value is the rest of the line. A file that is not there says nothing. */
function readOptionsFile(path: string): string[][] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  return text
    .split(/\r?\n/)
    .filter(line => line.trim() !== '' && !line.startsWith('#'))
    .map(line => splitOption(line.trimStart()));
}

function splitOption(line: string): string[] {
  const space = line.indexOf(' ');
  return space < 0 ? [line] : [line.slice(0, space), line.slice(space + 1)];
}

function readWords(draft: Draft, words: readonly string[]): UsageError | null {
  let at = 0;
  const next = (): string | null => words[at++] ?? null;
  const options = optionsOf(draft.tool);
  for (let word = next(); word !== null; word = next()) {
    const name = word;
    const option = options.find(row => row.short === name || row.long === name);
    if (option === undefined) return unknownOption(name, options);
    const value = option.argument === undefined ? '' : next();
    if (value === null) return missingArgument(option);
    const outcome = option.apply(draft, value, { next });
    if (outcome) return outcome;
  }
  return null;
}

function unknownOption(word: string, options: readonly ClientOption[]): UsageError {
  const names = options.flatMap(row => [row.long, row.short].filter(name => name !== undefined));
  const meant = word.startsWith('--') ? nearestName(word, names) : null;
  return invalid(`Unknown option '${word}'.`, false, meant === null ? null : `Did you mean '${meant}'?`);
}
