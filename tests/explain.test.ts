/** "Why was I refused?" asked of a broker that runs, of its files, and of the log; and rules that belong to a certificate. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import {
  publish,
  RawClient,
  run,
  startBroker,
  subscribe,
  temporaryDirectory,
  until,
  zancudo,
  type Broker,
} from './harness/mod.ts';

const notAuthorised = 0x87;

interface Told {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A folder with access files, and the commands typed in it. */
class Desk {
  readonly #directory = temporaryDirectory();
  readonly path = this.#directory.path;
  broker: Broker | null = null;

  constructor(t: TestContext) {
    t.after(async () => {
      await this.broker?.stop();
      this.#directory.remove();
    });
  }

  write(name: string, lines: readonly string[]): string {
    writeFileSync(join(this.path, name), lines.map(line => `${line}\n`).join(''), { mode: 0o600 });
    return join(this.path, name);
  }

  async zancudo(...words: string[]): Promise<Told> {
    return run(zancudo, words, { cwd: this.path, env: { ...process.env, ZANCUDO_HOME: join(this.path, 'home') } });
  }

  async explain(...words: string[]): Promise<Told> {
    return this.zancudo('explain', ...words, '--socket', join(this.path, 'operators.sock'));
  }

  async client(t: TestContext, clientId: string, username?: string): Promise<RawClient> {
    const raw = await RawClient.dial({ port: this.broker!.port });
    t.after(() => raw.end());
    await raw.connect({ version: 5, clientId, ...(username === undefined ? {} : { username }) });
    return raw;
  }
}

/** Publishes with QoS 1 and returns the reason code of the answer. */
async function tries(client: RawClient, topic: string): Promise<number> {
  client.send(publish({ version: 5, topic, qos: 1, packetId: 7, payload: 'x' }));
  return (await client.expect('puback')).reasonCode ?? 0;
}

const rules = [
  'topic read public/#',
  'user ana',
  'topic readwrite house/#',
  'topic deny house/secret',
  'pattern read people/%u/#',
];

const conf = (path: string, port: number): string =>
  `listener ${port} 127.0.0.1\nallow_anonymous true\nacl_file ${path}/rules\nadmin_socket ${path}/operators.sock\n`;

