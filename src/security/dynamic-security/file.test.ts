import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { AuthenticationRequest, Log } from '../../broker/ports.ts';
import { HashQueue } from '../hash-queue.ts';
import { hashPassword } from '../password-hash.ts';
import { readRules, writeRules } from './file.ts';
import { DynamicLogin } from './login.ts';
import type { Model } from './model.ts';
import { openRules } from './open-rules.ts';
import { RulesFile } from './rules-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'zancudo-'));
after(() => rmSync(folder, { recursive: true }));
const place = (name: string): string => join(folder, name);

const failed = (error: unknown): never => assert.fail(String(error));

const lines: string[] = [];
const log: Log = { debug: false, subscribe: false, unsubscribe: false, connections: false, write: (_, text) => void lines.push(text) }; // prettier-ignore

const encoded = await hashPassword('secret', 'sha512-pbkdf2', 101);
const [, , iterations, salt, digest] = encoded.split('$');

function logIn(model: Model, username: string | null, password: string | null, clientId = 'c', last = true): unknown {
  const given = password === null ? null : Buffer.from(password);
  const request = { username, password: given, clientId } as AuthenticationRequest;
  return new DynamicLogin(model, new HashQueue(), last).authenticate(request);
}

const full = {
  changeIndex: 7,
  defaultACLAccess: { publishClientSend: true, publishClientReceive: false, subscribe: true, unsubscribe: false },
  clients: [
    { username: 'ana', clientid: 'c', textname: 'n', textdescription: 'd', disabled: true, roles: [{ rolename: 'r', priority: 5 }] }, // prettier-ignore
    { username: 'bob', roles: [] },
  ],
  groups: [{ groupname: 'g', textname: 'n', roles: [{ rolename: 'r' }], clients: [{ username: 'ana' }, { username: 'bob', priority: 1 }] }], // prettier-ignore
  anonymousGroup: 'g',
  roles: [{ rolename: 'r', allowwildcardsubs: false, acls: [{ acltype: 'publishClientSend', topic: 'a', priority: 3, allow: true }] }], // prettier-ignore
};

