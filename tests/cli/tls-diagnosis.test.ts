/** Every way in which TLS does not come about, with a real server: the client names the cause in one line. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { TlsOptions } from 'node:tls';
import { freePort, needs, run, startBroker, temporaryDirectory, zancudo, type RunResult } from '../harness/mod.ts';
import { startDebianBroker } from './debian-broker.ts';
import { makeWrongCertificates, serveTls, serveWords } from './tls-stage.ts';

const clean = { ...process.env, XDG_CONFIG_HOME: '/nonexistent', ZANCUDO_HOME: '/nonexistent' };
const directory = temporaryDirectory();
let file: (name: string) => string;

function publish(port: number, args: readonly string[]): Promise<RunResult> {
  const words = args.map(word => (/\.(crt|key)$/.test(word) ? file(word) : word));
  return run(zancudo, ['pub', '-h', 'localhost', '-p', String(port), '-t', 'a', '-m', 'b', ...words], { env: clean });
}

const fingerprint = /SHA-256 (?:[0-9A-F]{2}:){31}[0-9A-F]{2}/.source;
const withCa = ['--cafile', 'ca.crt'];

interface Case {
  /** Its certificate, and what else is special about the server. */
  serves: string;
  server?: TlsOptions;
  args: readonly string[];
  cause: RegExp;
  remedy: RegExp;
}

