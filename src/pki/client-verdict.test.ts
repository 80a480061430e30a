import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { verdictOnClientCertificate, type ClientRules } from './client-verdict.ts';
import { readCrls } from './crl.ts';
import { certificatesOf } from './inspect.ts';
import { judgeClient } from './judge.ts';
import { present, shell, temporaryFolder } from './shared.test.ts';
import { verdictOfOpenSsl } from './verify-errors.ts';

/** A CA of somebody else's making, with a client of every kind, as `openssl ca` issues and revokes them. */
const script = `
cat > ca.cnf <<'END'
[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = .
serial = serial
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[client]
extendedKeyUsage = clientAuth
keyUsage = digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[server]
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[middle]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
END
: > index.txt
echo 1000 > serial
key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
ca='openssl ca -batch -notext -config ca.cnf'
root() {
  openssl req -new $key -keyout $1.key -out $1.csr -subj "/CN=$2"
  $ca -selfsign -keyfile $1.key -extensions root -in $1.csr -out $1.crt -startdate 20200101000000Z -enddate 20400101000000Z
}
issue() {
  openssl req -new $key -keyout $1.key -out $1.csr -subj "/CN=$3"
  $ca -cert $4.crt -keyfile $4.key -extensions $2 -in $1.csr -out $1.crt -startdate $5 -enddate $6
}
list() {
  openssl ca -config ca.cnf -cert $2.crt -keyfile $2.key -gencrl -crl_lastupdate $3 -crl_nextupdate $4 -out $1.crl
}
root ca 'Good CA'; root other 'Other CA'; root twin 'Good CA'
issue alice client alice ca 20260101000000Z 20360101000000Z
issue expired client old ca 20200101000000Z 20260102030405Z
issue early client young ca 20350101000000Z 20360101000000Z
issue wrong server 'a server' ca 20260101000000Z 20360101000000Z
issue mallory client mallory ca 20260101000000Z 20360101000000Z
issue stranger client stranger other 20260101000000Z 20360101000000Z
issue forged client alice twin 20260101000000Z 20360101000000Z
issue middle middle 'Middle CA' ca 20260101000000Z 20360101000000Z
issue below client below middle 20260101000000Z 20360101000000Z
issue bogus client bogus wrong 20260101000000Z 20360101000000Z
openssl req -x509 $key -days 30 -keyout self.key -out self.crt -subj '/CN=lonely'
list empty ca 20260701000000Z 20360101000000Z
openssl ca -config ca.cnf -cert ca.crt -keyfile ca.key -revoke mallory.crt
list good ca 20260701000000Z 20360101000000Z
list stale ca 20260101000000Z 20260201000000Z
list twin twin 20260701000000Z 20360101000000Z
list middle middle 20260701000000Z 20360101000000Z
`;

const now = Date.UTC(2026, 10, 21, 12);

interface Bench {
  ask(chain: string[], crls?: string[], rules?: ClientRules & { at?: number }): string;
  verdict(
    chain: string[],
    crls?: string[],
    rules?: ClientRules & { at?: number },
  ): ReturnType<typeof verdictOnClientCertificate>;
  file(name: string): string;
}

function bench(t: TestContext): Bench | null {
  if (!present(t, 'openssl', 'version')) return null;
  const folder = temporaryFolder(t);
  shell(script, folder);
  const file = (name: string) => fs.readFileSync(path.join(folder, name), 'utf8');
  const certificates = (names: string[]) => names.map(name => new X509Certificate(file(`${name}.crt`)));
  const verdict: Bench['verdict'] = (chain, crls = [], { at = now, ...rules } = {}) => {
    const lists = crls.flatMap(name => readCrls(file(`${name}.crl`)).lists);
    const checkRevocation = crls.length > 0;
    return verdictOnClientCertificate(certificates(chain), certificates(['ca']), lists, at, {
      checkRevocation,
      ...rules,
    });
  };
  return { verdict, file, ask: (...args) => verdict(...args)?.code.replace('tls.', '') ?? 'fine' };
}

test('a client certificate holds or is refused for its true reason', t => {
  const b = bench(t);
  if (!b) return;
  assert.equal(b.ask(['alice']), 'fine');
  assert.equal(b.ask(['alice'], ['good']), 'fine');
  assert.equal(b.ask([]), 'client-certificate-missing');
  assert.equal(b.ask(['self']), 'client-certificate-unknown-ca');
  assert.equal(b.ask(['stranger']), 'client-certificate-unknown-ca');
  assert.equal(b.ask(['stranger', 'other']), 'client-certificate-unknown-ca');
  assert.equal(b.ask(['forged', 'twin']), 'client-certificate-unknown-ca');
  assert.equal(b.ask(['expired']), 'client-certificate-expired');
  assert.equal(b.ask(['early']), 'client-certificate-not-yet-valid');
  assert.equal(b.ask(['wrong']), 'client-certificate-purpose');
  assert.equal(b.ask(['mallory'], ['empty']), 'fine');
  assert.equal(b.ask(['mallory'], ['good']), 'client-certificate-revoked');
  assert.equal(b.ask(['bogus', 'wrong']), 'client-certificate-issuer-no-ca');

  // A way over an intermediate needs the intermediate, and only the CA that issued the leaf needs a list.
  assert.equal(b.ask(['below']), 'client-certificate-unknown-ca');
  assert.equal(b.ask(['below', 'middle']), 'fine');
  assert.equal(b.ask(['below', 'middle'], ['good']), 'crl-missing');
  assert.equal(b.ask(['below', 'middle'], ['middle']), 'fine');
});

