/** A command's page as a man page, in the man macros of roff. scripts/reference-man.ts writes them to docs/man. */
import type { CommandPage, OptionRow } from './command-page.ts';

/** `zancudo` alone is the broker; the rest are `zancudo-pub` and so on. */
export function manName({ command }: CommandPage): string {
  return command === 'broker' ? 'zancudo' : `zancudo-${command}`;
}

export function manPage(page: CommandPage, all: readonly CommandPage[]): string {
  const name = manName(page);
  const program = page.command === 'broker' ? 'zancudo' : `zancudo ${page.command}`;
  const sections = [
    `.\\" Generated from the tables of src/cli by scripts/reference-man.ts; changes made here are lost.\n`,
    `.TH ${quoted(name.toUpperCase())} 1 "" "Zancudo" "Zancudo manual"\n`,
    section('NAME', `${text(name)} \\- ${text(page.summary)}\n`),
    section('SYNOPSIS', page.usage.map(usage => `.B ${text(program)}\n${text(usage)}\n`).join('.br\n')),
    section('DESCRIPTION', [...page.about, ...toolText(page)].map(paragraph => `${text(paragraph)}\n`).join('.PP\n')),
    page.command === 'broker' ? section('COMMANDS', commandList(all)) : '',
    section(
      'OPTIONS',
      page.options.map(row => item(optionNames(row), `${row.says}${row.ours ? ' Not in Mosquitto.' : ''}`)).join(''),
    ),
    section('OPERANDS', (page.operands ?? []).map(row => item(bold(row.name), row.says)).join('')),
    ...(page.chapters ?? []).map(({ title, rows }) => {
      return section(title.toUpperCase(), rows.map(row => item(bold(row.usage), row.says)).join(''));
    }),
    section('EXIT STATUS', page.exitCodes.map(row => item(bold(row.code), row.when)).join('')),
    section('SEE ALSO', seeAlso(page, all)),
  ];
  return sections.join('');
}

function section(title: string, body: string): string {
  return body === '' ? '' : `.SH ${quoted(title)}\n${body}`;
}

function item(head: string, body: string): string {
  return `.TP\n${head}\n${text(body)}\n`;
}

function toolText({ tool }: CommandPage): string[] {
  return tool === undefined
    ? []
    : [`Takes the place of ${tool} where it is called by that name; see zancudo-aliases(1).`];
}

function commandList(all: readonly CommandPage[]): string {
  return all.map(page => item(bold(page.command), `${page.summary}. See ${manName(page)}(1).`)).join('');
}

function seeAlso(page: CommandPage, all: readonly CommandPage[]): string {
  const others = all.filter(each => each !== page).map(each => `.BR ${text(manName(each))} (1)`);
  return `${others.join(' ,\n')}\n`;
}

function optionNames({ short, long, argument }: OptionRow): string {
  const names = [short, long].filter(name => name !== undefined).map(name => `\\fB${text(name)}\\fR`);
  return `${names.join(', ')}${argument === undefined ? '' : ` \\fI${text(argument)}\\fR`}`;
}

function bold(words: string): string {
  return `\\fB${text(words)}\\fR`;
}

/** A backslash, and a dot or an apostrophe at the start of a line, are roff's own; a plain "-" becomes a hyphen. */
function text(words: string): string {
  return words
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/, '\\&')
    .replaceAll('~', '\\(ti')
    .replaceAll('^', '\\(ha');
}

function quoted(words: string): string {
  return `"${text(words).replaceAll('"', '\\(dq')}"`;
}