const cases: Record<string, Case> = {
  'a name that is not in the certificate, with those that are': {
    serves: 'elsewhere',
    args: withCa,
    cause: /is not for 'localhost'; it is for futro-s450, 192\.168\.1\.20\.$/,
    remedy: /subjectAltName DNS:localhost/,
  },
  'an authority that is not known, with the fingerprints of both': {
    serves: 'good',
    args: ['--cafile', 'other-ca.crt'],
    cause: new RegExp(`issued by CN=Casa \\(it sent 'localhost', ${fingerprint}\\), which is not trusted here`),
    remedy: new RegExp(`Trusted here: 'Otra casa' \\(${fingerprint}\\)`),
  },
  'an authority that was made again under its old name': {
    serves: 'good',
    args: ['--cafile', 'renewed-ca.crt'],
    cause: /issued by CN=Casa .* not trusted here/,
    remedy: /The names are the same and the keys are not/,
  },
  'an old and weak authority in the file that has nothing to do with it is not blamed': {
    serves: 'good',
    args: ['--cafile', 'bundle.crt'],
    cause: /issued by CN=Casa .* not trusted here/,
    remedy: /Trusted here: 'MiCA'/,
  },
  'the own certificate of the broker, taken for its authority': {
    serves: 'good',
    args: ['--cafile', 'good.crt'],
    cause: /holds the certificate of localhost:\d+ itself, not that of the CA that issued it \(CN=Casa\)/,
    remedy: /--cafile/,
  },
  'a certificate that has expired': {
    serves: 'expired',
    args: withCa,
    cause: /The certificate of localhost:\d+ expired on .* GMT; here it is/,
    remedy: /renewed/,
  },
  'a certificate of tomorrow': {
    serves: 'early',
    args: withCa,
    cause: /is valid only from Jan {1,2}1 00:00:00 2099 GMT on; here it is/,
    remedy: /clocks/,
  },
  'authority and server under one subject': {
    serves: 'twin',
    args: ['--cafile', 'twin-ca.crt'],
    cause: /and its CA have the same subject \(CN=User-PC\.local\), so it looks self-signed/,
    remedy: /another subject, such as CN=localhost/,
  },
  'a key that is too short': {
    serves: 'weak',
    args: withCa,
    cause: /The certificate of localhost:\d+ has an RSA key of 1024 bits/,
    remedy: /RSA 2048 or ECDSA P-256/,
  },
  'a key of the authority that is too short': {
    serves: 'under-weak',
    args: ['--cafile', 'weak-ca.crt'],
    cause: /The CA 'MiCA' has an RSA key of 1024 bits/,
    remedy: /RSA 2048 or ECDSA P-256/,
  },
  'a signature that nobody trusts': {
    serves: 'sha1',
    args: withCa,
    cause: /is signed with ecdsa-with-SHA1/,
    remedy: /SHA-256/,
  },
  'a certificate for clients': {
    serves: 'for-clients',
    args: withCa,
    cause: /is not one of a server/,
    remedy: /serverAuth/,
  },
  'an issuer that may not issue': {
    serves: 'under-no-ca',
    args: withCa,
    cause: /issued by 'Nobody', which may not issue certificates/,
    remedy: /CA:TRUE/,
  },
  'a server that only speaks obsolete versions': {
    serves: 'good',
    server: { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' },
    args: withCa,
    cause: /have no TLS version in common: this client speaks TLS 1\.2 and 1\.3\.$/,
    remedy: /TLS 1\.1 and older are broken/,
  },
  'a version that was asked for and is not spoken there': {
    serves: 'good',
    server: { maxVersion: 'TLSv1.2' },
    args: [...withCa, '--tls-version', 'tlsv1.3'],
    cause: /this client speaks TLS 1\.3 only/,
    remedy: /Leave --tls-version out/,
  },
  'a cipher that is not spoken there': {
    serves: 'good',
    server: { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' },
    args: [...withCa, '--ciphers', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
    cause: /no cipher in common/,
    remedy: /leave --ciphers out/,
  },
  'a client certificate and the key of another one': {
    serves: 'good',
    args: [...withCa, '--cert', 'client.crt', '--key', 'strange-client.key'],
    cause: /key values mismatch/,
    remedy: /does the key belong to the certificate\?/,
  },
};

/** Mosquitto's line, then the cause on one line, then what to do. */
function assertSays({ stderr }: RunResult, cause: RegExp, remedy: RegExp): void {
  const [, second = '', ...rest] = stderr.replace(/^Warning: .*\n/, '').split('\n');
  assert.match(second, cause, stderr);
  assert.match(rest.join('\n'), remedy, stderr);
}

describe('the client says why TLS did not come about', needs('openssl'), () => {
  before(async () => (file = await makeWrongCertificates(directory.path)));
  after(() => directory.remove());

  for (const [name, { serves, server, args, cause, remedy }] of Object.entries(cases)) {
    test(name, async t => {
      const { port, close } = await serveTls(file, serves, server ?? {});
      t.after(close);
      const result = await publish(port, args);
      assert.equal(result.code, 1, result.stderr);
      assert.match(result.stderr, /^Unable to connect \(A TLS error occurred\)\.\n/);
      assertSays(result, cause, remedy);
    });
  }

  test('a port that speaks something else is named by what it speaks', async t => {
    const words: [string | null, string[], RegExp][] = [
      [null, withCa, /closed the connection during the TLS handshake/],
      [null, [], /closed the connection before it answered/],
      ['HTTP/1.1 400 Bad Request\r\n\r\n', withCa, /does not speak TLS/],
      ['HTTP/1.1 400 Bad Request\r\n\r\n', [], /speaks HTTP, not plain MQTT/],
      ['SSH-2.0-OpenSSH_9.2\r\n', [], /speaks SSH, not plain MQTT/],
    ];
    for (const [says, args, cause] of words) {
      const { port, close } = await serveWords(says);
      t.after(close);
      assertSays(await publish(port, args), cause, /TLS|WebSocket|8883/);
    }
  });

  test('--insecure checks neither name nor authority, and says so', async t => {
    const connect = async (serves: string): Promise<void> => {
      const { port, close } = await serveTls(file, serves, {});
      t.after(close);
      const result = await run(
        zancudo,
        ['sub', '-h', 'localhost', '-p', String(port), '--cafile', file('other-ca.crt'), '--insecure', '-t', 'a', '-W', '1'], // prettier-ignore
        { env: clean },
      );
      // The server answers no CONNECT: that it was waited for shows that TLS came about.
      assert.deepEqual([result.code, result.stderr.split('\n')[1]], [27, 'Timed out'], serves);
      assert.match(result.stderr, /^Warning: --insecure checks neither the name nor the issuer/);
    };
    await Promise.all(['elsewhere', 'twin', 'expired'].map(connect));
  });

  const strangers: [string, string[], RegExp, RegExp][] = [
    ['plain', withCa, /closed the connection during the TLS handshake/, /plain MQTT port/],
    ['certificate', withCa, /wants a client certificate\.$/m, /--cert and --key/],
    ['certificate', [...withCa, '--cert', 'strange-client.crt', '--key', 'strange-client.key'], /does not trust the issuer of the client certificate\.$|not authorised/m, /cafile|log/], // prettier-ignore
    ['certificate', [...withCa, '--cert', 'expired-client.crt', '--key', 'expired-client.key'], /client certificate: it has expired\.$|not authorised/m, /clocks|log/], // prettier-ignore
    ['psk', ['--psk', 'ffff', '--psk-identity', 'device'], /does not know this identity, (or )?its key is another/, /psk_file/], // prettier-ignore
    ['psk', ['--psk', '0123456789abcdef', '--psk-identity', 'nobody'], /does not know this identity/, /psk_file/],
    ['psk', withCa, /pre-shared key/, /--psk/],
    ['tls', ['--psk', '0123456789abcdef', '--psk-identity', 'device'], /did not use the pre-shared key/, /psk_hint/],
  ];

  async function expectRefusals(port: (listener: string) => number): Promise<void> {
    for (const [listener, args, cause, remedy] of strangers) {
      const result = await publish(port(listener), args);
      assert.notEqual(result.code, 0, args.join(' '));
      assert.match(result.stderr, cause);
      assert.match(result.stderr, remedy);
    }
  }

  const listeners = ['plain', 'certificate', 'psk', 'tls'];
  const configuration = (port: (nth: number) => number): string => {
    writeFileSync(file('psk'), 'device:0123456789abcdef\n', { mode: 0o600 });
    const server = `certfile ${file('good.crt')}\nkeyfile ${file('good.key')}\n`;
    const extra: Record<string, string> = {
      plain: '',
      certificate: `${server}cafile ${file('ca.crt')}\nrequire_certificate true\n`,
      psk: `psk_hint x\npsk_file ${file('psk')}\n`,
      tls: server,
    };
    const blocks = listeners.map(
      (name, nth) => `listener ${port(nth)} 127.0.0.1\nallow_anonymous true\n${extra[name]}`,
    );
    return `per_listener_settings true\n${blocks.join('')}`;
  };

  test("refusals of Mosquitto's broker", needs('mosquitto'), async t => {
    const free = await Promise.all(listeners.map(() => freePort()));
    await startDebianBroker(
      t,
      configuration(nth => free[nth]!),
    );
    await expectRefusals(name => free[listeners.indexOf(name)]!);
  });

  test('refusals of our broker', async t => {
    const broker = await startBroker({ conf: at => configuration(nth => at.port(nth)) });
    t.after(() => broker.stop());
    await expectRefusals(name => broker.ports[listeners.indexOf(name)]!);
  });
});
