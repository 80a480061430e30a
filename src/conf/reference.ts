/** Writes docs/reference/options.md from the table, so that the page cannot say anything else than the program does. */
import type { Fate, OptionRow, Reload, ScopeName } from './options/row.ts';
import { chapters, type Chapter } from './options/table.ts';
import { newAuthBackend } from './settings-backend.ts';
import { newBridge } from './settings-bridge.ts';
import { newListener, newLogSettings, newSecurityScope, newSettings } from './settings.ts';

const security = newSecurityScope();
const place = { file: '', line: 0 };
const standards: Readonly<Record<ScopeName, object>> = {
  global: newSettings(null),
  log: newLogSettings(),
  security,
  listener: newListener(1883, security),
  backend: newAuthBackend('postgresql', '', place),
  bridge: newBridge('', place),
  plugin: {},
};

const scopeText: Readonly<Record<ScopeName, string>> = {
  global: 'all',
  log: 'all',
  security: 'all; per listener with `per_listener_settings true`',
  listener: 'listener',
  backend: 'auth_backend',
  bridge: 'connection',
  plugin: 'plugin',
};

const reloadText: Readonly<Record<Reload, string>> = {
  live: 'yes',
  restart: 'at the next start',
  identity: 'no: a changed port refuses the whole reload',
  none: 'means nothing',
};

export function optionsReference(): string {
  return [
    '# Options of the configuration file',
    '',
    'This page is made from the option table in `src/conf/options/` by `scripts/reference.ts`; do not edit it.',
    '',
    'One option per line: its name, a space, its value. Lines that begin with `#` are comments. The file is UTF-8.',
    '**SIGHUP** says whether a changed value applies when the file is read again. **Here** says what becomes of the option:',
    'it *works*; it is accepted *without effect*, and a log line says why; or the file is refused with a line that says so,',
    'because the thing *cannot be*. No option is ignored in silence.',
    '',
    ...chapters.flatMap(chapterLines),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}

function chapterLines({ title, rows }: Chapter): string[] {
  return [`## ${title}`, '', ...rows.flatMap(rowLines)];
}

function rowLines(row: OptionRow): string[] {
  const facts: [string, string | undefined][] = [
    ['Default', standardText(row)],
    ['Belongs to', scopeText[row.scope]],
    ['SIGHUP', reloadText[row.reload]],
    ['Mosquitto', row.since === 'ours' ? 'does not have it' : sinceText(row)],
    ['Here', fateText(row)],
    ['Differs', row.differs === undefined ? undefined : escaped(row.differs)],
  ];
  return [
    `### \`${row.name}\` ${escaped(row.type.argument)}`,
    '',
    ...(row.aliases === undefined || row.aliases.length === 0 ? [] : [`Also written ${row.aliases.map(alias => `\`${alias}\``).join(', ')}.`, '']), // prettier-ignore
    escaped(row.says),
    '',
    ...facts.flatMap(([name, text]) => (text === undefined ? [] : [`- **${name}:** ${text}`])),
    '',
  ];
}

/** Option names and file names in code type; nothing else may look like markup. */
const escaped = (text: string): string =>
  text
    .replaceAll('<', '&lt;')
    .replaceAll('*', '\\*')
    .replace(/[a-z0-9]+(?:_[a-z0-9]+)+(?:\.[a-z]+)?/g, '`$&`');

function standardText(row: OptionRow): string {
  if (row.standard !== undefined) return escaped(row.standard);
  const [field = ''] = row.fields;
  const value: unknown = new Map<string, unknown>(Object.entries(standards[row.scope])).get(field);
  if (value === null || value === undefined) return 'none';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

const sinceText = (row: OptionRow): string =>
  `since ${escaped(row.since.replace('<=1.4', '1.4 or earlier'))}${row.deprecated === undefined ? '' : '; calls it deprecated'}`;

function describeFate(fate: Fate): string {
  if (fate.kind === 'works') return 'works';
  return `${fate.kind === 'refused' ? 'cannot be' : 'without effect'}: ${escaped(fate.why)}`;
}

function fateText(row: OptionRow): string {
  const { fate } = row;
  const text = describeFate(fate);
  return row.only === undefined ? text : `works; with ${escaped(row.only.when)} ${text}`;
}
