import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { duplexPair } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { TLSSocket, connect } from 'node:tls';
import { CertificateDirectory, missing, tlsOptions } from './shared.test.ts';
import type { TlsOptions } from './options.ts';
import { TlsLoadError, loadTls } from './tls-context.ts';

describe('TLS files', { skip: missing('openssl', 'version') }, () => {
  let certificates: CertificateDirectory;
  before(() => {
    certificates = new CertificateDirectory();
    writeFileSync(certificates.file('garbage.pem'), 'garbage\n');
    const weak = ['-x509', '-newkey', 'rsa:1024', '-nodes', '-keyout', certificates.file('weak.key')];
    execFileSync('openssl', ['req', ...weak, '-out', certificates.file('weak.crt'), '-subj', '/CN=weak'], {
      stdio: 'ignore',
    });
    const locked = [
      'genpkey',
      '-algorithm',
      'EC',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-aes128',
      '-pass',
      'pass:abcd',
    ];
    execFileSync('openssl', [...locked, '-out', certificates.file('locked.key')], { stdio: 'ignore' });
  });
  after(() => certificates.remove());

  const pair = (certFile: string, keyFile: string): Partial<TlsOptions> => ({
    certificates: [{ certFile: certificates.file(certFile), keyFile: certificates.file(keyFile) }],
  });

  function linesOf(changes: Partial<TlsOptions>): string {
    try {
      loadTls(tlsOptions(certificates, changes));
    } catch (error) {
      assert.ok(error instanceof TlsLoadError);
      return error.lines.join('\n').replaceAll(certificates.path, 'DIR');
    }
    return 'loaded';
  }

  const USE =
    '\nOpenSSL Error [1]: error:10080002:BIO routines::system lib\nOpenSSL Error [2]: error:0A080002:SSL routines::system lib';
  const LOOKUP =
    '\nOpenSSL Error [1]: error:10000080:BIO routines::no such file\nOpenSSL Error [2]: error:05880002:x509 certificate routines::system lib';
  const GONE = '\nOpenSSL Error [0]: error:80000002:system library::No such file or directory';
  const NO_START =
    '\nOpenSSL Error [0]: error:0480006C:PEM routines::no start line\nOpenSSL Error [1]: error:0A080009:SSL routines::PEM lib';
  const NO_CERTIFICATE = '\nOpenSSL Error [0]: error:05800088:x509 certificate routines::no certificate or crl found';
  const CA = 'Error: Unable to load CA certificates. Check';
  const CRL = 'Error: Unable to load certificate revocation file';

  const CASES: [string, () => Partial<TlsOptions>, string | RegExp][] = [
    [
      'a certificate that is not there',
      () => pair('none', 'server.key'),
      `Error: Unable to load server certificate "DIR/none". Check certfile.${GONE}${USE}`,
    ],
    [
      'a certificate file with something else in it',
      () => pair('garbage.pem', 'server.key'),
      `Error: Unable to load server certificate "DIR/garbage.pem". Check certfile.${NO_START}`,
    ],
    [
      'a key that is not there',
      () => pair('server.crt', 'none'),
      `Error: Unable to load server key file "DIR/none". Check keyfile.${GONE}${USE}`,
    ],
    [
      'a key file with something else in it',
      () => pair('server.crt', 'garbage.pem'),
      /^Error: Unable to load server key file "DIR\/garbage\.pem"\. Check keyfile\.\nOpenSSL Error \[0\]: error:1E08010C:DECODER routines::unsupported/,
    ],
    [
      'a key of another certificate',
      () => pair('server.crt', 'alice.key'),
      'Error: Unable to load server key file "DIR/alice.key". Check keyfile.\nOpenSSL Error [0]: error:05800074:x509 certificate routines::key values mismatch',
    ],
    [
      'a key under a passphrase',
      () => pair('server.crt', 'locked.key'),
      /^Error: Unable to load server key file "DIR\/locked\.key"\. Check keyfile\.\nOpenSSL Error \[0\]: /,
    ],
    [
      'a key that is too small',
      () => pair('weak.crt', 'weak.key'),
      'Error: Unable to load server certificate "DIR/weak.crt". Check certfile.\nOpenSSL Error [0]: error:0A00018F:SSL routines::ee key too small',
    ],
    [
      'a CA file that is not there',
      () => ({ caFile: certificates.file('none') }),
      `${CA} cafile "DIR/none".${GONE}${LOOKUP}`,
    ],
    [
      'a CA file with something else in it, which Node would accept',
      () => ({ caFile: certificates.file('garbage.pem') }),
      `${CA} cafile "DIR/garbage.pem".${NO_CERTIFICATE}`,
    ],
    [
      'a revocation list that is not there',
      () => ({ crlFile: certificates.file('none') }),
      `${CRL} "DIR/none". Check crlfile.${GONE}${LOOKUP}`,
    ],
    [
      'a revocation list that is none',
      () => ({ crlFile: certificates.file('ca.crt') }),
      `${CRL} "DIR/ca.crt". Check crlfile.${NO_CERTIFICATE}`,
    ],
    ['a tls_version nobody knows', () => ({ minVersion: 'foo' }), /^Error: Unsupported tls_version "foo"\.\n/],
    [
      'ciphers nobody knows',
      () => ({ ciphers: 'foo' }),
      /^Error: Unable to set TLS ciphers\. Check cipher list "foo"\./,
    ],
    [
      'TLS 1.3 ciphers nobody knows',
      () => ({ ciphersTls13: 'TLS_FOO' }),
      /^Error: Unable to set TLS 1\.3 ciphersuites\. Check cipher_tls13 list "TLS_FOO"\./,
    ],
    ['groups nobody knows', () => ({ groups: ['foo'] }), /^Error: Unable to set TLS groups\. Check tls_groups "foo"\./],
    ['everything in order', () => ({ ciphers: 'HIGH', minVersion: 'tlsv1.2', groups: ['X25519', 'P-256'] }), 'loaded'],
    ['only TLS 1.3 ciphers named', () => ({ ciphersTls13: 'TLS_AES_128_GCM_SHA256' }), 'loaded'],
    ['a tls_version of the past, which means TLS 1.2', () => ({ minVersion: 'tlsv1' }), 'loaded'],
  ];

  for (const [what, changes, expected] of CASES) {
    test(`${what} is answered with the lines log readers know`, () => {
      const lines = linesOf(changes());
      if (typeof expected === 'string') assert.equal(lines, expected);
      else assert.match(lines, expected);
    });
  }

  test('a CA directory counts by its rehash links, and only by them', () => {
    const directory = certificates.file('cas');
    mkdirSync(directory);
    copyFileSync(certificates.file('ca.crt'), `${directory}/ca.pem`);
    copyFileSync(certificates.file('server.crt'), `${directory}/server.pem`);
    symlinkSync('ca.pem', `${directory}/0123abcd.0`);
    const { trust } = loadTls(tlsOptions(certificates, { caFile: null, caPath: directory }));
    assert.deepEqual(
      trust.cas.map(ca => ca.subject),
      ['CN=Test CA'],
    );
  });

  test('a CA directory that is not there, or has no links, is remarked on and trusts nobody', () => {
    for (const caPath of [certificates.file('none'), certificates.path]) {
      const { trust, remarks } = loadTls(tlsOptions(certificates, { caFile: null, caPath }));
      assert.equal(trust.cas.length, 0);
      assert.match(remarks.join('\n'), /^Warning: capath .* adds no CA[^]*openssl rehash/);
    }
  });

  test('a setting nobody knows comes with a hint of what to write', () => {
    assert.match(linesOf({ minVersion: 'foo' }), /\n.*write tlsv1\.2 or tlsv1\.3\.$/);
    assert.match(linesOf({ ciphers: 'foo' }), /\n.*openssl ciphers -v 'foo'$/);
  });

  test('every CA and every revocation list of a file counts, not only the first', () => {
    certificates.authority('second', '/CN=Second CA');
    certificates.list('ca', 'first.crl');
    certificates.list('second', 'second.crl');
    const join = (name: string, ...parts: string[]): void =>
      writeFileSync(
        certificates.file(name),
        parts.map(part => readFileSync(certificates.file(part), 'utf8')).join('text between\n'),
      );
    join('both.crt', 'ca.crt', 'second.crt');
    join('both.crl', 'first.crl', 'second.crl');
    const files = { caFile: certificates.file('both.crt'), crlFile: certificates.file('both.crl') };
    const { trust } = loadTls(tlsOptions(certificates, files));
    assert.equal(trust.cas.length, 2);
    assert.equal(trust.crls?.match(/BEGIN X509 CRL/g)?.length, 2);
  });

  /** What a client that lists these suites, most wanted first, is given. */
  async function given(offered: string, changes: Partial<TlsOptions>): Promise<string> {
    const { context } = loadTls(tlsOptions(certificates, changes));
    const [near, far] = duplexPair();
    const server = new TLSSocket(far, { isServer: true, secureContext: context });
    const maxVersion = offered.startsWith('TLS_') ? 'TLSv1.3' : 'TLSv1.2';
    const client = connect({ socket: near, ciphers: offered, maxVersion, rejectUnauthorized: false });
    await once(client, 'secureConnect');
    const { name } = client.getCipher();
    client.destroy();
    server.destroy();
    return name;
  }

  const [AES_128, AES_256, CHACHA] = [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
  ];

  test('a client of TLS 1.3 is given the suite whose handshakes cost least, ChaCha20 if it lists that first', async () => {
    assert.equal(await given(`${AES_256}:${CHACHA}:${AES_128}`, {}), AES_128);
    assert.equal(await given(`${CHACHA}:${AES_256}:${AES_128}`, {}), CHACHA);
    assert.equal(await given(AES_256, {}), AES_256);
  });

  test('so it is in TLS 1.2 with ChaCha20, and the strongest comes first otherwise', async () => {
    const [aes128, aes256] = ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384'];
    const chacha = 'ECDHE-ECDSA-CHACHA20-POLY1305';
    assert.equal(await given(`${chacha}:${aes256}`, {}), chacha);
    assert.equal(await given(`${aes128}:${chacha}:${aes256}`, {}), aes256);
  });

  test('an order that the configuration states is kept, whatever the client lists first', async () => {
    const ciphersTls13 = `${AES_256}:${CHACHA}:${AES_128}`;
    assert.equal(await given(`${CHACHA}:${AES_128}:${AES_256}`, { ciphersTls13 }), AES_256);
  });
});
