/**
 * The client's side of SCRAM (RFC 5802, 7677) as an Authentication: the password never leaves this process, and the
 * broker has to prove that it knows a verifier for it.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { scramAttributes, scramHmac, type ScramHash, scramKeys, scramName, xor } from '../base/mod.ts';
import type { Authentication } from './options.ts';

/** A broker that asks for more would keep a core busy for seconds. */
const ITERATIONS_MAX = 10_000_000;
/** RFC 7677, 4; less is what somebody in between would ask for. */
const ITERATIONS_MIN = 4096;
const HEADER = 'n,,';

export const scramMethods = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;
export type ScramMethod = (typeof scramMethods)[number];

export function scramAuthentication(method: ScramMethod, username: string, password: Buffer): Authentication {
  const begin = (): ScramClient =>
    new ScramClient(method === 'SCRAM-SHA-256' ? 'sha256' : 'sha512', username, password);
  let client = begin();
  return {
    method,
    data: () => (client = begin()).first(),
    respond: data => client.final(data),
    finished: data => client.check(data),
  };
}

export class ScramClient {
  readonly #hash: ScramHash;
  readonly #password: Buffer;
  readonly #bare: string;
  readonly #nonce: string;
  #signature: Buffer | null = null;

  constructor(hash: ScramHash, username: string, password: Buffer, nonce = randomBytes(18).toString('base64')) {
    this.#hash = hash;
    this.#password = password;
    this.#nonce = nonce;
    this.#bare = `n=${scramName(username)},r=${nonce}`;
  }

  first(): Buffer {
    return Buffer.from(HEADER + this.#bare);
  }

  async final(data: Buffer | null): Promise<Buffer> {
    const serverFirst = data?.toString() ?? '';
    const [[r, nonce = ''] = [], [s, salt = ''] = [], [i, rounds = ''] = []] = scramAttributes(serverFirst) ?? [];
    const iterations = /^\d{1,9}$/.test(rounds) ? Number(rounds) : 0;
    if (r !== 'r' || s !== 's' || i !== 'i' || salt === '') throw new Error('the answer of the broker cannot be read');
    if (!nonce.startsWith(this.#nonce) || nonce === this.#nonce) throw new Error('the answer of the broker belongs to another conversation');
    if (iterations < ITERATIONS_MIN || iterations > ITERATIONS_MAX) throw new Error(`the broker asks for ${rounds} iterations, outside ${ITERATIONS_MIN} to ${ITERATIONS_MAX}`);
    const { clientKey, storedKey, serverKey } = await scramKeys(this.#hash, this.#password, Buffer.from(salt, 'base64'), iterations);
    const withoutProof = `c=${Buffer.from(HEADER).toString('base64')},r=${nonce}`;
    const text = `${this.#bare},${serverFirst},${withoutProof}`;
    this.#signature = scramHmac(this.#hash, serverKey, text);
    const proof = xor(clientKey, scramHmac(this.#hash, storedKey, text));
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`);
  } // prettier-ignore

  /** Throws when the broker has not proved that it knows the verifier. */
  check(data: Buffer | null): void {
    const given = Buffer.from(/^v=(.+)$/.exec(data?.toString() ?? '')?.[1] ?? '', 'base64');
    const wanted = this.#signature;
    if (wanted === null || given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
      throw new Error('the broker has not proved that it knows this user: it may be another one');
    }
  }
}
