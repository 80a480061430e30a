/** Who gets in, over the wire, by the decision tables of docs/compat/password-acl.md. */
import assert from 'node:assert/strict';
import { after, describe, test, type TestContext } from 'node:test';
import { connect, publish, RawClient, until, type Broker, type Version } from '../harness/mod.ts';
import {
  clientOf,
  connectCode,
  Folder,
  argon2Text,
  passwordLine,
  passwordLine7,
  rowsAtOnce,
  shared,
  start,
  texts,
} from './stage.ts';

const versions: readonly Version[] = [3, 4, 5];

interface Files {
  passwords?: string;
  more?: string;
}

async function brokerWith(t: TestContext, { passwords, more = 'allow_anonymous true\n' }: Files): Promise<Broker> {
  const folder = new Folder(t);
  let conf = more;
  if (passwords !== undefined) conf += `password_file ${folder.write('passwords', passwords)}\n`;
  return start(t, { conf: at => `listener ${at.port()} 127.0.0.1\n${conf}` });
}

describe('who gets in, by what is configured', () => {
  const folder = new Folder({ after }, { alice: passwordLine('alice', 'one'), empty: '' });
  const broker = (conf: string): (() => Broker) =>
    shared({ conf: at => `listener ${at.port()} 127.0.0.1\n${conf.replaceAll('{dir}', folder.path)}` });
  const brokers = {
    nothing: broker(''),
    'allow_anonymous true': broker('allow_anonymous true\n'),
    password_file: broker('password_file {dir}/alice\n'),
    'password_file and allow_anonymous true': broker('password_file {dir}/alice\nallow_anonymous true\n'),
    'an empty password_file': broker('password_file {dir}/empty\n'),
  };
  type Row = readonly [username: string | null, password: string | null, isIn: boolean];
  const rows: Record<keyof typeof brokers, readonly Row[]> = {
    nothing: [
      [null, null, false],
      ['alice', 'one', false],
    ],
    'allow_anonymous true': [
      [null, null, true],
      ['alice', 'anything', true],
    ],
    password_file: [
      [null, null, false],
      ['alice', 'one', true],
      ['alice', 'two', false],
      ['alice', '', false],
      ['alice', null, false],
      ['Alice', 'one', false],
      ['bob', 'one', false],
    ],
    'password_file and allow_anonymous true': [
      [null, null, true],
      ['alice', 'one', true],
      ['alice', 'two', false],
      ['bob', 'one', false],
    ],
    'an empty password_file': [
      [null, null, false],
      ['alice', 'one', false],
    ],
  };
  for (const [configured, list] of Object.entries(rows)) {
    for (const [username, password, isIn] of list) {
      test(`${configured}: ${username}, ${password} → ${isIn ? 'let in' : 'CONNACK 5, 0x87'}`, async () => {
        const { log, lines, port } = brokers[configured as keyof typeof brokers]();
        const from = lines.length;
        for (const version of versions) {
          const client = await RawClient.dial({ port });
          const fields = { ...(username === null ? {} : { username }), ...(password === null ? {} : { password }) };
          const { reasonCode } = await client.connect({ clientId: `c${version}`, version, ...fields });
          assert.equal(reasonCode, isIn ? 0 : version === 5 ? 0x87 : 5, `protocol ${version}\n${log}`);
          if (isIn) client.destroy();
          else await client.expectClosed();
        }
        if (isIn) return;
        const refusals = (): string[] =>
          texts(lines.slice(from)).filter(line => line.includes('disconnected: not authorised.'));
        await until('three refusals in the log', () => refusals().length === 3);
        for (const [i, version] of versions.entries()) {
          assert.match(
            refusals()[i]!,
            new RegExp(`^Client c${version} \\[127\\.0\\.0\\.1:\\d+\\] disconnected: not authorised\\.$`),
          );
        }
      });
    }
  }
});

describe('passwords and client ids', rowsAtOnce, () => {
  test('every format of mosquitto_passwd is read: $6$, $7$ with 12 and 64 bytes of salt', async t => {
    const passwords =
      `# a comment\n\nno colon\n${passwordLine('six', 'a')}${passwordLine7('seven', 'b')}` +
      `${passwordLine7('new', 'c', 1000, 64)} blanks : ${passwordLine('x', 'd').slice(2).trim()} \nextra:${passwordLine('x', 'e').slice(2).trim()}:ignored\n`;
    const broker = await brokerWith(t, { passwords, more: '' });
    for (const [user, password] of [
      ['six', 'a'],
      ['seven', 'b'],
      ['new', 'c'],
      ['blanks', 'd'],
      ['extra', 'e'],
    ]) {
      assert.equal(await connectCode(broker, { clientId: 'c', username: user!, password: password! }), 0, user);
    }
  });

  test('argon2id as the standard writes it', async t => {
    const passwords = `alice:${argon2Text('secret')}\n`;
    const broker = await brokerWith(t, { passwords, more: '' });
    assert.equal(await connectCode(broker, { clientId: 'c', username: 'alice', password: 'secret' }), 0);
    assert.equal(await connectCode(broker, { clientId: 'c', username: 'alice', password: 'Secret' }), 5);
  });

  test('a password without a name: closed for 3.x, judged as anonymous for 5', async t => {
    const broker = await brokerWith(t, {});
    assert.equal(await connectCode(broker, { clientId: 'c', version: 5, password: 'x' }), 0);
    for (const version of [3, 4] as const) {
      const client = await RawClient.dial({ port: broker.port });
      client.send(connect({ clientId: 'c', version, password: 'x' }));
      await client.expectClosed();
    }
  });

  test('a slow hash keeps its own client waiting and nobody else', async t => {
    const broker = await brokerWith(t, {
      passwords: passwordLine7('slow', 'a', 200_000),
      more: 'allow_anonymous true\n',
    });
    const other = await clientOf(broker, { clientId: 'other' });
    const slow = await RawClient.dial({ port: broker.port });
    slow.send(connect({ clientId: 'slow', username: 'slow', password: 'a' }), publish({ topic: 'a', qos: 1 }));
    await other.expectQuiet();
    assert.equal((await slow.expect('connack')).reasonCode, 0);
    await slow.expect('puback');
  });

  test('clientid_prefixes lets only clients with the prefix in', async t => {
    const broker = await brokerWith(t, { more: 'allow_anonymous true\nclientid_prefixes ok-\n' });
    for (const version of versions) {
      assert.equal(await connectCode(broker, { clientId: 'ok-a', version }), 0);
      assert.equal(await connectCode(broker, { clientId: 'bad', version }), version === 5 ? 0x87 : 5);
    }
    assert.equal(await connectCode(broker, { clientId: '', version: 5 }), 0x87, 'generated ids are measured too');
  });

  test('an empty client id: 3.1 never, 3.1.1 with a clean session, 5 always', async t => {
    const broker = await brokerWith(t, {});
    assert.equal(await connectCode(broker, { clientId: '', version: 3 }), 2);
    assert.equal(await connectCode(broker, { clientId: '', version: 4 }), 0);
    assert.equal(await connectCode(broker, { clientId: '', version: 4, clean: false }), 2);
    assert.equal(await connectCode(broker, { clientId: '', version: 5, clean: false }), 0);
    const strict = await brokerWith(t, { more: 'allow_anonymous true\nallow_zero_length_clientid false\n' });
    assert.equal(await connectCode(strict, { clientId: '', version: 4 }), 2);
    assert.equal(await connectCode(strict, { clientId: '', version: 5 }), 0x80);
  });
});
