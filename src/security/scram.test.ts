import assert from 'node:assert/strict';
import test from 'node:test';
import { scramAttributes, scramHmac, scramKeys, scramName, xor } from '../base/mod.ts';
import type { AuthenticationRequest, EnhancedAuthentication, EnhancedStep } from '../broker/ports.ts';
import { decode, hashPassword, matches, type PasswordHash } from './password-hash.ts';
import { openScram } from './scram.ts';

async function entry(kind: 'scram-sha-256' | 'scram-sha-512' | 'sha512', password: string): Promise<{ hash: PasswordHash }> {
  const decoded = decode(await hashPassword(password, kind, 4096));
  assert.ok(decoded.ok);
  return { hash: decoded.hash };
} // prettier-ignore

const entries = new Map([
  ['ana', await entry('scram-sha-256', 'pencil')],
  ['bob', await entry('scram-sha-512', 'pencil')],
  ['old', await entry('sha512', 'pencil')],
]);

const binding = Buffer.alloc(32, 7);
const request = (username: string | null = null, bound = false): AuthenticationRequest =>
  ({ username, peer: bound ? { channelBinding: () => binding } : {} }) as unknown as AuthenticationRequest;

function open(method: string, of: AuthenticationRequest = request()): EnhancedAuthentication {
  const opened = openScram(method, of, () => entries);
  assert.ok(opened !== null, method);
  return opened;
}

interface Attempt {
  name: string;
  password?: string;
  header?: string;
  bound?: Buffer;
  nonceAdd?: string;
}

/** A client of the test's own, so that the server is not held against our client alone. */
async function login(server: EnhancedAuthentication, hash: 'sha256' | 'sha512', attempt: Attempt): Promise<EnhancedStep> {
  const { name, password = 'pencil', header = 'n,,', bound = Buffer.alloc(0), nonceAdd = '' } = attempt;
  const bare = `n=${scramName(name)},r=fyko+d2lbbFgONRv9qkxdawL`;
  const first = await server.step(Buffer.from(header + bare));
  if (first.kind !== 'continue') return first;
  const challenge = first.data!.toString();
  const [[, nonce], [, salt], [, rounds]] = scramAttributes(challenge) as [[string, string], [string, string], [string, string]];
  const keys = await scramKeys(hash, Buffer.from(password), Buffer.from(salt, 'base64'), Number(rounds));
  const withoutProof = `c=${Buffer.concat([Buffer.from(header), bound]).toString('base64')},r=${nonce}${nonceAdd}`;
  const text = `${bare},${challenge},${withoutProof}`;
  const proof = xor(keys.clientKey, scramHmac(hash, keys.storedKey, text)).toString('base64');
  const last = await server.step(Buffer.from(`${withoutProof},p=${proof}`));
  if (last.kind === 'success') assert.equal(last.data?.toString(), `v=${scramHmac(hash, keys.serverKey, text).toString('base64')}`);
  return last;
} // prettier-ignore

const because = (step: EnhancedStep): string => (step.kind === 'failure' ? step.because : step.kind);

