import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import tls from 'node:tls';
import { factsOf } from './inspect.ts';
import { keyPem, makeKey, type KeyKind } from './keys.ts';
import { PkiError } from './pki-error.ts';
import { profiles } from './profiles.ts';
import { present, run, serverCertificate, temporaryFolder, testAuthority, testNow } from './shared.test.ts';

const day = 86_400_000;

async function written(folder: string, kind: KeyKind, now = Date.now()) {
  const authority = await testAuthority(now);
  const key = await makeKey(kind);
  const server = await serverCertificate(authority, { key, now });
  const file = (name: string, text: string) => {
    fs.writeFileSync(path.join(folder, name), text);
    return text;
  };
  file('root.crt', authority.root.certificate.toString());
  file('issuing.crt', authority.issuing.certificate.toString());
  file('server.crt', server.toString());
  const chain = file('chain.crt', `${server.toString()}${authority.issuing.certificate.toString()}`);
  return { chain, key: file('server.key', keyPem(key)), root: authority.root.certificate.toString() };
}

test('a server certificate lives 398 days, from a day ago, and never longer than its CA', async () => {
  const authority = await testAuthority();
  const { notBefore, notAfter } = factsOf(await serverCertificate(authority));
  assert.equal(notBefore, testNow - day);
  assert.equal(notAfter - notBefore, 398 * day - 1000);
  const ends = authority.issuing.certificate.validToDate.getTime();
  const late = factsOf(await serverCertificate(authority, { now: ends - 5 * day }));
  assert.equal(late.notAfter, ends);
});

test('a server certificate carries every name in one SAN, serverAuth, key usage and key identifiers', async () => {
  const authority = await testAuthority();
  const facts = factsOf(await serverCertificate(authority));
  assert.deepEqual(
    facts.names.map(({ kind, value }) => `${kind}:${value}`),
    ['dns:broker', 'dns:broker.local', 'ip:192.168.1.20', 'ip:fd00::20'],
  );
  assert.deepEqual(facts.extendedKeyUsage, profiles.server.extendedKeyUsage);
  assert.deepEqual(facts.keyUsage, ['digitalSignature']);
  assert.equal(facts.authorityKeyId, factsOf(authority.issuing.certificate).subjectKeyId);
  assert.equal(facts.version, 3);
  assert.equal(facts.isCa, false);
});

test('an RSA server key may encipher too, for TLS 1.2 without forward secrecy', async () => {
  const authority = await testAuthority();
  const facts = factsOf(await serverCertificate(authority, { key: await makeKey('rsa') }));
  assert.deepEqual(facts.keyUsage, ['digitalSignature', 'keyEncipherment']);
  assert.deepEqual(facts.key, { type: 'rsa', bits: 2048, curve: null });
});

test('serial numbers are random, of 128 bits, and positive', async () => {
  const authority = await testAuthority();
  const certificates = await Promise.all(Array.from({ length: 20 }, () => serverCertificate(authority)));
  const serials = certificates.map(each => BigInt(`0x${each.serialNumber}`));
  assert.equal(new Set(serials).size, serials.length);
  assert.ok(serials.every(serial => serial > 0n && serial < 2n ** 128n));
  assert.ok(serials.some(serial => serial > 2n ** 120n));
});

test('a certificate with the name of its CA is refused before it exists', async () => {
  const authority = await testAuthority();
  await assert.rejects(serverCertificate(authority, { subject: [{ CN: 'Test Issuing' }] }), PkiError);
});

test('names beyond ASCII survive in the subject', async () => {
  const authority = await testAuthority();
  const facts = factsOf(await serverCertificate(authority, { subject: [{ O: 'Señor Niño' }, { CN: '蚊' }] }));
  assert.equal(facts.subject, 'CN=蚊,O=Señor Niño');
});

