/**
 * SIGHUP: what is read again, who is cut and with what, and who is not (docs/compat/runtime.md, conf-options.tsv @reload,
 * password-acl.md 6). Where Mosquitto 2.1 ends on a bad file, the old state stays in force here, and a line says so.
 */
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { before, after, describe, test, type TestContext } from 'node:test';
import tls from 'node:tls';
import { once } from 'node:events';
import { acknowledgement, property, publish, RawClient, until, type Broker } from '../harness/mod.ts';
import { makeInfrastructure, tlsOf } from './certificates.ts';
import {
  afterReload,
  assertInOrder,
  clientOf,
  connectCode,
  Folder,
  passwordLine,
  passwordLine7,
  reload,
  rowsAtOnce,
  start,
  texts,
} from './stage.ts';

const confOf = (broker: Broker): string => readFileSync(`${broker.directory}/mosquitto.conf`, 'utf8');

describe('passwords', rowsAtOnce, () => {
  async function withPasswords(t: TestContext, more = ''): Promise<{ broker: Broker; folder: Folder }> {
    const folder = new Folder(t);
    folder.write(
      'passwords',
      passwordLine('alice', 'one') + passwordLine7('bob', 'two') + passwordLine('carol', 'three'),
    );
    const broker = await start(t, {
      conf: at => `listener ${at.port()} 127.0.0.1\npassword_file ${folder.at('passwords')}\n${more}`,
    });
    return { broker, folder };
  }
  const alice = { clientId: 'a', username: 'alice', password: 'one' };
  const bob = { clientId: 'b', username: 'bob', password: 'two' };

  for (const version of [3, 4, 5] as const) {
    test(`who no longer has the right password is cut without a packet, its will is not said (protocol ${version})`, async t => {
      const { broker, folder } = await withPasswords(t);
      const will = { topic: 'wills/a' };
      const changed = await clientOf(broker, { ...alice, version, will });
      const same = await clientOf(broker, { ...bob, version });
      await same.subscribe([['wills/#', 0]]);
      folder.write('passwords', passwordLine('alice', 'new') + passwordLine7('bob', 'two'));
      await reload(broker);
      await changed.expectClosed();
      await broker.logged(/^\d+: Client a \[127\.0\.0\.1:\d+\] disconnected/);
      await afterReload(broker);
      await same.expectQuiet();
      assert.equal(await connectCode(broker, { ...alice, version }), version === 5 ? 0x87 : 5);
      assert.equal(await connectCode(broker, { ...alice, version, password: 'new' }), 0);
    });
  }

  test('who is no longer in the file is cut; the session that is kept stays', async t => {
    const { broker, folder } = await withPasswords(t);
    const gone = await clientOf(broker, { ...alice, clean: false });
    await gone.subscribe([['a', 1]]);
    folder.write('passwords', passwordLine7('bob', 'two'));
    await reload(broker);
    await gone.expectClosed();
    const writer = await clientOf(broker, bob);
    writer.send(publish({ topic: 'a', qos: 1, payload: 'kept' }));
    await writer.expect('puback');
    folder.write('passwords', passwordLine('alice', 'one') + passwordLine7('bob', 'two'));
    await reload(broker);
    const back = await until('alice to be let in again', async () => {
      const client = await RawClient.dial({ port: broker.port });
      const connack = await client.connect({ ...alice, clean: false });
      return connack.reasonCode === 0 && connack.sessionPresent ? client : null;
    });
    assert.equal((await back.expect('publish')).payload!.toString(), 'kept');
  });

  test('a password file with a bad line keeps the old one in force and says so', async t => {
    const { broker, folder } = await withPasswords(t);
    const client = await clientOf(broker, alice);
    folder.write('passwords', 'alice:in clear text\n');
    const from = await reload(broker);
    await broker.logged(/Unable to decode line in password file/, from);
    await afterReload(broker);
    await client.expectQuiet();
    assert.equal(await connectCode(broker, bob), 0);
    assert.equal(await connectCode(broker, { ...bob, password: 'in clear text' }), 5);
  });

  test('a password file that has vanished keeps the old one in force and says so', async t => {
    const { broker, folder } = await withPasswords(t);
    const client = await clientOf(broker, alice);
    rmSync(folder.at('passwords'));
    const from = await reload(broker);
    await broker.logged(/Unable to open pwfile/, from);
    await afterReload(broker);
    await client.expectQuiet();
    assert.equal(await connectCode(broker, bob), 0);
  });

  test('another file may be named', async t => {
    const { broker, folder } = await withPasswords(t);
    const other = folder.write('other', passwordLine('dora', 'four'));
    await reload(broker, confOf(broker).replace(folder.at('passwords'), other));
    await until('dora to be let in', async () => {
      return (await connectCode(broker, { clientId: 'd', username: 'dora', password: 'four' })) === 0;
    });
    assert.equal(await connectCode(broker, alice), 5);
  });

  test('allow_anonymous false cuts who has no name, and nobody else', async t => {
    const { broker } = await withPasswords(t, 'allow_anonymous true\n');
    const nameless = await clientOf(broker, { version: 5, clientId: 'n' });
    const old = await clientOf(broker, { version: 4, clientId: 'o' });
    const named = await clientOf(broker, alice);
    await reload(broker, confOf(broker).replace('allow_anonymous true', 'allow_anonymous false'));
    await nameless.expectClosed();
    await old.expectClosed();
    await afterReload(broker);
    await named.expectQuiet();
    assert.equal(await connectCode(broker, { clientId: 'n' }), 5);
  });

  test('allow_anonymous true lets new clients in without touching the others', async t => {
    const { broker } = await withPasswords(t, 'allow_anonymous false\n');
    const named = await clientOf(broker, alice);
    await reload(broker, confOf(broker).replace('allow_anonymous false', 'allow_anonymous true'));
    await until('a nameless client to be let in', async () => (await connectCode(broker, { clientId: 'n' })) === 0);
    await named.expectQuiet();
  });
});

