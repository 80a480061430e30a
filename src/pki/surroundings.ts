/**
 * What lies beside a certificate and tells how it was made: extension files with their mistakes, and keys that should
 * be somewhere else. Looks at small text files of the same folder only.
 */
import { createPrivateKey, type X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/** Folders of certificates hold a handful of files; in anything larger only the first are looked at. */
const filesMax = 64;
const fileBytesMax = 65_536;

export interface ExtensionFile {
  file: string;
  /** Values of subjectAltName lines in one section, in the order written; more than one means names were lost. */
  altNameLines: string[];
  /** First line with a non-breaking space, null when there is none. */
  nonBreakingSpaceLine: number | null;
}

/** Files beside the certificate that hold something worth saying about alternative names. */
export function extensionFilesBeside(certFile: string): ExtensionFile[] {
  const found = smallFiles(path.dirname(certFile), ['.txt', '.cnf', '.conf', '.ext'])
    .filter(({ text }) => /subjectAltName/.test(text))
    .map(({ file, text }) => readExtensionFile(file, text));
  return found.filter(each => each.altNameLines.length > 1 || each.nonBreakingSpaceLine !== null);
}

function readExtensionFile(file: string, text: string): ExtensionFile {
  const lines = text.split(/\r?\n/);
  const spaced = lines.findIndex(line => line.includes('\u00a0'));
  let section: string[] = [];
  let largest = section;
  for (const line of lines) {
    if (/^\s*\[/.test(line)) section = [];
    const value = /^\s*subjectAltName\s*=\s*(.*?)\s*$/.exec(line)?.[1];
    if (value !== undefined) section.push(value);
    if (section.length > largest.length) largest = section;
  }
  return { file, altNameLines: largest, nonBreakingSpaceLine: spaced < 0 ? null : spaced + 1 };
}

/** Files beside any of `files` that hold the private key of one of the CAs. */
export function caKeysBeside(files: readonly string[], cas: readonly X509Certificate[]): string[] {
  const folders = [...new Set(files.map(file => path.dirname(file)))];
  return folders
    .flatMap(folder => smallFiles(folder, ['.key', '.pem']))
    .filter(({ text }) => text.includes('PRIVATE KEY') && belongsToOne(text, cas))
    .map(({ file }) => file);
}

function belongsToOne(text: string, cas: readonly X509Certificate[]): boolean {
  try {
    const key = createPrivateKey(text);
    return cas.some(ca => ca.checkPrivateKey(key));
  } catch {
    return false;
  }
}

/** CA keys that we cannot open because of their mode or passphrase, recognised by the CA file's own name. */
export function namesakeKey(caFile: string): string | null {
  const { dir, name, ext } = path.parse(caFile);
  const candidate = path.join(dir, `${name}.key`);
  return ext !== '.key' && fs.existsSync(candidate) ? candidate : null;
}

function smallFiles(folder: string, endings: readonly string[]): { file: string; text: string }[] {
  return listed(folder)
    .filter(name => endings.includes(path.extname(name)))
    .slice(0, filesMax)
    .flatMap(name => {
      const file = path.join(folder, name);
      const text = smallText(file);
      return text === null ? [] : [{ file, text }];
    });
}

function listed(folder: string): string[] {
  try {
    return fs.readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** Null for whatever cannot be read, is too large, or is no plain file (a pipe would hold us for ever). */
function smallText(file: string): string | null {
  try {
    const { size } = fs.statSync(file);
    return fs.statSync(file).isFile() && size <= fileBytesMax ? fs.readFileSync(file, 'utf8') : null;
  } catch {
    return null;
  }
}
