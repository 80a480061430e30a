import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import type { AccessControl, ListenerRules, Peer } from '../broker/ports.ts';
import { HttpApi } from './http-api.ts';

const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' };

interface Visitor {
  address?: string;
  tls?: Peer['tls'];
  refusal?: Peer['refusal'];
  certificate?: Peer['certificate'];
  rules?: Partial<ListenerRules>;
}

/** anna with the password `secret` may read /metrics, and everybody may read /api/v1/version. */
const access = {
  authenticate: async ({ username, password }: { username: string | null; password: Buffer | null }) =>
    username === null || (username === 'anna' && password?.toString() === 'secret')
      ? { allowed: true }
      : { allowed: false, because: 'wrong password' },
  mayRead: ({ username }: { username: string | null }, topic: string) =>
    topic !== '/metrics' || username === 'anna' || username === null,
} as unknown as AccessControl;

/** An HttpApi behind a port, whose every visitor is who the test says. */
async function open(t: TestContext, visitor: Visitor, httpDir: string | null = null) {
  const said: string[] = [];
  const log = { debug: false, subscribe: false, unsubscribe: false, connections: true, write: (_: unknown, text: string) => void said.push(text) }; // prettier-ignore
  const api = new HttpApi({
    log,
    access,
    version: '1.2.3',
    metrics: () => 'x 1\n',
    notReady: () => 'the disk is full',
    listeners: () => [{ port: 1883, protocol: 'mqtt', tls: false, mtls: false, allow_anonymous: true }],
    sysTree: () => ({ '$SYS/broker/uptime': 5 }),
    filesOf: () => httpDir,
  });
  const { address = '127.0.0.1', rules, ...rest } = visitor;
  const listener = { name: 'port 9883', useIdentityAsUsername: false, useSubjectAsUsername: false, ...rules };
  const peer = { address, port: 5, tls: null, certificate: null, refusal: null, ...rest, listener } as unknown as Peer;
  const server = createServer(socket => api.take(socket, peer)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    server.close();
    await api.close();
  });
  const { port } = server.address() as AddressInfo;
  const get = async (target: string, init: RequestInit = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}${target}`, init);
    return { status: response.status, body: await response.text(), headers: response.headers };
  };
  return { get, said, port };
}

const basic = (login: string): RequestInit => ({
  headers: { authorization: `Basic ${Buffer.from(login).toString('base64')}` },
});

test('it answers as the HTTP interface of Mosquitto 2.1 does', async t => {
  const { get } = await open(t, {});
  assert.equal((await get('/api/v1/version')).body, '1.2.3');
  const listeners = await get('/api/v1/listeners');
  assert.match(listeners.body, /^\{\n\t"listeners": \[\n\t\t\{\n\t\t\t"port": 1883,\n\t\t\t"protocol": "mqtt",/);
  assert.deepEqual([listeners.headers.get('access-control-allow-origin'), listeners.headers.get('content-type')], ['*', null]); // prettier-ignore
  assert.equal((await get('/api/v1/systree')).body, '{\n\t"$SYS/broker/uptime": 5\n}');
  const others = await Promise.all([get('/api/v1/x'), get('/'), get('/api/v1/version', { method: 'POST' })]);
  assert.deepEqual(others.map(({ status, body }) => [status, body]), [[404, 'Not found.'], [404, 'Not found.'], [405, 'Invalid HTTP Method']]); // prettier-ignore
});

test('a login that is wrong, or that the access rules give no read, is 401, and the log says why', async t => {
  const { get, said } = await open(t, {});
  const wrong = await get('/api/v1/version', basic('anna:guess'));
  assert.deepEqual([wrong.status, wrong.body, wrong.headers.get('www-authenticate')], [401, 'Not authorised', 'Basic realm="Mosquitto API"']); // prettier-ignore
  assert.match(said.join('\n'), /127\.0\.0\.1:5 on port 9883, user 'anna' was refused: wrong password/);
  assert.ok(!said.join('\n').includes('guess'));
  const named = await open(t, { certificate: { commonName: 'bob' } as Peer['certificate'], rules: { useIdentityAsUsername: true } }); // prettier-ignore
  assert.equal((await named.get('/metrics')).status, 401);
});

test('metrics are told to this machine, and beyond it over TLS to who has proved who they are', async t => {
  const far = '203.0.113.7';
  const rows: [visitor: Visitor, login: RequestInit, status: number][] = [
    [{}, {}, 200],
    [{ address: '::1' }, {}, 200],
    [{ address: '/run/http.sock' }, {}, 200],
    [{ address: far }, basic('anna:secret'), 403],
    [{ address: far, tls }, {}, 403],
    [{ address: far, tls }, basic('anna:secret'), 200],
    [{ address: far, tls, certificate: { commonName: 'anna' } as Peer['certificate'], rules: { useIdentityAsUsername: true } }, {}, 200],
  ]; // prettier-ignore
  for (const [visitor, login, status] of rows) {
    const { get } = await open(t, visitor);
    assert.equal((await get('/metrics', login)).status, status, JSON.stringify(visitor));
  }
});

test('health is one word for everybody, but for those whose certificate does not hold', async t => {
  const { get } = await open(t, { address: '203.0.113.7' });
  const [healthy, ready] = [await get('/healthz'), await get('/readyz')];
  assert.deepEqual([healthy.status, healthy.body], [200, 'ok\n']);
  assert.deepEqual([ready.status, ready.body], [503, 'not ready: the disk is full\n']);
  const refused = await open(t, { refusal: { code: 'tls.x', reason: 'the certificate has expired' } });
  assert.deepEqual([(await refused.get('/healthz')).status, (await refused.get('/metrics')).status], [403, 403]);
});

test('http_dir gives its files and nothing outside of them', async t => {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'http-dir-')));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  fs.mkdirSync(path.join(folder, 'www', 'sub'), { recursive: true });
  fs.writeFileSync(path.join(folder, 'www', 'index.html'), '<p>hello');
  fs.writeFileSync(path.join(folder, 'www', 'empty.txt'), '');
  fs.writeFileSync(path.join(folder, 'secret'), 'no');
  fs.symlinkSync('../secret', path.join(folder, 'www', 'link'));
  fs.writeFileSync(path.join(folder, 'www-other'), 'no');
  const { get, port } = await open(t, {}, `${folder}/www/`);
  const index = await get('/');
  assert.deepEqual([index.body, index.headers.get('content-type')], ['<p>hello', 'text/html; charset=utf-8']);
  assert.deepEqual([(await get('/empty.txt')).status, (await get('/sub/')).status, (await get('/sub')).status], [200, 404, 404]); // prettier-ignore
  for (const outside of ['/link', '/..%2fsecret', '/%2e%2e/secret', '/../secret', '/../www-other', '/%00', '/%zz']) {
    const { status } = await plain(port, outside);
    assert.equal(status, 404, outside);
  }
});

/** fetch() would tidy the path up. */
async function plain(port: number, target: string): Promise<{ status: number }> {
  const http = await import('node:http');
  return new Promise((resolve, reject) => {
    const request = http.get({ port, host: '127.0.0.1', path: target, agent: false }, response => {
      response.resume();
      resolve({ status: response.statusCode ?? 0 });
    });
    request.on('error', reject);
  });
}
