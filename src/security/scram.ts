/**
 * SCRAM-SHA-256 and SCRAM-SHA-512 for MQTT 5 (RFC 5802 and 7677 in AUTH packets): the broker never sees the password.
 *
 *   client-first   CONNECT, or AUTH to begin anew      gs2 header, name, nonce
 *   server-first   AUTH 0x18                            nonce, salt, iterations
 *   client-final   AUTH 0x18                            channel binding, proof
 *   server-final   CONNACK, or AUTH 0x00                the broker's own proof
 *
 * An unknown name goes the same way, with a salt that is always the same for it, and fails only at the proof.
 * -PLUS binds the login to its TLS 1.3 connection (tls-exporter, RFC 9266), so that nobody can pass it on.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  readScramName,
  scramAttributes,
  scramDigestBytes,
  scramH,
  scramHmac,
  type ScramHash,
  xor,
} from '../base/mod.ts';
import type { AuthenticationRequest, EnhancedAuthentication, EnhancedStep } from '../broker/ports.ts';
import { type PasswordHash, SCRAM_ITERATIONS } from './password-hash.ts';

type Verifier = Extract<PasswordHash, { kind: 'scram-sha-256' | 'scram-sha-512' }>;
type Entries = ReadonlyMap<string, { readonly hash: PasswordHash }>;

/** Null when there is no password file to ask, now or no longer. */
export type EntriesInForce = () => Entries | null;

const METHOD = /^SCRAM-SHA-(256|512)(-PLUS)?$/;
const SALT_BYTES = 16;
const NONCE_BYTES = 18;
/** What a client may send at once; longer names than MQTT's own cannot be. */
const MESSAGE_BYTES_MAX = 70_000;

/** Null when the method is none of ours, or this connection cannot have it. */
export function openScram(method: string, request: AuthenticationRequest, entries: EntriesInForce): EnhancedAuthentication | null {
  const parts = METHOD.exec(method);
  if (parts === null || entries() === null) return null;
  const binding = request.peer.channelBinding ?? null;
  if (parts[2] !== undefined && binding === null) return null;
  return new ScramServer(parts[1] === '256' ? 'sha256' : 'sha512', parts[2] !== undefined, request, entries);
} // prettier-ignore

interface Begun {
  username: string;
  verifier: Verifier;
  /** Null for a name with a verifier of its own. */
  whyUnknown: string | null;
  /** What c= has to say, in base64. */
  binding: string;
  nonce: string;
  clientFirstBare: string;
  serverFirst: string;
}

/** What is wrong with a message: ends the conversation. */
class ScramFault extends Error {}

class ScramServer implements EnhancedAuthentication {
  readonly #hash: ScramHash;
  readonly #plus: boolean;
  readonly #request: AuthenticationRequest;
  readonly #entries: EntriesInForce;
  #begun: Begun | null = null;
  /** Who has logged in on this connection, with what; nobody else may do so again. */
  #proved: { username: string; storedKey: Buffer } | null = null;

  constructor(hash: ScramHash, plus: boolean, request: AuthenticationRequest, entries: EntriesInForce) {
    this.#hash = hash;
    this.#plus = plus;
    this.#request = request;
    this.#entries = entries;
  }

  step(data: Buffer | null): EnhancedStep {
    // A client may leave the first message to the first AUTH (RFC 4422, 5).
    if (data === null && this.#begun === null) return { kind: 'continue', data: null };
    try {
      if (data === null || data.length > MESSAGE_BYTES_MAX) throw new ScramFault('a message is missing or too long');
      return this.#begun === null ? this.#first(data.toString()) : this.#final(data.toString(), this.#begun);
    } catch (error) {
      if (!(error instanceof ScramFault)) throw error;
      this.#begun = null;
      return { kind: 'failure', because: error.message };
    }
  }

  holds(): boolean {
    const proved = this.#proved;
    if (proved === null) return false;
    const verifier = verifierOf(this.#entries()?.get(proved.username)?.hash, this.#hash);
    return verifier !== null && timingSafeEqual(verifier.digest, proved.storedKey);
  }

  #first(message: string): EnhancedStep {
    const parts = /^(n|y|p=[A-Za-z0-9.-]+),((?:a=[^,]*)?),(.*)$/s.exec(message);
    if (parts === null) throw new ScramFault('its first SCRAM message cannot be read');
    const [, flag = '', authorization = '', bare = ''] = parts;
    const attributes = scramAttributes(bare);
    const [[user, name = ''] = [], [random, nonce = ''] = []] = attributes ?? [];
    if (user === 'm') throw new ScramFault('it asks for a SCRAM extension, of which there is none');
    if (user !== 'n' || random !== 'r' || nonce === '') throw new ScramFault('its first SCRAM message cannot be read');
    const username = this.#username(name, authorization);
    const verifier = this.#verifier(username);
    const whole = nonce + randomBytes(NONCE_BYTES).toString('base64');
    const serverFirst = `r=${whole},s=${verifier.of.salt.toString('base64')},i=${verifier.of.iterations}`;
    this.#begun = {
      username,
      verifier: verifier.of,
      whyUnknown: verifier.whyUnknown,
      binding: this.#bindingFor(flag, authorization).toString('base64'),
      nonce: whole,
      clientFirstBare: bare,
      serverFirst,
    };
    return { kind: 'continue', data: Buffer.from(serverFirst) };
  }

