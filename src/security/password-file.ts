/**
 * password_file: `name:hash` lines in, "is it really them" out.
 *
 *   user name -> entry, or a stand-in that nothing fits -> proved before? -> queue -> hash -> same?
 *
 * An unknown name walks the same way as a known one, so neither the answer nor the time tells them apart. A password
 * that was right once is remembered as a keyed digest (never as itself): ten thousand devices that come back after a
 * power cut cost 20 microseconds each then, not the 50 milliseconds of Argon2. A wrong password always costs the full hash.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { AuthenticationRequest } from '../broker/ports.ts';
import type { AuthenticationAnswer, Authenticator } from './authenticator.ts';
import type { HashQueue } from './hash-queue.ts';
import { decode, matches, type PasswordHash, unmatchable, untilNul, workOf } from './password-hash.ts';
import { type FileLine, type Loaded, readSecretFile, refuse, trimBlanks } from './secret-file.ts';

export interface PasswordEntry {
  readonly encoded: string;
  readonly hash: PasswordHash;
  /** Digest of the password that last fitted, null until one did. */
  proof: Buffer | null;
}

export type PasswordEntries = ReadonlyMap<string, PasswordEntry>;

/** MQTT's own limit on a string; nobody can log in with a longer name. */
const NAME_BYTES_MAX = 65_535;

/** Random for each start: a digest that leaks from this process fits nowhere else. */
const proofKey = randomBytes(32);

function proofOf(entry: PasswordEntry, password: Buffer): Buffer {
  return createHmac('sha256', proofKey).update(entry.encoded).update('\n').update(password).digest();
}

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
    const right = this.check(known ?? this.nobody, untilNul(request.password));
    if (typeof right === 'boolean') return right ? 'allow' : { deny: whyNot };
    if (right === null) return { deny: 'busy: too many passwords are waiting to be checked', undecided: true };
    return right.then(
      fits => (fits ? 'allow' : { deny: whyNot }),
      (error: unknown) => ({ deny: `the password could not be checked: ${String(error)}` }),
    );
  }

  /** Null when too many are waiting. */
  private check(entry: PasswordEntry, password: Buffer): boolean | Promise<boolean> | null {
    if (entry.hash.kind === 'sha512') return matches(entry.hash, password);
    const proof = proofOf(entry, password);
    if (isProvedBy(entry, proof)) return true;
    return this.queue.run(async () => {
      // Many devices may share one user: the first in the queue proves it for the rest.
      if (isProvedBy(entry, proof)) return true;
      const fits = await matches(entry.hash, password);
      if (fits) entry.proof = proof;
      return fits;
    });
  }
}

function isProvedBy(entry: PasswordEntry, proof: Buffer): boolean {
  return entry.proof !== null && timingSafeEqual(entry.proof, proof);
}

function standIn(entries: PasswordEntries): PasswordEntry {
  let dearest: PasswordHash = { kind: 'sha512', salt: Buffer.alloc(12), digest: Buffer.alloc(64) };
  for (const { hash } of entries.values()) if (workOf(hash) > workOf(dearest)) dearest = hash;
  return { encoded: '', hash: unmatchable(dearest), proof: null };
}
