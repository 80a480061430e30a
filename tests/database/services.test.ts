/** Users and rules in Redis, in a directory, behind HTTP and in signed tokens. */
import assert from 'node:assert/strict';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { writeFileSync } from 'node:fs';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { temporaryDirectory, until } from '../harness/mod.ts';
import { askRedis, ldapAdmin, openldap, redis, Server, skipLdap, skipRedis } from './servers.ts';
import { goAuthHash, mayPublish, mayPublishAll, Stage } from './stage.ts';

const REFUSED = 0x87;

describe('users and rules in Redis', skipRedis, () => {
  let server: Server;
  let stage: Stage;

  before(async () => {
    server = await Server.start(redis);
    await askRedis(
      server.port,
      ['SET', 'ana', goAuthHash('one')],
      ['SADD', 'ana:wacls', 'home/ana/#'],
      ['SADD', 'common:rwacls', 'all/%u'],
      ['SET', 'root', goAuthHash('two')],
      ['SET', 'root:su', 'true'],
    );
    stage = await Stage.open(`auth_backend redis\nauth_backend_host 127.0.0.1\nauth_backend_port ${server.port}\n`);
  });

  after(async () => {
    await stage.broker.stop();
    await server.end();
  });

  test('keys as mosquitto-go-auth has them let in and decide', async () => {
    const [ana, root] = [await stage.enter('ana', 'one'), await stage.enter('root', 'two')];
    assert.deepEqual(await mayPublishAll(ana, 'home/ana/x', 'all/ana', 'all/root', 'x'), [true, true, false, false]);
    assert.ok(await mayPublish(root, 'x'));
    for (const name of ['ana', 'root:su', 'ana:wacls', 'an?', '*']) {
      assert.equal(await stage.login(name, 'true'), REFUSED, name);
    }
    ana.end();
    root.end();
  });

  test('held still or gone it lets nobody in, and is found again', async () => {
    server.hold();
    assert.equal(await stage.login('root', 'wrong'), REFUSED);
    server.giveBack();
    await until('Redis to be found again', async () => (await stage.login('ana', 'one')) === 0);
    await server.stop();
    assert.equal(await stage.login('root', 'wrong'), REFUSED);
    await server.start();
    await until('Redis to be found again', async () => (await stage.login('root', 'two')) === 0);
    assert.equal(await stage.login('root', 'wrong'), REFUSED);
  });
});

describe('users and rules in a directory', skipLdap, () => {
  let server: Server;
  let stage: Stage;

  before(async () => {
    server = await Server.start(openldap);
    await fillDirectory(server.port);
    const password = server.write('password', 'secret\n');
    stage = await Stage.open(`auth_backend ldap
auth_backend_url ldap://127.0.0.1:${server.port}
auth_backend_username ${ldapAdmin}
auth_backend_password_file ${password}
auth_backend_user_base ou=people,dc=example,dc=org
auth_backend_user_filter (&(objectClass=inetOrgPerson)(uid=:username))
auth_backend_group_base ou=groups,dc=example,dc=org
auth_backend_topic_attribute description
auth_backend_access_attribute businessCategory
`);
  });

  after(async () => {
    await stage.broker.stop();
    await server.end();
  });

  test('who may log in there may log in here, with the topics of the groups', async () => {
    const ana = await stage.enter('ana', 'one');
    assert.deepEqual(await mayPublishAll(ana, 'doors/1', 'home/ana', 'home/bob', 'x'), [true, true, false, false]);
    const bob = await stage.enter('bob', 'two');
    assert.deepEqual(await mayPublishAll(bob, 'doors/1'), [false]);
    for (const [name, password] of [
      ['ana', 'two'],
      ['ana', ''],
      ['ANA', 'one'],
      ['*', 'one'],
      ['a*', 'one'],
      ['ana)(uid=*', 'one'],
      ['ana)(|(uid=*', 'one'],
      ['nobody', 'one'],
    ] as const) {
      assert.equal(await stage.login(name, password), REFUSED, `${name} ${password}`);
    }
    ana.end();
    bob.end();
  });

  test('held still it lets nobody in, and is found again', async () => {
    server.hold();
    assert.equal(await stage.login('bob', 'wrong'), REFUSED);
    server.giveBack();
    await until('the directory to be found again', async () => (await stage.login('bob', 'two')) === 0);
  });
});

async function fillDirectory(port: number): Promise<void> {
  const { Client } = await import('ldapts');
  const client = new Client({ url: `ldap://127.0.0.1:${port}` });
  await client.bind(ldapAdmin, 'secret');
  const base = 'dc=example,dc=org';
  await client.add(base, { objectClass: ['dcObject', 'organization'], dc: 'example', o: 'Example' });
  for (const ou of ['people', 'groups'])
    await client.add(`ou=${ou},${base}`, { objectClass: 'organizationalUnit', ou });
  for (const [uid, userPassword] of [
    ['ana', 'one'],
    ['bob', 'two'],
  ] as const) {
    await client.add(`uid=${uid},ou=people,${base}`, {
      objectClass: 'inetOrgPerson',
      uid,
      cn: uid,
      sn: uid,
      userPassword,
    });
  }
  await client.add(`cn=keepers,ou=groups,${base}`, {
    objectClass: 'groupOfNames',
    cn: 'keepers',
    member: `uid=ana,ou=people,${base}`,
    description: ['doors/#', 'home/%u'],
    businessCategory: 'readwrite',
  });
  await client.unbind();
}