test('the keys are those of the example in RFC 7677, 3', async () => {
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
  const keys = await scramKeys('sha256', Buffer.from('pencil'), salt, 4096);
  const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
  const text = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=${nonce}`;
  const proof = xor(keys.clientKey, scramHmac('sha256', keys.storedKey, text));
  assert.equal(proof.toString('base64'), 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=');
  const signature = scramHmac('sha256', keys.serverKey, text);
  assert.equal(signature.toString('base64'), '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
});

test('who knows the password gets in and is proved to that the broker knows the user, with either hash', async () => {
  assert.deepEqual(because(await login(open('SCRAM-SHA-256'), 'sha256', { name: 'ana' })), 'success');
  assert.deepEqual(because(await login(open('SCRAM-SHA-512'), 'sha512', { name: 'bob' })), 'success');
});

test('a wrong password, an unknown name and a hash of another kind fail at the same place; the log knows which', async () => {
  const rows: [name: string, password: string, why: RegExp][] = [
    ['ana', 'pencils', /^wrong password$/],
    ['eve', 'pencil', /^no such user$/],
    ['old', 'pencil', /stored as sha512.*zancudo passwd -H scram-sha-256/],
    ['bob', 'pencil', /stored as scram-sha-512/],
  ];
  for (const [name, password, why] of rows) assert.match(because(await login(open('SCRAM-SHA-256'), 'sha256', { name, password })), why, name); // prettier-ignore
});

test('an unknown name is given the same salt each time, in the form of the real ones', async () => {
  const challenge = async (name: string): Promise<string[]> => {
    const step = await open('SCRAM-SHA-256').step(Buffer.from(`n,,n=${name},r=abc`));
    assert.ok(step.kind === 'continue');
    return step.data!.toString().split(',').slice(1);
  };
  const [eve, again, mallory, ana] = await Promise.all(['eve', 'eve', 'mallory', 'ana'].map(challenge));
  assert.deepEqual(eve, again);
  assert.notDeepEqual(eve, mallory);
  assert.deepEqual([eve![0]!.length, eve![1]], [ana![0]!.length, ana![1]]);
});

test('-PLUS binds the login to its connection, and nobody talks a client out of it', async () => {
  const plus = (): EnhancedAuthentication => open('SCRAM-SHA-256-PLUS', request(null, true));
  const header = 'p=tls-exporter,,';
  assert.equal(because(await login(plus(), 'sha256', { name: 'ana', header, bound: binding })), 'success');
  assert.match(because(await login(plus(), 'sha256', { name: 'ana', header, bound: Buffer.alloc(32) })), /another connection/);
  assert.match(because(await login(plus(), 'sha256', { name: 'ana', header: 'p=tls-unique,,', bound: binding })), /tls-exporter/);
  assert.match(because(await login(plus(), 'sha256', { name: 'ana' })), /needs p=tls-exporter/);
  assert.equal(openScram('SCRAM-SHA-256-PLUS', request(), () => entries), null);
  assert.equal(because(await login(open('SCRAM-SHA-256'), 'sha256', { name: 'ana', header: 'y,,' })), 'success');
  assert.match(because(await login(open('SCRAM-SHA-256', request(null, true)), 'sha256', { name: 'ana', header: 'y,,' })), /somebody between/);
  assert.match(because(await login(open('SCRAM-SHA-256'), 'sha256', { name: 'ana', header })), /-PLUS/);
}); // prettier-ignore

test('whoever has said a name, in CONNECT or at the first login, is nobody else at the next', async () => {
  assert.match(because(await login(open('SCRAM-SHA-256', request('bob')), 'sha256', { name: 'ana' })), /said that it is 'bob'/); // prettier-ignore
  const server = open('SCRAM-SHA-256');
  assert.equal(because(await login(server, 'sha256', { name: 'ana' })), 'success');
  assert.equal(because(await login(server, 'sha256', { name: 'ana' })), 'success');
  assert.match(because(await login(server, 'sha256', { name: 'eve' })), /said that it is 'ana'/);
});

test('messages that are none, or of another conversation, end it in words', async () => {
  const garbage = ['', 'n', 'n,,', 'x,,n=ana,r=a', 'n,,m=1,n=ana,r=a', 'n,,n=,r=a', 'n,,n=a=b,r=a', 'n,,n=ana,r=', 'n,a=eve,n=ana,r=a', '\0']; // prettier-ignore
  for (const text of garbage) assert.equal((await open('SCRAM-SHA-256').step(Buffer.from(text))).kind, 'failure', text);
  assert.match(because(await login(open('SCRAM-SHA-256'), 'sha256', { name: 'ana', nonceAdd: 'x' })), /another conversation/); // prettier-ignore
  const begun = open('SCRAM-SHA-256');
  await begun.step(Buffer.from('n,,n=ana,r=a'));
  assert.match(because(await begun.step(Buffer.from('p=x'))), /cannot be read/);
});

test('what was proved holds until the line in the password file is another one', async () => {
  const users = new Map([['ana', await entry('scram-sha-256', 'pencil')]]);
  const server = openScram('SCRAM-SHA-256', request(), () => users)!;
  assert.equal(server.holds!(), false);
  await login(server, 'sha256', { name: 'ana' });
  assert.equal(server.holds!(), true);
  users.set('ana', await entry('scram-sha-256', 'other'));
  assert.equal(server.holds!(), false);
});

test('a verifier for SCRAM serves plain logins too', async () => {
  assert.equal(await matches(entries.get('ana')!.hash, Buffer.from('pencil')), true);
  assert.equal(await matches(entries.get('ana')!.hash, Buffer.from('pencils')), false);
  const line = await hashPassword('x', 'scram-sha-512');
  for (const cut of [line.slice(0, -4), `${line}$`, line.replace('$16384$', '$0$'), line.replace('$16384$', '$9999999$')]) assert.equal(decode(cut).ok, false, cut); // prettier-ignore
});
