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
import { findOption } from './options/table.ts';
import { includedNames } from './read.ts';

/** Arguments, by the name that the reference page has for them, whose values may be shown where they are valid. */
const harmless =
  /\||path|directory|file name|number|seconds|minutes|days|bytes|address|range|port|megabytes|micro|milli|a second|a minute|logins|lines|-\d|^list of|^OpenSSL list$|^strftime|^interface|^origin$|^host|^topic prefix$|^idle interval/;
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
  if (row === null || (!harmless.test(row.type.argument) && !named.has(name))) return null;
  try {
    row.type.read(argument, name);
  } catch {
    return null;
  }
  const behind = argument.rest();
  return text.slice(0, text.length - behind.length).trimEnd();
}
