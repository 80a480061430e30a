/**
 * "Instalando un broker MQTT doméstico (III)", run as printed: an authority of one's own, a server certificate,
 * TLS on 8883, one message. Each test starts from what the one before it left, as the reader of the tutorial does.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { until, type Broker } from '../harness/mod.ts';
import { DebianMachine, machineNeeds } from './debian-machine.ts';
import { commandLine, nonBreakingSpace, printed } from './printed.ts';
import { commandsUnder } from './remedy.ts';

const says = printed('seed-000.md');
const fourNames = ['192.168.1.20', '127.0.0.1', 'localhost', 'futro-s450'];
const conf = '/etc/mosquitto/conf.d/tls.conf';

/** Clients of today refuse the option itself before they send anything. */
const withoutOldTls = (line: string): string => line.replace('--tls-version tlsv1 ', '');
const withoutInsecure = (line: string): string => withoutOldTls(line).replace('--insecure ', '');
const to = (host: string, line: string): string => line.replace('-h 192.168.1.20', `-h ${host}`);

class Reader {
  readonly machine = new DebianMachine({ addresses: ['192.168.1.20/32'], hosts: { 'futro-s450': '192.168.1.20' } });
  readonly ca = join(this.machine.home, 'CA');
  broker: Broker | null = null;

  async type(block: string, change: (text: string) => string = text => text): Promise<void> {
    const result = await this.machine.type(change(says(block)), { cwd: this.ca });
    assert.equal(result.code, 0, `${block}: ${result.output}`);
  }

  /** Everything from the authority to the copies in /etc/mosquitto/certs, with keys of `bits`. */
  async makeCertificates(bits: number, extensions: (text: string) => string): Promise<void> {
    const size = (text: string): string => text.replace('1024', String(bits));
    for (const block of ['authority', 'look', 'server-key', 'request']) await this.type(block, size);
    this.machine.write(join(this.ca, 'extensiones.txt'), extensions(says('extensiones.txt')));
    for (const block of ['sign', 'copy']) await this.type(block);
  }

  /** Pastes what the log offers under a finding, where the tutorial's reader stands: in the folder CA. */
  async paste(finding: RegExp, log: string): Promise<void> {
    const commands = commandsUnder(finding, log);
    assert.notDeepEqual(commands, [], `nothing to paste under ${finding} in:\n${log}`);
    const result = await this.machine.type(`set -e; ${commands.join('\n')}`, { cwd: this.ca });
    assert.equal(result.code, 0, result.output);
  }

  async restart(): Promise<Broker> {
    await this.broker?.stop();
    this.broker = null;
    return (this.broker = await this.machine.startBroker());
  }

  logged(pattern: RegExp): Promise<void> {
    return this.machine.logged(this.broker!, pattern);
  }

  /** Publishes until the subscriber shows the message. */
  async exchange(change: (line: string) => string): Promise<void> {
    const line = (block: string): string => change(commandLine(says(block)));
    const subscriber = this.machine.leaveRunning(line('subscribe'), this.ca);
    try {
      await until('the message to arrive', async () => {
        const published = await this.machine.type(line('publish'), { cwd: this.ca });
        assert.equal(published.code, 0, published.output + this.machine.log(this.broker!));
        assert.ok(!subscriber.hasEnded, `the subscriber ended: ${subscriber.stderr}`);
        return subscriber.stdout.includes(says('received'));
      });
    } finally {
      await subscriber.stop();
    }
  }

  async end(): Promise<void> {
    await this.broker?.stop();
    this.machine.remove();
  }
}

const oneLine = (text: string): string => {
  const names = fourNames.map(name => (/^[\d.]+$/.test(name) ? `IP:${name}` : `DNS:${name}`));
  const lines = plainBlanks(text).split('\n');
  const first = lines.findIndex(line => line.startsWith('subjectAltName'));
  return [...lines.slice(0, first), `subjectAltName = ${names.join(',')}`, ...lines.slice(first + 4)].join('\n');
};
const plainBlanks = (text: string): string => text.replaceAll(nonBreakingSpace, ' ');

