/**
 * A broker against abuse, from outside: bans by the address that the PROXY header names, the operator's list, two
 * clients under one name, and SCRAM with its channel binding.
 */
import assert from 'node:assert/strict';
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import tls from 'node:tls';
import {
  auth,
  connect,
  makeCertificates,
  property,
  RawClient,
  type RawPacket,
  type RawProperty,
  readPacket,
  run,
  type RunResult,
  startBroker,
  temporaryDirectory,
  until,
  zancudo,
  type Broker,
} from './harness/mod.ts';

const conf = (directory: string, rest: string): string => `allow_anonymous false
password_file ${directory}/passwords
admin_socket ${directory}/operators.sock
ban_after 3
takeover_rounds 3
takeover_newcomer hold
${rest}`;

interface House {
  broker: Broker;
  directory: string;
  ask: (...words: string[]) => Promise<RunResult>;
}

async function begin(t: TestContext, listeners: (port: (n?: number) => number) => string): Promise<House> {
  const directory = temporaryDirectory();
  const { path } = directory;
  const made = await run(zancudo, ['passwd', '-b', '-c', '-H', 'scram-sha-256', join(path, 'passwords'), 'ana', 'pencil']); // prettier-ignore
  assert.equal(made.code, 0, made.output);
  const broker = await startBroker({
    conf: at =>
      conf(
        path,
        listeners(n => at.port(n)),
      ),
  });
  t.after(async () => {
    await broker.stop();
    directory.remove();
  });
  const ask = (...words: string[]): Promise<RunResult> =>
    run(zancudo, [...words, '--socket', join(path, 'operators.sock')]);
  return { broker, directory: path, ask };
}

const proxied = (port: (n?: number) => number): string => `listener ${port()} 127.0.0.1\nenable_proxy_protocol 1\n`;

/** A client that a proxy has passed on from this address. */
async function from(address: string, t: TestContext, { port }: Broker): Promise<RawClient> {
  const client = await RawClient.dial({ port });
  t.after(() => client.destroy());
  client.send(Buffer.from(`PROXY TCP4 ${address} 192.0.2.1 50000 1883\r\n`));
  return client;
}

async function logIn(client: RawClient, password: string, clientId = ''): Promise<number | undefined> {
  return (await client.connect({ version: 5, clientId, username: 'ana', password })).reasonCode;
}

test('who guesses passwords is banned behind the proxy by its own address, listed, and lifted by the operator', async t => {
  const { broker, ask } = await begin(t, proxied);
  for (const guess of ['a', 'b', 'c']) assert.equal(await logIn(await from('203.0.113.7', t, broker), guess), 0x87);
  await (await from('203.0.113.7', t, broker)).expectClosed();
  assert.equal(await logIn(await from('203.0.113.8', t, broker), 'pencil'), 0);
  const listed = await ask('bans');
  assert.match(listed.stdout, /^203\.0\.113\.7\tfailed logins\t\d+ s ago\tin \d+ s\t1\t3 failed logins, the last one as user 'ana' on port \d+\n$/); // prettier-ignore
  assert.equal((await ask('bans', 'lift', '203.0.113.7')).stdout, '203.0.113.7 is let in again.\n');
  assert.equal(await logIn(await from('203.0.113.7', t, broker), 'pencil'), 0);
  assert.deepEqual([(await ask('bans', 'lift', '203.0.113.7')).code, (await ask('bans')).stdout], [1, '']);
});

test('a ban of the operator puts out who is connected from there and keeps them out', async t => {
  const { broker, ask } = await begin(t, proxied);
  const [mallory, other] = [await from('203.0.113.7', t, broker), await from('203.0.113.8', t, broker)];
  assert.deepEqual([await logIn(mallory, 'pencil'), await logIn(other, 'pencil')], [0, 0]);
  const banned = await ask('bans', 'add', '203.0.113.7', '--seconds', '90', '--because', 'too loud');
  assert.equal(banned.stdout, '203.0.113.7 is banned for 1 min 30 s; 1 connected from there was disconnected.\n');
  assert.equal((await mallory.expect('disconnect')).reasonCode, 0x98);
  await (await from('203.0.113.7', t, broker)).expectClosed();
  await other.expectQuiet();
  assert.equal((await ask('bans', 'add', 'localhost')).code, 2);
});

test('of two that throw each other out both are named, and the newcomer is held off', async t => {
  const { broker } = await begin(t, proxied);
  const codes: (number | undefined)[] = [];
  for (const n of [7, 8, 7, 8]) codes.push(await logIn(await from(`203.0.113.${n}`, t, broker), 'pencil', 'twin'));
  assert.deepEqual(codes, [0, 0, 0, 0x97]);
  await broker.logged(/throw each other out as twin: 203\.0\.113\.7:50000 .* and 203\.0\.113\.8:50000/);
});

