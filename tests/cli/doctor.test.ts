/** `zancudo doctor` on what the tutorials leave behind, and in front of a running broker. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeCertificates, needs, run, startBroker, temporaryDirectory, zancudo } from '../harness/mod.ts';

interface Report {
  exitCode: number;
  findings: { code: string; severity: string; where: string; saw: string }[];
  mended: { says: string; copies: string[]; failure: string | null }[];
}

function folder(t: TestContext): string {
  const directory = temporaryDirectory();
  t.after(() => directory.remove());
  return directory.path;
}

async function doctor(t: TestContext, ...args: string[]): Promise<Report> {
  const { stdout, stderr, code } = await run(zancudo, ['doctor', '--json', ...args], {
    env: { ...process.env, ZANCUDO_HOME: join(folder(t), 'home') },
  });
  assert.notEqual(stdout, '', stderr);
  const report = JSON.parse(stdout) as Report;
  assert.equal(code, report.exitCode);
  return report;
}

const codesOf = ({ findings }: Report): string[] => findings.map(each => each.code);

async function shell(lines: string, cwd: string): Promise<void> {
  const result = await run('/bin/sh', ['-ec', lines], { cwd });
  assert.equal(result.code, 0, result.output);
}

/** As the first tutorial makes them: RSA-1024, four subjectAltName lines, no purpose, ten years. */
const first = `
openssl req -newkey rsa:1024 -x509 -nodes -days 3650 -keyout MiCA.key -out MiCA.crt -subj "/CN=Mi Casa /O=example"
openssl genrsa -out MiMosquitto.key 1024
openssl req -new -out MiMosquitto.csr -key MiMosquitto.key -subj "/CN=Mosquitto en el Futro /O=example"
openssl x509 -req -in MiMosquitto.csr -CA MiCA.crt -CAkey MiCA.key -CAcreateserial -out MiMosquitto.crt -days 3650 -extfile extensiones.txt -extensions MisExtensiones
printf '#!/bin/sh\\nmosquitto_sub --cafile MiCA.crt --insecure -h 192.168.1.20 -t x\\n' > sub.sh`;

const extensions = `[ MisExtensiones ]
basicConstraints = critical,CA:false
subjectAltName = IP:192.168.1.20
subjectAltName = IP:127.0.0.1
subjectAltName = DNS:localhost
subjectAltName = DNS:futro-s450
`;

test('a certificate in a folder whose name has blanks and quotes is issued again, and the one before is kept', needs('openssl'), async t => {
  const place = join(folder(t), "it's my place");
  mkdirSync(place);
  await shell(third, place);
  const { mended } = await doctor(t, place, '--fix', '--yes');
  assert.ok(mended.some(({ copies, failure }) => failure === null && copies.some(copy => /server\.crt\.before/.test(copy))));
  assert.ok(mended.flatMap(each => each.copies).every(copy => !/\.key\.before/.test(copy)), 'a key that stays is not copied');
  await shell('openssl verify -CAfile mqtt_ca.crt mqtt_server.crt', place);
}); // prettier-ignore

test('every fault of the first tutorial is found by its true cause, and one --fix mends what can be mended', needs('openssl'), async t => {
  const place = folder(t);
  writeFileSync(join(place, 'extensiones.txt'), extensions);
  await shell(first, place);
  const before = await doctor(t, place);
  for (const code of [
    'tls.key-too-small',
    'tls.alternative-names-lost',
    'tls.ca-key-on-broker',
    'tls.no-extended-key-usage',
    'tls.lifetime-long',
    'tls.ca-key-too-small',
    'tls.ca-no-key-usage',
    'ext.alternative-names-repeated',
    'client.insecure',
  ])
    assert.ok(codesOf(before).includes(code), `${code} among ${codesOf(before).join(', ')}`);
  const after = await doctor(t, place, '--fix', '--yes');
  assert.deepEqual(codesOf(after), ['tls.ca-key-on-broker']);
  assert.ok(after.mended.every(each => each.failure === null));
  const verify = 'openssl verify -x509_strict -CAfile MiCA.crt -verify_ip 192.168.1.20 MiMosquitto.crt';
  await shell(verify, place);
  assert.doesNotMatch(readFileSync(join(place, 'sub.sh'), 'utf8'), /insecure/);
}); // prettier-ignore

/** As the third tutorial makes them: one name for CA and server, a certificate of version 1, a misspelt path. */
const third = `
openssl req -new -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/C=JP/CN=User-PC.local" -keyout mqtt_ca.key -out mqtt_ca.crt
openssl req -new -newkey rsa:2048 -nodes -keyout mqtt_server.key -subj "/C=JP/CN=User-PC.local" -out mqtt_server.csr
openssl x509 -req -in mqtt_server.csr -CA mqtt_ca.crt -CAkey mqtt_ca.key -CAcreateserial -days 3650 -out mqtt_server.crt
chmod 0755 .`;

