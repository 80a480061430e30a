import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test, type TestContext } from 'node:test';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { Broker, CertificateDirectory, listenerOptions, missing, tlsOptions } from './shared.test.ts';

const CONNECT = Buffer.from('100d00044d5154540402003c000161', 'hex');

describe('A listener that requests certificates', { skip: missing('openssl', 'version') }, () => {
  let certificates: CertificateDirectory;

  before(() => {
    certificates = new CertificateDirectory();
    certificates.authority('stranger-ca', '/CN=Stranger CA');
    certificates.leaf('stranger', '/CN=stranger', 'extendedKeyUsage=clientAuth', 'stranger-ca');
    certificates.list('ca', 'empty.pem');
  });
  after(() => certificates.remove());

  const pem = (name: string): { cert: Buffer; key: Buffer } => ({
    cert: readFileSync(certificates.file(`${name}.crt`)),
    key: readFileSync(certificates.file(`${name}.key`)),
  });

  function client(t: TestContext, port: number, options: ConnectionOptions = {}): TLSSocket {
    const ca = readFileSync(certificates.file('ca.crt'));
    const socket = connectTls({ port, host: '127.0.0.1', ca, ...options });
    socket.on('error', () => {});
    t.after(() => socket.destroy());
    socket.write(CONNECT);
    return socket;
  }

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`${maxVersion}: who shows none passes unnamed, who shows a good one is named, who shows a bad one is refused`, async t => {
      const broker = new Broker(t);
      const port = await broker.open({ tls: tlsOptions(certificates) }, { requestCertificate: true });
      client(t, port, { maxVersion });
      const without = (await broker.next()).peer;
      assert.deepEqual([without.certificate, without.refusal, without.recheck?.()], [null, null, null]);
      client(t, port, { ...pem('alice'), maxVersion });
      const good = (await broker.next(2)).peer;
      assert.deepEqual([good.certificate?.commonName, good.refusal], ['alice', null]);
      client(t, port, { ...pem('stranger'), maxVersion });
      const bad = (await broker.next(3)).peer;
      assert.match(bad.refusal?.code ?? '', /unknown-ca/);
      assert.match(broker.text, /Stranger CA/);
    });
  }

  test('a reload with a new revocation list takes back the certificate, and leaves who showed none alone', async t => {
    const broker = new Broker(t);
    const crlFile = certificates.file('empty.pem');
    const rules = { requestCertificate: true };
    const port = await broker.open({ tls: tlsOptions(certificates, { crlFile }) }, rules);
    client(t, port, pem('alice'));
    const alice = (await broker.next()).peer;
    client(t, port);
    const nobody = (await broker.next(2)).peer;
    assert.deepEqual([alice.refusal, alice.recheck?.()], [null, null]);
    certificates.revoke('alice');
    certificates.list();
    const tls = tlsOptions(certificates, { crlFile: certificates.file('crl.pem') });
    assert.equal(broker.listeners.reload([listenerOptions({ tls }, rules)]), true);
    assert.match(alice.recheck?.()?.reason ?? '', /revoked/);
    assert.equal(nobody.recheck?.(), null);
  });
});
