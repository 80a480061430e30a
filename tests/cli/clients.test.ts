/** `zancudo pub`, `sub` and `rr` as users start them, on every transport, against our broker and against Mosquitto's. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Background, findProgram, freePort, makeCertificates, needs, run, temporaryDirectory, until, zancudo } from '../harness/mod.ts'; // prettier-ignore
import { openStage, type Stage } from '../interop/stage.ts';

interface Target {
  /** Arguments that reach each listener. */
  ways: Record<string, string[]>;
  refusing: string[];
  close(): Promise<void>;
}

/** Without an options file or profile of the machine's. */
const clean = { ...process.env, XDG_CONFIG_HOME: '/nonexistent', ZANCUDO_HOME: '/nonexistent', NO_COLOR: '1' };
const client = (args: string[], input = '') => run(zancudo, args, { env: clean, input });

async function ourBroker(): Promise<Target> {
  const stage: Stage = await openStage();
  const at = (kind: Parameters<Stage['port']>[0]) => ['-p', String(stage.port(kind))];
  const ca = ['--cafile', stage.file('ca.crt')];
  return {
    ways: {
      TCP: ['-h', '127.0.0.1', ...at('plain')],
      TLS: [...at('tls'), ...ca],
      WebSocket: ['-h', '127.0.0.1', ...at('websocket'), '--ws'],
      'secure WebSocket': [...at('secureWebsocket'), '--ws', ...ca],
      PSK: ['-h', '127.0.0.1', ...at('psk'), '--psk', '0123456789abcdef', '--psk-identity', 'device'],
      'user and password': ['-h', '127.0.0.1', ...at('password'), '-u', 'ana', '-P', 'secret'],
      'a client certificate': [...at('certificate'), ...ca, '--cert', stage.file('client.crt'), '--key', stage.file('client.key')], // prettier-ignore
      'a Unix socket': ['--unix', stage.socket],
    },
    refusing: ['-h', '127.0.0.1', ...at('password')],
    close: () => stage.close(),
  };
}

async function mosquittoBroker(): Promise<Target> {
  const directory = temporaryDirectory();
  chmodSync(directory.path, 0o755);
  const file = await makeCertificates(directory.path);
  const [plain, tls, psk, closed, ws] = await Promise.all(Array.from({ length: 5 }, () => freePort()));
  writeFileSync(file('psk'), 'device:0123456789abcdef\n');
  writeFileSync(
    file('m.conf'),
    `per_listener_settings true\n${process.getuid?.() === 0 ? 'user root\n' : ''}listener ${plain} 127.0.0.1\nallow_anonymous true
listener ${tls} 127.0.0.1\nallow_anonymous true\ncertfile ${file('server.crt')}\nkeyfile ${file('server.key')}\ncafile ${file('ca.crt')}
listener ${psk} 127.0.0.1\nallow_anonymous true\npsk_hint x\npsk_file ${file('psk')}
listener ${ws} 127.0.0.1\nallow_anonymous true\nprotocol websockets
listener 0 ${file('m.sock')}\nallow_anonymous true
listener ${closed} 127.0.0.1\nallow_anonymous false\n`,
  );
  const broker = new Background(findProgram('mosquitto')!, ['-c', file('m.conf')]);
  await until('mosquitto to run', () => broker.stderr.includes(' running'));
  return {
    ways: {
      TCP: ['-h', '127.0.0.1', '-p', String(plain)],
      TLS: ['-p', String(tls), '--cafile', file('ca.crt')],
      PSK: ['-h', '127.0.0.1', '-p', String(psk), '--psk', '0123456789abcdef', '--psk-identity', 'device'],
      WebSocket: ['-h', '127.0.0.1', '-p', String(ws), '--ws'],
      'a Unix socket': ['--unix', file('m.sock')],
    },
    refusing: ['-h', '127.0.0.1', '-p', String(closed)],
    close: async () => {
      await broker.stop();
      directory.remove();
    },
  };
}

const needed = needs('mosquitto', 'mosquitto_passwd', 'openssl');

