/** TLS-PSK with the clients that Debian has: docs/compat/password-acl.md 3. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import tls from 'node:tls';
import { once } from 'node:events';
import { Background, needs, run, type Broker, type RunResult } from '../harness/mod.ts';
import { Folder, passwordLine, reload, rowsAtOnce, start } from './stage.ts';

const right = '00112233445566778899aabbccddeeff';
const wrong = 'ffeeddccbbaa99887766554433221100';

async function brokerWith(
  t: TestContext,
  lines = '',
  globals = 'allow_anonymous true\n',
): Promise<{ broker: Broker; folder: Folder }> {
  const folder = new Folder(t);
  folder.write('psk', `# comment\ndev1:${right}\ndev1:${wrong}\n:${wrong}\nno colon\nupper:AABBCCDD\n`);
  const broker = await start(t, {
    conf: at =>
      `listener ${at.port()} 127.0.0.1\npsk_hint hint\n${lines}psk_file ${folder.at('psk')}\n${globals.replaceAll('{dir}', folder.path)}`,
  });
  return { broker, folder };
}

function publishAs(broker: Broker, identity: string, key: string, ...more: string[]): Promise<RunResult> {
  const psk = ['--psk', key, '--psk-identity', identity];
  return run('mosquitto_pub', [
    '-h',
    '127.0.0.1',
    '-p',
    `${broker.port}`,
    ...psk,
    '-t',
    'a',
    '-m',
    'hello',
    '-q',
    '1',
    ...more,
  ]);
}

describe('a listener with psk_hint', { ...rowsAtOnce, ...needs('mosquitto_pub', 'mosquitto_sub') }, () => {
  test('carries messages between two who know their keys', async t => {
    const { broker } = await brokerWith(t);
    const psk = ['--psk', right, '--psk-identity', 'dev1'];
    const reader = new Background('mosquitto_sub', [
      '-h',
      '127.0.0.1',
      '-p',
      `${broker.port}`,
      ...psk,
      '-t',
      'a',
      '-C',
      '1',
    ]);
    t.after(() => reader.stop());
    await broker.logged(/New client connected/);
    await broker.logged(/negotiated TLSv1\.[23] cipher \S*PSK/);
    for (let tries = 0; !reader.hasEnded && tries < 50; tries++)
      assert.equal((await publishAs(broker, 'dev1', right)).code, 0);
    assert.equal(await reader.ended(), 0);
    assert.equal(reader.stdout, 'hello\n');
  });

  test('key digits may be upper case, and of two lines for one identity the first counts', async t => {
    const { broker } = await brokerWith(t);
    assert.equal((await publishAs(broker, 'upper', 'aabbccdd')).code, 0);
    assert.notEqual((await publishAs(broker, 'dev1', wrong)).code, 0);
  });

  test('a wrong key is refused and named', async t => {
    const { broker } = await brokerWith(t);
    assert.notEqual((await publishAs(broker, 'dev1', wrong)).code, 0);
    await broker.logged(/key/);
    assert.doesNotMatch(broker.log, /New client connected/);
  });

  test('an unknown identity is refused and named', async t => {
    const { broker } = await brokerWith(t);
    assert.notEqual((await publishAs(broker, 'stranger', right)).code, 0);
    await broker.logged(/identity/);
    assert.doesNotMatch(broker.log, /New client connected/);
  });

  test('a client without a key is refused', async t => {
    const { broker } = await brokerWith(t);
    const socket = tls.connect({ port: broker.port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'error');
    await broker.logged(/disconnected/);
    assert.doesNotMatch(broker.log, /New client connected/);
  });

  test('use_identity_as_username: the identity is the user, whatever CONNECT says; no password is asked', async t => {
    const { broker } = await brokerWith(t, 'use_identity_as_username true\n', 'allow_anonymous false\n');
    assert.equal((await publishAs(broker, 'dev1', right, '-u', 'mallory', '-P', 'x')).code, 0);
    await broker.logged(/u'dev1'/);
  });

  test('otherwise the usual rules for names and passwords follow', async t => {
    const { broker, folder } = await brokerWith(t, '', 'allow_anonymous false\n');
    assert.equal((await publishAs(broker, 'dev1', right)).code, 5);
    folder.write('passwords', passwordLine('alice', 'one'));
    const withPasswords = await start(t, {
      conf: at =>
        `listener ${at.port()} 127.0.0.1\npsk_hint hint\npsk_file ${folder.at('psk')}\npassword_file ${folder.at('passwords')}\n`,
    });
    assert.equal((await publishAs(withPasswords, 'dev1', right, '-u', 'alice', '-P', 'one')).code, 0);
    assert.equal((await publishAs(withPasswords, 'dev1', right, '-u', 'alice', '-P', 'two')).code, 5);
  });

  test('SIGHUP reads the keys again', async t => {
    const { broker, folder } = await brokerWith(t);
    folder.write('psk', `dev1:${wrong}\n`);
    await reload(broker);
    for (let tries = 0; tries < 20 && (await publishAs(broker, 'dev1', wrong)).code !== 0; tries++);
    assert.equal((await publishAs(broker, 'dev1', wrong)).code, 0);
    assert.notEqual((await publishAs(broker, 'dev1', right)).code, 0);
  });
});
