/**
 * "MOSQUITTOブローカのTLS(SSL)認証設定", run as printed: a password file, a private authority, TLS on 8883.
 * Each test starts from what the one before it left, as the reader of the tutorial does.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { until, type Broker, type RunResult } from '../harness/mod.ts';
import { DebianMachine, machineNeeds } from './debian-machine.ts';
import { commandLine, nonBreakingSpace, printed } from './printed.ts';
import { commandsUnder } from './remedy.ts';

const says = printed('seed-004.md');
const passwordFile = '/etc/mosquitto/mqttpass';
const conf = '/etc/mosquitto/conf.d/custom.conf';
const passphrase = 'open sesame';
const credentials = '-u user1 -P secret1';

/** What was typed behind each prompt of a block. */
const answers = (block: string): string =>
  block
    .trim()
    .split('\n')
    .map(line => line.replace(/^[^:]*:/, '') + '\n')
    .join('');
/** The page hides its e-mail address behind text with a non-breaking space in it. */
const withAddress = (text: string): string => text.replace(`[email${nonBreakingSpace}protected]`, 'user@example.com');

class Reader {
  readonly machine = new DebianMachine({ addresses: ['192.168.5.7/32'], hosts: { 'User-PC.local': '192.168.5.7' } });
  broker: Broker | null = null;

  async restart(text: string): Promise<Broker> {
    this.machine.configure(conf, text);
    await this.broker?.stop();
    this.broker = null;
    return (this.broker = await this.machine.startBroker());
  }

  get log(): string {
    return this.machine.log(this.broker!);
  }

  logged(pattern: RegExp): Promise<void> {
    return this.machine.logged(this.broker!, pattern);
  }

  type(block: string, typed = ''): Promise<RunResult> {
    return this.machine.type(commandLine(says(block)), { typed });
  }

  async typeWell(block: string, typed = ''): Promise<void> {
    const result = await this.type(block, typed);
    assert.equal(result.code, 0, `${block}: ${result.output}`);
  }

  /** Pastes what the log offers under a finding; CA.key stands for the reader's own, which asks for its passphrase. */
  async paste(finding: RegExp, log: string): Promise<void> {
    const commands = commandsUnder(finding, log).map(line => line.replace('-CAkey CA.key', '-CAkey mqtt_ca.key'));
    assert.notDeepEqual(commands, [], `nothing to paste under ${finding} in:\n${log}`);
    const result = await this.machine.type(`set -e; ${commands.join('\n')}`, { typed: `${passphrase}\n` });
    assert.equal(result.code, 0, result.output);
  }

  publish(options: string): Promise<RunResult> {
    return this.machine.type(`mosquitto_pub ${options} -t room -m warm`);
  }

  /** Publishes until the subscriber shows the message. */
  async exchange(options: string): Promise<void> {
    const subscriber = this.machine.leaveRunning(`mosquitto_sub ${options} -t room`);
    try {
      await until('the message to arrive', async () => {
        const published = await this.publish(options);
        assert.equal(published.code, 0, published.output + this.log);
        assert.ok(!subscriber.hasEnded, `the subscriber ended: ${subscriber.stderr}`);
        return subscriber.stdout.includes('warm\n');
      });
    } finally {
      await subscriber.stop();
    }
  }

  /** Key, request and signature of the broker's certificate, and the copies that the tutorial asks for. */
  async signServer(requestAnswers: string): Promise<void> {
    await this.typeWell('server-key');
    await this.typeWell('request', requestAnswers + answers(says('request-answers')));
    await this.typeWell('sign', `${passphrase}\n`);
    const copied = await this.machine.type('sudo cp mqtt_ca.crt mqtt_srv.crt mqtt_srv.key /etc/mosquitto/certs');
    assert.equal(copied.code, 0, copied.output);
  }

  async end(): Promise<void> {
    await this.broker?.stop();
    this.machine.remove();
  }
}

const passwordSettings = says('anonymous.conf') + says('password.conf');
const listenerLine = 'listener 1883\n';

async function expectOnlyUser1(reader: Reader, options: string): Promise<void> {
  const anonymous = await reader.publish(options);
  assert.equal(anonymous.code, 5, `anonymous: ${anonymous.output}`);
  const wrong = await reader.publish(`${options} -u user1 -P wrong`);
  assert.equal(wrong.code, 5, `wrong password: ${wrong.output}`);
  const right = await reader.publish(`${options} ${credentials}`);
  assert.equal(right.code, 0, `right password: ${right.output}`);
}

