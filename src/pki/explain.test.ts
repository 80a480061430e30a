import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import tls from 'node:tls';
import type { Finding } from '../base/mod.ts';
import { explainTlsFiles, type ExplainRequest } from './explain.ts';
import { factsOf } from './inspect.ts';
import { present, shell, temporaryFolder } from './shared.test.ts';

const day = 86_400_000;

interface Desk {
  folder: string;
  explain(change?: Partial<ExplainRequest> & { caFile?: string | null; crlFile?: string | null }): Finding[];
  codes(change?: Parameters<Desk['explain']>[0]): string[];
}

/** A folder in which the shell lines have made `ca.crt`, `s.crt` and `s.key`. */
function desk(t: TestContext, lines: string): Desk | null {
  if (!present(t, 'openssl', 'version')) return null;
  const folder = temporaryFolder(t);
  shell(lines, folder);
  const file = (name: string) => path.join(folder, name);
  const explain: Desk['explain'] = ({ caFile = file('ca.crt'), crlFile = null, ...change } = {}) => {
    const certificates = [{ certFile: file('s.crt'), keyFile: file('s.key') }];
    const error = loadError(file('s.crt'), file('s.key'));
    return explainTlsFiles({ files: { certificates, caFile, crlFile }, error, now: Date.now(), ...change });
  };
  return { folder, explain, codes: change => explain(change).map(each => each.code.replace('tls.', '')) };
}

function loadError(cert: string, key: string): unknown {
  try {
    tls.createSecureContext({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) });
    return null;
  } catch (error) {
    return error;
  }
}

const ca = (bits = 2048, subject = '/C=ES/O=Mi Casa/CN=MiCA') =>
  `openssl req -newkey rsa:${bits} -nodes -x509 -days 3650 -subj '${subject}' -addext keyUsage=critical,keyCertSign,cRLSign -keyout ca.key -out ca.crt\n`;

const server = (extensions: string[] | null, bits = 2048, subject = '/C=ES/O=Mi Casa/CN=futro-s450', days = 397) =>
  `openssl req -newkey rsa:${bits} -nodes -subj '${subject}' -keyout s.key -out s.csr
   ${extensions === null ? '' : `printf '%s\\n' ${extensions.map(each => `'${each}'`).join(' ')} > extensions.txt`}
   openssl x509 -req -in s.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days ${days} ${extensions === null ? '' : '-extfile extensions.txt'} -out s.crt\n`;

const good = [
  'basicConstraints = CA:FALSE',
  'extendedKeyUsage = serverAuth',
  'subjectAltName = DNS:futro-s450,IP:192.168.1.20',
];
const away = 'mv ca.key ../ca.key.$$; rm ../ca.key.$$\n';

function only(findings: Finding[], code: string): Finding {
  const found = findings.find(each => each.code === `tls.${code}`);
  assert.ok(found, `${code} among ${findings.map(each => each.code).join(', ')}`);
  return found;
}

test('files with nothing wrong say nothing', t => {
  const d = desk(t, ca() + server(good) + away);
  if (d) assert.deepEqual(d.explain(), []);
});

test('RSA-1024 is named with SECLEVEL, and the commands given mend it', t => {
  const d = desk(t, ca(1024) + server(good, 1024));
  if (!d) return;
  const finding = only(d.explain(), 'key-too-small');
  assert.equal(finding.severity, 'error');
  assert.match(`${finding.saw} ${finding.why}`, /1024 bits.*SECLEVEL/);
  for (const line of finding.remedy.filter(each => /^(openssl|printf)/.test(each))) shell(line, d.folder);
  assert.deepEqual(
    d.codes().filter(code => code !== 'ca-key-on-broker'),
    [],
  );
  shell('openssl verify -x509_strict -CAfile ca.crt -verify_ip 192.168.1.20 s.crt', d.folder);
});

test('of four subjectAltName lines the last won: the lost names are listed, and the commands bring them back', t => {
  const lines = ['IP:192.168.1.20', 'IP:127.0.0.1', 'DNS:localhost', 'DNS:futro-s450'].map(
    each => `subjectAltName = ${each}`,
  );
  const d = desk(t, ca() + server(['extendedKeyUsage = serverAuth', ...lines]));
  if (!d) return;
  const finding = only(d.explain(), 'alternative-names-lost');
  assert.match(
    finding.saw,
    /only DNS:futro-s450 of the 4 subjectAltName lines.*lost: IP:192.168.1.20, IP:127.0.0.1, DNS:localhost/,
  );
  assert.match(finding.why, /keeps only the last/);
  for (const line of finding.remedy.filter(each => /^(openssl|printf)/.test(each))) shell(line, d.folder);
  for (const ip of ['192.168.1.20', '127.0.0.1'])
    shell(`openssl verify -CAfile ca.crt -verify_ip ${ip} s.crt`, d.folder);
  for (const name of ['localhost', 'futro-s450'])
    shell(`openssl verify -CAfile ca.crt -verify_hostname ${name} s.crt`, d.folder);
});