describe('access rules', rowsAtOnce, () => {
  async function withRules(t: TestContext, rules: string): Promise<{ broker: Broker; folder: Folder }> {
    const folder = new Folder(t, { rules });
    const broker = await start(t, {
      conf: at => `listener ${at.port()} 127.0.0.1\nallow_anonymous true\nacl_file ${folder.at('rules')}\n`,
    });
    return { broker, folder };
  }

  test('new rules hold for the next message of a subscription that is already there', async t => {
    const { broker, folder } = await withRules(t, 'topic a\ntopic b\n');
    const reader = await clientOf(broker, { clientId: 'reader' });
    await reader.subscribe([['#', 0]]);
    const writer = await clientOf(broker, { clientId: 'writer', version: 5 });
    writer.send(publish({ version: 5, topic: 'a', qos: 1 }));
    await writer.expect('puback');
    assert.equal((await reader.expect('publish')).topic, 'a');
    folder.write('rules', 'topic write a\ntopic b\n');
    await reload(broker);
    await afterReload(broker);
    writer.send(publish({ version: 5, topic: 'a', qos: 1 }), publish({ version: 5, topic: 'b', qos: 1, packetId: 2 }));
    assert.equal((await reader.expect('publish')).topic, 'b');
    folder.write('rules', 'topic read a\ntopic b\n');
    await reload(broker);
    await until('publishing a to be denied', async () => {
      writer.send(publish({ version: 5, topic: 'a', qos: 1, packetId: 3 }));
      for (;;) {
        const ack = await writer.expect('puback');
        if (ack.packetId === 3) return ack.reasonCode === 0x87;
      }
    });
  });

  test('a bad rule keeps the old rules and says so', async t => {
    const { broker, folder } = await withRules(t, 'topic a\n');
    const writer = await clientOf(broker, { clientId: 'writer', version: 5 });
    folder.write('rules', 'topic b\nnonsense\n');
    const from = await reload(broker);
    await broker.logged(/acl_file/, from);
    await afterReload(broker);
    writer.send(publish({ version: 5, topic: 'b', qos: 1 }));
    assert.equal((await writer.expect('puback')).reasonCode, 0x87);
  });

  test('messages that wait for a client whose rights have shrunk are not handed over', async t => {
    const { broker, folder } = await withRules(t, 'topic #\n');
    const sleeper = { clientId: 'sleeper', clean: false };
    const reader = await clientOf(broker, sleeper);
    await reader.subscribe([['#', 1]]);
    reader.destroy();
    await broker.logged(/Client sleeper .*disconnected/);
    const writer = await clientOf(broker, { clientId: 'writer' });
    for (const [packetId, topic] of ['a', 'b'].entries()) {
      writer.send(publish({ topic, qos: 1, packetId: packetId + 1 }));
      await writer.expect('puback');
    }
    folder.write('rules', 'topic read b\n');
    await reload(broker);
    await afterReload(broker);
    const back = await clientOf(broker, sleeper);
    assert.equal((await back.expect('publish')).topic, 'b');
    await back.expectQuiet();
  });
});