test('seed 004: the password file lets user1 in and nobody else', machineNeeds(), async t => {
  const reader = new Reader();
  const { machine } = reader;
  t.after(() => reader.end());
  const inFile = (): string => readFileSync(machine.outside(passwordFile), 'utf8');

  await t.test('as mosquitto_passwd writes it today ($7$), without any listener line', async () => {
    await reader.typeWell('password', 'secret1\nsecret1\n');
    assert.match(inFile(), /^user1:\$7\$/);
    machine.letMosquittoRead(passwordFile);
    await reader.restart(passwordSettings);
    await expectOnlyUser1(reader, '');
    await reader.logged(/anonymous/i);
  });

  await t.test('and with a listener line', async () => {
    await reader.restart(listenerLine + passwordSettings);
    await expectOnlyUser1(reader, '-h User-PC.local');
  });

  await t.test('as mosquitto_passwd wrote it in 2018 ($6$)', async () => {
    const asThen = commandLine(says('password')).replace('mosquitto_passwd', 'mosquitto_passwd -H sha512');
    assert.equal((await machine.type(asThen, { typed: 'secret1\nsecret1\n' })).code, 0);
    assert.match(inFile(), /^user1:\$6\$/);
    machine.letMosquittoRead(passwordFile);
    await reader.restart(listenerLine + passwordSettings);
    await expectOnlyUser1(reader, '-h User-PC.local');
  });

  await t.test("the tutorial's own line is read; its password is nobody's to guess", async () => {
    machine.configure(passwordFile, says('mqttpass'));
    machine.letMosquittoRead(passwordFile);
    await reader.restart(listenerLine + passwordSettings);
    const result = await reader.publish(`-h User-PC.local ${credentials}`);
    assert.equal(result.code, 5, result.output);
    await reader.logged(/wrong password/i);
  });
});

test('seed 004: the private authority carries TLS and passwords, without --insecure', machineNeeds(), async t => {
  const reader = new Reader();
  const { machine } = reader;
  t.after(() => reader.end());
  const sameAnswers = withAddress(answers(says('answers')));
  const settings = says('port.conf') + says('tls.conf') + passwordSettings;
  let corrected = settings;
  const client = `-h User-PC.local -p 8883 --cafile mqtt_ca.crt ${credentials}`;
  await reader.typeWell('password', 'secret1\nsecret1\n');
  machine.letMosquittoRead(passwordFile);

  await t.test('the e-mail address as the page prints it stops in OpenSSL', async () => {
    await reader.typeWell('authority-key', `${passphrase}\n${passphrase}\n`);
    const result = await reader.type('authority', `${passphrase}\n${answers(says('answers'))}`);
    assert.notEqual(result.code, 0);
    assert.match(result.output, /illegal characters/);
  });

  await t.test('the misspelt path of the authority is answered with the file that was meant', async () => {
    await reader.typeWell('authority', `${passphrase}\n${sameAnswers}`);
    await reader.signServer(sameAnswers);
    machine.configure(conf, settings);
    const { code, log } = await machine.refusal();
    assert.equal(code, 1, log);
    assert.match(log, /Unable to load CA certificates\. Check cafile "\/etc\/mosquitto\/ca_cetificates\/mqtt_ca\.crt"/);
    const [meant = ''] = /^cafile .*$/m.exec(log.replace(/^.*you meant: /gm, '')) ?? [];
    assert.equal(meant, 'cafile /etc/mosquitto/certs/mqtt_ca.crt');
    corrected = settings.replace(/^cafile .*$/m, meant);
  });

  await t.test('a key that only root can read is refused; the commands in the log mend that', async () => {
    machine.configure(conf, corrected);
    const { code, log } = await machine.refusal();
    assert.equal(code, 1, log);
    assert.match(log, /Unable to load server key file/);
    await reader.paste(/mqtt_srv\.key: user mosquitto may not read it/, log);
  });

  await t.test('it starts, and warns that the authority and the broker bear the same name', async () => {
    await reader.restart(corrected);
    await reader.logged(/same (subject|name)|identical/i);
    await reader.logged(/self-signed/i);
  });

  await t.test('a client trusts no such pair, and the log says why', async () => {
    const result = await reader.publish(client);
    assert.notEqual(result.code, 0);
    assert.match(result.output, /TLS/);
    await reader.logged(/unknown ca[^]*trust/i);
  });

  await t.test('with the certificate that the log offers the tutorial completes', async () => {
    await reader.paste(/the server and the CA that signed it have the same name/, reader.log);
    await reader.restart(corrected);
    await reader.exchange(client);
  });

  await t.test('so it does with its own commands and a name of its own for the authority', async () => {
    const ownName = sameAnswers.replace('User-PC.local', 'FicusOnline CA');
    await reader.typeWell('authority', `${passphrase}\n${ownName}`);
    await reader.signServer(sameAnswers);
    await reader.restart(corrected);
    await reader.exchange(client);
    const anonymous = await reader.publish(client.replace(credentials, ''));
    assert.equal(anonymous.code, 5, anonymous.output);
  });
});
