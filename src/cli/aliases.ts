/** The command `aliases`: links under the names of Mosquitto's programs, each of which behaves as that tool. */
import { lstatSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CommandPage } from './command-page.ts';
import type { Context } from './context.ts';
import { helpText } from './help-text.ts';
import { systemWords } from './system-words.ts';

const names = [
  'mosquitto',
  'mosquitto_pub',
  'mosquitto_sub',
  'mosquitto_rr',
  'mosquitto_passwd',
  'mosquitto_ctrl',
  'mosquitto_signal',
];

export const aliasesPage: CommandPage = {
  command: 'aliases',
  summary: "makes links under the names of Mosquitto's programs",
  usage: ['DIR'],
  about: [`In DIR, a folder of your PATH, it makes ${names.join(', ')}. What is there already is left alone.`],
  options: [{ long: '--help', says: 'Show this text.' }],
  operands: [{ name: 'DIR', completes: 'folder', says: 'Where the links are made.' }],
  exitCodes: [
    { code: '0', when: 'All links are there.' },
    { code: '1', when: 'Some are not: the lines on standard error say why.' },
  ],
};

/** Three folders up from here both in src/ and in dist/. */
const program = fileURLToPath(new URL('../../bin/zancudo', import.meta.url));

export async function run(args: readonly string[], context: Context): Promise<number> {
  const [folder, more] = args;
  if (folder === '--help') {
    context.print(helpText(aliasesPage, 'zancudo aliases'));
    return 0;
  }
  if (folder === undefined || more !== undefined || folder.startsWith('-')) {
    context.complain('Error: Name one folder for the links, such as: zancudo aliases ~/.local/bin\n');
    return 1;
  }
  const failures = names.map(name => makeLink(join(folder, name), context)).filter(done => !done);
  return failures.length === 0 ? 0 : 1;
}

function makeLink(path: string, context: Context): boolean {
  try {
    symlinkSync(program, path);
    context.print(`${path}\n`);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && isOurs(path)) return true;
    const why = code === 'EEXIST' ? 'something of that name is there, and stays' : systemWords(error);
    context.complain(`Error: Unable to make ${path}: ${why}.\n`);
    return false;
  }
}

function isOurs(path: string): boolean {
  return lstatSync(path).isSymbolicLink() && readlinkSync(path) === program;
}
