/**
 * The three tutorials with our clients in the place of Mosquitto's: `zancudo aliases` has put them on the PATH, and the
 * commands are typed as printed. Where they fail, the line below says which of the tutorial's mistakes it was.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { until, type Broker, type RunResult } from '../harness/mod.ts';
import { DebianMachine, machineNeeds } from './debian-machine.ts';
import { commandLine, printed } from './printed.ts';

const certs = '/etc/mosquitto/certs';
const conf = '/etc/mosquitto/conf.d/tutorial.conf';
const needed = machineNeeds();

class Scene {
  readonly machine: DebianMachine;
  broker: Broker | null = null;

  constructor(t: TestContext, options: ConstructorParameters<typeof DebianMachine>[0]) {
    this.machine = new DebianMachine(options);
    t.after(async () => {
      await this.broker?.stop();
      this.machine.remove();
    });
  }

  async run(script: string, typed = ''): Promise<RunResult> {
    const result = await this.machine.type(`set -e\n${script}`, { typed });
    assert.equal(result.code, 0, result.output);
    return result;
  }

  async restart(text: string, readable: readonly string[]): Promise<void> {
    for (const path of readable) this.machine.letMosquittoRead(path);
    this.machine.configure(conf, text);
    await this.broker?.stop();
    this.broker = null;
    this.broker = await this.machine.startBroker();
  }

  /** Types the line until the subscriber, who may need a moment, shows the message. */
  async exchange(subscribe: string, publish: string, shown: string): Promise<void> {
    const subscriber = this.machine.leaveRunning(subscribe, this.machine.home);
    try {
      await until('the message to arrive', async () => {
        const published = await this.machine.type(publish);
        assert.equal(published.code, 0, published.output);
        assert.ok(!subscriber.hasEnded, subscriber.stderr);
        return subscriber.stdout.includes(shown);
      });
    } finally {
      await subscriber.stop();
    }
  }

  async fails(line: string, code: number, ...says: RegExp[]): Promise<void> {
    const result = await this.machine.type(line);
    assert.equal(result.code, code, result.output);
    for (const words of says) assert.match(result.stderr, words);
  }
}

/** What the tutorial of the household makes, with keys that today's OpenSSL takes. */
const household = `
openssl req -newkey rsa:2048 -x509 -nodes -days 3650 -extensions v3_ca -keyout MiCA.key -out MiCA.crt -subj "/CN=Mi Casa /O=www.manolodominguez.com "
openssl req -newkey rsa:1024 -x509 -nodes -days 3650 -keyout weak.key -out weak.crt -subj "/CN=Mi Casa /O=www.manolodominguez.com "
openssl req -new -newkey rsa:2048 -nodes -keyout MiMosquitto.key -out MiMosquitto.csr -subj "/CN=Mosquitto en el Fujitsu Futro /O=www.manolodominguez.com "
printf '[ MisExtensiones ]\\nsubjectAltName = IP:192.168.1.20\\nsubjectAltName = DNS:futro-s450\\n' > extensiones.txt
openssl x509 -req -in MiMosquitto.csr -CA MiCA.crt -CAkey MiCA.key -CAcreateserial -out MiMosquitto.crt -days 3650 -extfile extensiones.txt -extensions MisExtensiones
cp MiCA.crt MiMosquitto.* ${certs}/`;

test(
  'seed 000 with our clients: as printed but for the obsolete option, and every failure says its cause',
  needed,
  async t => {
    const says = printed('seed-000.md');
    const options = { addresses: ['192.168.1.20/32'], hosts: { 'futro-s450': '192.168.1.20' } };
    const scene = new Scene(t, options);
    await scene.machine.installOurTools();
    await scene.run(household);
    await scene.restart(`${says('tls.conf')}allow_anonymous true\n`, [`${certs}/MiMosquitto.key`]);
    const [subscribe, publish] = [commandLine(says('subscribe')), commandLine(says('publish'))];
    const modern = (line: string): string => line.replace('--tls-version tlsv1 ', '');
    const secure = (line: string): string => modern(line).replace('--insecure ', '');

    await scene.fails(publish, 1, /^Error: Problem setting TLS options/m, /tlsv1\.2 or tlsv1\.3, not 'tlsv1'/);
    await scene.exchange(modern(subscribe), modern(publish), says('received'));
    const byName = (line: string): string => secure(line).replace('192.168.1.20', 'futro-s450');
    await scene.exchange(byName(subscribe), byName(publish), says('received'));
    // The address got lost: of two subjectAltName lines OpenSSL takes the last.
    await scene.fails(secure(publish), 1, /is not for '192\.168\.1\.20'; it is for futro-s450\./, /IP:192\.168\.1\.20, all names and addresses in one line/); // prettier-ignore
    await scene.fails(byName(publish).replace('MiCA.crt', 'weak.crt'), 1, /not trusted here/, /names are the same and the keys are not/); // prettier-ignore
    await scene.fails(
      byName(publish).replace('MiCA.crt', 'MiCa.crt'),
      1,
      /MiCa\.crt cannot be read: it does not exist/,
    );
    await scene.fails(byName(publish).replace('--cafile MiCA.crt', '--no-tls'), 5, /name its CA with --cafile/);
  },
);