describe('certificates', rowsAtOnce, () => {
  const folder = new Folder({ after });
  before(() => makeInfrastructure(folder));

  /** A broker with files of its own, so that a test may change them. */
  async function withTls(t: TestContext, more = ''): Promise<{ broker: Broker; files: Folder }> {
    const files = new Folder(t);
    for (const name of ['server.crt', 'server.key', 'ca.crt']) copyFileSync(folder.at(name), files.at(name));
    copyFileSync(folder.at('crl-none.pem'), files.at('crl.pem'));
    const broker = await start(t, {
      conf: at =>
        `listener ${at.port()} 127.0.0.1\nallow_anonymous true\ncertfile ${files.at('server.crt')}\n` +
        `keyfile ${files.at('server.key')}\n${more.replaceAll('{dir}', files.path)}`,
    });
    return { broker, files };
  }

  const mutual = 'cafile {dir}/ca.crt\nrequire_certificate true\nuse_identity_as_username true\n';

  async function serialOf(broker: Broker): Promise<string> {
    const socket = tls.connect({ port: broker.port, host: '127.0.0.1', ...tlsOf(folder, null) });
    await once(socket, 'secureConnect');
    const { serialNumber } = socket.getPeerCertificate();
    socket.destroy();
    return serialNumber;
  }

  test('a new server certificate is shown to who comes next; who is here stays', async t => {
    const { broker, files } = await withTls(t);
    const client = await clientOf(broker, { clientId: 'a' }, { tls: tlsOf(folder, null) });
    const old = await serialOf(broker);
    copyFileSync(folder.at('server2.crt'), files.at('server.crt'));
    copyFileSync(folder.at('server2.key'), files.at('server.key'));
    await reload(broker);
    await until('the new certificate', async () => (await serialOf(broker)) !== old);
    await client.expectQuiet();
  });

  test('a certificate that does not load keeps the old one, in Mosquitto’s words', async t => {
    const { broker, files } = await withTls(t);
    const client = await clientOf(broker, { clientId: 'a' }, { tls: tlsOf(folder, null) });
    const old = await serialOf(broker);
    files.write('server.crt', 'no certificate\n');
    const from = await reload(broker);
    const line = `Error when reloading certificate '${files.at('server.crt')}' or key '${files.at('server.key')}'.`;
    await until('the line', () => texts(broker.lines.slice(from)).includes(line));
    await client.expectQuiet();
    assert.equal(await serialOf(broker), old);
  });

  test('a revoked client is told 0x98 and closed, on every listener; the others stay', async t => {
    const { broker, files } = await withTls(t, `${mutual}crlfile {dir}/crl.pem\n`);
    const dial = (who: string) => ({ tls: tlsOf(folder, who) });
    const revoked = await clientOf(broker, { version: 5, clientId: 'a' }, dial('alice'));
    const old = await clientOf(broker, { version: 4, clientId: 'a4' }, dial('alice'));
    const stays = await clientOf(broker, { version: 5, clientId: 'b' }, dial('bob'));
    copyFileSync(folder.at('crl-alice.pem'), files.at('crl.pem'));
    await reload(broker);
    assert.equal((await revoked.expect('disconnect')).reasonCode, 0x98);
    await revoked.expectClosed();
    await old.expectClosed();
    await broker.logged(/revoked/);
    await afterReload(broker);
    await stays.expectQuiet();
    assert.equal(await connectCode(broker, { version: 4, clientId: 'a' }, dial('alice')), 5);
  });

  test('a client whose authority is taken away is told 0x98 and closed', async t => {
    const { broker, files } = await withTls(t, mutual);
    files.write('ca.crt', readFileSync(folder.at('ca.crt'), 'utf8') + readFileSync(folder.at('other-ca.crt'), 'utf8'));
    await reload(broker);
    const stranger = { tls: tlsOf(folder, 'stranger') };
    await until('the second authority to count', async () => {
      return (await connectCode(broker, { version: 5, clientId: 's' }, stranger)) === 0;
    });
    const client = await clientOf(broker, { version: 5, clientId: 's' }, stranger);
    const stays = await clientOf(broker, { version: 5, clientId: 'a' }, { tls: tlsOf(folder, 'alice') });
    copyFileSync(folder.at('ca.crt'), files.at('ca.crt'));
    await reload(broker);
    assert.equal((await client.expect('disconnect')).reasonCode, 0x98);
    await client.expectClosed();
    await afterReload(broker);
    await stays.expectQuiet();
  });

  test('a revocation list that does not load keeps the old one and says so', async t => {
    const { broker, files } = await withTls(t, `${mutual}crlfile {dir}/crl.pem\n`);
    const client = await clientOf(broker, { version: 5, clientId: 'a' }, { tls: tlsOf(folder, 'alice') });
    files.write('crl.pem', 'no list\n');
    const from = await reload(broker);
    await broker.logged(/crl\.pem/, from);
    await afterReload(broker);
    await client.expectQuiet();
    assert.equal(await connectCode(broker, { version: 5, clientId: 'b' }, { tls: tlsOf(folder, 'bob') }), 0);
  });

  test('a client that is named by its certificate is not asked for a password', async t => {
    const { broker } = await withTls(t, mutual);
    const client = await clientOf(broker, { version: 5, clientId: 'a' }, { tls: tlsOf(folder, 'alice') });
    await reload(broker, confOf(broker).replace('allow_anonymous true', 'allow_anonymous false'));
    await afterReload(broker);
    await client.expectQuiet();
  });
});