test('the third tutorial, configuration and all, is mended until openssl accepts it', needs('openssl'), async t => {
  const place = folder(t);
  await shell(third, place);
  writeFileSync(join(place, 'mqttpass'), 'user1:$7$101$AAAA$AAAA\n', { mode: 0o644 });
  const file = join(place, 'mosquitto.conf');
  writeFileSync(
    file,
    `allow_anonymous false
password_file ${place}/mqttpass
port 8883
tls_version tlsv1
cafile ${place}/ca_cetificates/mqtt_ca.crt
certfile ${place}/mqtt_server.crt
keyfile ${place}/mqtt_server.key
`,
  );
  const before = codesOf(await doctor(t, file));
  for (const code of ['tls.file-missing', 'tls.same-subject', 'tls.certificate-version-1', 'conf.tls-version-obsolete'])
    assert.ok(before.includes(code), `${code} among ${before.join(', ')}`);
  const after = await doctor(t, file, '--fix', '--yes');
  assert.deepEqual(codesOf(after), ['tls.ca-key-on-broker', 'tls.ca-no-key-usage']);
  assert.match(readFileSync(file, 'utf8'), new RegExp(`^cafile ${place}/mqtt_ca.crt$`, 'm'));
  await shell('openssl verify -CAfile mqtt_ca.crt mqtt_server.crt', place);
});

test('a key that the user of the broker cannot read is found with the folder or file that bars the way', needs('openssl', 'root', '/etc/debian_version'), async t => {
  const place = folder(t);
  await makeCertificates(place);
  const file = join(place, 'mosquitto.conf');
  const text = `user daemon\nlistener 8883\nallow_anonymous true\ncertfile ${place}/server.crt\nkeyfile ${place}/server.key\n`;
  writeFileSync(file, text);
  const barred = (await doctor(t, file)).findings.filter(each => each.code === 'tls.file-forbidden');
  assert.match(barred[0]?.saw ?? '', new RegExp(`user daemon may not read it: the folder ${place} on the way`));
  await shell('chmod 0755 .', place);
  const { findings } = await doctor(t, file, '--fix', '--yes');
  assert.ok(!findings.some(each => each.code === 'tls.file-forbidden'));
}); // prettier-ignore

test('each question takes one line of standard input, and its end means no', async t => {
  const place = folder(t);
  const file = join(place, 'mosquitto.conf');
  const text =
    'listener 1883 127.0.0.1\nallow_anonymous true\nmax_inflight_mesages 5\nmax_queued_mesages 9\nmax_pakket_size 9\n';
  writeFileSync(file, text);
  const { stderr } = await run(zancudo, ['doctor', file, '--fix'], { input: 'n\nyes\n' });
  assert.equal(stderr.match(/\[y\/N\]/g)?.length, 3);
  assert.match(readFileSync(file, 'utf8'), /\nmax_inflight_mesages 5\nmax_queued_messages 9\nmax_pakket_size 9\n$/);
});

test('seen from outside: clear text, anonymous access, an unknown CA, nobody there', needs('openssl'), async t => {
  const place = folder(t);
  const file = await makeCertificates(place);
  const broker = await startBroker({
    conf: at => `listener ${at.port(0)} 127.0.0.1
allow_anonymous true
listener ${at.port(1)} 127.0.0.1
certfile ${file('server.crt')}
keyfile ${file('server.key')}
listener ${at.port(2)} 127.0.0.1
certfile ${file('server.crt')}
keyfile ${file('server.key')}
cafile ${file('ca.crt')}
require_certificate true
use_identity_as_username true
`,
  });
  t.after(() => broker.stop());
  const [plain, secure, mutual] = broker.ports;
  const look = async (place: string, ca = file('ca.crt')): Promise<string[]> =>
    codesOf(await doctor(t, '--connect', place, '--cafile', ca)).filter(code => code !== 'tls.no-extended-key-usage');
  assert.deepEqual(await look(`127.0.0.1:${plain}`), ['listener.clear-text', 'access.anonymous']);
  assert.deepEqual(await look(`127.0.0.1:${secure}`), ['access.anonymous']);
  assert.deepEqual(await look(`127.0.0.1:${secure}`, file('client.crt')), ['tls.unknown-ca']);
  assert.deepEqual(await look(`127.0.0.2:${secure}`), ['connect.socket']);
  assert.deepEqual(await look(`127.0.0.1:${mutual}`), []);
}); // prettier-ignore
