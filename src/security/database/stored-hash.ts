/**
 * A password as it stands in a row: what a password file knows, and what the tables of others have.
 *
 *   $2a$ $2b$ $2y$<cost>$..                              bcrypt
 *   PBKDF2$sha512$<iterations>$<salt>$<hash>             mosquitto-go-auth, mosquitto-auth-plug
 *   $pbkdf2-sha512$i=<iterations>,l=<bytes>$<salt>$..    mosquitto-go-auth, from ChirpStack
 *   $scrypt$ln=<log2 N>,r=<r>,p=<p>$<salt>$<hash>        PHC string
 *   $argon2id$..  $7$..  $6$..                           password-hash.ts
 */
import { pbkdf2, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { decode, matches, PBKDF2_ITERATIONS_MAX, workOf } from '../password-hash.ts';
import type { SaltEncoding } from './settings.ts';

export interface StoredHash {
  /** For comparing costs only, in microseconds or so. */
  work: number;
  fits(password: Buffer): Promise<boolean> | boolean;
}

export type DecodedHash = { ok: true; hash: StoredHash } | { ok: false; because: string };

/** Compares on another thread: bcrypt is JavaScript and takes 60 ms and more. */
export type BcryptCheck = (password: Buffer, encoded: string) => Promise<boolean>;

/** 2^15 rounds take some 3 s of a core. */
const BCRYPT_COST_MAX = 15;
/** 128 * N * r bytes: 256 MiB, as for Argon2. */
const SCRYPT_BYTES_MAX = 268_435_456;
/** Below 16 bytes a hash is guessed, not checked. */
const DIGEST_BYTES_MIN = 16;

export function decodeStored(encoded: string, salts: SaltEncoding, bcrypt: BcryptCheck): DecodedHash {
  if (/^\$2[aby]\$/.test(encoded)) return decodeBcrypt(encoded, bcrypt);
  if (encoded.startsWith('PBKDF2$')) return decodeNamedPbkdf2(encoded, salts);
  if (encoded.startsWith('$pbkdf2-sha')) return decodePhcPbkdf2(encoded, salts);
  if (encoded.startsWith('$scrypt$')) return decodeScrypt(encoded);
  // Go writes Argon2 without padding, PHP and others with.
  const decoded = decode(encoded.startsWith('$argon2id$') ? encoded.replaceAll('=$', '$').replace(/=+$/, '') : encoded);
  if (!decoded.ok) return decoded;
  const { hash } = decoded;
  return { ok: true, hash: { work: workOf(hash), fits: password => matches(hash, password) } };
}

function bad(because: string): DecodedHash {
  return { ok: false, because };
}

function decodeBcrypt(encoded: string, bcrypt: BcryptCheck): DecodedHash {
  const [, cost] = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(encoded) ?? [];
  if (cost === undefined) return bad('the bcrypt hash is cut off or damaged');
  const rounds = Number(cost);
  if (rounds < 4 || rounds > BCRYPT_COST_MAX)
    return bad(`bcrypt with cost ${rounds} is not accepted; 4 to ${BCRYPT_COST_MAX} are`);
  return { ok: true, hash: { work: 60 * 2 ** rounds, fits: password => bcrypt(password, encoded) } };
}

function decodeNamedPbkdf2(encoded: string, salts: SaltEncoding): DecodedHash {
  const [, algorithm = '', rounds = '', salt = '', digest = '', ...rest] = encoded.split('$');
  if (rest.length > 0) return bad('the PBKDF2 hash has too many parts');
  return pbkdf2Of(algorithm, rounds, saltOf(salt, salts), fromBase64(digest));
}

function decodePhcPbkdf2(encoded: string, salts: SaltEncoding): DecodedHash {
  const [, name = '', parameters = '', salt = '', digest = '', ...rest] = encoded.split('$');
  const [, rounds = ''] = /^i=(\d+)(?:,l=\d+)?$/.exec(parameters) ?? [];
  if (rest.length > 0) return bad('the PBKDF2 hash has too many parts');
  return pbkdf2Of(name.replace('pbkdf2-', ''), rounds, saltOf(salt, salts), fromBase64(digest));
}

const pbkdf2Later = promisify(pbkdf2);

function pbkdf2Of(algorithm: string, rounds: string, salt: Buffer | null, digest: Buffer | null): DecodedHash {
  if (algorithm !== 'sha256' && algorithm !== 'sha512')
    return bad(`PBKDF2 with '${algorithm}' is unknown; sha256 and sha512 are read`);
  const iterations = /^\d{1,10}$/.test(rounds) ? Number(rounds) : 0;
  if (iterations < 1 || iterations > PBKDF2_ITERATIONS_MAX) {
    return bad(`PBKDF2 with ${rounds} iterations is not accepted; 1 to ${PBKDF2_ITERATIONS_MAX} are`);
  }
  if (salt === null || digest === null || salt.length === 0) return bad('the salt or the hash is cut off or damaged');
  if (digest.length < DIGEST_BYTES_MIN) return bad('the hash is too short');
  const fits = async (password: Buffer): Promise<boolean> =>
    timingSafeEqual(await pbkdf2Later(password, salt, iterations, digest.length, algorithm), digest);
  return { ok: true, hash: { work: iterations * Math.ceil(digest.length / (algorithm === 'sha256' ? 32 : 64)), fits } };
}

function decodeScrypt(encoded: string): DecodedHash {
  const [, , parameters = '', salt64 = '', digest64 = '', ...rest] = encoded.split('$');
  const found = /^ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,2})$/.exec(parameters);
  if (found === null || rest.length > 0) return bad('the scrypt parameters are not of the form ln=..,r=..,p=..');
  const [ln, r, p] = found.slice(1).map(Number) as [number, number, number];
  const bytes = 128 * 2 ** ln * r;
  if (ln < 1 || r < 1 || p < 1 || bytes * p > SCRYPT_BYTES_MAX)
    return bad(`scrypt with ${parameters} would exhaust the machine`);
  const [salt, digest] = [fromBase64(salt64), fromBase64(digest64)];
  if (salt === null || digest === null) return bad('the salt or the hash is cut off or damaged');
  if (digest.length < DIGEST_BYTES_MIN) return bad('the hash is too short');
  const options = { N: 2 ** ln, r, p, maxmem: bytes + 1_048_576 * p };
  const fits = (password: Buffer): Promise<boolean> =>
    new Promise((resolve, reject) => {
      scrypt(password, salt, digest.length, options, (error, derived) =>
        error === null ? resolve(timingSafeEqual(derived, digest)) : reject(error),
      );
    });
  return { ok: true, hash: { work: (bytes * p) / 400, fits } };
}

function saltOf(text: string, salts: SaltEncoding): Buffer | null {
  return salts === 'utf-8' ? Buffer.from(text) : fromBase64(text);
}

/** Standard alphabet, with its padding or without. */
function fromBase64(text: string): Buffer | null {
  const bare = text.replace(/={1,2}$/, '');
  return bare.length % 4 !== 1 && /^[A-Za-z0-9+/]+$/.test(bare) ? Buffer.from(bare, 'base64') : null;
}
