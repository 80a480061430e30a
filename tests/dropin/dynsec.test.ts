/** Dynamic security on the whole product: driven by both control programs, and on files that go to and fro. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { describe, test, type TestContext } from 'node:test';
import {
  Background,
  type Broker,
  disconnect,
  findProgram,
  freePort,
  makeCertificates,
  needs,
  publish,
  type RawPacket,
  refusedStart,
  run,
  type RunResult,
  subscribe,
  unsubscribe,
  until,
  zancudo,
} from '../harness/mod.ts';
import {
  afterReload,
  clientOf,
  connectCode,
  Folder,
  passwordLine,
  passwordLine7,
  reload,
  start,
  texts,
} from './stage.ts';

const admin = { username: 'admin', password: 'administrator' };
const conf = (file: string): string => `plugin mosquitto_dynamic_security.so\nplugin_opt_config_file ${file}\n`;
const [debianPlugin = '/usr/lib/mosquitto_dynamic_security.so'] = globSync('/usr/lib/*/mosquitto_dynamic_security.so');

interface Stage {
  broker: Broker;
  file: string;
  folder: Folder;
}

const [, cheapHash] = passwordLine7(admin.username, admin.password).trim().split(':');

/** An administrator whose password is cheap to check, so that tests are quick. */
const onlyAdmin = JSON.stringify({
  clients: [{ username: admin.username, encoded_password: cheapHash, roles: [{ rolename: 'super-admin' }] }],
  roles: [
    {
      rolename: 'super-admin',
      acls: ['publishClientSend', 'publishClientReceive', 'subscribePattern'].map(acltype => {
        return { acltype, topic: '$CONTROL/#', allow: true };
      }),
    },
  ],
  defaultACLAccess: { publishClientSend: false, publishClientReceive: true, subscribe: false, unsubscribe: true },
});

/** A broker with dynamic security on its first port; `more` goes below it. */
async function dynsecBroker(t: TestContext, more = '', rules = onlyAdmin): Promise<Stage> {
  const folder = new Folder(t);
  const file = folder.write('rules.json', rules);
  const broker = await start(t, { conf: at => `listener ${at.port()} 127.0.0.1\n${conf(file)}${more}` });
  return { broker, file, folder };
}

const ourCtrl: readonly [string, ...string[]] = [zancudo, 'ctrl'];
const theirCtrl: readonly [string, ...string[]] = [findProgram('mosquitto_ctrl') ?? 'mosquitto_ctrl'];

function ctrl([program, ...first]: readonly string[], port: number, ...words: string[]): Promise<RunResult> {
  const login = ['-h', 'localhost', '-p', String(port), '-u', admin.username, '-P', admin.password];
  return run(program!, [...first, ...login, ...words]);
}

interface Reply {
  command: string;
  error?: string;
  data?: unknown;
}

/** Sends commands as the administrator and returns what they are answered. */
async function tell(broker: Broker, ...commands: object[]): Promise<Reply[]> {
  const client = await clientOf(broker, { version: 5, clientId: 'administrator', ...admin });
  const topic = '$CONTROL/dynamic-security/v1';
  await client.subscribe([[`${topic}/response`, 0]]);
  client.send(publish({ version: 5, topic, payload: JSON.stringify({ commands }) }));
  const { payload } = await client.expect('publish');
  client.send(disconnect());
  return (JSON.parse(String(payload)) as { responses: Reply[] }).responses;
}

const allowAll = [
  { acltype: 'publishClientSend', topic: 'house/#', allow: true },
  { acltype: 'subscribePattern', topic: 'house/#', allow: true },
];

const programs = [
  { says: 'mosquitto_ctrl', program: theirCtrl, wants: needs('mosquitto_ctrl', 'openssl') },
  { says: 'zancudo ctrl', program: ourCtrl, wants: needs('openssl') },
];