/** As the tutorial signs: CA and server with the same answers, and no extensions. */
const sameSubject = (server: string): string => `
subject="/C=JP/ST=Tokyo/L=Tokyo/O=FicusOnline/OU=Development/CN=User-PC.local"
[ -f mqtt_ca.crt ] || openssl req -new -x509 -days 3650 -newkey rsa:2048 -nodes -keyout mqtt_ca.key -out mqtt_ca.crt -subj "$subject"
openssl req -new -newkey rsa:2048 -nodes -keyout mqtt_srv.key -out mqtt_srv.csr -subj "${server}"
openssl x509 -req -in mqtt_srv.csr -CA mqtt_ca.crt -CAkey mqtt_ca.key -CAcreateserial -out mqtt_srv.crt -days 3650
cp mqtt_ca.crt mqtt_srv.crt mqtt_srv.key ${certs}`;

test('seed 004 with our tools: the password file, the twin subjects named, and the message', needed, async t => {
  const says = printed('seed-004.md');
  const scene = new Scene(t, { addresses: ['192.168.5.7/32'], hosts: { 'User-PC.local': '192.168.5.7' } });
  await scene.machine.installOurTools();
  const added = await scene.run(commandLine(says('password')), 'secret1\nsecret1\n');
  assert.match(added.stdout, /Adding password for user user1/);
  assert.match(readFileSync(scene.machine.outside('/etc/mosquitto/mqttpass'), 'utf8'), /^user1:\$argon2id\$/);
  const tls = says('tls.conf').replace(/^cafile .*$/m, `cafile ${certs}/mqtt_ca.crt`);
  const settings = says('port.conf') + tls + says('anonymous.conf') + says('password.conf');
  const readable = ['/etc/mosquitto/mqttpass', `${certs}/mqtt_srv.key`];
  const place = '-h User-PC.local -p 8883 --cafile mqtt_ca.crt';
  const publish = `mosquitto_pub ${place} -u user1 -P secret1 -t room -m warm`;

  await scene.run(sameSubject('$subject'));
  await scene.restart(settings, readable);
  await scene.fails(publish, 1, /and its CA have the same subject \(.*CN=User-PC\.local\)/, /with another subject/);
  await scene.run(sameSubject('/CN=User-PC.local'));
  await scene.restart(settings, readable);
  await scene.exchange(`mosquitto_sub ${place} -u user1 -P secret1 -t room -v`, publish, 'room warm\n');
  await scene.fails(publish.replace('secret1', 'wrong'), 5, /^Connection error: Connection Refused: not authorised/m);
  await scene.fails(publish.replace('-u user1 -P secret1', ''), 5, /not authorised/, /Check user name and password/);
});

test(
  'seed 002 with our clients: a listener that wants a certificate gets one, or says that it does',
  needed,
  async t => {
    const says = printed('seed-002.md');
    const scene = new Scene(t, { addresses: ['192.168.5.1/32'] });
    await scene.machine.installOurTools();
    await scene.run(`
openssl req -x509 -newkey rsa:2048 -nodes -days 365 -keyout ca.key -out ca.crt -subj "/CN=Laboratorio" -addext keyUsage=keyCertSign,cRLSign
issue() { openssl req -new -newkey rsa:2048 -nodes -keyout $1.key -out $1.csr -subj "/CN=$1"; echo "$2" > ext
  openssl x509 -req -in $1.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -extfile ext -out $1.crt; }
issue server subjectAltName=IP:192.168.5.1
issue sandboxclient extendedKeyUsage=clientAuth
cp ca.crt server.crt server.key ${certs}/`);
    const mutual = says('mutual.conf').replace('log_dest syslog\n', 'log_dest stderr\n');
    await scene.restart(`${mutual}allow_anonymous true\n`, [`${certs}/server.key`]);
    const place = '-h 192.168.5.1 -p 8883 --cafile ca.crt';
    const own = '--cert sandboxclient.crt --key sandboxclient.key';
    const publish = `mosquitto_pub ${place} ${own} -t /this/test/esp32_807A98 -m CONNECTED!`;
    const received = '/this/test/esp32_807A98 CONNECTED!\n';
    await scene.exchange(`mosquitto_sub ${place} ${own} -t '/this/test/#' -v`, publish, received);
    await scene.fails(publish.replace(own, ''), 7, /wants a client certificate\./, /--cert and --key/);
  },
);