test('without a broker the files answer: yes or no by the exit code, and the line that decides', async t => {
  const desk = new Desk(t);
  desk.write('rules', rules);
  const file = desk.write('mosquitto.conf', [conf(desk.path, 1883)]);
  const ask = (...words: string[]): Promise<Told> => desk.zancudo('explain', ...words, '-c', file);
  const allowed = await ask('ana', 'publish', 'house/door');
  assert.equal(allowed.code, 0, allowed.stderr);
  assert.match(allowed.stdout, /^Allowed: user 'ana' may publish to house\/door\.\n.*line 3 of .*rules\.\n/);
  const denied = await ask('ana', 'receive', 'house/secret');
  assert.equal(denied.code, 1);
  assert.match(
    denied.stdout,
    /line 3 of \S+ +topic readwrite house\/# +allows it\n.*line 4 .*denies it, and decides\n/,
  );
  assert.equal((await ask('-', 'receive', 'public/x')).code, 0);
  assert.equal((await ask('bob', 'receive', 'people/bob/x', '--json')).code, 0);
  const unclear = await ask('ana', 'publich', 'x');
  assert.deepEqual([unclear.code, unclear.stdout], [2, '']);
  assert.match(unclear.stderr, /Did you mean publish\?/);

  desk.write('new', ['user ana', 'topic read house/#']);
  const diff = await ask('--diff', 'new');
  assert.equal(diff.code, 1);
  assert.match(diff.stdout, /user 'ana' +loses +publish +house\/# /);
  assert.match(diff.stdout, /user 'ana' +gains +receive +house\/secret /);
  assert.match(diff.stdout, /a client without a user name +loses +receive +public\/# /);
  assert.equal((await ask('--diff', 'rules')).code, 0);
});

test('a refusal is explained before it happens, afterwards, and once in the log however often it is tried', async t => {
  const desk = new Desk(t);
  desk.write('rules', rules);
  desk.broker = await startBroker({ conf: at => conf(desk.path, at.port()) });
  const [ana, nobody] = [await desk.client(t, 'ana-1', 'ana'), await desk.client(t, 'x')];
  nobody.send(subscribe({ version: 5, packetId: 1, filters: [['#', 0]] }));
  await nobody.expect('suback');
  assert.match((await desk.explain('ana-1', 'publish', 'house/secret')).stdout, /^Denied: client ana-1 \(user 'ana'\)/);
  for (let i = 0; i < 50; i++) assert.equal(await tries(ana, 'house/secret'), notAuthorised);
  assert.equal(await tries(ana, 'house/door'), 0);
  const line = await desk.broker.logged(/ana-1 may not publish/);
  assert.match(line, / {2}ana-1 may not publish house\/secret: "topic deny house\/secret" decides, line 4 of .*rules\. \[client\.may-not\]$/);
  assert.equal(desk.broker.lines.filter(each => each.includes('may not publish')).length, 1);
  assert.match((await desk.explain('--last', 'ana-1')).stdout, /publish +house\/secret +50 .*"topic deny house\/secret" decides/);
  assert.match((await desk.explain('--last', 'x')).stdout, /receive +house\/door .*clients without a user name/);

  desk.write('new', ['user ana', 'topic read house/#']);
  const diff = await desk.explain('--diff', 'new', '--json');
  assert.equal(diff.code, 1);
  const changes = diff.stdout.trim().split('\n').map(each => JSON.parse(each) as Record<string, string>);
  assert.deepEqual(
    changes.map(({ who, change, action, topic }) => `${who} ${change} ${action} ${topic}`),
    ["client ana-1 (user 'ana') loses publish house/door"],
  );
}); // prettier-ignore

test('whoever comes under the client id of another gets nothing that was under way to him', async t => {
  const desk = new Desk(t);
  desk.write('rules', [...rules, 'user bob', 'topic readwrite lab/#']);
  desk.broker = await startBroker({ conf: at => conf(desk.path, at.port()) });
  const come = async (username: string): Promise<RawClient> => {
    const raw = await RawClient.dial({ port: desk.broker!.port });
    t.after(() => raw.end());
    await raw.connect({ version: 4, clientId: 'shared', username, clean: false });
    return raw;
  };
  const ana = await come('ana');
  await ana.subscribe([['#', 1]]);
  const sender = await desk.client(t, 'sender', 'ana');
  await tries(sender, 'house/door');
  assert.equal((await ana.expect('publish')).topic, 'house/door');
  const bob = await come('bob');
  await bob.expectQuiet();
});

test('a certificate brings its own rules, whatever its holder claims, and holds who leaves them', async t => {
  const desk = new Desk(t);
  const home = join(desk.path, 'home');
  const zancudo = async (...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await desk.zancudo(...words);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  await zancudo('ca', 'init', '127.0.0.1', 'localhost');
  await zancudo('device', 'add', 'lamp', 'door', '--host', 'localhost');
  desk.broker = await startBroker({
    conf: at => `ca_home ${home}
acl_file ${home}/access
allow_anonymous true
admin_socket ${desk.path}/operators.sock
device_policy quarantine
sys_interval 1
listener ${at.port()} 127.0.0.1
certfile ${home}/server/server.crt
keyfile ${home}/server/server.key
cafile ${home}/clients/trusted.crt
request_certificate true
`,
  });
  const ca = readFileSync(join(home, 'ca.crt'));
  const claimed = async (certificate: string | null, username: string): Promise<RawClient> => {
    const kit = (end: string): Buffer => readFileSync(join(desk.path, `${certificate}-kit/${certificate}.${end}`));
    const own = certificate === null ? {} : { cert: kit('crt'), key: kit('key') };
    const raw = await RawClient.dial({ port: desk.broker!.port, tls: { ca, servername: 'localhost', ...own } });
    t.after(() => raw.end());
    await raw.connect({ version: 5, clientId: `${username}-by-${certificate}`, username });
    return raw;
  };

  await t.test('it is its own device under the name of another, and the name alone is nobody', async () => {
    const lamp = await claimed('lamp', 'door');
    assert.equal(await tries(lamp, 'devices/lamp/x'), 0x10);
    const impostor = await claimed(null, 'lamp');
    assert.equal(await tries(impostor, 'devices/lamp/x'), notAuthorised);
    const why = await desk.explain('lamp-by-null', 'publish', 'devices/lamp/x');
    assert.match(why.stdout, /user 'lamp', who has not shown the certificate of the device of that name/);
    assert.equal((await desk.explain(join(desk.path, 'lamp-kit/lamp.crt'), 'publish', 'devices/lamp/x')).code, 0);
    assert.equal((await desk.explain('lamp', 'publish', 'devices/lamp/x', '--as', 'user')).code, 1);
    assert.equal((await desk.explain('lamp', 'publish', 'devices/lamp/x')).code, 0);
  });

  await t.test('who leaves its template is held: nothing passes, the operator is told, a new template lets it out', async () => {
    const [lamp, door] = [await claimed('lamp', 'lamp'), await claimed('door', 'door')];
    lamp.send(subscribe({ version: 5, packetId: 1, filters: [['devices/lamp/#', 0]] }));
    await lamp.expect('suback');
    assert.equal(await tries(lamp, 'devices/door/x'), notAuthorised);
    assert.equal(await tries(lamp, 'devices/lamp/x'), notAuthorised, 'nothing of it passes any more');
    await lamp.expectQuiet();
    assert.equal(await tries(door, 'devices/door/x'), 0x10, 'the others are not held');
    await desk.broker!.logged(/Device lamp is in quarantine: it tried to publish devices\/door\/x/);
    const socket = ['--socket', join(desk.path, 'operators.sock')];
    assert.match(await zancudo('quarantine', ...socket), /^lamp +lamp-by-lamp .*it tried to publish devices\/door\/x/m);
    assert.match(await zancudo('status', ...socket), /in quarantine: lamp/);
    assert.match((await desk.explain('lamp-by-lamp', 'publish', 'devices/lamp/x')).stdout, /device 'lamp' is in quarantine/);

    await zancudo('device', 'template', 'neighbour', 'readwrite devices/#', '--of', 'lamp');
    await desk.broker!.logged(/Device lamp is out of quarantine/);
    await until('the new template', async () => (await tries(lamp, 'devices/door/x')) !== notAuthorised);
  });

  await t.test('a filter by which nothing could come is an attempt, too; the operator lets it out', async () => {
    const door = await claimed('door', 'door');
    door.send(subscribe({ version: 5, packetId: 2, filters: [['devices/+/x', 0], ['secret/#', 0]] }));
    assert.deepEqual((await door.expect('suback')).reasonCodes, [0, notAuthorised]);
    assert.equal(await tries(door, 'devices/door/x'), notAuthorised);
    await zancudo('quarantine', 'release', 'door', '--socket', join(desk.path, 'operators.sock'));
    // Its own message comes back by the filter that was granted.
    door.send(publish({ version: 5, topic: 'devices/door/x', payload: 'again' }));
    await door.expect('publish');
  });
}); // prettier-ignore