for (const [name, open] of Object.entries({ 'our broker': ourBroker, "Mosquitto's broker": mosquittoBroker })) {
  describe(`clients with ${name}`, needed, () => {
    let target: Target;
    before(async () => (target = await open()));
    after(() => target.close());
    const plain = (): string[] => target.ways['TCP']!;

    /** Publishes retained messages and reads them back: no waiting for a subscription. */
    async function roundTrip(way: string[], topic: string, ...args: string[]): Promise<string> {
      const sent = await client(['pub', ...way, '-t', topic, '-m', 'hello', '-r', '-q', '1', ...args]);
      assert.equal(sent.code, 0, sent.output);
      const received = await client(['sub', ...way, '-t', topic, '-C', '1', '-W', '20', '-v', ...args]);
      assert.equal(received.code, 0, received.output);
      return received.stdout;
    }

    test('a message goes out and comes back on every transport', async () => {
      for (const [way, args] of Object.entries(target.ways)) {
        assert.equal(await roundTrip(args, `way/${way}`), `way/${way} hello\n`, way);
      }
    });

    test('MQTT 3.1, 3.1.1 and 5 are spoken at every QoS', async () => {
      for (const version of ['31', '311', '5']) {
        for (const qos of ['0', '1', '2']) {
          const topic = `v/${version}/${qos}`;
          assert.equal(await roundTrip(plain(), topic, '-V', version, '-q', qos), `${topic} hello\n`);
        }
      }
    });

    test('a refusal ends with the code of the broker and says who is refused', async () => {
      const three = await client(['pub', ...target.refusing, '-t', 'a', '-m', 'x']);
      assert.equal(three.code, 5);
      assert.match(three.stderr, /^Connection error: Connection Refused: not authorised\nError: The connection was refused\n/); // prettier-ignore
      const five = await client(['sub', ...target.refusing, '-t', 'a', '-V', '5']);
      assert.equal(five.code, 135);
      assert.match(five.stderr, /^Connection error: Not authorized\n/);
    });

    test('-l sends every line, the empty ones and the last without newline too', async () => {
      const way = plain();
      const subscriber = new Background(zancudo, ['sub', ...way, '-t', 'lines', '-C', '4', '-q', '1', '-d', '-F', '[%p]']); // prettier-ignore
      await until('the subscription', () => subscriber.stdout.includes('Subscribed') || subscriber.hasEnded);
      const sent = await client(['pub', ...way, '-t', 'lines', '-l', '-q', '1'], 'one\n\nthree\nfour');
      assert.equal(sent.code, 0, sent.output);
      assert.equal(await subscriber.ended(), 0, subscriber.stderr);
      assert.deepEqual(subscriber.stdout.match(/^\[.*\]$/gm), ['[one]', '[]', '[three]', '[four]']);
    });

    test('--retained-only and --remove-retained clear what is retained', async () => {
      const way = plain();
      await client(['pub', ...way, '-t', 'clear/a', '-m', '1', '-r', '-q', '1']);
      await client(['pub', ...way, '-t', 'clear/b', '-m', '2', '-r', '-q', '1']);
      const removed = await client(['sub', ...way, '-t', 'clear/#', '--remove-retained', '-C', '2', '-v']);
      assert.deepEqual(removed.stdout.trim().split('\n').sort(), ['clear/a 1', 'clear/b 2']);
      const left = await client(['sub', ...way, '-t', 'clear/#', '-W', '1']);
      assert.deepEqual([left.code, left.stdout, left.stderr], [27, '', 'Timed out\n']);
    });

    test('rr gets the answer that somebody gives', async () => {
      const way = plain();
      const asked = new Background(zancudo, ['rr', ...way, '-t', 'ask', '-e', 'answer', '-m', '?', '-W', '20', '-d']);
      await until('the request', () => asked.stdout.includes("'ask'") || asked.hasEnded);
      await client(['pub', ...way, '-t', 'answer', '-m', '!']);
      assert.equal(await asked.ended(), 0, asked.stderr);
      assert.match(asked.stdout, /^!$/m);
    });

    test('SIGINT ends a subscriber in order, with everything printed', async () => {
      const way = plain();
      const subscriber = new Background(zancudo, ['sub', ...way, '-t', 'int', '-d']);
      await until('the subscription', () => subscriber.stdout.includes('Subscribed') || subscriber.hasEnded);
      await client(['pub', ...way, '-t', 'int', '-m', 'last']);
      await until('the message', () => subscriber.stdout.includes('last'));
      subscriber.process.kill('SIGINT');
      assert.equal(await subscriber.ended(), 0, subscriber.stderr);
      assert.match(subscriber.stdout, /sending DISCONNECT/);
    });

    test('a reader that has gone ends the subscriber', async () => {
      const way = plain();
      await client(['pub', ...way, '-t', 'pipe', '-m', 'x', '-r', '-q', '1']);
      const child = spawn(zancudo, ['sub', ...way, '-t', 'pipe'], { env: clean, stdio: ['ignore', 'pipe', 'inherit'] });
      child.stdout.destroy();
      const code = await new Promise(resolve => child.once('close', resolve));
      assert.equal(code, 0);
    });
  });
}

