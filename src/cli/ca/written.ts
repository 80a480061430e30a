/** Files for the user: keys for his eyes alone, nothing that is there overwritten by accident. */
import fs from 'node:fs';
import path from 'node:path';
import { PkiError } from '../../pki/mod.ts';

export interface NewFile {
  name: string;
  content: string | Buffer;
}

/** Writes all of them or, where one is there already, none. */
export function writeNewFiles(folder: string, files: readonly NewFile[], replace: readonly string[] = []): string[] {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const there = files.find(({ name }) => !replace.includes(name) && fs.existsSync(path.join(folder, name)));
  if (there) throw alreadyThere(path.join(folder, there.name));
  return files.map(({ name, content }) => {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    fs.writeFileSync(`${file}.tmp-${process.pid}`, content, { mode: 0o600 });
    fs.renameSync(`${file}.tmp-${process.pid}`, file);
    return file;
  });
}

export function alreadyThere(file: string): PkiError {
  return new PkiError({
    code: 'cli.file-there',
    where: file,
    saw: 'there is such a file already',
    why: 'It may hold the only copy of a key.',
    remedy: ['Move it away, or choose another place with --out or --to.'],
  });
}
