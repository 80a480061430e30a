/**
 * A signed token in the place of the password (RFC 7519), by the package `jose`.
 *
 *   key_file   PEM of a public key or certificate, a JWK Set, or the text of a shared secret
 *   jwks_url   the keys of an identity provider; kept, and fetched again when a token names one that is not among them
 *
 * Which algorithms count follows from the key and never from the token. The user name has to be the one in the token.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type * as JoseModule from 'jose';
import type { JSONWebKeySet, JWTPayload, JWTVerifyGetKey, JWTVerifyOptions } from 'jose';
import { type Connection, tlsOf } from './connection.ts';
import { type Gate, Outage } from './gate.ts';
import { HttpClient } from './http-client.ts';
import type { RightsRows } from './rights.ts';
import { rulesOf } from './rule-list.ts';
import type { UserBackendSettings } from './settings.ts';
import type { LoginResult, Source, Subject } from './source.ts';

const PUBLIC = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
const SHARED = ['HS256', 'HS384', 'HS512'];
/** RFC 7518, 3.2: a shared secret is as long as the hash. */
const SECRET_BYTES_MIN = 32;
/** Keys that an identity provider has taken back are out of use after this. */
const KEYS_KEPT_MS = 600_000;

type Jose = typeof JoseModule;
type Verify = (token: string) => Promise<JWTPayload>;

export class JwtSource implements Source {
  readonly usesClientId = false;
  readonly usesAddress = false;
  readonly rules: 'with login' | 'none';
  private readonly settings: UserBackendSettings;
  private readonly gate: Gate;
  private readonly verify: Verify;
  private readonly jose: Jose;
  private readonly client: HttpClient;
  readonly ping: () => Promise<void>;

  constructor(connection: Connection, gate: Gate, jose: Jose) {
    const { settings, timeoutMs } = connection;
    this.settings = settings;
    this.gate = gate;
    this.jose = jose;
    this.rules = settings.aclClaim === null ? 'none' : 'with login';
    this.client = new HttpClient(tlsOf({ ...connection, settings: { ...settings, tls: true } }), timeoutMs, 2);
    const { verify, ping } = this.keys(timeoutMs);
    this.verify = verify;
    this.ping = ping;
  }

  async login({ username }: Subject, password: Buffer): Promise<LoginResult> {
    const token = password.toString();
    // A password of somebody whom another backend knows.
    if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) return { answer: 'unknown' };
    const checked = await this.gate.run(() => this.check(token));
    if (typeof checked === 'string') return { answer: 'wrong', because: `${this.settings.name}: ${checked}` };
    const { usernameClaim } = this.settings;
    if (checked[usernameClaim] !== username) {
      return {
        answer: 'wrong',
        because: `${this.settings.name}: the user name is not the ${usernameClaim} of the token`,
      };
    }
    return { answer: 'allow', rights: this.rightsIn(checked) };
  }

  rights(): Promise<RightsRows> {
    return Promise.resolve({ superuser: false, rules: [] });
  }

  close(): Promise<void> {
    return Promise.resolve(this.client.close());
  }

  private rightsIn(payload: JWTPayload): RightsRows {
    const { aclClaim } = this.settings;
    const rules = aclClaim === null ? [] : (rulesOf(payload[aclClaim]) ?? []);
    return { superuser: false, rules, endsAt: payload.exp === undefined ? null : payload.exp * 1000 };
  }

  /** What is in the token, or what is wrong with it. */
  private async check(token: string): Promise<JWTPayload | string> {
    const { errors } = this.jose;
    try {
      return await this.verify(token);
    } catch (error) {
      if (error instanceof errors.JWKSTimeout) throw new Outage('the keys could not be fetched in time');
      // JOSEError itself is what a key server's strange answer is.
      if (error instanceof errors.JOSEError && error.code !== 'ERR_JOSE_GENERIC') return error.message;
      if (error instanceof TypeError) return error.message;
      throw error;
    }
  }

  private keys(timeoutMs: number): { verify: Verify; ping: () => Promise<void> } {
    const { issuer, audience, clockSkewSeconds, jwksUrl, keyFile } = this.settings;
    const { jwtVerify, createRemoteJWKSet, createLocalJWKSet, customFetch } = this.jose;
    const options: JWTVerifyOptions = {
      clockTolerance: clockSkewSeconds,
      algorithms: PUBLIC,
      ...(issuer === null ? {} : { issuer }),
      ...(audience === null ? {} : { audience }),
    };
    const bySet =
      (set: JWTVerifyGetKey): Verify =>
      async token =>
        (await jwtVerify(token, set, options)).payload;
    if (jwksUrl !== null) {
      const set = createRemoteJWKSet(new URL(jwksUrl), {
        timeoutDuration: timeoutMs,
        cacheMaxAge: KEYS_KEPT_MS,
        [customFetch]: (url: string) => this.fetchKeys(url),
      });
      return { verify: bySet(set), ping: () => set.reload() };
    }
    const key = keyIn(keyFile ?? '');
    const ping = (): Promise<void> => Promise.resolve();
    if (!(key instanceof Uint8Array) && 'keys' in key) return { verify: bySet(createLocalJWKSet(key)), ping };
    const algorithms = key instanceof Uint8Array ? SHARED : PUBLIC;
    return { verify: async token => (await jwtVerify(token, key, { ...options, algorithms })).payload, ping };
  }

  private async fetchKeys(url: string): Promise<Response> {
    const { status, text } = await this.client.send(new URL(url), 'GET', { accept: 'application/json' }, '');
    if (status !== 200) throw new Outage(`the address of the keys answers with status ${status}`);
    return new Response(text, { status });
  }
}

function keyIn(file: string): KeyObject | Uint8Array | JSONWebKeySet {
  const bytes = readFileSync(file);
  const text = bytes.toString();
  if (text.includes('-----BEGIN')) return createPublicKey(bytes);
  if (text.trimStart().startsWith('{')) return JSON.parse(text) as JSONWebKeySet;
  const secret = Buffer.from(text.split(/\r?\n/)[0] ?? '');
  if (secret.length >= SECRET_BYTES_MIN) return new Uint8Array(secret);
  throw new Error(`the secret in ${file} has ${secret.length} bytes; it needs ${SECRET_BYTES_MIN} at least`);
}