test('a bare name alone is a warning, and a non-breaking space in the extension file is found', t => {
  const d = desk(
    t,
    `${ca() + server(['subjectAltName = DNS:futro-s450', 'extendedKeyUsage = serverAuth'])}
    printf 'subjectAltName\\302\\240= DNS:x\\n' > pasted.txt`,
  );
  if (!d) return;
  const finding = only(d.explain(), 'few-alternative-names');
  assert.equal(finding.severity, 'warning');
  assert.match(
    finding.saw,
    /good for DNS:futro-s450 only; line 1 of .*pasted.txt has a non-breaking space \(U\+00A0\)/,
  );
});

test('a single name that everybody can look up is only a note', t => {
  const d = desk(t, ca() + server(['subjectAltName = DNS:mqtt.example.org', 'extendedKeyUsage = serverAuth']));
  if (d) assert.equal(only(d.explain(), 'few-alternative-names').severity, 'note');
});

test('a server with the name of its CA: clients will say "self-signed certificate"', t => {
  const subject = '/C=JP/O=Home/CN=User-PC.local';
  const d = desk(t, ca(2048, subject) + server(null, 2048, subject, 3650));
  if (!d) return;
  const finding = only(d.explain(), 'same-subject');
  assert.match(finding.why, /self-signed certificate/);
  if (factsOf(read(d, 's.crt')).version === 1) only(d.explain(), 'certificate-version-1');
  for (const line of finding.remedy.filter(each => /^(openssl|printf)/.test(each))) shell(line, d.folder);
  shell('openssl verify -x509_strict -CAfile ca.crt -verify_hostname User-PC.local s.crt', d.folder);
});

function read(d: Desk, name: string): X509Certificate {
  return new X509Certificate(fs.readFileSync(path.join(d.folder, name)));
}

test('dates, purpose, lifetime, missing names and usages are each named', t => {
  const d = desk(t, ca() + server(['basicConstraints = CA:FALSE'], 2048, '/CN=futro-s450', 3650));
  if (!d) return;
  assert.deepEqual(d.codes().sort(), [
    'ca-key-on-broker',
    'lifetime-long',
    'no-alternative-names',
    'no-extended-key-usage',
  ]);
  assert.ok(d.codes({ now: Date.now() + 4000 * day }).includes('certificate-expired'));
  assert.ok(d.codes({ now: Date.now() + 4000 * day }).includes('ca-expired'));
  assert.ok(d.codes({ now: Date.now() - 10 * day }).includes('certificate-not-yet-valid'));
});

test('a certificate made for clients is no server certificate', t => {
  const d = desk(t, ca() + server(['extendedKeyUsage = clientAuth', 'subjectAltName = DNS:a,DNS:b']));
  if (d) assert.match(only(d.explain(), 'not-a-server-certificate').saw, /made for clientAuth/);
});

test('a key that does not match says whose it is', t => {
  const d = desk(t, `${ca() + server(good)} cp ca.key s.key`);
  if (d) assert.match(only(d.explain(), 'key-mismatch').saw, /this is the key of "CN=MiCA,O=Mi Casa,C=ES"/);
});

test('the private key of the CA on the broker is found by what it is, not by its name', t => {
  const d = desk(t, `${ca() + server(good)} mv ca.key innocent.pem`);
  if (d) assert.match(only(d.explain(), 'ca-key-on-broker').where, /innocent.pem$/);
});

