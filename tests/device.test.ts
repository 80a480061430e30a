/**
 * From nothing to a device with a certificate of its own, publishing over mutual TLS: three commands. And back: what is
 * revoked is gone, on the connection that lives and for good.
 * In a network namespace, so that the ports a home takes by itself are free.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  Background,
  Namespace,
  needs,
  startBroker,
  temporaryDirectory,
  until,
  zancudo,
  type Broker,
} from './harness/mod.ts';

const address = '192.168.77.6';

class Household {
  readonly namespace = new Namespace({ addresses: [`${address}/32`] });
  readonly #directory = temporaryDirectory();
  readonly home = join(this.#directory.path, 'home');
  readonly desk = this.#directory.path;
  broker: Broker | null = null;

  constructor(t: TestContext) {
    t.after(async () => {
      await this.broker?.stop();
      this.namespace.remove();
      this.#directory.remove();
    });
  }

  async start(): Promise<Broker> {
    this.broker = await startBroker({ conf: null, home: this.home, spawn: this.namespace.spawn });
    return this.broker;
  }

  /** A line of shell, as a person would type it. */
  type(line: string): Promise<{ code: number | null; output: string }> {
    return this.namespace.run('/bin/sh', ['-c', line], {
      cwd: this.desk,
      env: { ...process.env, ZANCUDO_HOME: this.home },
    });
  }

  async zancudo(words: string): Promise<string> {
    const { code, output } = await this.type(`'${zancudo}' ${words}`);
    assert.equal(code, 0, output);
    return output;
  }

  listen(line: string): Background {
    return new Background('/bin/sh', ['-c', `exec ${line}`], { cwd: this.desk, spawn: this.namespace.spawn });
  }

  /** How the device `name` calls a mosquitto client, from the desk. */
  as(name: string, program = 'mosquitto_pub'): string {
    const file = (end: string): string => `${name}-kit/${name}.${end}`;
    return `${program} -h ${address} -p 8883 --cafile ${name}-kit/ca.crt --cert ${file('crt')} --key ${file('key')} -i ${name}-${program}`;
  }

  /** The first user's own lines. */
  printed(program: string): string {
    return this.broker!.lines.map(line => line.trim()).find(line => line.startsWith(program)) ?? '';
  }
}

const needed = needs('root', 'ip', 'mosquitto_sub', 'mosquitto_pub', 'openssl');

test('three commands lead from nothing to a device that publishes with its own certificate', needed, async t => {
  const house = new Household(t);
  await house.start();
  const added = await house.zancudo(`device add lamp --host ${address}`);
  const line = added.split('\n').find(each => each.includes('mosquitto_pub'))!;
  const listener = house.listen(house.printed('mosquitto_sub').replace('hello/#', 'devices/#'));
  t.after(() => listener.stop());
  await until('the message of the lamp', async () => {
    const { code, output } = await house.type(`(${line})`);
    assert.equal(code, 0, output);
    return listener.stdout.includes('devices/lamp/hello hello');
  });
  await house.broker!.logged(/New client connected from .* as lamp .*u'lamp'/);
  await house.broker!.stop();
  assert.match(await house.zancudo('ca list'), /^lamp .* \d{4}-\d\d-\d\d \d\d:\d\d {2}[0-9A-F]{30,}$/m);
});

test("Java's TLS takes the kit as it is: keystore, CA, name and all", needs('root', 'ip', 'javac'), async t => {
  const house = new Household(t);
  const broker = await house.start();
  await house.zancudo(`device add robot --host ${address}`);
  const program = fileURLToPath(new URL('interop/MutualTls.java', import.meta.url));
  const kit = 'robot-kit/ca.crt robot-kit/robot.p12 robot-kit/robot.p12.password.txt';
  const { output } = await house.type(`java '${program}' ${address} 8883 ${kit}`);
  assert.match(output, /^TLSv1\.3 CONNACK 0$/m);
  await broker.logged(/New client connected from .* as java .*u'robot'/);
});

