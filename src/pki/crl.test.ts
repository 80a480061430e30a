import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import fs from 'node:fs';
import path from 'node:path';
import { isSignedBy, readCrl, readCrls } from './crl.ts';
import { children, DerError, elementAt, timeMs } from './der.ts';
import { factsOf } from './inspect.ts';
import { pem, readPem } from './pem.ts';
import { present, serverCertificate, shell, temporaryFolder, testAuthority } from './shared.test.ts';

/** As `openssl ca -gencrl` wrote it: issuer "CN=CRL CA", serial 1000 revoked. */
function listByOpenSsl(folder: string): { crl: string; ca: X509Certificate } {
  shell(
    `printf '[ca]\\ndefault_ca=o\\n[o]\\ndatabase=i\\nserial=s\\nnew_certs_dir=.\\ndefault_md=sha256\\npolicy=p\\n[p]\\ncommonName=supplied\\n' > c
     : > i; echo 1000 > s
     key='-newkey rsa:2048 -nodes'
     openssl req -x509 $key -days 30 -keyout ca.key -out ca.crt -subj '/CN=CRL CA'
     openssl req -new $key -keyout a.key -out a.csr -subj /CN=a
     openssl ca -batch -notext -config c -cert ca.crt -keyfile ca.key -in a.csr -out a.crt -days 30
     openssl ca -config c -cert ca.crt -keyfile ca.key -revoke a.crt -crl_reason keyCompromise
     openssl ca -config c -cert ca.crt -keyfile ca.key -gencrl -crldays 30 -out a.crl`,
    folder,
  );
  const read = (name: string) => fs.readFileSync(path.join(folder, name), 'utf8');
  return { crl: read('a.crl'), ca: new X509Certificate(read('ca.crt')) };
}

test('a list by OpenSSL is read, and only its CA has signed it', async t => {
  if (!present(t, 'openssl', 'version')) return;
  const { crl, ca } = listByOpenSsl(temporaryFolder(t));
  const { lists, problems } = readCrls(crl);
  assert.deepEqual(problems, []);
  const [list] = lists;
  assert.ok(list);
  assert.equal(list.issuer, 'CN=CRL CA');
  assert.deepEqual([...list.revoked.keys()], ['1000']);
  assert.ok(list.nextUpdate !== null && list.nextUpdate - list.thisUpdate === 30 * 86_400_000);
  assert.equal(isSignedBy(list, ca), true);
  assert.equal(isSignedBy(list, (await testAuthority()).root.certificate), false);
});

test('a list with one bit changed is not signed by anybody', t => {
  if (!present(t, 'openssl', 'version')) return;
  const { crl, ca } = listByOpenSsl(temporaryFolder(t));
  const der = readPem(crl).blocks[0]?.der ?? Buffer.alloc(0);
  const at = der.indexOf(Buffer.from([0x02, 0x02, 0x10, 0x00])) + 3;
  der[at] = 0x01;
  const list = readCrl(der);
  assert.deepEqual([...list.revoked.keys()], ['1001']);
  assert.equal(isSignedBy(list, ca), false);
});

test('20,000 mutations of a list end in a list or a DerError', t => {
  if (!present(t, 'openssl', 'version')) return;
  const { crl, ca } = listByOpenSsl(temporaryFolder(t));
  const original = readPem(crl).blocks[0]?.der ?? Buffer.alloc(0);
  let random = 1;
  const next = (below: number) => (random = (random * 48271) % 2147483647) % below;
  for (let round = 0; round < 20_000; round++) {
    const der = Buffer.from(original.subarray(0, next(4) === 0 ? next(original.length) : original.length));
    for (let flips = 1 + next(4); flips > 0 && der.length > 0; flips--) der[next(der.length)] = next(256);
    try {
      const list = readCrl(der);
      if (round % 50 === 0) isSignedBy(list, ca);
    } catch (error) {
      assert.ok(error instanceof DerError, String(error));
    }
  }
});

test('no bytes make the DER reader do anything but read or refuse', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      try {
        children(bytes, elementAt(bytes, 0, bytes.length)).forEach(child => assert.ok(child.end <= bytes.length));
      } catch (error) {
        assert.ok(error instanceof DerError);
      }
    }),
    { numRuns: 2000 },
  );
});

test('no text makes the PEM reader throw, and what pem() writes it reads', () => {
  fc.assert(
    fc.property(fc.string(), fc.uint8Array({ maxLength: 300 }), (noise, bytes) => {
      const line = noise.replaceAll('-----', '');
      const { blocks } = readPem(`${line}\n${pem('X509 CRL', bytes)}${line}`);
      assert.deepEqual(blocks[0]?.der, Buffer.from(bytes));
    }),
    { numRuns: 500 },
  );
});

test('a PEM block that never ends or is not base64 is a problem with its line', () => {
  const { blocks, problems } = readPem(
    'text\n-----BEGIN X509 CRL-----\nAAAA\n-----BEGIN CRL-----\n\u00a0\u00e9\n-----END CRL-----\n',
  );
  assert.deepEqual(blocks, []);
  assert.deepEqual(
    problems.map(each => each.line),
    [2, 4],
  );
});

test('times are read to the second, in both forms, up to the year 9999', () => {
  const read = (tag: number, text: string) => {
    const der = Buffer.concat([Buffer.from([tag, text.length]), Buffer.from(text)]);
    return new Date(timeMs(der, elementAt(der, 0, der.length))).toISOString();
  };
  assert.equal(read(0x17, '491231235959Z'), '2049-12-31T23:59:59.000Z');
  assert.equal(read(0x17, '500101000000Z'), '1950-01-01T00:00:00.000Z');
  assert.equal(read(0x18, '99991231235959Z'), '9999-12-31T23:59:59.000Z');
  assert.throws(() => read(0x17, '4912312359Z'), DerError);
});

test('facts agree with what Node says of the same certificate', async () => {
  const authority = await testAuthority();
  const certificate = await serverCertificate(authority);
  const facts = factsOf(certificate);
  assert.equal(facts.notBefore, certificate.validFromDate.getTime());
  assert.equal(facts.notAfter, certificate.validToDate.getTime());
  assert.deepEqual(facts.extendedKeyUsage, certificate.keyUsage);
  assert.equal(facts.isCa, certificate.ca);
  assert.equal(factsOf(authority.issuing.certificate).pathLengthMax, 0);
  assert.equal(factsOf(authority.root.certificate).selfSigned, true);
});
