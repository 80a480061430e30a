/**
 * One-way forms of a password, as they stand in a password file:
 *
 *   $6$<salt>$<hash>                                  SHA-512(password + salt), one round (Mosquitto up to 1.6)
 *   $7$<iterations>$<salt>$<hash>                     PBKDF2-HMAC-SHA512 (Mosquitto 2)
 *   $argon2id$v=19$m=<KiB>,t=<passes>,p=<lanes>$..    Argon2id, the standard PHC string
 *   $scram-sha-256$<iterations>$<salt>$<stored key>$<server key>   verifier for SCRAM, and for plain logins; sha-512 too
 *
 * decode() reads them and names what is wrong, matches() compares in constant time, hashPassword() writes them.
 * The slow two run on libuv's threads, never on the event loop.
 */
import { argon2, createHash, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { scramDigestBytes, type ScramHash, scramKeys } from '../base/mod.ts';

export type HashKind = 'sha512' | 'sha512-pbkdf2' | 'argon2id' | 'scram-sha-256' | 'scram-sha-512';

export type PasswordHash =
  | { kind: 'sha512'; salt: Buffer; digest: Buffer }
  | { kind: 'sha512-pbkdf2'; iterations: number; salt: Buffer; digest: Buffer }
  | { kind: 'scram-sha-256' | 'scram-sha-512'; iterations: number; salt: Buffer; digest: Buffer; serverKey: Buffer }
  | { kind: 'argon2id'; memoryKib: number; passes: number; lanes: number; salt: Buffer; digest: Buffer };

/** Those with one digest. */
type PlainHash = Exclude<PasswordHash, { serverKey: Buffer }>;

/** A login must not cost more than about a second of one core, whoever wrote the file. */
export const PBKDF2_ITERATIONS_MAX = 2_000_000;
/** 256 MiB; two checks run at once. */
export const ARGON2_MEMORY_KIB_MAX = 262_144;
/** Memory times passes: 1 GiB is written at most. */
export const ARGON2_WORK_KIB_MAX = 1_048_576;
export const ARGON2_LANES_MAX = 64;

const DIGEST_BYTES = 64;
/** 12 is what Mosquitto up to 2.0 writes and the only length it reads; 2.1 writes 64. */
const SALT_BYTES = [12, 64];

type Decoded = { ok: true; hash: PasswordHash } | { ok: false; because: string };

export function decode(encoded: string): Decoded {
  const parts = encoded.split('$').slice(1);
  if (encoded.startsWith('$6$')) return decodeSha512(parts);
  if (encoded.startsWith('$7$')) return decodePbkdf2(parts);
  if (encoded.startsWith('$argon2id$')) return decodeArgon2id(parts);
  if (encoded.startsWith('$scram-sha-')) return decodeScram(parts);
  return bad(whatElseItMayBe(encoded));
}

function bad(because: string): { ok: false; because: string } {
  return { ok: false, because };
}

function whatElseItMayBe(encoded: string): string {
  if (encoded === '') return 'the password is empty';
  if (!encoded.startsWith('$')) return 'this looks like a password in plain text; hash it first';
  return 'this kind of hash is unknown; $6$, $7$, $argon2id$ and $scram-sha-256$ are read';
}

function decodeSha512([, salt64, digest64, ...rest]: string[]): Decoded {
  const salted = saltAndDigest(salt64, digest64, rest);
  return 'because' in salted ? bad(salted.because) : { ok: true, hash: { kind: 'sha512', ...salted } };
}

function decodePbkdf2([, rounds, salt64, digest64, ...rest]: string[]): Decoded {
  const iterations = /^[0-9]{1,10}$/.test(rounds ?? '') ? Number(rounds) : 0;
  if (iterations < 1) return bad('the number of iterations is missing');
  if (iterations > PBKDF2_ITERATIONS_MAX) {
    return bad(`${iterations} iterations would block every login; at most ${PBKDF2_ITERATIONS_MAX} are accepted`);
  }
  const salted = saltAndDigest(salt64, digest64, rest);
  return 'because' in salted
    ? bad(salted.because)
    : { ok: true, hash: { kind: 'sha512-pbkdf2', iterations, ...salted } };
}

function saltAndDigest(
  salt64 = '',
  digest64 = '',
  rest: string[],
): { salt: Buffer; digest: Buffer } | { because: string } {
  const salt = base64(salt64);
  const digest = base64(digest64);
  if (salt === null || digest === null || rest.length > 0)
    return { because: 'the salt or the hash is cut off or damaged' };
  if (!SALT_BYTES.includes(salt.length)) return { because: `the salt is ${salt.length} bytes long, not 12 or 64` };
  if (digest.length !== DIGEST_BYTES)
    return { because: `the hash is ${digest.length} bytes long, not ${DIGEST_BYTES}` };
  return { salt, digest };
}

function decodeArgon2id([, version, parameters, salt64, digest64, ...rest]: string[]): Decoded {
  if (version !== 'v=19') return bad('only version 19 (0x13) of Argon2 is read');
  const found = /^m=([0-9]{1,10}),t=([0-9]{1,10}),p=([0-9]{1,10})$/.exec(parameters ?? '');
  if (found === null) return bad('the Argon2 parameters are not of the form m=..,t=..,p=..');
  const [memoryKib, passes, lanes] = found.slice(1).map(Number) as [number, number, number];
  const why = argon2Problem(memoryKib, passes, lanes);
  if (why !== null) return bad(why);
  const salt = unpaddedBase64(salt64);
  const digest = unpaddedBase64(digest64);
  if (salt === null || digest === null || rest.length > 0) return bad('the salt or the hash is cut off or damaged');
  // RFC 9106, 3.1: a salt of at least 8 bytes, a tag of at least 4; below 16 a tag is guessed, not checked.
  if (salt.length < 8 || digest.length < 16) return bad('the salt or the hash is too short');
  return { ok: true, hash: { kind: 'argon2id', memoryKib, passes, lanes, salt, digest } };
}

function decodeScram([kind, rounds, salt64 = '', stored64 = '', server64 = '', ...rest]: string[]): Decoded {
  if (kind !== 'scram-sha-256' && kind !== 'scram-sha-512') return bad('of SCRAM, sha-256 and sha-512 are read');
  const iterations = /^[0-9]{1,10}$/.test(rounds ?? '') ? Number(rounds) : 0;
  // RFC 7677, 4 wants 4096, and clients may refuse less; what was written elsewhere still serves plain logins.
  if (iterations < 1) return bad('the number of iterations is missing');
  if (iterations > PBKDF2_ITERATIONS_MAX) {
    return bad(`${iterations} iterations would block every login; at most ${PBKDF2_ITERATIONS_MAX} are accepted`);
  }
  const [salt, digest, serverKey] = [base64(salt64), base64(stored64), base64(server64)];
  const bytes = scramDigestBytes(scramHashOf(kind));
  if (salt === null || digest?.length !== bytes || serverKey?.length !== bytes || rest.length > 0) {
    return bad('the salt or a key is cut off or damaged');
  }
  return { ok: true, hash: { kind, iterations, salt, digest, serverKey } };
}

const scramHashOf = (kind: 'scram-sha-256' | 'scram-sha-512'): ScramHash =>
  kind === 'scram-sha-256' ? 'sha256' : 'sha512';

/** RFC 9106, 3.1 below, our own bounds above. */
function argon2Problem(memoryKib: number, passes: number, lanes: number): string | null {
  if (passes < 1 || lanes < 1 || memoryKib < 8 * lanes) return 'the Argon2 parameters are below what Argon2 allows';
  if (lanes > ARGON2_LANES_MAX) return `p=${lanes} is too much; at most ${ARGON2_LANES_MAX} is accepted`;
  if (memoryKib > ARGON2_MEMORY_KIB_MAX) {
    return `m=${memoryKib} would exhaust the memory; at most ${ARGON2_MEMORY_KIB_MAX} KiB is accepted`;
  }
  if (memoryKib * passes > ARGON2_WORK_KIB_MAX) {
    return `m=${memoryKib} with t=${passes} would block every login; m times t may be ${ARGON2_WORK_KIB_MAX} at most`;
  }
  return null;
}

/** Standard alphabet with its padding and nothing else; Buffer.from alone takes anything. */
function base64(text: string): Buffer | null {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : null;
}

function unpaddedBase64(text = ''): Buffer | null {
  return text.length % 4 !== 1 && /^[A-Za-z0-9+/]+$/.test(text) ? Buffer.from(text, 'base64') : null;
}

/** At once for SHA-512, later for the slow ones. */
export function matches(hash: PasswordHash, password: Buffer): boolean | Promise<boolean> {
  const digest = derive(hash, password);
  return digest instanceof Promise
    ? digest.then(d => timingSafeEqual(d, hash.digest))
    : timingSafeEqual(digest, hash.digest);
}

const pbkdf2Later = promisify(pbkdf2);
const argon2Later = promisify(argon2);

function derive(hash: PasswordHash, password: Buffer): Buffer | Promise<Buffer> {
  switch (hash.kind) {
    case 'sha512':
      return createHash('sha512').update(password).update(hash.salt).digest();
    case 'sha512-pbkdf2':
      return pbkdf2Later(password, hash.salt, hash.iterations, hash.digest.length, 'sha512');
    case 'scram-sha-256':
    case 'scram-sha-512':
      return scramKeys(scramHashOf(hash.kind), password, hash.salt, hash.iterations).then(keys => keys.storedKey);
    case 'argon2id':
      return argon2Later('argon2id', {
        message: password,
        nonce: hash.salt,
        memory: hash.memoryKib,
        passes: hash.passes,
        parallelism: hash.lanes,
        tagLength: hash.digest.length,
      });
  }
}

/** For comparing costs only: an iteration of PBKDF2 and a KiB of Argon2 both take about a microsecond. */
export function workOf(hash: PasswordHash): number {
  if (hash.kind === 'sha512') return 1;
  return hash.kind === 'argon2id' ? hash.memoryKib * hash.passes : hash.iterations;
}

/** A hash of the same cost that no password fits. */
export function unmatchable(like: PasswordHash): PasswordHash {
  return { ...like, salt: randomBytes(like.salt.length), digest: randomBytes(like.digest.length) };
}

/** What OWASP asks of PBKDF2-HMAC-SHA512 (2023); Mosquitto writes 101 or 1000. */
const PBKDF2_ITERATIONS = 210_000;
/** Computed by the device at each login: about 3 s on an ESP32, 10 ms on a Raspberry Pi. PostgreSQL takes 4096. */
export const SCRAM_ITERATIONS = 16_384;

/** The line form of a new hash. PBKDF2 gets a 12-byte salt, the only length that Mosquitto 2.0 and 2.1 both read. */
export async function hashPassword(
  password: string | Buffer,
  kind: HashKind = 'argon2id',
  iterations: number = kind.startsWith('scram') ? SCRAM_ITERATIONS : PBKDF2_ITERATIONS,
): Promise<string> {
  if (kind === 'scram-sha-256' || kind === 'scram-sha-512')
    return scramLine(kind, untilNul(Buffer.from(password)), iterations);
  const blank = blankHash(kind, iterations);
  return encode({ ...blank, digest: await derive(blank, untilNul(Buffer.from(password))) });
}

async function scramLine(
  kind: 'scram-sha-256' | 'scram-sha-512',
  password: Buffer,
  iterations: number,
): Promise<string> {
  const salt = randomBytes(16);
  const { storedKey, serverKey } = await scramKeys(scramHashOf(kind), password, salt, iterations);
  return `$${kind}$${[String(iterations), ...[salt, storedKey, serverKey].map(each => each.toString('base64'))].join('$')}`;
}

function blankHash(kind: Exclude<HashKind, `scram-${string}`>, iterations: number): PlainHash {
  const digest = Buffer.alloc(DIGEST_BYTES);
  if (kind === 'sha512') return { kind, salt: randomBytes(12), digest };
  if (kind === 'sha512-pbkdf2') return { kind, iterations, salt: randomBytes(12), digest };
  // Mosquitto 2.1's own parameters, above the least that OWASP recommends (46 MiB, one pass).
  return { kind, memoryKib: 47_104, passes: 1, lanes: 1, salt: randomBytes(64), digest };
}

function encode(hash: PlainHash): string {
  const salt = hash.salt.toString('base64');
  const digest = hash.digest.toString('base64');
  if (hash.kind === 'sha512') return `$6$${salt}$${digest}`;
  if (hash.kind === 'sha512-pbkdf2') return `$7$${hash.iterations}$${salt}$${digest}`;
  const parameters = `m=${hash.memoryKib},t=${hash.passes},p=${hash.lanes}`;
  return `$argon2id$v=19$${parameters}$${unpadded(salt)}$${unpadded(digest)}`;
}

function unpadded(base64: string): string {
  return base64.replace(/=+$/, '');
}

/** The tools that write these files take the password as a C string, so it ends at the first NUL byte. */
export function untilNul(password: Buffer): Buffer {
  const nul = password.indexOf(0);
  return nul === -1 ? password : password.subarray(0, nul);
}