test('a revocation list that ran out, is missing or was signed by somebody else lets nobody in', t => {
  const b = bench(t);
  if (!b) return;
  assert.equal(b.ask(['alice'], ['stale']), 'crl-expired');
  assert.equal(b.ask(['alice'], ['stale', 'good']), 'fine');
  assert.equal(b.ask(['mallory'], ['stale', 'empty']), 'client-certificate-revoked');
  assert.equal(b.ask(['alice'], ['twin']), 'crl-missing');
  assert.equal(b.ask(['alice'], [], { checkRevocation: true }), 'crl-missing');
  assert.equal(b.ask(['alice'], ['good'], { at: Date.UTC(2026, 5, 1) }), 'crl-not-yet-valid');
});

test('disable_client_cert_date_checks forgives dates and nothing else', t => {
  const b = bench(t);
  if (!b) return;
  const rules = { ignoreDates: true };
  assert.equal(b.ask(['expired'], [], rules), 'fine');
  assert.equal(b.ask(['early'], [], rules), 'fine');
  assert.equal(b.ask(['wrong'], [], rules), 'client-certificate-purpose');
  assert.equal(b.ask(['stranger'], [], rules), 'client-certificate-unknown-ca');
  assert.equal(b.ask(['mallory'], ['good'], rules), 'client-certificate-revoked');
});

test('a refusal names the subject, the reason and the CAs that would do', t => {
  const b = bench(t);
  if (!b) return;
  assert.match(b.verdict(['stranger'])?.log ?? '', /"CN=stranger" was issued by "CN=Other CA"; .* trusts "CN=Good CA"/);
  assert.match(b.verdict(['forged'])?.log ?? '', /bears the name of a CA that is trusted here but has another key/);
  assert.match(b.verdict(['self'])?.log ?? '', /"CN=lonely" signed itself/);
  const expired = b.verdict(['expired']);
  assert.equal(expired?.log, 'its certificate "CN=old" expired on 2026-01-02 03:04:05 UTC, 323 days ago');
  assert.equal(expired.reason, 'certificate expired');
  assert.match(b.verdict(['early'])?.remedy.join(' ') ?? '', /set the clock/);
  assert.match(b.verdict(['wrong'])?.log ?? '', /is made for serverAuth, not for a client/);
  assert.match(b.verdict(['mallory'], ['good'])?.log ?? '', /"CN=mallory" \(serial [0-9A-F]+\) was revoked on 20/);
});

test('a listener may hand over its revocation lists as text', t => {
  const b = bench(t);
  if (!b) return;
  const cas = certificatesOf(b.file('ca.crt'));
  const trust = { cas, crls: b.file('good.crl'), forgiveDates: false };
  assert.equal(judgeClient(certificatesOf(b.file('alice.crt')), trust, now), null);
  assert.equal(judgeClient(certificatesOf(b.file('mallory.crt')), trust, now)?.code, 'tls.client-certificate-revoked');
  const broken = { ...trust, crls: 'nothing of the kind' };
  assert.equal(judgeClient(certificatesOf(b.file('alice.crt')), broken, now)?.code, 'tls.crl-missing');
});

test('of a CA renewed with its own key the certificate valid now is used', t => {
  if (!present(t, 'openssl', 'version')) return;
  const folder = temporaryFolder(t);
  shell(
    `key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
     openssl req -new $key -keyout ca.key -subj /CN=CA -out ca.csr
     printf 'basicConstraints=critical,CA:TRUE\\n' > ca.ext
     for days in 1 9000; do openssl x509 -req -in ca.csr -signkey ca.key -days $days -extfile ca.ext -out ca$days.crt; done
     openssl req -new $key -keyout c.key -subj /CN=c -out c.csr
     openssl x509 -req -in c.csr -CA ca9000.crt -CAkey ca.key -CAcreateserial -days 9000 -out c.crt`,
    folder,
  );
  const read = (name: string) => new X509Certificate(fs.readFileSync(path.join(folder, name)));
  const later = Date.now() + 10 * 86_400_000;
  const cas = [read('ca1.crt'), read('ca9000.crt')];
  assert.equal(verdictOnClientCertificate([read('c.crt')], cas, [], later, {}), null);
});

test('every verdict of OpenSSL has words, known or not', () => {
  assert.match(verdictOfOpenSsl('EE_KEY_TOO_SMALL', 'CN=a').remedy[0] ?? '', /2048 bits/);
  assert.match(verdictOfOpenSsl('SOMETHING_NEW', 'CN=a').log, /"CN=a" was refused by OpenSSL \(SOMETHING_NEW\)/);
  assert.match(verdictOfOpenSsl('CERT_REVOKED', null).log, /its certificate was revoked/);
});
