/**
 * One-time secrets that a person hands to a device: 28 letters and digits, 140 random bits, in groups to be typed.
 *
 *   newToken()   k7w2abc-9mfe3xq-p4t8hnd-2zrvu6s      shown once, kept nowhere
 *   tokenHash()  SHA-256 of the letters alone         what is kept
 *
 * A plain hash is enough: unlike a password a token cannot be guessed from a list.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** 32 of them, five bits each; without l and o, 0 and 1: it will be copied from a screen. */
const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789';
const groups = 4;
const groupLength = 7;

export function newToken(): string {
  const letters = [...randomBytes(groups * groupLength)].map(byte => alphabet[byte % alphabet.length]).join('');
  return Array.from({ length: groups }, (_, i) => letters.slice(i * groupLength, (i + 1) * groupLength)).join('-');
}

/** The letters alone; null when it cannot be a token of ours. Case, blanks and hyphens are how it was typed. */
export function tokenLetters(text: string): string | null {
  // Nothing honest is longer, with every hyphen and a line end.
  if (text.length > 64) return null;
  const letters = text.toLowerCase().replace(/[\s-]/g, '');
  const good = letters.length === groups * groupLength && [...letters].every(each => alphabet.includes(each));
  return good ? letters : null;
}

/** Whether a text has the shape of a token; it need not be one. */
export function isTokenText(text: string): boolean {
  return tokenLetters(text) !== null;
}

/** Hexadecimal; null when it cannot be a token of ours. */
export function tokenHash(text: string): string | null {
  const letters = tokenLetters(text);
  return letters === null ? null : createHash('sha256').update(letters).digest('hex');
}

/** Takes as long whether they differ in the first character or in the last. */
export function sameHash(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a, 'hex'), Buffer.from(b, 'hex')];
  return one.length === other.length && timingSafeEqual(one, other);
}