describe('clients without a broker', () => {
  test('a port where nobody listens is told with address and cause, and ends with 1', async () => {
    const port = await freePort();
    const { code, stderr } = await client(['pub', '-h', '127.0.0.1', '-p', String(port), '-t', 'a', '-m', 'b']);
    assert.equal(code, 1);
    assert.equal(stderr.split('\n')[0], 'Error: Connection refused');
    assert.ok(stderr.includes(`127.0.0.1:${port} could not be reached: nothing listens there`));
  });

  test('help and version end with 1, as Mosquitto has it, and wrong words with its line', async () => {
    for (const tool of ['pub', 'sub', 'rr']) {
      assert.equal((await client([tool, '--help'])).code, 1);
      const wrong = await client([tool, '--nope']);
      assert.equal(wrong.stderr, `Error: Unknown option '--nope'.\n\nUse 'zancudo ${tool} --help' to see usage.\n`);
    }
  });

  test('a file that is not there is named before anything is connected', async () => {
    const { code, stderr } = await client(['pub', '--cafile', '/nowhere/ca.crt', '-t', 'a', '-m', 'b']);
    assert.equal(code, 1);
    assert.match(stderr, /^Error: Problem setting TLS options: File not found\.\n.*\/nowhere\/ca\.crt/);
  });

  test('aliases makes links that behave as the tools whose names they have', async () => {
    const directory = temporaryDirectory();
    try {
      assert.equal((await client(['aliases', directory.path])).code, 0);
      const help = await run(join(directory.path, 'mosquitto_sub'), ['--nope'], { env: clean });
      assert.match(help.stderr, /Use 'mosquitto_sub --help' to see usage\.\n$/);
      assert.equal((await client(['aliases', directory.path])).code, 0, 'a second time changes nothing');
    } finally {
      directory.remove();
    }
  });

  test('profiles are added, listed, shown without the password, and removed', async () => {
    const directory = temporaryDirectory();
    const profile = (args: string[], input = '') =>
      run(zancudo, ['profile', ...args], { env: { ...clean, ZANCUDO_HOME: join(directory.path, 'home') }, input });
    try {
      const added = await profile(
        ['add', 'far', '-h', 'broker.example', '-u', 'ana', '--tls-use-os-certs'],
        'secret\n',
      );
      assert.equal(added.code, 0, added.output);
      assert.equal((await profile(['list'])).stdout, 'far              broker.example:8883, TLS, as ana\n');
      const shown = await profile(['show', 'far']);
      assert.match(shown.stdout, /^password {9}\(kept\)$/m);
      assert.ok(!shown.stdout.includes('secret'));
      assert.match((await profile(['show', 'fer'])).stderr, /Did you mean 'far'\?/);
      assert.equal((await profile(['remove', 'far'])).code, 0);
      assert.equal((await profile(['list'])).stdout, '');
    } finally {
      directory.remove();
    }
  });
});
