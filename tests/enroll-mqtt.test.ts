/**
 * From a token to a certificate over MQTT, and from an old certificate to a new one: with `zancudo enroll`, and with
 * openssl and Mosquitto's own clients. The broker runs on a configuration file, as it would in Mosquitto's place.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { diskRegistryStore, keyPem, makeKey, withRegistry } from '../src/pki/mod.ts';
import { type Broker, needs, run, startBroker, temporaryDirectory, zancudo } from './harness/mod.ts';

const dayMs = 86_400_000;

/** A broker with a CA home beside it, and a computer that has nothing yet. */
class Place {
  readonly #directory = temporaryDirectory();
  readonly home = join(this.#directory.path, 'ca');
  readonly desk = join(this.#directory.path, 'desk');
  broker!: Broker;

  static async open(t: TestContext): Promise<Place> {
    const place = new Place();
    t.after(async () => {
      await place.broker.stop();
      place.#directory.remove();
    });
    mkdirSync(place.desk);
    await place.zancudo(`ca init --home '${place.home}'`);
    writeFileSync(join(place.home, 'access'), '', { flag: 'a', mode: 0o600 });
    place.broker = await startBroker({ conf: at => place.#configuration(at.port()) });
    return place;
  }

  #configuration(port: number): string {
    const { home } = this;
    return `ca_home ${home}
acl_file ${home}/access
allow_anonymous false
listener ${port} 127.0.0.1
certfile ${home}/server/server.crt
keyfile ${home}/server/server.key
cafile ${home}/clients/trusted.crt
crlfile ${home}/clients/revoked.crl
request_certificate true
use_identity_as_username true
enrolment true
`;
  }

  get port(): number {
    return this.broker.ports[0]!;
  }

  /** A line of shell, typed at the desk. */
  async type(line: string, environment: Record<string, string> = {}): Promise<{ code: number | null; output: string }> {
    const env = { ...process.env, ZANCUDO_HOME: join(this.desk, 'own'), ...environment };
    return run('/bin/sh', ['-c', line], { cwd: this.desk, env });
  }

  async zancudo(words: string, environment: Record<string, string> = {}): Promise<string> {
    const { code, output } = await this.type(`'${zancudo}' ${words}`, environment);
    assert.equal(code, 0, output);
    return output;
  }

  /** The token of a new invitation, and the line that its answer says to type. */
  async invite(name: string, more = ''): Promise<{ token: string; line: string }> {
    const words = `device invite ${name} --host localhost --port ${this.port} --home '${this.home}' ${more}`;
    const output = await this.zancudo(words);
    const token = /^ +((?:[a-z0-9]{7}-){3}[a-z0-9]{7})$/m.exec(output)![1]!;
    return { token, line: /^ +zancudo (enroll .*)$/m.exec(output)![1]! };
  }

  /** A device's certificate that was issued so many days ago, for one day. */
  async issueOld(name: string, daysAgo: number): Promise<void> {
    const key = await makeKey('ec');
    const home = { folder: this.home, store: diskRegistryStore, now: Date.now() - daysAgo * dayMs };
    const request = { name, profile: 'device' as const, key, template: 'device', lifetimeDays: 1 };
    const [certificate] = await withRegistry(home, registry => registry.issueClients([request]));
    writeFileSync(join(this.desk, `${name}.crt`), certificate!.toString());
    writeFileSync(join(this.desk, `${name}.key`), keyPem(key), { mode: 0o600 });
    await this.type(`openssl req -new -key ${name}.key -subj /CN=somebody -out ${name}.csr`);
  }

  /** `program` of Mosquitto with this certificate. */
  as(name: string, program: string, version = 'mqttv5'): string {
    return `${program} -V ${version} -h localhost -p ${this.port} --cafile '${this.home}/ca.crt' --cert ${name}.crt --key ${name}.key`;
  }

  /** Asks for a renewal with Mosquitto's request tool. */
  async renew(name: string, version = 'mqttv5'): Promise<string> {
    const words = `-t '$CA/v1/renew' -e '$CA/v1/renew/response' -m "$(cat ${name}.csr)" -W 10`;
    return (await this.type(`${this.as(name, 'mosquitto_rr', version)} ${words}`)).output;
  }
}

const needed = needs('openssl', 'mosquitto_pub', 'mosquitto_rr');

test('a computer enrols with a token, publishes with its certificate and renews it', needed, async t => {
  const place = await Place.open(t);
  const { token, line } = await place.invite('pump-7');
  const current = join(place.desk, 'own/identities/pump-7/current');

  await t.test('the line that the invitation prints is all it takes, and the token is used up by it', async () => {
    const output = await place.zancudo(line, { ZANCUDO_TOKEN: token });
    const [, tryIt = ''] = /Try it:\n +zancudo (.*)/.exec(output) ?? [];
    await place.zancudo(`${tryIt} -q 1`);
    await place.broker.logged(/New client connected from .*u'pump-7'/);
    const again = await place.type(`'${zancudo}' ${line} --replace`, { ZANCUDO_TOKEN: token });
    assert.equal(again.code, 1);
    assert.match(again.output, /did not take the token for pump-7/);
    await place.broker.logged(/the token for pump-7 was used on/);
  });

  await t.test('key, certificate and profile are for their owner alone; what came verifies strictly', async () => {
    for (const name of readdirSync(join(place.desk, 'own'), { recursive: true, encoding: 'utf8' })) {
      assert.equal(statSync(join(place.desk, 'own', name)).mode & 0o077, 0, name);
    }
    const chain = `-CAfile ${current}/ca.crt -untrusted ${current}/client.crt ${current}/client.crt`;
    const { output } = await place.type(`openssl verify -x509_strict -purpose sslclient ${chain}`);
    assert.match(output, /: OK/);
  });

  for (const via of ['mqtt', 'est']) {
    await t.test(`it is renewed by ${via} with a new key, and only in time`, async () => {
      const before = readFileSync(join(current, 'client.key'), 'utf8');
      await place.zancudo(`enroll renew --profile pump-7 --via ${via} --if-days-left 30`);
      assert.equal(readFileSync(join(current, 'client.key'), 'utf8'), before);
      await place.zancudo(`enroll renew --profile pump-7 --via ${via}`);
      assert.notEqual(readFileSync(join(current, 'client.key'), 'utf8'), before);
      await place.zancudo('pub --profile pump-7 -t devices/pump-7/x -m hello -q 1');
    });
  }

  await t.test('a broker that has another CA than was told gets nothing to see', async () => {
    const wrong = `enroll localhost:${place.port} pump-8 --ca-fingerprint ${'AB'.repeat(32)}`;
    const { code, output } = await place.type(`'${zancudo}' ${wrong}`, { ZANCUDO_TOKEN: token });
    assert.equal(code, 1);
    assert.match(output, /another CA than the one with this fingerprint/);
  });

  await t.test('no token is in the log', () => {
    assert.equal(place.broker.lines.filter(text => text.includes(token)).length, 0);
  });
});

test('a token in the hand of any MQTT client', needed, async t => {
  const place = await Place.open(t);
  await place.type('openssl req -new -newkey rsa:2048 -nodes -subj /CN=admin -keyout any.key -out any.csr');
  const { token } = await place.invite('lamp');
  const login = (port: number): string => `mosquitto_rr -V mqttv311 -h localhost -p ${port} -u enroll -P ${token}`;
  const ask = `-t '$CA/v1/enroll' -e '$CA/v1/enroll/response' -m "$(cat any.csr)" -W 10`;

  await t.test('does for nothing but enrolling', async () => {
    const tls = `--cafile '${place.home}/ca.crt'`;
    const { code } = await place.type(`${login(place.port).replace('rr', 'pub')} ${tls} -t devices/lamp/x -m no -q 1`);
    assert.notEqual(code, 0);
    await place.broker.logged(/may only enrol as lamp: it published to devices\/lamp\/x/);
  });

  await t.test('gives a certificate of the invited name, whatever the request says', async () => {
    const { output } = await place.type(`${login(place.port)} --cafile '${place.home}/ca.crt' ${ask}`);
    const { certificate, name } = JSON.parse(output) as { certificate: string; name: string };
    assert.equal(name, 'lamp');
    writeFileSync(join(place.desk, 'any.crt'), certificate);
    const sent = await place.type(`${place.as('any', 'mosquitto_pub')} -t devices/lamp/x -m hello -q 1`);
    assert.equal(sent.output, '');
  });
});

test('a certificate that has expired', needed, async t => {
  const place = await Place.open(t);
  for (const [name, daysAgo] of [['late', 10], ['tooLate', 60], ['revoked', 10]] as const) await place.issueOld(name, daysAgo); // prettier-ignore
  await place.zancudo(`device revoke revoked --home '${place.home}'`);
  place.broker.signal('SIGHUP');
  await place.broker.logged(/Reloading config/);

  await t.test('may not publish, and the log says what it may', async () => {
    const { code } = await place.type(`${place.as('late', 'mosquitto_pub')} -t devices/late/x -m no -q 1`);
    assert.notEqual(code, 0);
    await place.broker.logged(/may only renew its certificate, which has expired: it published to devices\/late\/x/);
  });

  for (const version of ['mqttv311', 'mqttv5']) {
    await t.test(`is exchanged for a good one within the grace period (${version})`, async () => {
      const { certificate } = JSON.parse(await place.renew('late', version)) as { certificate: string };
      writeFileSync(join(place.desk, 'new.crt'), certificate);
      const sent = await place.type(
        `${place.as('late', 'mosquitto_pub').replace('late.crt', 'new.crt')} -t devices/late/x -m hello -q 1`,
      );
      assert.equal(sent.output, '');
    });
  }

  for (const name of ['tooLate', 'revoked']) {
    await t.test(`is refused as before when it is ${name === 'tooLate' ? 'past that' : 'revoked'}`, async () => {
      assert.match(await place.renew(name), /not authorized/i);
    });
  }
});
