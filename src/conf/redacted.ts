/**
 * A configuration as it may be shown to strangers: which options are there, and of their values only those that cannot
 * be a secret.
 *
 *   max_queued_messages 500    ->  max_queued_messages 500        its type takes numbers only, and it is one
 *   remote_password hunter2    ->  remote_password (hidden)       its type takes any text
 *   # the old one was hunter1  ->                                 comments and unknown lines may hold anything
 */
import fs from 'node:fs';
import path from 'node:path';
import { type ConfLine, confLines, Oddities } from './lines.ts';
import type { OptionRow } from './options/row.ts';
import { findOption } from './options/table.ts';
import { includedNames } from './read.ts';

/** Arguments, by the name that the reference page has for them, in whose place nobody writes a secret. */
const open =
  /path|directory|file name|address|^host|^pattern|^topic prefix$|^origin$|^interface|^strftime|^OpenSSL list$|^list of/;
/** Where numbers are taken; elsewhere a number may be a password. */
const numbers = /number|seconds|minutes|days|bytes|port|a second|a minute|logins|lines|\d-\d|\|/;
/** Of these names are expected and not texts of any kind. */
const named = new Set(['user', 'connection', 'plugin_use', 'auth_backend', 'plugin_load']);

export interface RedactedFile {
  file: string;
  lines: string[];
  /** What was hidden, so that it can be looked for elsewhere. */
  hidden: string[];
}

/** The file and those that its include_dir lines bring in. Throws the system's error for one that cannot be read. */
export function redactedConfiguration(file: string): RedactedFile[] {
  const main = redacted(file);
  const folders = main.lines.flatMap(line => /^\d+: include_dir (.*)$/.exec(line)?.[1] ?? []);
  const included = folders.flatMap(folder => includedNames(folder).map(name => path.join(folder, name)));
  return [main, ...included.map(redacted)];
}

function redacted(file: string): RedactedFile {
  const bytes = fs.readFileSync(file);
  const texts = [...confLines(bytes, new Oddities())].map(({ argument }) => argument.rest());
  const lines: string[] = [];
  const hidden: string[] = [];
  for (const [i, line] of [...confLines(bytes, new Oddities())].entries()) {
    const text = texts[i]!;
    const shown = shownPart(line, text);
    if (text !== (shown ?? '')) hidden.push(text, ...text.split(/\s+/));
    lines.push(`${line.number}: ${shown === null ? unknownOr(line) : `${line.name} ${shown}`}`);
  }
  return { file, lines, hidden };
}

function unknownOr({ name }: ConfLine): string {
  return findOption(name) === null ? '(a line that is no option)' : `${shownName(name)} (hidden)`;
}

/** Behind `plugin_opt_` anything may stand. */
function shownName(name: string): string {
  const row = findOption(name)?.name ?? '';
  return row.endsWith('*') ? row : name;
}

/** Null for what is not to be seen. */
function shownPart({ name, argument }: ConfLine, text: string): string | null {
  const row = findOption(name);
  if (row === null) return null;
  try {
    row.type.read(argument, name);
  } catch {
    return null;
  }
  const behind = argument.rest();
  const value = text.slice(0, text.length - behind.length).trimEnd();
  return named.has(name) || open.test(row.type.argument) || isPlain(value, row.type) ? value : null;
}

/** Numbers, and words that the option itself offers. */
function isPlain(value: string, { argument, good }: OptionRow['type']): boolean {
  const offered = [...argument.split(' | '), ...good.filter(() => argument.includes(' | '))];
  const isNumber = (word: string): boolean => numbers.test(argument) && /^[-+]?\d{1,12}[a-z]?$/.test(word);
  return value.split(/\s+/).every(word => isNumber(word) || offered.includes(word));
}