test(
  'seed 000: the household broker of the Fujitsu Futro runs over TLS, without --insecure',
  machineNeeds(),
  async t => {
    const reader = new Reader();
    const { machine, ca } = reader;
    t.after(() => reader.end());
    assert.equal((await machine.type(says('directory'))).code, 0);

    await t.test(
      'the extension file as the page prints it is not read by OpenSSL: its blanks are not blanks',
      async () => {
        for (const block of ['authority', 'look', 'server-key', 'request']) await reader.type(block);
        machine.write(join(ca, 'extensiones.txt'), says('extensiones.txt'));
        const signed = await machine.type(says('sign'), { cwd: ca });
        assert.notEqual(signed.code, 0);
        assert.match(signed.output, /line 2|missing equal sign/);
        assert.ok(!existsSync(join(ca, 'MiMosquitto.crt')));
      },
    );

    await t.test('a key that only root can read is refused; the commands in the log mend that', async () => {
      await reader.makeCertificates(1024, plainBlanks);
      machine.configure(conf, says('tls.conf'));
      const { code, log } = await machine.refusal();
      assert.equal(code, 1, log);
      assert.match(log, /Unable to load server (key file|certificate)/);
      await reader.paste(/MiMosquitto\.key: user mosquitto may not read it/, log);
    });

    await t.test('RSA keys of 1024 bits are refused; the commands in the log make longer ones', async () => {
      const { code, log } = await machine.refusal();
      assert.equal(code, 1, log);
      assert.match(log, /Unable to load server certificate/);
      await reader.paste(/MiMosquitto\.crt: its RSA key has 1024 bits/, log);
      assert.equal((await machine.type('cp /etc/mosquitto/certs/MiCA.crt .', { cwd: ca })).code, 0);
    });

    await t.test('then it starts on the configuration as printed, and says what tlsv1 became', async () => {
      await reader.restart();
      await reader.logged(/'tls_version tlsv1'[^]*TLS 1\.2/);
    });

    await t.test('the command as printed stops in the client of today, which no longer knows tlsv1', async () => {
      const result = await machine.type(says('publish'), { cwd: ca });
      assert.match(result.output, /TLS options/);
    });

    await t.test('a client without a name is refused, and the log says what to write', async () => {
      const result = await machine.type(withoutOldTls(says('publish')), { cwd: ca });
      assert.equal(result.code, 5, result.output);
      assert.match(result.output, /not authorised/);
      await reader.logged(/allow_anonymous true/);
    });

    await t.test('then the message goes through, with --insecure as printed', async () => {
      machine.configure(conf, `${says('tls.conf')}allow_anonymous true\n`);
      await reader.restart();
      await reader.exchange(withoutOldTls);
    });

    await t.test('without --insecure the name that is in the certificate works', async () => {
      await reader.exchange(line => to('futro-s450', withoutInsecure(line)));
    });

    await t.test(
      'the lost address makes the client go away; the log names what was kept and how it got lost',
      async () => {
        const result = await machine.type(withoutInsecure(says('publish')), { cwd: ca });
        assert.notEqual(result.code, 0);
        await reader.logged(/DNS:futro-s450/);
        await reader.logged(/subjectAltName/);
      },
    );

    await t.test('with the certificate that the log offers all four names work without --insecure', async () => {
      await reader.paste(/MiMosquitto\.crt: it is good for DNS:futro-s450 only/, machine.log(reader.broker!));
      await reader.restart();
      for (const name of fourNames) await reader.exchange(line => to(name, withoutInsecure(line)));
    });

    await t.test("so they do with the tutorial's own commands, 2048 bits and the names on one line", async () => {
      await reader.makeCertificates(2048, oneLine);
      await reader.restart();
      for (const name of fourNames) await reader.exchange(line => to(name, withoutInsecure(line)));
    });
  },
);
