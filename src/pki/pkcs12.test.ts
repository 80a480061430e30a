import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import tls from 'node:tls';
import { makeKey, type KeyKind } from './keys.ts';
import { writePkcs12 } from './pkcs12.ts';
import { present, run, serverCertificate, temporaryFolder, testAuthority } from './shared.test.ts';

async function written(t: TestContext, kind: KeyKind, password = 'söcret 42') {
  const folder = temporaryFolder(t);
  const authority = await testAuthority();
  const key = await makeKey(kind);
  const leaf = await serverCertificate(authority, { key });
  const certificates = [leaf, authority.issuing.certificate, authority.root.certificate];
  const bytes = writePkcs12({ key, certificates, friendlyName: 'kitchen lamp', password });
  fs.writeFileSync(path.join(folder, 'x.p12'), bytes);
  return { folder, bytes, key };
}

for (const kind of ['ec', 'rsa', 'ed25519'] as const) {
  test(`openssl opens a PKCS #12 file with a key of kind ${kind}, and not with another password`, async t => {
    if (!present(t, 'openssl', 'version')) return;
    const { folder, key } = await written(t, kind);
    const open = (password: string, ...more: string[]) =>
      run('openssl', ['pkcs12', '-in', 'x.p12', '-passin', `pass:${password}`, ...more], folder);
    const { status, output } = open('söcret 42', '-nodes');
    assert.equal(status, 0, output);
    assert.ok(output.includes(key.export({ type: 'pkcs8', format: 'pem' }).toString()));
    assert.equal(output.match(/BEGIN CERTIFICATE/g)?.length, 3);
    assert.match(output, /friendlyName: kitchen lamp/);
    assert.notEqual(open('wrong', '-nokeys').status, 0);
  });
}

test('Node opens it', async t => {
  const { bytes } = await written(t, 'ec');
  tls.createSecureContext({ pfx: bytes, passphrase: 'söcret 42' });
  assert.throws(() => tls.createSecureContext({ pfx: bytes, passphrase: 'wrong' }));
});

test("Java's keytool opens it and finds one key with its chain", async t => {
  if (!present(t, 'keytool', '-help')) return;
  const { folder } = await written(t, 'rsa', 'secret-42');
  const listed = run('keytool', ['-list', '-v', '-keystore', 'x.p12', '-storepass', 'secret-42'], folder);
  assert.match(listed.output, /PrivateKeyEntry[^]*Certificate chain length: 3/);
});
