/**
 * One stored password, and whether one that was given fits.
 *
 *   proved before? -> queue -> hash -> same?
 *
 * A password that was right once is remembered as a keyed digest (never as itself): ten thousand devices that come back
 * after a power cut cost 20 microseconds each then, not the 50 milliseconds of Argon2. A wrong password always costs
 * the full hash.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { AuthenticationAnswer } from './authenticator.ts';
import type { HashQueue } from './hash-queue.ts';
import { matches, type PasswordHash, unmatchable, untilNul } from './password-hash.ts';

export interface PasswordEntry {
  readonly encoded: string;
  readonly hash: PasswordHash;
  /** Digest of the password that last fitted, null until one did. */
  proof: Buffer | null;
}

/** Random for each start: a digest that leaks from this process fits nowhere else. */
const proofKey = randomBytes(32);

function proofOf(entry: PasswordEntry, password: Buffer): Buffer {
  return createHmac('sha256', proofKey).update(entry.encoded).update('\n').update(password).digest();
}

/** `whyNot` is what the log says of a password that does not fit. */
export function checkPassword(
  entry: PasswordEntry,
  given: Buffer,
  queue: HashQueue,
  whyNot: string,
): AuthenticationAnswer | Promise<AuthenticationAnswer> {
  const right = fits(entry, untilNul(given), queue);
  if (typeof right === 'boolean') return right ? 'allow' : { deny: whyNot };
  if (right === null) return { deny: 'busy: too many passwords are waiting to be checked', undecided: true };
  return right.then(
    late => (late ? 'allow' : { deny: whyNot }),
    (error: unknown) => ({ deny: `the password could not be checked: ${String(error)}` }),
  );
}

/** Null when too many are waiting. */
function fits(entry: PasswordEntry, password: Buffer, queue: HashQueue): boolean | Promise<boolean> | null {
  if (entry.hash.kind === 'sha512') return matches(entry.hash, password);
  const proof = proofOf(entry, password);
  if (isProvedBy(entry, proof)) return true;
  return queue.run(async () => {
    // Many devices may share one user: the first in the queue proves it for the rest.
    if (isProvedBy(entry, proof)) return true;
    const right = await matches(entry.hash, password);
    if (right) entry.proof = proof;
    return right;
  });
}

function isProvedBy(entry: PasswordEntry, proof: Buffer): boolean {
  return entry.proof !== null && timingSafeEqual(entry.proof, proof);
}

/** Costs as much as `hash`, and no password fits. */
export function standInFor(hash: PasswordHash): PasswordEntry {
  return { encoded: '', hash: unmatchable(hash), proof: null };
}