  #username(written: string, authorization: string): string {
    const username = readScramName(written);
    if (username === null || username === '') throw new ScramFault('its user name cannot be read');
    const given = this.#proved?.username ?? this.#request.username;
    if (given !== null && given !== username) {
      throw new ScramFault(`it logs in as '${username}' where it has said that it is '${given}'`);
    }
    const as = authorization === '' ? username : readScramName(authorization.slice(2));
    if (as !== username) throw new ScramFault('it wants to be somebody else than it logs in as');
    return username;
  }

  /** What the client has to send in its final message, for what it said of channel binding (RFC 5802, 6). */
  #bindingFor(flag: string, authorization: string): Buffer {
    const header = Buffer.from(`${flag},${authorization},`);
    const exporter = this.#request.peer.channelBinding;
    if (!this.#plus) {
      if (flag.startsWith('p=')) throw new ScramFault('it binds the login to its TLS connection; that is done with the method that ends in -PLUS');
      if (flag === 'y' && exporter !== undefined) {
        throw new ScramFault('it could bind the login to its TLS connection and believes that this broker cannot; is somebody between them? It should use the method that ends in -PLUS');
      }
      return header;
    }
    if (flag !== 'p=tls-exporter') throw new ScramFault('a method that ends in -PLUS needs p=tls-exporter');
    const bytes = exporter?.() ?? null;
    if (bytes === null) throw new ScramFault('its TLS connection is gone');
    return Buffer.concat([header, bytes]);
  } // prettier-ignore

  #final(message: string, begun: Begun): EnhancedStep {
    this.#begun = null;
    const at = message.lastIndexOf(',p=');
    const attributes = at < 0 ? null : scramAttributes(message.slice(0, at));
    const [[c, binding] = [], [r, nonce] = []] = attributes ?? [];
    if (c !== 'c' || r !== 'r') throw new ScramFault('its last SCRAM message cannot be read');
    if (nonce !== begun.nonce) throw new ScramFault('its last SCRAM message belongs to another conversation');
    if (binding !== begun.binding) throw new ScramFault('the login is bound to another connection: is somebody between them?');
    const text = `${begun.clientFirstBare},${begun.serverFirst},${message.slice(0, at)}`;
    const proof = Buffer.from(message.slice(at + 3), 'base64');
    const right = this.#isProof(proof, begun.verifier, text);
    if (begun.whyUnknown !== null) throw new ScramFault(begun.whyUnknown);
    if (!right) throw new ScramFault('wrong password');
    this.#proved = { username: begun.username, storedKey: begun.verifier.digest };
    const signature = scramHmac(this.#hash, begun.verifier.serverKey, text).toString('base64');
    return { kind: 'success', data: Buffer.from(`v=${signature}`), username: begun.username };
  } // prettier-ignore

  #isProof(proof: Buffer, { digest }: Verifier, text: string): boolean {
    if (proof.length !== digest.length) return false;
    const clientKey = xor(proof, scramHmac(this.#hash, digest, text));
    return timingSafeEqual(scramH(this.#hash, clientKey), digest);
  }

  #verifier(username: string): { of: Verifier; whyUnknown: string | null } {
    const entries = this.#entries() ?? new Map<string, never>();
    const entry = entries.get(username);
    const own = verifierOf(entry?.hash, this.#hash);
    if (own !== null) return { of: own, whyUnknown: null };
    const kind = `scram-${this.#hash === 'sha256' ? 'sha-256' : 'sha-512'}`;
    const whyUnknown = entry === undefined ? 'no such user' : `the password of this user is stored as ${entry.hash.kind}, from which SCRAM cannot be served; set it again with 'zancudo passwd -H ${kind}'`;
    return { of: standIn(username, entries, this.#hash), whyUnknown };
  } // prettier-ignore
}

function verifierOf(hash: PasswordHash | undefined, wanted: ScramHash): Verifier | null {
  if (hash === undefined || (hash.kind !== 'scram-sha-256' && hash.kind !== 'scram-sha-512')) return null;
  return (hash.kind === 'scram-sha-256') === (wanted === 'sha256') ? hash : null;
}

const chance = randomBytes(32);

/**
 * The same salt for the same name, after a restart too: its key is a secret of the first verifier in the file. Where
 * there is no verifier nobody can log in, and nothing is given away.
 */
function standIn(username: string, entries: Entries, hash: ScramHash): Verifier {
  let like: Verifier | null = null;
  for (const entry of entries.values()) if ((like ??= verifierOf(entry.hash, hash)) !== null) break;
  const salt = createHmac('sha256', like?.serverKey ?? chance)
    .update(username)
    .digest();
  const bytes = scramDigestBytes(hash);
  return {
    kind: hash === 'sha256' ? 'scram-sha-256' : 'scram-sha-512',
    iterations: like?.iterations ?? SCRAM_ITERATIONS,
    salt: salt.subarray(0, like?.salt.length ?? SALT_BYTES),
    digest: randomBytes(bytes),
    serverKey: randomBytes(bytes),
  };
}
