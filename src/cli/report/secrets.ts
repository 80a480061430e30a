/**
 * What must not leave this machine, gathered from where it lies, so that a last look at everything that would leave can
 * find it: values hidden in the configuration, passwords and their hashes, pre-shared keys, private keys.
 */
import fs from 'node:fs';
import path from 'node:path';

/** A shorter text is found in every other word. */
const LENGTH_MIN = 6;
const FILE_BYTES_MAX = 1_000_000;
const FILES_MAX = 2000;

/** Lines and parts of lines of these files. Unreadable ones have nothing that could have been read into a report. */
export function secretsIn(files: readonly string[]): Set<string> {
  return new Set(files.flatMap(file => partsOf(textOf(file))).filter(part => part.length >= LENGTH_MIN));
}

function textOf(file: string): string {
  try {
    const { size } = fs.statSync(file);
    return size > FILE_BYTES_MAX ? '' : fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** `user:hash` has its hash, a PEM file its lines; what is public (a name, a BEGIN line) is no secret. */
function partsOf(text: string): string[] {
  const lines = text.split(/\r?\n/).filter(line => line !== '' && !line.startsWith('-----') && !line.startsWith('#'));
  return lines.flatMap(line => [line.trim(), line.slice(line.indexOf(':') + 1).trim()]);
}

/** Files below a home that hold something secret: everything that is for its owner alone and no certificate. */
export function privateFilesIn(home: string): string[] {
  const found: string[] = [];
  const look = (folder: string): void => {
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
      const each = path.join(folder, entry.name);
      if (found.length >= FILES_MAX) return;
      if (entry.isDirectory() && entry.name !== 'record') look(each);
      else if (entry.isFile() && !/\.(crt|pem|conf|jsonl|sqlite3|db)$/.test(entry.name)) found.push(each);
      else if (entry.isFile() && /key/.test(entry.name)) found.push(each);
    }
  };
  try {
    look(home);
  } catch {
    // What may not be read cannot have been read into a report either.
  }
  return found;
}

export function scrubbed(text: string, secrets: ReadonlySet<string>): string {
  let clean = text;
  for (const secret of secrets) {
    for (const form of [secret, JSON.stringify(secret).slice(1, -1)]) {
      if (clean.includes(form)) clean = clean.replaceAll(form, '(hidden)');
    }
  }
  return clean;
}