/** The client's side of SCRAM-SHA-256, by the RFC and by no part of the broker. */
function proofFor(bare: string, challenge: string, password: string, binding: string): string {
  const [, nonce = '', salt = '', rounds = ''] = /^r=(.*),s=(.*),i=(\d+)$/.exec(challenge) ?? [];
  const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(rounds), 32, 'sha256');
  const clientKey = hmac(salted, 'Client Key');
  const withoutProof = `c=${binding},r=${nonce}`;
  const signature = hmac(createHash('sha256').update(clientKey).digest(), `${bare},${challenge},${withoutProof}`);
  const proof = Buffer.from(clientKey.map((byte, i) => byte ^ signature[i]!));
  return `${withoutProof},p=${proof.toString('base64')}`;
}

const BARE = 'n=ana,r=abcdefgh';
const method = (name: string, data: string): RawProperty[] => [
  ['authenticationMethod', name],
  ['authenticationData', Buffer.from(data)],
];
const dataOf = (packet: RawPacket): string => (property(packet, 'authenticationData') as Buffer).toString();

test('SCRAM lets in, again on the same connection, and a wrong proof there ends it with 0x87', async t => {
  const { broker } = await begin(t, port => `listener ${port()} 127.0.0.1\n`);
  const client = await RawClient.dial({ port: broker.port });
  t.after(() => client.destroy());
  client.version = 5;
  const name = 'SCRAM-SHA-256';
  client.send(connect({ version: 5, clientId: 'c', properties: method(name, `n,,${BARE}`) }));
  const answer = async (password: string): Promise<void> => {
    const challenge = dataOf(await client.expect('auth'));
    client.send(auth(0x18, method(name, proofFor(BARE, challenge, password, 'biws'))));
  };
  await answer('pencil');
  const connack = await client.expect('connack');
  assert.deepEqual([connack.reasonCode, property(connack, 'authenticationMethod')], [0, name]);
  assert.match(dataOf(connack), /^v=/);
  client.send(auth(0x19, method(name, `n,,${BARE}`)));
  await answer('pencil');
  assert.equal((await client.expect('auth')).reasonCode, 0);
  client.send(auth(0x19, method(name, `n,,${BARE}`)));
  await answer('pencils');
  assert.equal((await client.expect('disconnect')).reasonCode, 0x87);
  await broker.logged(/wrong password/);
});

test('SCRAM-SHA-256-PLUS is bound to its TLS connection', async t => {
  const folder = temporaryDirectory();
  t.after(() => folder.remove());
  const file = await makeCertificates(folder.path);
  const { broker } = await begin(t, port => `listener ${port()} 127.0.0.1\ncertfile ${file('server.crt')}\nkeyfile ${file('server.key')}\n`); // prettier-ignore
  const attempt = async (spoilt: boolean): Promise<number | undefined> => {
    const socket = tls.connect({ port: broker.port, host: '127.0.0.1', ca: readFileSync(file('ca.crt')) });
    t.after(() => socket.destroy());
    await new Promise(resolve => socket.once('secureConnect', resolve));
    let bytes: Buffer = Buffer.alloc(0);
    socket.on('data', chunk => (bytes = Buffer.concat([bytes, chunk])));
    const next = async (): Promise<RawPacket> => {
      const read = await until('a packet', () => readPacket(bytes, 5));
      bytes = read.rest;
      return read.packet;
    };
    const name = 'SCRAM-SHA-256-PLUS';
    const header = 'p=tls-exporter,,';
    socket.write(connect({ version: 5, clientId: 'c', properties: method(name, header + BARE) }));
    const challenge = dataOf(await next());
    const exported = socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
    if (spoilt) exported[0]! ^= 1;
    const binding = Buffer.concat([Buffer.from(header), exported]).toString('base64');
    socket.write(auth(0x18, method(name, proofFor(BARE, challenge, 'pencil', binding))));
    return (await next()).reasonCode;
  };
  assert.deepEqual([await attempt(false), await attempt(true)], [0, 0x87]);
});

test('our own clients log in with SCRAM and send no password', async t => {
  const { broker } = await begin(t, port => `listener ${port()} 127.0.0.1\n`);
  const pub = (...words: string[]): Promise<RunResult> =>
    run(zancudo, ['pub', '-h', '127.0.0.1', '-p', String(broker.port), '-t', 't', '-n', '-u', 'ana', ...words]);
  assert.equal((await pub('--auth-method', 'SCRAM-SHA-256', '-P', 'pencil')).code, 0);
  assert.match((await pub('--auth-method', 'SCRAM-SHA-256', '-P', 'pencils')).stderr, /Not authorized/);
  assert.equal((await pub('-P', 'pencil')).code, 0);
});