test('what is written is what was read, member by member in Mosquitto’s order', () => {
  const text = writeRules(readRules(JSON.stringify(full))!);
  assert.equal(JSON.stringify(JSON.parse(text)), JSON.stringify(full));
  assert.match(text, /^\{\n\t"changeIndex": 7,\n\t"defaultACLAccess": \{\n\t\t"publishClientSend": true,/);
});

test('passwords of either form are read, and written so that 2.0 and 2.1 can both use them', async () => {
  const old = { username: 'old', password: digest, salt, iterations: Number(iterations), roles: [] };
  const both = { username: 'both', password: 'x', salt: 'y', iterations: 1, encoded_password: encoded, roles: [] };
  const wide = await hashPassword('secret', 'argon2id');
  const model = readRules(JSON.stringify({ clients: [both, { username: 'new', encoded_password: wide }, old] }))!;
  for (const { username } of model.clients.values()) assert.equal(await logIn(model, username, 'secret'), 'allow');
  const written = JSON.parse(writeRules(model)) as { clients: object[] };
  const forms = { encoded_password: encoded, password: digest, salt, iterations: 101 };
  assert.deepEqual(written.clients, [
    { username: 'both', roles: [], ...forms },
    { username: 'new', roles: [], encoded_password: wide },
    { username: 'old', roles: [], ...forms },
  ]);
});

test('a password that cannot be read lets nobody in and is not lost', () => {
  const model = readRules('{"clients":[{"username":"ana","encoded_password":"$9$what"}]}')!;
  assert.deepEqual(logIn(model, 'ana', 'x'), { deny: 'no password has been set for this user' });
  assert.match(writeRules(model), /"encoded_password": "\$9\$what"/);
});

test('entries without a name, second ones and links to nothing are passed over', () => {
  const model = readRules(
    JSON.stringify({
      clients: [{}, 5, { username: 'a', roles: [{ rolename: 'no' }] }, { username: 'a', disabled: true }],
      groups: [{ groupname: 'g', clients: [{ username: 'no' }, { username: 'a' }, { username: 'a', priority: 4 }] }],
      roles: [{ rolename: '' }],
      anonymousGroup: 'no',
    }),
  )!;
  const { clients, groups, anonymousGroup } = JSON.parse(writeRules(model)) as Record<string, unknown>;
  assert.deepEqual(clients, [{ username: 'a', roles: [] }]);
  assert.deepEqual(groups, [{ groupname: 'g', roles: [], clients: [{ username: 'a' }] }]);
  assert.equal(anonymousGroup, undefined);
  assert.equal(readRules('[]'), null);
  assert.equal(readRules('')?.clients.size, 0);
});

test('logins: who is not known is left to others, and everybody else has to be right in everything', async () => {
  const clients = [
    { username: 'ana', encoded_password: encoded },
    { username: 'off', encoded_password: encoded, disabled: true },
    { username: 'fix', encoded_password: encoded, clientid: 'mine' },
  ];
  const model = readRules(JSON.stringify({ clients }))!;
  assert.equal(logIn(model, null, null), 'defer');
  assert.equal(logIn(model, 'ana', null), 'defer');
  assert.equal(logIn(model, 'no', 'secret', 'c', false), 'defer');
  assert.ok(logIn(model, 'no', 'secret') instanceof Promise, 'it costs as much as one who is known');
  assert.equal(await logIn(model, 'no', 'secret'), 'defer');
  assert.deepEqual(await logIn(model, 'ana', 'wrong'), { deny: 'wrong password' });
  assert.deepEqual(logIn(model, 'off', 'secret'), { deny: 'this user is disabled' });
  assert.deepEqual(logIn(model, 'fix', 'secret'), { deny: "this user may log in with the client id 'mine' only" });
  assert.equal(await logIn(model, 'fix', 'secret', 'mine'), 'allow');
});

test('a change while the hash of a login is computed counts, and one of somebody else costs nothing', async () => {
  const clients = [{ username: 'ana', encoded_password: encoded }, { username: 'bob' }];
  const model = readRules(JSON.stringify({ clients }))!;
  const [right, wrong] = [logIn(model, 'ana', 'secret'), logIn(model, 'ana', 'no')];
  model.removeClient('bob');
  assert.deepEqual([await right, await wrong], ['allow', { deny: 'wrong password' }]);
  const another = logIn(model, 'ana', 'another');
  model.putClient({ ...model.clients.get('ana')!, disabled: true });
  assert.deepEqual(await another, { deny: 'this user is disabled' });
});

test('without a file there is a default one, whose first passwords are for its owner alone', async () => {
  const configFile = place('fresh.json');
  const opened = await openRules({ configFile, passwordInitFile: null }, log);
  assert.ok(opened.ok);
  const passwords = readFileSync(`${configFile}.pw`, 'utf8').trim().split('\n').map(line => line.split(' ')); // prettier-ignore
  assert.deepEqual(passwords.map(([name]) => name), ['admin', 'democlient']); // prettier-ignore
  for (const [name = '', password = ''] of passwords) {
    assert.match(password, /^[A-Za-z0-9]{20}$/);
    assert.equal(await logIn(opened.model, name, password), 'allow');
  }
  for (const file of [configFile, `${configFile}.pw`]) assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.ok(!lines.some(line => passwords.some(([, password]) => line.includes(password!))));
  const again = await openRules({ configFile, passwordInitFile: null }, log);
  assert.ok(again.ok);
  assert.equal(writeRules(again.model), readFileSync(configFile, 'utf8'));
});

test('the first password may come from a file, whose first line it is', async () => {
  const passwordInitFile = place('init');
  writeFileSync(passwordInitFile, 'from-the-file\nrest\n');
  const opened = await openRules({ configFile: place('init.json'), passwordInitFile }, log);
  assert.ok(opened.ok);
  assert.equal(await logIn(opened.model, 'admin', 'from-the-file'), 'allow');
  assert.equal(opened.model.clients.size, 1);
  assert.equal(existsSync(place('init.json.pw')), false);
  const missing = await openRules({ configFile: place('none.json'), passwordInitFile: place('none') }, log);
  assert.ok(!missing.ok);
  assert.equal(existsSync(place('none.json')), false);
});

test('a damaged file lets nobody in, and is put aside before it is replaced', async () => {
  const configFile = place('damaged.json');
  writeFileSync(configFile, '{"clients": [', { mode: 0o600 });
  const opened = await openRules({ configFile, passwordInitFile: null }, log);
  assert.ok(opened.ok);
  assert.deepEqual([opened.isDamaged, opened.model.clients.size], [true, 0]);
  const file = new RulesFile(configFile, true, () => 'good', failed);
  await file.save();
  assert.equal(readFileSync(configFile, 'utf8'), 'good');
  assert.equal(readFileSync(`${configFile}.damaged`, 'utf8'), '{"clients": [');
});

test('many saves at once are few writes, and each is told when what it wanted is on the disk', async () => {
  const path = place('often.json');
  let [now, made] = [0, 0];
  const file = new RulesFile(path, false, () => (made++, String(now)), failed);
  const saves = Array.from({ length: 50 }, async (_, i) => {
    now = i;
    await file.save();
    assert.ok(Number(readFileSync(path, 'utf8')) >= i);
  });
  await Promise.all([...saves, file.settled()]);
  assert.equal(readFileSync(path, 'utf8'), '49');
  assert.equal(made, 2);
  assert.deepEqual(readdirSync(folder).filter(name => name.endsWith('.new')), []); // prettier-ignore
});

test('a file that cannot be written is said, and tried again with the next change', async () => {
  const errors: unknown[] = [];
  const path = join(place('no-such-folder'), 'x.json');
  const file = new RulesFile(path, false, () => 'x', error => void errors.push(error)); // prettier-ignore
  await file.save();
  await file.save();
  assert.equal(errors.length, 2);
});