test('a device, its rules and its end', needed, async t => {
  const house = new Household(t);
  const broker = await house.start();
  await house.zancudo('device add lamp fan --host broker.example.org --zip --to zipped');
  await house.zancudo('device revoke lamp fan');
  await house.zancudo('device add light sensor');

  await t.test(
    'its kit is for its owner alone, and the host it was made for is in the certificate of the broker',
    async () => {
      const kit = join(house.desk, 'light-kit');
      for (const name of readdirSync(kit, { recursive: true, encoding: 'utf8' })) {
        const { mode } = statSync(join(kit, name));
        assert.equal(mode & 0o077, 0, name);
      }
      assert.deepEqual(readdirSync(join(house.desk, 'zipped')), ['fan-kit.zip', 'lamp-kit.zip']);
      const shown = await house.type(`openssl x509 -in '${house.home}/server/server.crt' -noout -ext subjectAltName`);
      assert.match(shown.output, /DNS:broker\.example\.org/);
    },
  );

  await t.test('it may use its own topics and nothing else', async () => {
    const sent = await house.type(`${house.as('light')} -V mqttv5 -q 1 -t devices/sensor/x -m no`);
    assert.match(sent.output, /Not authorized/i);
    assert.equal((await house.type(`${house.as('light')} -V mqttv5 -q 1 -t devices/light/x -m yes`)).output, '');
  });

  await t.test('another template is in force without a restart', async () => {
    await house.zancudo(`device template measure 'write values/%u' --of sensor`);
    await until('the new rules', async () => {
      const { output } = await house.type(`${house.as('sensor')} -V mqttv5 -q 1 -t values/sensor -m 21`);
      return output === '';
    });
    const old = await house.type(`${house.as('sensor')} -V mqttv5 -q 1 -t devices/sensor/x -m 21`);
    assert.match(old.output, /Not authorized/i);
  });

  await t.test('people still log in by password on the same port, and see what ends when', async () => {
    const line = house.printed('mosquitto_sub').replace(/-t .*/, `-t '$SYS/zancudo/certificates/#' -v -C 3 -W 20`);
    const { code, output } = await house.type(line);
    assert.equal(code, 0, output);
    assert.match(output, /^\$SYS\/zancudo\/certificates\//m);
  });

  await t.test('a certificate of another CA is refused, and the log says why', async () => {
    await house.type(
      `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=light -days 2 -keyout s.key -out s.crt`,
    );
    const line = house.as('light').replace(/--cert \S+ --key \S+/, '--cert s.crt --key s.key');
    assert.notEqual((await house.type(`${line} -t devices/light/x -m no`)).code, 0);
    await broker.logged(/its certificate "CN=light" signed itself/);
  });

  await t.test(
    'revoked, its live connection ends with a reason, and neither it nor a resumed session comes back',
    async () => {
      const listener = house.listen(`${house.as('light', 'mosquitto_sub')} -V mqttv5 -t 'devices/light/#'`);
      t.after(() => listener.stop());
      await broker.logged(/as light-mosquitto_sub/);
      const tls = `openssl s_client -connect ${address}:8883 -tls1_2 -CAfile light-kit/ca.crt -cert light-kit/light.crt -key light-kit/light.key`;
      assert.match((await house.type(`${tls} -sess_out session.pem </dev/null`)).output, /^New, TLSv1\.2/m);
      await house.zancudo('device revoke light --because stolen');
      await broker.logged(/Client light-mosquitto_sub .* disconnected: administrative action/);
      await broker.logged(/is no longer allowed: certificate revoked/);
      const again = await house.type(`${house.as('light')} -t devices/light/x -m no`);
      assert.match(again.output, /not authori[sz]ed/i);
      const resumed = await house.type(`${tls} -sess_in session.pem </dev/null`);
      assert.doesNotMatch(resumed.output, /^Reused/m);
      assert.match(await house.zancudo('device show light'), /revoked .* stolen/);
    },
  );

  await t.test('nothing of this has touched the first user, or left a key where others can read it', async () => {
    assert.match(readFileSync(join(house.home, 'access'), 'utf8'), /user zancudo\ntopic readwrite #/);
    assert.equal((await house.type(`find '${house.home}' -perm /077`)).output, '');
  });
});
