/**
 * SCRAM (RFC 5802, 7677): what both sides of it compute, and its texts taken apart.
 *
 *   password ── PBKDF2 ──> SaltedPassword ──> ClientKey ── H ──> StoredKey    proves that who comes knows the password
 *                                        └──> ServerKey                        proves that who answers has the verifier
 *
 * Neither key gives the password back, and what goes over the wire fits one conversation alone.
 */
import { createHash, createHmac, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { isUtf8 } from 'node:buffer';

export type ScramHash = 'sha256' | 'sha512';

const pbkdf2Later = promisify(pbkdf2);
const DIGEST_BYTES = { sha256: 32, sha512: 64 } as const;

export const scramDigestBytes = (hash: ScramHash): number => DIGEST_BYTES[hash];

export const scramHmac = (hash: ScramHash, key: Buffer, text: string): Buffer =>
  createHmac(hash, key).update(text).digest();
export const scramH = (hash: ScramHash, bytes: Buffer): Buffer => createHash(hash).update(bytes).digest();

export interface ScramKeys {
  clientKey: Buffer;
  storedKey: Buffer;
  serverKey: Buffer;
}

export async function scramKeys(hash: ScramHash, password: Buffer, salt: Buffer, iterations: number): Promise<ScramKeys> {
  const salted = await pbkdf2Later(saslPrep(password), salt, iterations, DIGEST_BYTES[hash], hash);
  const clientKey = scramHmac(hash, salted, 'Client Key');
  return { clientKey, storedKey: scramH(hash, clientKey), serverKey: scramHmac(hash, salted, 'Server Key') };
} // prettier-ignore

export function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, i) => byte ^ b[i]!));
}

/**
 * `r=...,s=...,i=4096` to its attributes, in the order given; null when it is not of that form. Values may hold `=`.
 */
export function scramAttributes(text: string): [name: string, value: string][] | null {
  const pairs = text.split(',').map(part => /^([A-Za-z])=([^\0]*)$/.exec(part));
  return pairs.every(pair => pair !== null) ? pairs.map(pair => [pair[1]!, pair[2]!]) : null;
}

/** A name as it stands in a message: `,` and `=` are written `=2C` and `=3D`. */
export const scramName = (name: string): string => name.replaceAll('=', '=3D').replaceAll(',', '=2C');

/** Null for a `=` that starts neither. */
export function readScramName(text: string): string | null {
  if (/=(?!2C|3D)/.test(text)) return null;
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=');
}

const OTHER_SPACES = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g;
const MAPPED_TO_NOTHING = /[\u00ad\u034f\u1806\u180b-\u180d\u200c\u200d\u2060\ufe00-\ufe0f\ufeff]/g;

/**
 * SASLprep (RFC 4013) as far as it makes the same of what people type: other spaces become spaces, invisible characters
 * go, and the rest is brought into form KC. It refuses nothing: a password with characters that it forbids, or that is no
 * text, counts as its own bytes on every side of ours.
 */
export function saslPrep(password: Buffer): Buffer {
  if (!isUtf8(password)) return password;
  const text = password.toString().replace(OTHER_SPACES, ' ').replace(MAPPED_TO_NOTHING, '');
  return Buffer.from(text.normalize('NFKC'));
}
