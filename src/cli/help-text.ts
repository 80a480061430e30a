/** The text of `--help`, from a command's page. */
import type { CommandPage, OptionRow } from './command-page.ts';

const columnMax = 30;
const textWidth = 118;

export function helpText(page: CommandPage, programName: string): string {
  const usage = page.usage.map(
    (line, at) => `${at === 0 ? 'Usage: ' : '       '}${`${programName} ${line}`.trimEnd()}\n`,
  );
  const sections = [
    `${programName}: ${page.summary}.\n`,
    usage.join(''),
    ...page.about.map(paragraph => lines(paragraph, textWidth)),
    table(page.options.map(row => [optionNames(row), row.says])),
    ...(page.operands === undefined ? [] : [table(page.operands.map(row => [` ${row.name}`, row.says]))]),
    ...(page.chapters === undefined ? [] : [chapterText(page)]),
    `Exit codes:\n${table(page.exitCodes.map(row => [`  ${row.code}`, row.when]))}`,
  ];
  return sections.filter(section => section !== '').join('\n');
}

/** The commands inside a command. */
export function chapterText({ chapters = [] }: CommandPage): string {
  return chapters
    .map(({ title, rows }) => `${title}:\n${table(rows.map(row => [`  ${row.usage}`, row.says]))}`)
    .join('\n');
}

function optionNames({ short, long, argument }: OptionRow): string {
  const names = [short ?? '   ', long].filter(name => name !== undefined).join(short === undefined ? ' ' : ', ');
  return ` ${argument === undefined ? names : `${names} ${argument}`}`;
}

function table(rows: readonly (readonly [left: string, right: string])[]): string {
  const fitting = rows.map(([left]) => left.length + 2).filter(width => width <= columnMax);
  const column = Math.max(12, ...fitting);
  return rows.map(([left, right]) => row(left, right, column)).join('');
}

/** A left side that is too wide has a line for itself. */
function row(left: string, right: string, column: number): string {
  const text = wrap(right, textWidth - column).map(line => `${' '.repeat(column)}${line}\n`);
  if (left.length + 2 > column) return `${left}\n${text.join('')}`;
  return `${left.padEnd(column)}${text.join('').trimStart()}`;
}

function lines(paragraph: string, width: number): string {
  return wrap(paragraph, width)
    .map(line => `${line}\n`)
    .join('');
}

export function wrap(text: string, width: number): string[] {
  const wrapped = [''];
  for (const word of text.split(' ')) {
    const last = wrapped.length - 1;
    const longer = wrapped[last] === '' ? word : `${wrapped[last]} ${word}`;
    if (longer.length > width) wrapped.push(word);
    else wrapped[last] = longer;
  }
  return wrapped;
}