describe('users and rules behind HTTP', () => {
  let service: HttpServer;
  let stage: Stage;
  let isBroken = false;

  before(async () => {
    service = createServer((request, response) => {
      void (async () => {
        let body = '';
        for await (const chunk of request) body += String(chunk);
        if (isBroken) return response.writeHead(503).end();
        if (request.method === 'GET') return response.writeHead(405).end();
        const { username, password } = JSON.parse(body) as Record<string, string>;
        if (request.url === '/user') {
          if (username !== 'ana')
            return response.writeHead(username === 'away' ? 302 : 404, { location: '/yes' }).end();
          return response.writeHead(password === 'one' ? 200 : 401).end();
        }
        if (request.url === '/acl') return response.end(JSON.stringify([{ topic: 'home/%u/#', acc: 2 }]));
        return response.writeHead(200).end();
      })();
    });
    await new Promise<void>(resolve => service.listen(0, '127.0.0.1', resolve));
    const at = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
    stage = await Stage.open(`auth_backend http\nauth_backend_user_url ${at}/user\nauth_backend_acl_url ${at}/acl\n`);
  });

  after(async () => {
    await stage.broker.stop();
    service.closeAllConnections();
    service.close();
  });

  test('the status decides who comes in, the list what they may', async () => {
    const ana = await stage.enter('ana', 'one');
    assert.deepEqual(await mayPublishAll(ana, 'home/ana/x', 'home/bob/x'), [true, false]);
    for (const name of ['ana', 'bob', 'away', '{"x":1}', '"'])
      assert.equal(await stage.login(name, 'two'), REFUSED, name);
    ana.end();
  });

  test('a service in trouble lets nobody in, and is found again', async () => {
    isBroken = true;
    assert.equal(await stage.login('ana', 'other'), REFUSED);
    isBroken = false;
    await until('the service to be found again', async () => (await stage.login('ana', 'one')) === 0);
    assert.equal(await stage.login('ana', 'other'), REFUSED);
  });
});

describe('signed tokens', async () => {
  const [good, foreign] = [await generateKeyPair('ES256'), await generateKeyPair('ES256')];
  const directory = temporaryDirectory();
  const keyFile = join(directory.path, 'key.pem');
  let service: HttpServer;
  const stages: Stage[] = [];

  before(async () => {
    writeFileSync(keyFile, await exportSPKI(good.publicKey));
    const keys = JSON.stringify({ keys: [{ ...(await exportJWK(good.publicKey)), kid: '1', alg: 'ES256' }] });
    service = createServer((_, response) => void response.end(keys));
    await new Promise<void>(resolve => service.listen(0, '127.0.0.1', resolve));
    const { port } = service.address() as AddressInfo;
    const common =
      'auth_backend_issuer https://id.example.org\nauth_backend_audience mqtt\nauth_backend_acl_claim acl\n';
    stages.push(
      await Stage.open(`auth_backend jwt\nauth_backend_jwks_url http://127.0.0.1:${port}/jwks\n${common}`),
      await Stage.open(`auth_backend jwt\nauth_backend_key_file ${keyFile}\n${common}`),
    );
  });

  after(async () => {
    for (const { broker } of stages) await broker.stop();
    service.close();
    directory.remove();
  });

  const token = (changed: Record<string, unknown> = {}, key = good.privateKey): Promise<string> => {
    const acl = { pub: ['home/%u/#'], sub: ['news'] };
    return new SignJWT({ sub: 'ana', iss: 'https://id.example.org', aud: 'mqtt', acl, exp: inSeconds(600), ...changed })
      .setProtectedHeader({ alg: 'ES256', kid: '1' })
      .sign(key);
  };

  test('a token lets in whom it names, as long as it holds, with the topics in it', async () => {
    for (const stage of stages) {
      const ana = await stage.enter('ana', await token());
      assert.deepEqual(await mayPublishAll(ana, 'home/ana/x', 'news'), [true, false]);
      ana.end();
      const none = Buffer.from('{"alg":"none"}').toString('base64url');
      const bad: Record<string, (sub: string) => Promise<string>> = {
        'for somebody else': () => token({ sub: 'bob' }),
        'out of date': sub => token({ sub, exp: inSeconds(-5) }),
        'not yet': sub => token({ sub, nbf: inSeconds(300) }),
        'of another issuer': sub => token({ sub, iss: 'https://evil.example' }),
        'for another audience': sub => token({ sub, aud: 'mail' }),
        'signed by another key': sub => token({ sub }, foreign.privateKey),
        'not signed': async sub => `${none}.${(await token({ sub })).split('.')[1] ?? ''}.`,
        'cut off': async sub => (await token({ sub })).replace(/[^.]*$/, ''),
        'no token at all': () => Promise.resolve('one'),
      };
      // A user of its own each time: who goes on guessing for one is answered later and later.
      for (const [i, [what, shown]] of Object.entries(bad).entries()) {
        assert.equal(await stage.login(`user ${i}`, await token({ sub: `user ${i}` })), 0);
        assert.equal(await stage.login(`user ${i}`, await shown(`user ${i}`)), REFUSED, what);
      }
    }
  });
});

function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}
