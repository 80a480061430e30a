/** `zancudo probe` in front of a running broker: each device passes where the real one would, and says why it would not. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeCertificates, needs, run, startBroker, temporaryDirectory, zancudo, type Broker } from '../harness/mod.ts';

interface Verdict {
  device: string;
  version: string | null;
  passes: boolean;
  reasons: { code: string }[];
}

const rsa = `openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout rsa.key -out rsa.csr
printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\\nextendedKeyUsage=serverAuth\\n' > rsa.ext
openssl x509 -req -in rsa.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile rsa.ext -out rsa.crt`;

async function stage(t: TestContext, lines: (file: (name: string) => string) => string) {
  const directory = temporaryDirectory();
  t.after(() => directory.remove());
  const file = await makeCertificates(directory.path);
  const made = await run('/bin/sh', ['-ec', rsa], { cwd: directory.path });
  assert.equal(made.code, 0, made.output);
  const broker = await startBroker({ conf: at => `listener ${at.port()} 127.0.0.1\n${lines(file)}` });
  t.after(() => broker.stop());
  return { broker, file, probe: (...args: string[]) => probe(broker, directory.path, file('ca.crt'), args) };
}

/** By device: `pass`, or the codes of the reasons. */
async function probe(broker: Broker, home: string, ca: string, args: string[]): Promise<Record<string, string>> {
  const [host = '127.0.0.1', ...rest] = args;
  const { stdout, stderr, code } = await run(
    zancudo,
    ['probe', `${host}:${broker.port}`, '--json', '--cafile', ca, ...rest],
    { env: { ...process.env, ZANCUDO_HOME: join(home, 'home') } },
  );
  assert.notEqual(stdout, '', stderr);
  const verdicts = JSON.parse(stdout) as Verdict[];
  assert.equal(code, verdicts.every(each => each.passes) ? 0 : 1);
  return Object.fromEntries(
    verdicts.map(each => [each.device, each.passes ? 'pass' : each.reasons.map(({ code }) => code).join(' ')]),
  );
}

const pair = (file: (name: string) => string, name: string, suffix = ''): string =>
  `certfile${suffix} ${file(`${name}.crt`)}\nkeyfile${suffix} ${file(`${name}.key`)}\n`;

test('two chains on one port serve every device, but a browser wants WebSocket', needs('openssl'), async t => {
  const { probe } = await stage(t, file => `${pair(file, 'server')}${pair(file, 'rsa', '_rsa')}allow_anonymous true\n`);
  const verdicts = await probe();
  // The ECDSA certificate of the harness says nothing of its purpose, which Apple asks for.
  const { iphone, browser, esp8266, ...rest } = verdicts;
  assert.equal(iphone, 'probe.purpose');
  assert.equal(browser, 'probe.purpose');
  assert.equal(esp8266, 'probe.address');
  assert.ok(Object.values(rest).every(each => each === 'pass'), JSON.stringify(rest));
  assert.deepEqual(await probe('localhost', '--as', 'esp8266'), { esp8266: 'pass' });
}); // prettier-ignore

test('a device that knows RSA only is told so by a server with ECDSA only', needs('openssl'), async t => {
  const { probe } = await stage(t, file => `${pair(file, 'server')}allow_anonymous true\n`);
  const verdicts = await probe('127.0.0.1', '--as', 'tasmota', '--as', 'mongoose-os', '--as', 'java8');
  assert.deepEqual(verdicts, { tasmota: 'probe.key-kind', 'mongoose-os': 'pass', java8: 'pass' });
});

test('a server of TLS 1.3 alone loses the devices of TLS 1.2, and they say so', needs('openssl'), async t => {
  const { probe } = await stage(t, file => `${pair(file, 'rsa')}tls_version tlsv1.3\nallow_anonymous true\n`);
  const verdicts = await probe('127.0.0.1', '--as', 'esp-idf', '--as', 'android', '--as', 'openssl', '--as', 'iphone');
  assert.deepEqual(verdicts, { 'esp-idf': 'probe.version', android: 'pass', openssl: 'pass', iphone: 'pass' });
});

test('a browser passes where the port speaks secure WebSocket, and the others do not', needs('openssl'), async t => {
  const { probe } = await stage(t, file => `protocol websockets\n${pair(file, 'rsa')}allow_anonymous true\n`);
  const verdicts = await probe('127.0.0.1', '--as', 'browser', '--as', 'openssl');
  assert.deepEqual(verdicts, { browser: 'pass', openssl: 'probe.refused' });
});

test('where a client certificate is wanted, a device without one is told so, in TLS 1.2 and 1.3, and one with it passes', needs('openssl'), async t => {
  const mutual = 'require_certificate true\nuse_identity_as_username true\n';
  const { probe, file } = await stage(t, file => `${pair(file, 'rsa')}cafile ${file('ca.crt')}\n${mutual}`);
  const both = ['--as', 'mongoose-os', '--as', 'openssl'];
  const wanted = 'probe.client-certificate';
  assert.deepEqual(await probe('127.0.0.1', ...both), { 'mongoose-os': wanted, openssl: wanted });
  const identity = ['--cert', file('client.crt'), '--key', file('client.key')];
  assert.deepEqual(await probe('127.0.0.1', ...both, ...identity), { 'mongoose-os': 'pass', openssl: 'pass' });
}); // prettier-ignore
