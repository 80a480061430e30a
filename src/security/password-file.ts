/**
 * password_file: `name:hash` lines in, "is it really them" out.
 *
 *   user name -> entry, or a stand-in that nothing fits -> its password (password-entry.ts)
 *
 * An unknown name walks the same way as a known one, so neither the answer nor the time tells them apart.
 */
import type { AuthenticationRequest } from '../broker/ports.ts';
import type { AuthenticationAnswer, Authenticator } from './authenticator.ts';
import type { HashQueue } from './hash-queue.ts';
import { checkPassword, type PasswordEntry, standInFor } from './password-entry.ts';
import { decode, type PasswordHash, workOf } from './password-hash.ts';
import { type FileLine, type Loaded, readSecretFile, refuse, trimBlanks } from './secret-file.ts';

export type PasswordEntries = ReadonlyMap<string, PasswordEntry>;

/** MQTT's own limit on a string; nobody can log in with a longer name. */
const NAME_BYTES_MAX = 65_535;

export function loadPasswordFile(path: string): Loaded<PasswordEntries> {
  const file = readSecretFile(path);
  if (!file.ok) return refuse(13, `password-file: Error: Unable to open pwfile "${path}".`, ...file.because);
  const entries = new Map<string, PasswordEntry>();
  const warnings = [...file.warnings];
  for (const line of file.lines) {
    const problem = readLine(path, line, entries, warnings);
    if (problem !== null)
      return refuse(3, `password-file: Error: ${problem.says}`, `  Line ${line.number}: ${problem.because}.`);
  }
  return { ok: true, value: entries, warnings };
}

interface Problem {
  says: string;
  because: string;
}

/** One user for each line. A line that starts with `#` or has no `:` is nobody's. */
function readLine(
  path: string,
  line: FileLine,
  entries: Map<string, PasswordEntry>,
  warnings: string[],
): Problem | null {
  if (line.text.startsWith('#') || !line.text.includes(':')) return null;
  const [left = '', right = ''] = line.text.split(':', 2);
  const name = trimBlanks(left);
  const problem = nameProblem(path, name, entries);
  if (problem !== null) return problem;
  if (!line.utf8) {
    warnings.push(
      `Warning: Line ${line.number} of ${path} is not UTF-8. No MQTT user name can equal it, so it is left out.`,
    );
    return null;
  }
  const encoded = trimBlanks(right);
  const decoded = decode(encoded);
  if (!decoded.ok) {
    return { says: `Unable to decode line in password file '${path}'.`, because: `user "${name}": ${decoded.because}` };
  }
  entries.set(name, { encoded, hash: decoded.hash, proof: null });
  return null;
}

function nameProblem(path: string, name: string, entries: PasswordEntries): Problem | null {
  if (name === '')
    return { says: `Empty username in password file '${path}'.`, because: 'nothing stands before the ":"' };
  if (Buffer.byteLength(name) > NAME_BYTES_MAX) {
    return {
      says: `Invalid line in password file '${path}', username too long.`,
      because: `a user name has at most ${NAME_BYTES_MAX} bytes`,
    };
  }
  if (entries.has(name)) {
    return {
      says: `Duplicate user '${name}' in password file '${path}'.`,
      because: 'the name stands further up already; delete the line that is out of date',
    };
  }
  return null;
}

export class PasswordFile implements Authenticator {
  readonly entries: PasswordEntries;
  /** Stands in for users that do not exist, with the cost of the dearest that do. */
  private readonly nobody: PasswordEntry;
  private readonly queue: HashQueue;

  /** What `before` had proved stays proved for every line that has not changed. */
  constructor(entries: PasswordEntries, queue: HashQueue, before?: PasswordEntries) {
    this.entries = entries;
    this.queue = queue;
    for (const [name, entry] of entries) {
      const old = before?.get(name);
      if (old?.encoded === entry.encoded) entry.proof = old.proof;
    }
    this.nobody = standIn(entries);
  }

  authenticate(request: AuthenticationRequest): AuthenticationAnswer | Promise<AuthenticationAnswer> {
    if (request.username === null) return 'ignore';
    const known = this.entries.get(request.username);
    const whyNot = known === undefined ? 'no such user' : 'wrong password';
    if (request.password === null) return { deny: known === undefined ? whyNot : 'password missing' };
    return checkPassword(known ?? this.nobody, request.password, this.queue, whyNot);
  }
}

function standIn(entries: PasswordEntries): PasswordEntry {
  let dearest: PasswordHash = { kind: 'sha512', salt: Buffer.alloc(12), digest: Buffer.alloc(64) };
  for (const { hash } of entries.values()) if (workOf(hash) > workOf(dearest)) dearest = hash;
  return standInFor(dearest);
}