test('files that are not what they should be', t => {
  const d = desk(t, ca() + server(good) + away);
  if (!d) return;
  const file = (name: string) => path.join(d.folder, name);
  const swapped = [{ certFile: file('s.key'), keyFile: file('s.crt') }];
  const explain = (files: object, nearest?: (file: string) => string | null) =>
    explainTlsFiles({
      files: {
        certificates: [{ certFile: file('s.crt'), keyFile: file('s.key') }],
        caFile: null,
        crlFile: null,
        ...files,
      },
      error: null,
      now: Date.now(),
      ...(nearest ? { nearest } : {}),
    });
  assert.match(only(explain({ certificates: swapped }), 'not-a-certificate').remedy.join(' '), /swapped/);
  assert.match(only(explain({ certificates: swapped }), 'not-a-key').remedy.join(' '), /swapped/);
  fs.writeFileSync(file('empty.crt'), '\n');
  only(explain({ caFile: file('empty.crt') }), 'file-empty');
  fs.writeFileSync(file('garbage.crt'), 'garbage');
  only(explain({ caFile: file('garbage.crt') }), 'not-a-certificate');
  fs.writeFileSync(file('pasted.crt'), fs.readFileSync(file('s.crt'), 'utf8').replace('\nMII', '\n\u00a0MII'));
  only(explain({ caFile: file('pasted.crt') }), 'not-a-certificate');
  only(explain({ caFile: d.folder }), 'file-unreadable');
  const missing = only(
    explain({ caFile: file('ca_cetificates/ca.crt') }, () => '/etc/x/ca.crt'),
    'file-missing',
  );
  assert.deepEqual(missing.remedy, ['Perhaps you meant: cafile /etc/x/ca.crt']);
  assert.ok(missing.saw.includes(`the path ends at ${d.folder}`));
  only(explain({ caFile: file('s.crt') }), 'not-a-ca');
  only(explain({ crlFile: file('garbage.crt'), caFile: file('ca.crt') }), 'crl-unreadable');
});

test('a key with a passphrase is named as such', t => {
  const d = desk(
    t,
    `${ca() + server(good)} openssl pkey -in s.key -aes256 -passout pass:secret -out t.key && mv t.key s.key`,
  );
  if (d) only(d.explain(), 'key-encrypted');
});

test('a key that may not be read names the user, the owner and the mode along the path', t => {
  const d = desk(t, ca() + server(good));
  if (!d) return;
  if (process.geteuid?.() !== 0) return t.skip('only root can become somebody who may not read');
  const program = `
    process.setegid(65534); process.seteuid(65534);
    const { explainTlsFiles } = await import(${JSON.stringify(import.meta.resolve('./explain.ts'))});
    const certificates = [{ certFile: '${d.folder}/s.crt', keyFile: '${d.folder}/s.key' }];
    const found = explainTlsFiles({ files: { certificates, caFile: null, crlFile: null }, error: null, now: Date.now() });
    console.log(JSON.stringify(found.filter(each => each.code === 'tls.file-forbidden')));`;
  const ask = () =>
    JSON.parse(
      shell(`'${process.execPath}' --input-type=module -e '${program.replaceAll("'", `'\\''`)}'`, '/'),
    ) as Finding[];
  fs.chmodSync(d.folder, 0o755);
  fs.chmodSync(path.join(d.folder, 's.key'), 0o600);
  const [key] = ask();
  assert.match(key?.saw ?? '', /user nobody may not read it: the file belongs to root:root and has mode 0600/);
  assert.match(key?.remedy[0] ?? '', /chgrp nogroup .*s.key && sudo chmod g\+r /);
  fs.chmodSync(d.folder, 0o700);
  assert.match(ask()[0]?.saw ?? '', /the folder .* on the way to it belongs to root:root and has mode 0700/);
});

test('a revocation list that ran out or is not of our CA is named', t => {
  const d = desk(
    t,
    `${ca() + server(good)}
     printf '[ca]\\ndefault_ca=o\\n[o]\\ndatabase=i\\ndefault_md=sha256\\n' > c; : > i
     openssl ca -config c -cert ca.crt -keyfile ca.key -gencrl -crldays 10 -out ca.crl
     openssl req -newkey rsa:2048 -nodes -x509 -subj /CN=other -keyout o.key -out o.crt
     openssl ca -config c -cert o.crt -keyfile o.key -gencrl -crldays 10 -out o.crl`,
  );
  if (!d) return;
  const crlFile = path.join(d.folder, 'ca.crl');
  assert.ok(!d.codes({ crlFile }).some(code => code.startsWith('crl')));
  assert.ok(d.codes({ crlFile, now: Date.now() + 11 * day }).includes('crl-expired'));
  assert.ok(d.codes({ crlFile: path.join(d.folder, 'o.crl') }).includes('crl-foreign'));
});

test('an error that the files do not explain is passed on', t => {
  const d = desk(t, ca() + server(good) + away);
  if (!d) return;
  const cipher = Object.assign(new Error('no cipher match'), { code: 'ERR_SSL_NO_CIPHER_MATCH' });
  assert.match(only(d.explain({ error: cipher }), 'load-failed').saw, /"ciphers"/);
  assert.match(only(d.explain({ error: new Error('something new') }), 'load-failed').saw, /something new/);
});
