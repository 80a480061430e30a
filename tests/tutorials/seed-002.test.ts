/**
 * "MQTT sobre TLS con ESP32 y Mongoose-OS": both configurations as printed, a device on mbedTLS, and the log in syslog.
 * The tutorial prints no commands for its certificates; these are made the plain way.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { run, until, type Background, type Broker, type RunResult } from '../harness/mod.ts';
import { DebianMachine, machineNeeds, saysRunning } from './debian-machine.ts';
import { printed } from './printed.ts';

const says = printed('seed-002.md');
const source = fileURLToPath(new URL('mbedtls-client.c', import.meta.url));
const certs = '/etc/mosquitto/certs';
const address = '192.168.5.1';
const topic = '/this/test/esp32_807A98';
const clientExtensions = 'extendedKeyUsage=clientAuth';

/** An authority, the broker's certificate and the device's, all RSA-2048 as the device of the tutorial has them. */
const makeCertificates = `set -e
authority() { openssl req -x509 -newkey rsa:2048 -nodes -days 365 -keyout $1.key -out $1.crt -subj "/CN=$2" -addext keyUsage=keyCertSign,cRLSign; }
issue() { # name, subject, extensions, authority, days
  openssl req -new -newkey rsa:2048 -nodes -keyout $1.key -out $1.csr -subj "$2"
  echo "$3" > $1.ext
  openssl x509 -req -in $1.csr -CA $4.crt -CAkey $4.key -CAcreateserial -days $5 -extfile $1.ext -out $1.crt
}
authority ca "Laboratorio"
authority other "Otro laboratorio"
issue server "/CN=broker" "subjectAltName=IP:${address}" ca 365
issue sandboxclient "/CN=sandboxclient" "${clientExtensions}" ca 365
issue stranger "/CN=stranger" "${clientExtensions}" other 365
issue expired "/CN=oldclient" "${clientExtensions}" ca -1
cp ca.crt server.crt server.key ${certs}/
`;

class Laboratory {
  readonly machine = new DebianMachine({ addresses: [`${address}/32`] });
  readonly device = join(this.machine.home, 'device');
  syslog: Background | null = null;
  broker: Broker | null = null;

  async build(): Promise<void> {
    const libraries = ['-lmbedtls', '-lmbedx509', '-lmbedcrypto'];
    const compiled = await run('gcc', ['-Wall', '-O1', '-o', this.device, source, ...libraries]);
    assert.equal(compiled.code, 0, compiled.output);
    const made = await this.machine.type(makeCertificates);
    assert.equal(made.code, 0, made.output);
    this.machine.letMosquittoRead(`${certs}/server.key`);
    this.syslog = await this.machine.startSyslog();
  }

  get log(): string {
    return this.syslog!.stdout;
  }

  /** Starts on this text alone, as the tutorial gives it; it is ready when syslog has heard so. */
  async start(configuration: string): Promise<void> {
    await this.broker?.stop();
    this.broker = null;
    this.machine.configure('/etc/mosquitto/mosquitto.conf', configuration);
    const from = this.log.length;
    this.broker = await this.machine.startBroker({ isReady: () => saysRunning.test(this.log.slice(from)) });
  }

  /** Waits for a line in syslog, not counting what was there at `from`. */
  async logged(pattern: RegExp, from: number): Promise<void> {
    await until(`${pattern} in syslog`, () => pattern.test(this.log.slice(from))).catch((error: Error) => {
      throw new Error(`${error.message}, which has:\n${this.log.slice(from)}`);
    });
  }

  /** The device connects and publishes once, with the certificate of this name or with none. */
  connect(certificate?: string): Promise<RunResult> {
    const pair = certificate === undefined ? [] : [`${certificate}.crt`, `${certificate}.key`];
    return this.machine.namespace.run(this.device, [address, '8883', 'ca.crt', ...pair], { cwd: this.machine.home });
  }

  /** Somebody who watches the topic, over TLS and with these options. */
  watch(options = ''): Background {
    return this.machine.leaveRunning(`mosquitto_sub -h ${address} -p 8883 --cafile ca.crt ${options} -t ${topic} -v`);
  }

  async end(): Promise<void> {
    await this.broker?.stop();
    await this.syslog?.stop();
    this.machine.remove();
  }
}

/** The device publishes until the watcher shows it; its last output. */
async function publishesTo(watcher: Background, connect: () => Promise<RunResult>): Promise<RunResult> {
  try {
    return await until<RunResult | null>('the message to arrive', async () => {
      const result = await connect();
      assert.equal(result.code, 0, result.output);
      assert.ok(!watcher.hasEnded, watcher.stderr);
      return watcher.stdout.includes(`${topic} CONNECTED!\n`) ? result : null;
    });
  } finally {
    await watcher.stop();
  }
}

const needed = machineNeeds('gcc', '/usr/include/mbedtls/ssl.h', '/usr/bin/python3');

test('seed 002: an ESP32 with Mongoose OS publishes over TLS, with and without a certificate', needed, async t => {
  const laboratory = new Laboratory();
  t.after(() => laboratory.end());
  await laboratory.build();
  const simple = says('simple.conf');
  const mutual = says('mutual.conf');

  await t.test(
    'on the simple configuration as printed the device is told "not authorised", and syslog what to write',
    async () => {
      await laboratory.start(simple);
      const result = await laboratory.connect();
      assert.equal(result.code, 2, result.output);
      assert.match(result.stdout, /CONNACK 5/);
      await laboratory.logged(/allow_anonymous true/, 0);
    },
  );

  await t.test('with that line it publishes, on the cipher suite that the tutorial shows', async () => {
    await laboratory.start(`${simple}allow_anonymous true\n`);
    const result = await publishesTo(laboratory.watch(), () => laboratory.connect());
    const [, suite = 'no suite in the tutorial'] = /ciphersuite: (\S+)/.exec(says('device-log')) ?? [];
    assert.ok(result.stdout.includes(`ciphersuite: ${suite}\n`), result.stdout);
    assert.match(result.stdout, /CONNACK 0/);
    assert.match(result.stdout, /Published:OK topic:\/this\/test\/esp32_807A98 msg:CONNECTED!/);
  });

  await t.test('on the mutual configuration its certificate lets it in', async () => {
    await laboratory.start(`${mutual}allow_anonymous true\n`);
    const watcher = laboratory.watch('--cert sandboxclient.crt --key sandboxclient.key');
    await publishesTo(watcher, () => laboratory.connect('sandboxclient'));
  });

  await t.test('without its certificate it is refused in the handshake, and the log says what to do', async () => {
    const from = laboratory.log.length;
    const result = await laboratory.connect();
    assert.equal(result.code, 1, result.output);
    assert.doesNotMatch(result.stdout, /CONNACK/);
    await laboratory.logged(/peer did not return a certificate/, from);
    await laboratory.logged(/require_certificate|client certificate/i, from);
  });

  await t.test('a certificate of somebody else is refused by name and reason', async () => {
    const from = laboratory.log.length;
    const result = await laboratory.connect('stranger');
    assert.notEqual(result.code, 0, result.output);
    await laboratory.logged(/stranger/, from);
    await laboratory.logged(/Otro laboratorio|not signed|unknown/i, from);
  });

  await t.test('an expired certificate is refused by name and reason', async () => {
    const from = laboratory.log.length;
    const result = await laboratory.connect('expired');
    assert.notEqual(result.code, 0, result.output);
    await laboratory.logged(/oldclient/, from);
    await laboratory.logged(/expired/i, from);
  });
});
