/** `zancudo report`: shows what would be in the bundle, and writes it if that is wanted. */
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Call } from '../ca/subcommand.ts';
import { plainTable } from '../ca/table.ts';
import { zip } from '../kit/zip.ts';
import { shown } from '../operate/words.ts';
import { systemWords } from '../system-words.ts';
import { collect, type Part } from './collect.ts';

const NAMES_STAY =
  'Passwords, keys and texts of the configuration are not in it. Names of clients and users, topics and addresses are: read it before you give it away.';

export async function makeReport(call: Call): Promise<number> {
  const parts = await collect(call);
  if (call.has('--show')) {
    for (const { name, content } of parts) call.say(`===== ${name}`, ...content.split('\n').map(shown));
    return 0;
  }
  const now = new Date(call.context.wall());
  const file = call.value('--output') ?? `zancudo-report-${now.toISOString().slice(0, 19).replace(/[T:]/g, '-')}.zip`;
  call.say(...contents(parts), '', NAMES_STAY);
  if (!(await isWanted(call, file))) return 1;
  return write(call, file, [readme(parts), ...parts], now);
}

function contents(parts: readonly Part[]): string[] {
  return plainTable(parts.map(({ name, says, content }) => [`  ${name}`, `${Buffer.byteLength(content)} bytes`, says]));
}

function readme(parts: readonly Part[]): Part {
  const content = [...contents(parts), '', NAMES_STAY, ''].join('\n');
  return { name: 'README.txt', says: 'this list', content };
}

async function isWanted(call: Call, file: string): Promise<boolean> {
  if (call.has('--yes')) return true;
  if (!process.stdin.isTTY) {
    call.warn('', 'Nothing was written: --yes writes it, --show prints all of it.');
    return false;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`\nWrite it to ${file}? [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

function write(call: Call, file: string, parts: readonly Part[], now: Date): number {
  const folder = path.basename(file, '.zip');
  const files = parts.map(({ name, content }) => ({ name: `${folder}/${name}`, content }));
  try {
    fs.writeFileSync(file, zip(files, now), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST';
    call.warn(`Error: ${file}: ${isThere ? 'it is there already; -o names another file' : systemWords(error)}.`);
    return 1;
  }
  call.say(`Written: ${file}, for you alone to read (0600).`);
  return 0;
}
