import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { mendedExtensionFile } from './explain-extensions.ts';
import { explainCertificateFiles } from './explain-folder.ts';
import { keyPem, makeKey } from './keys.ts';
import { issue } from './issue.ts';
import { serverCertificate, temporaryFolder, testAuthority, testNow } from './shared.test.ts';

function folderOf(t: TestContext, files: Record<string, string>): string[] {
  const folder = temporaryFolder(t);
  return Object.entries(files).map(([name, text]) => {
    const file = path.join(folder, name);
    fs.writeFileSync(file, text, { mode: 0o600 });
    return file;
  });
}

const codes = (files: readonly string[], now = testNow): string[] =>
  explainCertificateFiles(files, now).map(each => each.code);

test('a server, its key and its chain lying together say nothing', async t => {
  const authority = await testAuthority();
  const leaf = await serverCertificate(authority);
  const files = folderOf(t, {
    'root.crt': authority.root.certificate.toString(),
    'broker.crt': `${leaf.toString()}${authority.issuing.certificate.toString()}`,
    'broker.key': keyPem(authority.key),
    'notes.txt': 'nothing to see',
  });
  assert.deepEqual(codes(files), []);
});

test('keys are matched with certificates by what they are, and one named alike that does not fit is named', async t => {
  const authority = await testAuthority();
  const leaf = await serverCertificate(authority);
  const chain = { 'root.crt': authority.root.certificate.toString(), 'issuing.crt': authority.issuing.certificate.toString() };
  const fitting = folderOf(t, { ...chain, 'broker.crt': leaf.toString(), 'any-name.pem': keyPem(authority.key) });
  assert.ok(!codes(fitting).includes('tls.key-mismatch'));
  const other = keyPem(await makeKey('ec'));
  assert.ok(codes(folderOf(t, { ...chain, 'broker.crt': leaf.toString(), 'broker.key': other })).includes('tls.key-mismatch'));
}); // prettier-ignore

test('the key of a CA beside the files of a server is named, and one that lies alone is not', async t => {
  const authority = await testAuthority();
  const { certificate, key } = authority.issuing;
  const alone = { 'ca.crt': certificate.toString(), 'ca.key': keyPem(key) };
  assert.deepEqual(codes(folderOf(t, alone)), []);
  const leaf = await serverCertificate(authority);
  const beside = { ...alone, 'broker.crt': leaf.toString(), 'broker.key': keyPem(authority.key) };
  assert.deepEqual(codes(folderOf(t, beside)), ['tls.ca-key-on-broker']);
});

test('a client certificate that has expired is named as one of a client', async t => {
  const authority = await testAuthority();
  const key = await makeKey('ec');
  const issuer = authority.issuing;
  const client = await issue({ profile: 'device', subject: [{ CN: 'lamp' }], key, issuer, now: testNow });
  const chain = `${issuer.certificate.toString()}${authority.root.certificate.toString()}`;
  const files = folderOf(t, { 'lamp.crt': client.toString(), 'lamp.key': keyPem(key), 'ca.crt': chain });
  const later = testNow + 200 * 86_400_000;
  assert.ok(codes(files, later).includes('tls.client-certificate-expired'));
});

test('extension files are looked at before a certificate is made with them, and mended as they were meant', t => {
  const [file = ''] = folderOf(t, {
    'ext.txt':
      '[ a ]\nbasicConstraints\u00a0= CA:FALSE\nsubjectAltName = IP:10.0.0.1\nsubjectAltName = DNS:b\n[ c ]\nsubjectAltName = DNS:d\n',
  });
  assert.deepEqual(codes([file]).sort(), ['ext.alternative-names-repeated', 'ext.non-breaking-spaces']);
  assert.equal(
    mendedExtensionFile(file),
    '[ a ]\nbasicConstraints = CA:FALSE\nsubjectAltName = IP:10.0.0.1,DNS:b\n[ c ]\nsubjectAltName = DNS:d\n',
  );
});

test('garbage, empty and unreadable files are passed over, broken certificates are named', t => {
  const [garbage = '', broken = ''] = folderOf(t, {
    'a.bin': '\u0000\u0001',
    'b.crt': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  });
  assert.deepEqual(codes([garbage, path.join(path.dirname(garbage), 'missing')]), []);
  assert.deepEqual(codes([broken]), ['tls.certificate-broken']);
});