describe('the configuration', rowsAtOnce, () => {
  test('a bad line is told with its place; everything stays as it was and the broker goes on', async t => {
    const broker = await start(t);
    const client = await clientOf(broker, { clientId: 'a' });
    const conf = confOf(broker);
    const from = await reload(broker, `${conf.replace('allow_anonymous true', 'allow_anonymous false')}foo 1\n`);
    await broker.logged(/Error found at/, from);
    assertInOrder(
      texts(broker.lines.slice(from)),
      'Reloading config.',
      "Error: Unknown configuration variable 'foo'.",
      /^Error found at .*mosquitto\.conf:\d+\.$/,
    );
    await afterReload(broker);
    await client.expectQuiet();
    assert.equal(await connectCode(broker, { clientId: 'b' }), 0);
  });

  test('a file that has vanished is told; the broker goes on', async t => {
    const broker = await start(t);
    renameSync(`${broker.directory}/mosquitto.conf`, `${broker.directory}/away`);
    const from = await reload(broker);
    await broker.logged(/Unable to open config file/, from);
    assert.equal(await connectCode(broker, { clientId: 'b' }), 0);
  });

  for (const [what, change] of [
    ['added', (conf: string) => `${conf}listener 18831 127.0.0.1\n`],
    ['removed', (conf: string) => conf.replace(/^listener.*\n/, '')],
    ['moved', (conf: string) => conf.replace(/127\.0\.0\.1/, '127.0.0.2')],
  ] as const) {
    test(`a listener that is ${what} refuses the whole reload, and the broker goes on`, async t => {
      const broker = await start(t, {
        conf: at => `listener ${at.port()} 127.0.0.1\nlistener ${at.port(1)} 127.0.0.1\nallow_anonymous true\n`,
      });
      const client = await clientOf(broker, { clientId: 'a' });
      const changed = change(confOf(broker)).replace('allow_anonymous true', 'allow_anonymous false');
      const from = await reload(broker, changed);
      const line = 'Error: It is not currently possible to add/remove listeners when reloading the config file.';
      await until('the line', () => texts(broker.lines.slice(from)).includes(line));
      if (what !== 'removed') await broker.logged(/Error found at .*mosquitto\.conf:\d+\./, from);
      await afterReload(broker);
      await client.expectQuiet();
      assert.equal(await connectCode(broker, { clientId: 'b' }), 0);
    });
  }

  test('limits and rules of a listener are put in force in place', async t => {
    const broker = await start(t, {
      conf: at => `listener ${at.port()} 127.0.0.1\nallow_anonymous true\nmax_qos 2\nmax_topic_alias 10\n`,
    });
    const conf = confOf(broker)
      .replace('max_qos 2', 'max_qos 1\nmount_point site/')
      .replace('max_topic_alias 10', 'max_topic_alias 3\nmax_connections 3\naccept_protocol_versions 5');
    const stays = await clientOf(broker, { clientId: 'old', version: 4 });
    await reload(broker, conf);
    await afterReload(broker);
    const client = await RawClient.dial({ port: broker.port });
    const connack = await client.connect({ version: 5, clientId: 'a' });
    assert.equal(property(connack, 'maximumQos'), 1);
    assert.equal(property(connack, 'topicAliasMaximum'), 3);
    assert.deepEqual((await client.subscribe([['a', 2]])).reasonCodes, [1]);
    await stays.expectQuiet();
    const third = await clientOf(broker, { version: 5, clientId: 'c' });
    const fourth = await RawClient.dial({ port: broker.port });
    await fourth.expectClosed();
    await broker.logged(/Client connection from 127\.0\.0\.1 denied: max_connections exceeded\./);
    await third.expectQuiet();
    third.destroy();
    await broker.logged(/Client c .*disconnected/);
    assert.equal(await connectCode(broker, { version: 4, clientId: 'b' }), 1);
  });

  test('global options that Mosquitto reloads are reloaded: sizes, prefixes, logs, $SYS', async t => {
    const broker = await start(t, {
      conf: at => `listener ${at.port()} 127.0.0.1\nallow_anonymous true\nsys_interval 0\n`,
    });
    await reload(
      broker,
      `${confOf(broker).replace('sys_interval 0', 'sys_interval 1')}message_size_limit 5\nclientid_prefixes ok-\nlog_type all\n`,
    );
    await until('the prefix', async () => (await connectCode(broker, { clientId: 'bad' })) === 5);
    const client = await clientOf(broker, { clientId: 'ok-a', version: 5 });
    client.send(publish({ version: 5, topic: 'a', qos: 1, payload: '123456' }));
    assert.equal((await client.expect('puback')).reasonCode, 0x95);
    await broker.logged(/Received PUBLISH from ok-a|Dropped too large PUBLISH from ok-a/);
    await client.subscribe([['$SYS/broker/uptime', 0]]);
    assert.match((await client.expect('publish')).payload!.toString(), /^\d+ seconds$/);
  });

  test('what only a restart can change says so', async t => {
    const broker = await start(t, { conf: at => `listener ${at.port()} 127.0.0.1\npid_file ${at.directory}/pid\n` });
    const from = await reload(broker, confOf(broker).replace('/pid', '/other'));
    await broker.logged(/pid_file.*next start/, from);
  });

  test('generated client ids keep their prefix', async t => {
    const broker = await start(t);
    await reload(broker);
    await afterReload(broker);
    const client = await RawClient.dial({ port: broker.port });
    const connack = await client.connect({ version: 5, clientId: '' });
    assert.match(
      property(connack, 'assignedClientIdentifier') as string,
      /^auto-[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/,
    );
  });

  test('messages under way, subscriptions and retained messages live through it', async t => {
    const broker = await start(t);
    const reader = await clientOf(broker, { clientId: 'r' });
    await reader.subscribe([['a', 2]]);
    const writer = await clientOf(broker, { clientId: 'w' });
    writer.send(publish({ topic: 'a', qos: 2, packetId: 9, retain: true, payload: 'x' }));
    await writer.expect('pubrec');
    await reload(broker);
    await afterReload(broker);
    writer.send(acknowledgement('pubrel', 9));
    await writer.expect('pubcomp');
    assert.equal((await reader.expect('publish')).topic, 'a');
    const late = await clientOf(broker, { clientId: 'l' });
    await late.subscribe([['a', 0]]);
    assert.equal((await late.expect('publish')).retain, true);
  });
});
