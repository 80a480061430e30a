import assert from 'node:assert/strict';
import type { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { objectionsTo, type CertificateLimits } from './device-limits.ts';
import { issue } from './issue.ts';
import { makeKey } from './keys.ts';
import { serverCertificate, testAuthority, testNow, type TestAuthority } from './shared.test.ts';

const limits: CertificateLimits = {
  leafKeys: ['rsa', 'ec'],
  rsaMin: 2048,
  rsaMax: 4096,
  curves: ['prime256v1'],
  sha1: false,
  checksChain: true,
  checksDates: true,
  checksName: 'both',
  commonName: false,
  needsServerAuth: true,
  lifetimeDaysMax: 825,
  chainMax: 3,
};

function ask(
  authority: TestAuthority,
  leaf: X509Certificate,
  change: Partial<CertificateLimits> = {},
  host = 'broker',
) {
  const chain = [leaf, authority.issuing.certificate];
  const trusted = [authority.root.certificate];
  const found = objectionsTo({ host, chain, trusted, limits: { ...limits, ...change }, now: testNow });
  return found.map(each => each.code);
}

test('a certificate within every limit is accepted by name and by address', async () => {
  const authority = await testAuthority();
  const leaf = await serverCertificate(authority);
  assert.deepEqual(ask(authority, leaf), []);
  assert.deepEqual(ask(authority, leaf, {}, '192.168.1.20'), []);
  assert.deepEqual(ask(authority, leaf, {}, 'fd00::20'), []);
});

test('names and addresses are compared as the device does', async () => {
  const authority = await testAuthority();
  const leaf = await serverCertificate(authority);
  assert.deepEqual(ask(authority, leaf, {}, 'other'), ['probe.name']);
  assert.deepEqual(ask(authority, leaf, {}, '10.0.0.1'), ['probe.name']);
  assert.deepEqual(ask(authority, leaf, { checksName: 'names' }, '192.168.1.20'), ['probe.address']);
  assert.deepEqual(ask(authority, leaf, { checksName: 'names-only' }, '10.0.0.1'), []);
  assert.deepEqual(ask(authority, leaf, { checksName: 'none' }, 'other'), []);
  const bare = await serverCertificate(authority, { names: [] });
  assert.deepEqual(ask(authority, bare), ['probe.name']);
  assert.deepEqual(ask(authority, bare, { commonName: true }), []);
});

test('kinds, sizes and curves of keys are held against every certificate that is verified', async () => {
  const authority = await testAuthority();
  const rsa = await serverCertificate(authority, { key: await makeKey('rsa') });
  assert.deepEqual(ask(authority, rsa, { rsaMax: 1024, rsaMin: 0 }), ['probe.key-size']);
  assert.deepEqual(ask(authority, rsa, { curves: [] }), ['probe.curve'], 'the CA above it is on a curve');
  assert.deepEqual(ask(authority, rsa, { curves: [], checksChain: false }), []);
  const ec = await serverCertificate(authority);
  assert.deepEqual(ask(authority, ec, { leafKeys: ['rsa'] }), ['probe.key-kind']);
  const edwards = await serverCertificate(authority, { key: await makeKey('ed25519') });
  assert.deepEqual(ask(authority, edwards), ['probe.key-kind']);
});

test('an unknown CA, a long life, a missing purpose and a wrong date are named, unless the device does not look', async () => {
  const authority = await testAuthority();
  const strangers = await testAuthority();
  const leaf = await serverCertificate(authority);
  assert.deepEqual(ask({ ...authority, root: strangers.root }, leaf), ['probe.unknown-ca']);
  assert.deepEqual(ask({ ...authority, root: strangers.root }, leaf, { checksChain: false }), []);
  assert.deepEqual(ask(authority, leaf, { lifetimeDaysMax: 90 }), ['probe.lifetime']);
  assert.deepEqual(ask(authority, leaf, { chainMax: 2 }), ['probe.chain-length']);
  const issuer = authority.issuing;
  const request = { subject: [{ CN: 'x' }], key: authority.key, issuer, now: testNow };
  const client = await issue({ ...request, profile: 'device', names: [{ kind: 'dns', value: 'broker' }] });
  assert.deepEqual(ask(authority, client), ['probe.purpose']);
  const old = await serverCertificate(authority, { now: testNow - 500 * 86_400_000 });
  assert.deepEqual(ask(authority, old), ['probe.expired']);
  assert.deepEqual(ask(authority, old, { checksDates: false }), []);
});