for (const { says, program, wants } of programs) {
  test(`${says} makes clients, roles and groups, over plain MQTT and over TLS`, wants, async t => {
    const folder = new Folder(t);
    const at = await makeCertificates(folder.path);
    const [plain, secure] = [await freePort(), await freePort()];
    const tls = `listener ${secure}\ncertfile ${at('server.crt')}\nkeyfile ${at('server.key')}\n`;
    const rules = conf(folder.write('rules.json', onlyAdmin));
    const broker = await start(t, { conf: `listener ${plain}\n${tls}${rules}` });
    const overTls = [...program, '--cafile', at('ca.crt')];
    const does = async (...words: string[]): Promise<string> => {
      const { code, stdout, output } = await ctrl(overTls, secure, 'dynsec', ...words);
      assert.equal(code, 0, output);
      return stdout;
    };

    assert.match((await ctrl(program, plain, 'dynsec', 'listRoles')).stdout, /^super-admin\n/m);
    await does('createRole', 'house');
    await does('addRoleACL', 'house', 'publishClientSend', 'house/#', 'allow', '5');
    await does('createGroup', 'family');
    await does('addGroupRole', 'family', 'house');
    await does('createClient', 'ana', '-p', 'secret');
    await does('addGroupClient', 'family', 'ana', '3');
    assert.match(await does('getRole', 'house'), /publishClientSend +: allow : house\/# \(priority: 5\)/);
    assert.match(await does('getClient', 'ana'), /Groups: +family \(priority: 3\)/);
    assert.match(await does('getDefaultACLAccess'), /^publishClientSend +: deny$/m);
    const again = await ctrl(overTls, secure, 'dynsec', 'createRole', 'house');
    assert.match(again.output, /createRole: Error: Role already exists/);

    assert.equal(await connectCode(broker, { clientId: 'x', username: 'ana', password: 'wrong' }, { port: plain }), 5);
    const ana = await clientOf(broker, { version: 5, clientId: 'ana', username: 'ana', password: 'secret' }, { port: plain }); // prettier-ignore
    assert.equal(await pubackCode(ana, 'house/door'), 0x10, 'allowed, and nobody listens');
    assert.equal(await pubackCode(ana, 'office/door'), 0x87);
    await does('disableClient', 'ana');
    assert.equal((await ana.expect('disconnect')).reasonCode, 0x98);
    await ana.expectClosed();
    assert.equal(await connectCode(broker, { clientId: 'x', username: 'ana', password: 'secret' }, { port: plain }), 5);
  });
}

type Raw = Awaited<ReturnType<typeof clientOf>>;

async function pubackCode(client: Raw, topic: string): Promise<number | undefined> {
  client.send(publish({ version: 5, topic, qos: 1, packetId: 9 }));
  return (await client.expect('puback')).reasonCode;
}

test('zancudo ctrl broker shows listeners and plugins where enable_control_api says so, and SIGHUP changes that', async t => {
  const { broker } = await dynsecBroker(t, 'enable_control_api true\n');
  const plugins = await ctrl(ourCtrl, broker.port, 'broker', 'listPlugins');
  assert.match(plugins.stdout, /Plugin: +dynamic-security\nControl endpoints: +\$CONTROL\/dynamic-security\/v1\n/);
  const listeners = await ctrl(ourCtrl, broker.port, 'broker', 'listListeners');
  assert.match(listeners.stdout, new RegExp(`Listener 1:\\n +Port: +${broker.port}\\n +Protocol: +mqtt\\n`));
  const written = readFileSync(`${broker.directory}/mosquitto.conf`, 'utf8');
  await reload(broker, written.replace('enable_control_api true', ''));
  await afterReload(broker);
  assert.doesNotMatch((await ctrl(ourCtrl, broker.port, 'broker', 'listListeners')).stdout, /Listener/);
});

describe('whoever is put out', () => {
  test('has had the answer before, leaves no will, and keeps of the session what is still allowed', async t => {
    const { broker } = await dynsecBroker(t);
    await tell(
      broker,
      { command: 'createRole', rolename: 'house', acls: [...allowAll, { acltype: 'subscribePattern', topic: 'other/#', allow: true }] }, // prettier-ignore
      { command: 'createClient', username: 'ana', password: 'a', roles: [{ rolename: 'house' }] },
      { command: 'createClient', username: 'bob', password: 'b', roles: [{ rolename: 'house' }] },
    );
    const bob = await clientOf(broker, { clientId: 'bob', username: 'bob', password: 'b' });
    await bob.subscribe([['house/will', 0]]);
    const will = { topic: 'house/will', payload: 'gone' };
    const asAna = { version: 4 as const, clientId: 'ana', username: 'ana', password: 'a', clean: false };
    const ana = await clientOf(broker, { ...asAna, will });
    await ana.subscribe([
      ['house/#', 1],
      ['other/x', 1],
    ]);
    await tell(broker, { command: 'removeRoleACL', rolename: 'house', acltype: 'subscribePattern', topic: 'other/#' });
    await ana.expectClosed();
    await bob.expectClosed();
    const back = await clientOf(broker, asAna);
    const watcher = await clientOf(broker, { clientId: 'w', username: 'bob', password: 'b' });
    watcher.send(publish({ topic: 'house/door', payload: 'open' }));
    assert.equal(String((await back.expect('publish')).payload), 'open');
    back.send(unsubscribe({ filters: ['other/x'] }));
    await back.expect('unsuback');
  });

  test('may be the administrator, who gets the acknowledgement and the answer first', async t => {
    const { broker } = await dynsecBroker(t);
    const client = await clientOf(broker, { version: 5, clientId: 'self', ...admin });
    const topic = '$CONTROL/dynamic-security/v1';
    await client.subscribe([[`${topic}/response`, 0]]);
    const payload = JSON.stringify({ commands: [{ command: 'setClientId', username: 'admin', clientid: 'self' }] });
    client.send(publish({ version: 5, topic, payload, qos: 1 }));
    const heard: RawPacket[] = [await client.expect('puback'), await client.expect('publish')];
    assert.match(String(heard[1]?.payload), /"command":"setClientId"/);
    assert.equal((await client.expect('disconnect')).reasonCode, 0x98);
    assert.equal(await connectCode(broker, { clientId: 'other', ...admin }), 5);
    await clientOf(broker, { clientId: 'self', ...admin });
  });
});

test('an UNSUBSCRIBE may be refused, and the subscription stays', async t => {
  const { broker } = await dynsecBroker(t);
  const acls = [...allowAll, { acltype: 'unsubscribeLiteral', topic: 'house/+', allow: false }];
  await tell(
    broker,
    { command: 'createRole', rolename: 'house', acls },
    { command: 'createClient', username: 'ana', password: 'a', roles: [{ rolename: 'house' }] },
  );
  const ana = await clientOf(broker, { version: 5, clientId: 'ana', username: 'ana', password: 'a' });
  ana.send(subscribe({ version: 5, filters: [['house/+'], ['office/+']] }));
  assert.deepEqual([...((await ana.expect('suback')).reasonCodes ?? [])], [0, 0x87]);
  ana.send(unsubscribe({ version: 5, filters: ['house/+', 'house/door'] }));
  assert.deepEqual([...((await ana.expect('unsuback')).reasonCodes ?? [])], [0x87, 0x11]);
  ana.send(publish({ version: 5, topic: 'house/door', payload: 'open' }));
  assert.equal(String((await ana.expect('publish')).payload), 'open');
});

describe('the plugin’s line', () => {
  test('counts for the listeners that use it, in its turn beside password_file', async t => {
    const folder = new Folder(t);
    const passwords = folder.write('passwords', passwordLine('fay', 'f'));
    const rules = folder.write('rules.json', onlyAdmin);
    const broker = await start(t, {
      conf: at =>
        `plugin_load dyn mosquitto_dynamic_security.so\nplugin_opt_config_file ${rules}\n` +
        `listener ${at.port()} 127.0.0.1\nlistener_allow_anonymous true\nlistener ${at.port(1)} 127.0.0.1\nplugin_use dyn\n`,
    });
    const other = { port: broker.ports[1]! };
    assert.equal(await connectCode(broker, { clientId: 'a' }), 0);
    assert.equal(await connectCode(broker, { clientId: 'a' }, other), 5);
    await clientOf(broker, { clientId: 'a', ...admin }, other);

    const both = await dynsecBroker(t, `password_file ${passwords}\n`);
    await clientOf(both.broker, { clientId: 'a', username: 'fay', password: 'f' });
    await clientOf(both.broker, { clientId: 'b', ...admin });
    assert.equal(await connectCode(both.broker, { clientId: 'c', username: 'eve', password: 'f' }), 5);
  });

  test('may stand there once, and a plugin of somebody else is refused', async () => {
    const twice = await refusedStart({ conf: at => `listener ${at.port()}\n${conf('/tmp/a')}${conf('/tmp/b')}` });
    assert.match(twice.lines.join('\n'), /The dynamic security plugin can only be loaded once/);
    const foreign = await refusedStart({ conf: at => `listener ${at.port()}\nplugin /usr/lib/other_plugin.so\n` });
    assert.equal(foreign.code, 13);
    assert.match(foreign.lines.join('\n'), /Plugins made for Mosquitto cannot run here/);
  });

  test('is not read again on SIGHUP: neither the file, nor a line that has gone', async t => {
    const { broker, file, folder } = await dynsecBroker(t);
    folder.write('rules.json', '{}');
    await reload(broker, `listener ${broker.port} 127.0.0.1\nallow_anonymous true\n`);
    await broker.logged(/'plugin' has changed/);
    await afterReload(broker);
    const anonymous = await clientOf(broker, { version: 5, clientId: 'anonymous' });
    assert.equal(await pubackCode(anonymous, 'house/door'), 0x87);
    await tell(broker, { command: 'createRole', rolename: 'kept' });
    assert.match(readFileSync(file, 'utf8'), /"kept"/);
  });
});

test('zancudo explain says which role and ACL decide, from the file alone too', async t => {
  const folder = new Folder(t);
  const rules = folder.write('rules.json', onlyAdmin);
  const path = folder.write('mosquitto.conf', `listener 1883\n${conf(rules)}`);
  const explained = await run(zancudo, ['explain', '-c', path, 'admin', 'subscribe', '$CONTROL/#']);
  assert.equal(explained.code, 0, explained.output);
  assert.match(explained.stdout, /"subscribePattern allow \$CONTROL\/# \(priority 0\)" decides, role super-admin/);
  assert.equal((await run(zancudo, ['explain', '-c', path, 'admin', 'subscribe', 'house/#'])).code, 1);
});

describe('a file goes to and fro', () => {
  const wants = needs('mosquitto', 'mosquitto_ctrl', debianPlugin);

  async function theirBroker(t: TestContext, folder: Folder, file: string): Promise<number> {
    const port = await freePort();
    const text = `user root\nlistener ${port} 127.0.0.1\nplugin ${debianPlugin}\nplugin_opt_config_file ${file}\n`;
    const process = new Background(findProgram('mosquitto')!, ['-c', folder.write(`their-${port}.conf`, text)]);
    t.after(() => process.stop());
    await until('Debian’s broker', () => / running/.test(process.stderr));
    return port;
  }

  test('made by Debian’s broker it is ours as it is', wants, async t => {
    const folder = new Folder(t);
    const file = folder.at('theirs.json');
    await run(theirCtrl[0], ['dynsec', 'init', file, admin.username, admin.password]);
    const port = await theirBroker(t, folder, file);
    await ctrl(theirCtrl, port, 'dynsec', 'createRole', 'house');
    await ctrl(theirCtrl, port, 'dynsec', 'addRoleACL', 'house', 'publishClientSend', 'house/#', 'allow');
    await ctrl(theirCtrl, port, 'dynsec', 'createClient', 'ana', '-p', 'secret');
    await ctrl(theirCtrl, port, 'dynsec', 'addClientRole', 'ana', 'house', '2');
    await until('their file', () => /"iterations"/.test(readFileSync(file, 'utf8')) && /"ana"/.test(readFileSync(file, 'utf8'))); // prettier-ignore
    const { broker } = await dynsecBroker(t, '', readFileSync(file, 'utf8'));
    const ana = await clientOf(broker, { version: 5, clientId: 'ana', username: 'ana', password: 'secret' });
    assert.equal(await pubackCode(ana, 'house/x'), 0x10);
    assert.equal(await pubackCode(ana, 'office/x'), 0x87);
    const [reply] = await tell(broker, { command: 'getClient', username: 'ana' });
    assert.deepEqual((reply?.data as { client: { roles: unknown } }).client.roles, [
      { rolename: 'house', priority: 2 },
    ]);
  });

  test('made by us it is Debian’s as it is', wants, async t => {
    const { broker, file, folder } = await dynsecBroker(t);
    await tell(
      broker,
      { command: 'createRole', rolename: 'house', acls: allowAll },
      { command: 'createClient', username: 'ana', password: 'secret', roles: [{ rolename: 'house' }] },
    );
    await broker.stop();
    const port = await theirBroker(t, folder, file);
    const login = ['-p', String(port), '-V', '5', '-q', '1', '-u', 'ana', '-P', 'secret', '-m', 'x'];
    const pub = findProgram('mosquitto_pub') ?? 'mosquitto_pub';
    assert.doesNotMatch((await run(pub, [...login, '-t', 'house/x'])).output, /Not authorized|refused/i);
    assert.match((await run(pub, [...login, '-t', 'office/x'])).output, /Not authorized/i);
    assert.match((await ctrl(theirCtrl, port, 'dynsec', 'getClient', 'ana')).stdout, /Roles: +house/);
  });
});

test('birth certificates of Sparkplug are kept for those who come later, and nothing else is', async t => {
  const broker = await start(t, {
    conf: at => `listener ${at.port()} 127.0.0.1\nallow_anonymous true\nplugin mosquitto_sparkplug_aware.so\n`,
  });
  const node = await clientOf(broker, { clientId: 'node' });
  const topics = ['NBIRTH/e', 'DBIRTH/e/d', 'NDATA/e', 'NBIRTH/e/d', 'DBIRTH/e', 'NDEATH/e'].map(rest => `spBv1.0/g/${rest}`); // prettier-ignore
  for (const topic of topics) node.send(publish({ topic, payload: topic }));
  await node.expectQuiet();
  const late = await clientOf(broker, { clientId: 'late' });
  await late.subscribe([
    ['$sparkplug/#', 0],
    ['spBv1.0/#', 0],
  ]);
  const kept = [await late.expect('publish'), await late.expect('publish')].map(({ topic, payload }) => [topic, String(payload)]); // prettier-ignore
  const expected = topics.slice(0, 2).map(topic => [`$sparkplug/certificates/${topic}`, topic]);
  assert.deepEqual(kept.sort(), expected.sort());
  await late.expectQuiet();
});

test('the first start says where the first passwords are, and the log never what they are', async t => {
  const folder = new Folder(t);
  const file = folder.at('rules.json');
  const broker = await start(t, { conf: at => `listener ${at.port()} 127.0.0.1\n${conf(file)}` });
  const said = texts(broker.lines).join('\n');
  assert.match(said, /Dynamic security plugin config not found, generating a default config\./);
  assert.ok(said.includes(`${file}.pw`) && existsSync(`${file}.pw`));
  const [, password = ''] = /^admin (\S+)$/m.exec(readFileSync(`${file}.pw`, 'utf8')) ?? [];
  await clientOf(broker, { clientId: 'a', username: 'admin', password });
  assert.ok(!broker.lines.join('\n').includes(password));
});
