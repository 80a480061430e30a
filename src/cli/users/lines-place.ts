/** Users as JSON lines, in a file for its owner alone or on standard input and output. */
import fs from 'node:fs';
import type { UserSet } from '../../security/users/mod.ts';
import { type Call, UsageError } from '../ca/subcommand.ts';
import { createFile } from '../replace-file.ts';
import type { Place } from './places.ts';

export async function linesPlace(file: string): Promise<Place> {
  const { readLines } = await import('../../security/users/mod.ts');
  return {
    text: file === '-' ? 'standard input' : file,
    read: () => Promise.resolve(readLines(linesIn(file), file === '-' ? 'standard input' : file)),
    plan: () => Promise.reject(new UsageError(`to write JSON lines: zancudo users export FROM ${file}`)),
    close: async () => {},
  };

  function linesIn(from: string): string[] {
    if (from !== '-' && !fs.existsSync(from)) {
      throw new UsageError(`there is no file ${from}. A place is files:.., dynsec:.., backend:NAME, a file of JSON lines, or -`);
    }
    return fs.readFileSync(from === '-' ? 0 : from, 'utf8').split('\n');
  }
} // prettier-ignore

/** Returns false where a file is already that may not be replaced. */
export async function writeLines(call: Call, set: UserSet, file: string, mayReplace: boolean): Promise<boolean> {
  const { linesOf } = await import('../../security/users/mod.ts');
  const text = [...linesOf(set)].map(line => `${line}\n`).join('');
  if (file === '-') {
    call.context.print(text);
    return true;
  }
  if (fs.existsSync(file)) {
    if (!mayReplace) return false;
    // A file of others' mode would show the hashes.
    const unfinished = `${file}.tmp-${process.pid}`;
    createFile(unfinished, Buffer.from(text).toString('latin1'));
    fs.renameSync(unfinished, file);
    return true;
  }
  createFile(file, Buffer.from(text).toString('latin1'));
  return true;
}
