/**
 * Changes the text of a password file, one user at a time, and leaves every other line (comments included) as it is.
 * Making the hash is password-hash's work, replacing the file safely is the caller's.
 */
import { decode } from './password-hash.ts';
import { trimBlanks } from './secret-file.ts';

/** Why a name cannot stand in a password file, or null when it can. */
export function userNameProblem(name: string): string | null {
  if (name === '') return 'the user name is empty';
  if (name.startsWith('#')) return 'a line that starts with "#" is a comment, so a user name cannot';
  if (name.includes(':')) return 'a ":" ends the user name in a password file, so it cannot be part of it';
  if (/[\u0000-\u001f\u007f]/.test(name)) return 'the user name contains a control character';
  if (trimBlanks(name) !== name) return 'blanks around a user name are lost in a password file';
  if (Buffer.byteLength(name) > 65_535) return 'a user name has at most 65535 bytes';
  return null;
}

/** Gives a user a new hash: in the place of the old line, or at the end. */
export function setUser(text: string, name: string, encodedHash: string): string {
  const problem = userNameProblem(name);
  if (problem !== null) throw new Error(problem);
  const lines = linesOf(text);
  const at = lines.findIndex(line => userOf(line) === name);
  lines.splice(at === -1 ? lines.length : at, at === -1 ? 0 : 1, `${name}:${encodedHash}`);
  return lines.join('\n') + '\n';
}

/** Null when there is no such user. */
export function removeUser(text: string, name: string): string | null {
  const lines = linesOf(text);
  const rest = lines.filter(line => userOf(line) !== name);
  if (rest.length === lines.length) return null;
  return rest.map(line => line + '\n').join('');
}

export interface PlainLine {
  /** Counted from 1. */
  number: number;
  line: string;
  name: string;
  /** All that stands behind the first ":", without the blanks around it. */
  password: string;
}

export interface Upgrade {
  plain: PlainLine[];
  /** Numbers of the lines that are hashed already. */
  hashed: number[];
  /** Numbers of the lines that are neither a comment, nor blank, nor `name:something`. */
  unknown: number[];
  /** Numbers of the lines where the name or the password is missing: nothing to hash. */
  corrupt: number[];
}

/** What a file of `name:password` lines would need to become a password file. */
export function planUpgrade(text: string): Upgrade {
  const upgrade: Upgrade = { plain: [], hashed: [], unknown: [], corrupt: [] };
  for (const [at, line] of linesOf(text).entries()) {
    if (line.startsWith('#') || trimBlanks(line) === '') continue;
    const name = userOf(line);
    const password = trimBlanks(line.slice(line.indexOf(':') + 1));
    if (name === null) upgrade.unknown.push(at + 1);
    else if (name === '' || password === '') upgrade.corrupt.push(at + 1);
    else if (decode(password).ok) upgrade.hashed.push(at + 1);
    else upgrade.plain.push({ number: at + 1, line, name, password });
  }
  return upgrade;
}

/** Puts the hashes, by line, in the place of the passwords. */
export function applyUpgrade(text: string, hashes: ReadonlyMap<string, string>): string {
  return linesOf(text)
    .map(line => (hashes.has(line) ? `${userOf(line)}:${hashes.get(line)}\n` : `${line}\n`))
    .join('');
}

function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function userOf(line: string): string | null {
  if (line.startsWith('#') || !line.includes(':')) return null;
  return trimBlanks(line.slice(0, line.indexOf(':')));
}