for (const kind of ['ec', 'rsa'] as const) {
  test(`OpenSSL in strict mode accepts the ${kind} chain for every name in it and no other`, async t => {
    if (!present(t, 'openssl', 'version')) return;
    const folder = temporaryFolder(t);
    await written(folder, kind);
    const verify = (...extra: string[]) => {
      const always = ['-x509_strict', '-purpose', 'sslserver', '-CAfile', 'root.crt', '-untrusted', 'issuing.crt'];
      return run('openssl', ['verify', ...always, ...extra, 'server.crt'], folder);
    };
    for (const name of ['broker', 'broker.local'])
      assert.match(verify('-verify_hostname', name).output, /server.crt: OK/);
    for (const ip of ['192.168.1.20', 'fd00::20']) assert.match(verify('-verify_ip', ip).output, /server.crt: OK/);
    assert.match(verify('-verify_hostname', 'other').output, /hostname mismatch/i);
    assert.match(verify('-verify_ip', '192.168.1.21').output, /IP address mismatch/i);
  });

  test(`GnuTLS accepts the ${kind} chain`, async t => {
    if (!present(t, 'certtool')) return;
    const folder = temporaryFolder(t);
    await written(folder, kind);
    const args = [
      '--verify',
      '--load-ca-certificate',
      'root.crt',
      '--verify-hostname',
      'broker',
      '--infile',
      'chain.crt',
    ];
    const { status, output } = run('certtool', args, folder);
    assert.match(output, /Chain verification output: Verified/);
    assert.equal(status, 0);
  });

  test(`Python's ssl with VERIFY_X509_STRICT and Node connect to the ${kind} chain by name and address`, async t => {
    const folder = temporaryFolder(t);
    const { chain, key, root } = await written(folder, kind);
    const server = tls.createServer({ cert: chain, key }, socket => socket.end('ok')).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    for (const servername of ['broker', 'broker.local']) {
      const socket = tls.connect({ host: '127.0.0.1', port, ca: root, servername });
      await once(socket, 'secureConnect');
      assert.equal(socket.authorized, true);
      socket.destroy();
    }
    if (!present(t, '/usr/bin/python3')) return;
    const python = spawn('/usr/bin/python3', ['-c', strictPython, String(port)], { cwd: folder, stdio: 'pipe' });
    const output = (await python.stdout.toArray()).join('') + (await python.stderr.toArray()).join('');
    assert.equal(output.trim(), 'broker ok, broker.local ok, 192.168.1.20 ok, fd00::20 ok');
  });
}

const strictPython = `
import socket, ssl, sys
def connect(name):
    context = ssl.create_default_context(cafile='root.crt')
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with context.wrap_socket(socket.create_connection(('127.0.0.1', int(sys.argv[1]))), server_hostname=name) as tls:
        return name + ' ' + tls.recv(2).decode()
print(', '.join(connect(name) for name in ['broker', 'broker.local', '192.168.1.20', 'fd00::20']))
`;

test('a client that knows only RSA takes the RSA leaf, though an ECDSA CA signed it', async t => {
  if (!present(t, 'openssl', 'version')) return;
  const folder = temporaryFolder(t);
  const { chain, key } = await written(folder, 'rsa');
  const server = tls.createServer({ cert: chain, key }, socket => socket.end()).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const args = `s_client -connect 127.0.0.1:${port} -tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256 -sigalgs RSA+SHA256 -CAfile root.crt`;
  const client = spawn('openssl', args.split(' '), { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = (await client.stdout.toArray()).join('');
  assert.match(output, /Verify return code: 0 \(ok\)/);
  assert.match(output, /ECDHE-RSA-AES128-GCM-SHA256/);
});

/** mbedTLS as small devices have it: parses both files, verifies chain and name with its default profile. */
const mbedProgram = `
#include <mbedtls/x509_crt.h>
#include <stdio.h>
int main(int argc, char **argv) {
  mbedtls_x509_crt ca, chain;
  uint32_t flags = 0;
  mbedtls_x509_crt_init(&ca);
  mbedtls_x509_crt_init(&chain);
  int parsed = mbedtls_x509_crt_parse_file(&ca, "root.crt") | mbedtls_x509_crt_parse_file(&chain, "chain.crt");
  int verified = parsed ? 0 : mbedtls_x509_crt_verify(&chain, &ca, NULL, argv[1], &flags, NULL, NULL);
  printf("parsed %d verified %d flags %u\\n", parsed, verified, (unsigned) flags);
  return parsed || verified;
}`;

test('mbedTLS, which small devices run, accepts both chains', async t => {
  if (!present(t, 'gcc')) return;
  const folder = temporaryFolder(t);
  fs.writeFileSync(path.join(folder, 'verify.c'), mbedProgram);
  const built = run('gcc', ['-o', 'verify', 'verify.c', '-lmbedx509', '-lmbedcrypto'], folder);
  if (built.status !== 0) return t.skip('libmbedtls-dev is not installed');
  for (const kind of ['ec', 'rsa'] as const) {
    await written(folder, kind);
    assert.equal(run('./verify', ['broker'], folder).output, 'parsed 0 verified 0 flags 0\n');
    assert.notEqual(run('./verify', ['other'], folder).status, 0);
  }
});
