import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { AuthenticationRequest, Identity, ListenerRules, Log } from '../broker/ports.ts';
import { type AccessControlOptions, type ConfiguredAccessControl, createAccessControl } from './access-control.ts';
import type { AuthenticationAnswer, Authenticator, Authorizer } from './authenticator.ts';
import { HashQueue } from './hash-queue.ts';
import { hashPassword } from './password-hash.ts';
import type { SecurityScope, SecurityScopes } from './scopes.ts';

const folder = mkdtempSync(join(tmpdir(), 'zancudo-'));
test.after(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

const nothing: SecurityScope = { passwordFile: null, aclFile: null, pskFile: null };
const sha = await hashPassword('secret', 'sha512');
const slow = await hashPassword('secret', 'sha512-pbkdf2', 101);
const passwordFile = file('passwords', `ana:${sha}\nbob:${slow}\n`);

function listener(allowAnonymous: boolean, name = 'port 1883'): ListenerRules {
  return { name, allowAnonymous } as ListenerRules;
}
const open = listener(true);
const closed = listener(false);

/** One scope for all listeners. */
function all(scope: SecurityScope): SecurityScopes {
  return new Map([
    [open, scope],
    [closed, scope],
  ]);
}

function login(at: ListenerRules, username: string | null, password: string | null): AuthenticationRequest {
  return {
    listener: at,
    username,
    password: password === null ? null : Buffer.from(password),
  } as AuthenticationRequest;
}

function as(username: string | null, at = closed): Identity {
  return { username, clientId: 'c1', listener: at, address: '192.0.2.1' };
}

function quiet(into: string[] = []): Log {
  return {
    debug: false,
    subscribe: false,
    unsubscribe: false,
    connections: true,
    write: (kind, text) => into.push(`${kind}: ${text}`),
  };
}

function create(scopes: SecurityScopes, options: Partial<AccessControlOptions> = {}): ConfiguredAccessControl {
  const created = createAccessControl(scopes, { log: quiet(), ...options });
  assert.ok(created.ok, created.ok ? '' : created.failure.lines.join('\n'));
  return created.access;
}

const toLetIn = '"allow_anonymous true" would let everybody in, a password_file those who are in it';

async function verdict(access: ConfiguredAccessControl, request: AuthenticationRequest): Promise<true | string> {
  const answer = await access.authenticate(request);
  return answer.allowed || answer.because;
}

test('with a password file only its users enter, and anonymous clients where the listener allows them', async () => {
  const access = create(all({ ...nothing, passwordFile }));
  assert.equal(await verdict(access, login(closed, 'ana', 'secret')), true);
  assert.equal(await verdict(access, login(closed, 'bob', 'secret')), true);
  assert.equal(await verdict(access, login(open, 'ana', 'wrong')), 'wrong password');
  assert.equal(await verdict(access, login(open, 'eve', 'secret')), 'no such user');
  assert.equal(await verdict(access, login(open, 'ana', null)), 'password missing');
  assert.equal(await verdict(access, login(open, null, null)), true);
  assert.equal(
    await verdict(access, login(closed, null, null)),
    `anonymous clients are not allowed on port 1883; ${toLetIn}`,
  );
});

test('without a password file allow_anonymous decides for everybody, names and passwords or not', async () => {
  const access = create(all(nothing));
  assert.equal(await verdict(access, login(open, null, null)), true);
  assert.equal(await verdict(access, login(open, 'anyone', 'anything')), true);
  assert.equal(
    await verdict(access, login(closed, null, null)),
    `anonymous clients are not allowed on port 1883; ${toLetIn}`,
  );
  assert.match(String(await verdict(access, login(closed, 'ana', 'secret'))), /^no password_file is configured/);
});

test('what can be answered at once is', () => {
  const access = create(all({ ...nothing, passwordFile }));
  assert.deepEqual(access.authenticate(login(closed, 'ana', 'secret')), { allowed: true });
  assert.ok(access.authenticate(login(closed, 'bob', 'wrong')) instanceof Promise);
});

function says(answer: AuthenticationAnswer | Promise<AuthenticationAnswer>): Authenticator {
  return { authenticate: () => answer };
}

test('authenticators are asked in order, and the first definite answer counts', async () => {
  const rows: [Authenticator[], true | string][] = [
    [[says('ignore'), says('allow'), says({ deny: 'late' })], true],
    [[says('defer'), says({ deny: 'banned' }), says('allow')], 'banned'],
    [[says(Promise.resolve('ignore')), says(Promise.resolve('allow'))], true],
    [[says(Promise.resolve({ deny: 'not in the database' })), says('allow')], 'not in the database'],
    [[says(Promise.reject(new Error('database gone')))], 'the check of the login failed: Error: database gone'],
  ];
  for (const [authenticators, expected] of rows) {
    const access = create(all(nothing), { authenticators });
    assert.equal(await verdict(access, login(closed, 'ana', 'x')), expected);
  }
});

test('the password file is asked after those before it', async () => {
  const access = create(all({ ...nothing, passwordFile }), { authenticators: [says('defer')] });
  assert.equal(await verdict(access, login(closed, 'ana', 'secret')), true);
  assert.equal(await verdict(access, login(open, 'ana', 'wrong')), 'wrong password');
});

test('after a defer, allow_anonymous lets in those without a name and nobody else', async () => {
  for (const answer of ['defer' as const, Promise.resolve('defer' as const)]) {
    const access = create(all(nothing), { authenticators: [says(answer)] });
    assert.equal(await verdict(access, login(open, null, null)), true);
    assert.equal(await verdict(access, login(open, 'ana', 'x')), 'nobody who was asked knows this user');
    assert.match(String(await verdict(access, login(closed, null, null))), /^anonymous clients/);
  }
  const access = create(all(nothing), { authenticators: [says('ignore')] });
  assert.equal(await verdict(access, login(open, 'ana', 'x')), true);
});

test('no enhanced authentication method is served unless one is registered', () => {
  const request = login(open, null, null);
  assert.equal(create(all(nothing)).enhanced('SCRAM-SHA-256', request), null);
  const conversation = { step: () => ({ kind: 'success' as const, data: null }) };
  const access = create(all(nothing), { enhanced: new Map([['PLAIN', () => conversation]]) });
  assert.equal(access.enhanced('PLAIN', request), conversation);
  assert.equal(access.enhanced('plain', request), null);
});

test('without an ACL file everything is allowed but writing to $SYS and using $share as a topic', () => {
  const access = create(all(nothing));
  const rows: [topic: string, read: boolean, write: boolean][] = [
    ['a/b', true, true],
    ['$SYS/broker/uptime', true, false],
    ['$SYSTEM', true, false],
    ['$SYS/broker/connection/b1/state', true, true],
    ['$SYS/broker/connection/b1/x/state', true, false],
    ['$share/group/a', false, false],
    ['$CONTROL/dynamic-security/v1', true, true],
    ['$other', true, true],
  ];
  for (const [topic, read, write] of rows) {
    assert.equal(access.mayRead(as(null), topic), read, topic);
    assert.equal(access.mayWrite(as(null), topic), write, topic);
  }
  assert.equal(access.maySubscribe(as(null), '$share/group/a/#'), true);
  assert.equal(access.maySubscribe(as(null), '$SYS/#'), true);
  assert.equal(access.readsUnrestricted, true);
});

test('an ACL file decides on reading and writing, and never opens $SYS for writing', () => {
  const aclFile = file('acl', 'topic #\ntopic readwrite $SYS/#\nuser ana\ntopic read a/#\n');
  const access = create(all({ ...nothing, aclFile }));
  assert.equal(access.readsUnrestricted, false);
  assert.equal(access.mayRead(as('ana'), 'a/b'), true);
  assert.equal(access.mayWrite(as('ana'), 'a/b'), false);
  assert.equal(access.maySubscribe(as('ana'), 'secret/#'), true);
  assert.equal(access.mayWrite(as(null), '$SYS/broker/uptime'), false);
  assert.equal(access.mayWrite(as(null), '$SYS/broker/connection/b1/state'), true);
});

test('a state topic of a bridge still needs a rule when there is an ACL file', () => {
  const access = create(all({ ...nothing, aclFile: file('acl', 'topic #\n') }));
  assert.equal(access.mayWrite(as(null), '$SYS/broker/connection/b1/state'), false);
});

function judges(answer: ReturnType<Authorizer['may']>): Authorizer {
  return { may: () => answer, explain: () => ({ answer, because: `it says ${answer}`, tried: [] }) };
}

test('authorizers are asked in order; if one deferred and nobody decided, the answer is no', () => {
  const rows: [Authorizer[], boolean][] = [
    [[judges('ignore'), judges('allow'), judges('deny')], true],
    [[judges('defer'), judges('deny'), judges('allow')], false],
    [[judges('defer')], false],
    [[judges('ignore')], true],
  ];
  for (const [authorizers, expected] of rows) {
    const access = create(all(nothing), { authorizers });
    assert.equal(access.mayRead(as(null), 'a'), expected);
    assert.equal(access.maySubscribe(as(null), 'a'), expected);
  }
});

test('with per_listener_settings each listener has its own users and rules', async () => {
  const inside = listener(false, 'port 1884');
  const aclFile = file('acl-inside', 'topic read only\n');
  const access = create(
    new Map([
      [open, nothing],
      [closed, { ...nothing, passwordFile }],
      [inside, { ...nothing, aclFile, pskFile: file('psk', 'dev:0102\n') }],
    ]),
  );
  assert.equal(await verdict(access, login(open, 'eve', 'x')), true);
  assert.equal(await verdict(access, login(closed, 'eve', 'x')), 'no such user');
  assert.equal(await verdict(access, login(closed, 'ana', 'secret')), true);
  assert.equal(access.mayWrite(as(null, open), 'only'), true);
  assert.equal(access.mayWrite(as(null, inside), 'only'), false);
  assert.deepEqual(access.pskKey(inside, 'dev'), Buffer.from([1, 2]));
  assert.equal(access.pskKey(inside, 'other'), null);
  assert.equal(access.pskKey(open, 'dev'), null);
  assert.equal(access.readsUnrestricted, false);
});

test('a listener that nothing is known about is open to nobody', async () => {
  const access = create(new Map([[open, nothing]]));
  const unknown = listener(true, 'port 9');
  assert.equal(await verdict(access, login(unknown, null, null)), 'no access rules are known for port 9');
  assert.equal(access.mayRead(as(null, unknown), 'a'), false);
});

test('a bad file at the start is a failure with its lines and exit code, and warnings reach the log', () => {
  const bad = createAccessControl(all({ ...nothing, aclFile: '/nowhere/acl' }), { log: quiet() });
  assert.ok(!bad.ok);
  assert.equal(bad.failure.exitCode, 13);
  const logged: string[] = [];
  create(all({ ...nothing, aclFile: file('acl-warn', 'pattern news\n') }), { log: quiet(logged) });
  assert.equal(logged[0], "warning: Warning: ACL pattern 'news' does not contain '%c' or '%u'.");
});

test('a reload replaces users and rules together and raises the generation', async () => {
  const path = file('passwords-reload', `ana:${sha}\n`);
  const aclFile = file('acl-reload', 'user ana\ntopic a\n');
  const scopes = all({ ...nothing, passwordFile: path, aclFile });
  const access = create(scopes);
  const before = access.generation;
  file('passwords-reload', `eve:${sha}\n`);
  file('acl-reload', 'user ana\ntopic b\n');
  assert.equal(access.mayRead(as('ana'), 'a'), true);
  assert.equal(access.reload(scopes), null);
  assert.ok(access.generation > before);
  assert.equal(access.mayRead(as('ana'), 'a'), false);
  assert.equal(await verdict(access, login(closed, 'ana', 'secret')), 'no such user');
  assert.equal(await verdict(access, login(closed, 'eve', 'secret')), true);
});

test('a reload with one bad file changes nothing, not even what the good files say', async () => {
  const path = file('passwords-keep', `ana:${sha}\n`);
  const aclFile = file('acl-keep', 'user ana\ntopic a\n');
  const scopes = all({ ...nothing, passwordFile: path, aclFile });
  const access = create(scopes);
  const before = access.generation;
  file('passwords-keep', `eve:${sha}\n`);
  file('acl-keep', 'tpoic a\n');
  const failure = access.reload(scopes);
  assert.equal(failure?.lines[0], `Error: Invalid line in acl_file "${aclFile}": tpoic.`);
  assert.match(failure?.lines.at(-1) ?? '', /stay as they were/);
  assert.equal(access.generation, before);
  assert.equal(await verdict(access, login(closed, 'ana', 'secret')), true);
  assert.equal(access.mayRead(as('ana'), 'a'), true);
});

test('a login that was being checked while the file was replaced is judged by the new file', async () => {
  const path = file('passwords-race', `bob:${slow}\n`);
  const scopes = all({ ...nothing, passwordFile: path });
  const access = create(scopes);
  const pending = access.authenticate(login(closed, 'bob', 'secret'));
  assert.ok(pending instanceof Promise);
  file('passwords-race', `ana:${sha}\n`);
  assert.equal(access.reload(scopes), null);
  assert.deepEqual(await pending, { allowed: false, because: 'no such user' });
});

test('after a reload of an unchanged file, clients that were let in are let in again without a hash', async () => {
  const scopes = all({ ...nothing, passwordFile });
  const access = create(scopes);
  assert.equal(await verdict(access, login(closed, 'bob', 'secret')), true);
  assert.equal(access.reload(scopes), null);
  assert.deepEqual(access.authenticate(login(closed, 'bob', 'secret')), { allowed: true });
});

test('a flood of logins is refused beyond the bound, counted, and does not stop those that were proved before', async () => {
  const access = create(all({ ...nothing, passwordFile }), { queue: new HashQueue(100) });
  assert.equal(await verdict(access, login(closed, 'bob', 'secret')), true);
  const flood = Array.from({ length: 110 }, async (_, i) => access.authenticate(login(closed, `eve${i}`, 'x')));
  assert.equal(access.loginsRefusedBusy, 8);
  assert.deepEqual(access.authenticate(login(closed, 'bob', 'secret')), { allowed: true });
  const verdicts = await Promise.all(flood);
  assert.ok(verdicts.every(v => !v.allowed));
});
