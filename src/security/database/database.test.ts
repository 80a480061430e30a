/** The parts of a backend, without a database. */
import assert from 'node:assert/strict';
import { pbkdf2Sync, randomBytes, scryptSync } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import { parseQuery, textFor } from '../../base/mod.ts';
import { matchesFilter } from '../../topics/mod.ts';
import { READ, WRITE } from '../acl-rules.ts';
import { Answers, loginKey } from './answers.ts';
import { Answered, Gate, Outage } from './gate.ts';
import { filled } from './ldap.ts';
import { accessBits, overlap, Rights, SUBSCRIBE } from './rights.ts';
import { rulesOf } from './rule-list.ts';
import { decodeStored } from './stored-hash.ts';

const noBcrypt = (): Promise<boolean> => Promise.resolve(false);

test('named parameters become marks; text in quotes, casts and comments stay what they are', () => {
  const parsed = parseQuery('SELECT \':username\'::text, "a:b" -- :x\n FROM t WHERE a = :username AND b=:username', [
    'username',
  ]);
  assert.ok(parsed.ok);
  assert.equal(textFor(parsed.query, nth => `$${nth}`), "SELECT ':username'::text, \"a:b\" -- :x\n FROM t WHERE a = $1 AND b=$2"); // prettier-ignore
  for (const wrong of ['a = $1', 'a = ?', 'a = :user']) assert.equal(parseQuery(wrong, ['username']).ok, false);
});

test('hashes of others fit their password and no other', async () => {
  const salt = randomBytes(16);
  const pbkdf2 = (algorithm: string, salted: string | Buffer): string => pbkdf2Sync('pass', salted, 100, 32, algorithm).toString('base64'); // prettier-ignore
  const bare = (text: string): string => text.replace(/=+$/, '');
  const hashes = [
    ['base64', `PBKDF2$sha512$100$${salt.toString('base64')}$${pbkdf2('sha512', salt)}`],
    ['base64', `PBKDF2$sha256$100$${salt.toString('base64')}$${pbkdf2('sha256', salt)}`],
    ['utf-8', `PBKDF2$sha512$100$s*lt$${pbkdf2('sha512', 's*lt')}`],
    ['base64', `$pbkdf2-sha512$i=100,l=32$${bare(salt.toString('base64'))}$${bare(pbkdf2('sha512', salt))}`],
    [
      'base64',
      `$scrypt$ln=10,r=8,p=1$${salt.toString('base64')}$${scryptSync('pass', salt, 32, { N: 1024 }).toString('base64')}`,
    ],
  ] as const;
  for (const [salts, encoded] of hashes) {
    const decoded = decodeStored(encoded, salts, noBcrypt);
    assert.ok(decoded.ok, encoded);
    assert.equal(await decoded.hash.fits(Buffer.from('pass')), true, encoded);
    assert.equal(await decoded.hash.fits(Buffer.from('pass2')), false, encoded);
  }
});

test('a stored password that is damaged, plain or ruinously dear is never checked', () => {
  const good = 'PBKDF2$sha512$100$c2FsdHNhbHQ=$' + Buffer.alloc(64).toString('base64');
  for (const bad of [
    '',
    'plain',
    '$2b$31$' + 'a'.repeat(53),
    'PBKDF2$md5$1$YQ==$YQ==',
    good.replace('100', '9999999999'),
    good.slice(0, 40),
    '$scrypt$ln=30,r=8,p=1$YQ$YQ',
    `${good}$x`,
  ]) {
    // prettier-ignore
    assert.equal(decodeStored(bad, 'base64', noBcrypt).ok, false, bad);
  }
  fc.assert(fc.property(fc.string(), text => typeof decodeStored(text, 'base64', noBcrypt).ok === 'boolean'));
});

test('two filters overlap exactly when some topic matches both', () => {
  const level = fc.constantFrom('a', 'b', '+', '');
  const filter = fc
    .tuple(fc.array(level, { minLength: 1, maxLength: 3 }), fc.boolean())
    .map(([levels, below]) => [...levels, ...(below ? ['#'] : [])]);
  const names = ['a', 'b', 'c', ''];
  const topics = [1, 2, 3, 4, 5].flatMap(n => combinations(names, n));
  fc.assert(
    fc.property(filter, filter, (a, b) => {
      const both = topics.some(topic => matchesFilter(a.join('/'), topic) && matchesFilter(b.join('/'), topic));
      assert.equal(overlap(a, b), both, `${a.join('/')} and ${b.join('/')}`);
    }),
  );
});

function combinations(names: readonly string[], length: number): string[] {
  if (length === 1) return [...names];
  return combinations(names, length - 1).flatMap(rest => names.map(name => `${rest}/${name}`));
}

test('a name with a wildcard or a slash never becomes part of a filter', () => {
  const rules = [{ filter: 'home/%u/#', bits: READ | WRITE }];
  for (const username of ['+', '#', 'a/b', '']) {
    const rights = new Rights('db', { superuser: false, rules }, { username, clientId: 'c' });
    const who = { username, clientId: 'c', listener: {} as never, address: '' };
    assert.equal(rights.may('read', who, 'home/bob/x'), 'defer', username);
    assert.equal(rights.passedOver, 1);
  }
});

test('access is told by numbers as in the tables of Mosquitto plugins, and by words', () => {
  assert.deepEqual([1, 2, 3, 4, '7', 'readwrite'].map(accessBits), [READ, WRITE, READ | WRITE, SUBSCRIBE, READ | WRITE | SUBSCRIBE, READ | WRITE]); // prettier-ignore
  for (const odd of ['', '8', '-1', 'all', 'constructor', null]) assert.equal(accessBits(odd), null);
  assert.equal(rulesOf({ pub: ['a'], other: ['b'] }), null, 'half of the rules would be other rules');
});

test('a login is remembered for a while; a new password throws the old one out', () => {
  const answers = new Answers({ sizeMax: 2, allowMs: 1000, refusalMs: 0 });
  const [old, other] = ['old', 'new'].map(password => loginKey(['ana'], Buffer.from(password))) as [string, string];
  answers.put(old, 'ana', 'allow', 0);
  assert.equal(answers.get(old, 500), 'allow');
  answers.put(other, 'ana', 'allow', 500);
  assert.equal(answers.get(old, 501), null);
  assert.equal(answers.get(other, 501), 'allow');
  assert.equal(answers.get(other, 5000), null);
  for (const name of ['a', 'b', 'c']) answers.put(name, name, 'allow', 0);
  assert.equal(answers.size, 2);
});

test('after a few outages nobody waits for a time-out, and a probe finds it again', async () => {
  let isGone = true;
  const told: string[] = [];
  const work = (): Promise<string> => (isGone ? Promise.reject(new Error('gone')) : Promise.resolve('here'));
  const watch = { lost: (because: string) => told.push(because), found: () => told.push('found') };
  const gate = new Gate({ timeoutMs: 1000, atOnceMax: 2, waitingMax: 10 }, async () => void (await work()), watch);
  for (let i = 0; i < 3; i++) await assert.rejects(gate.run(work), Outage);
  assert.equal(gate.answers, false);
  const { calls } = gate.counts;
  await assert.rejects(gate.run(work), Outage);
  assert.equal(gate.counts.calls, calls, 'nobody was sent');
  isGone = false;
  // The probe's own timer does not hold the process.
  const alive = setInterval(() => undefined, 10);
  while (!gate.answers) await new Promise(resolve => setTimeout(resolve, 10));
  clearInterval(alive);
  assert.equal(await gate.run(work), 'here');
  assert.deepEqual(told, ['gone', 'found']);
});

test('an opinion on the question is no outage, and beyond the queue nobody waits', async () => {
  const gate = new Gate({ timeoutMs: 1000, atOnceMax: 1, waitingMax: 1 }, () => Promise.resolve(), { lost: () => assert.fail(), found: () => undefined }); // prettier-ignore
  for (let i = 0; i < 5; i++)
    await assert.rejects(
      gate.run(() => Promise.reject(new Answered('no such table'))),
      Answered,
    );
  let release = (): void => undefined;
  const first = gate.run(() => new Promise<void>(resolve => (release = resolve)));
  const second = gate.run(() => Promise.resolve());
  await assert.rejects(
    gate.run(() => Promise.resolve()),
    Outage,
  );
  release();
  await Promise.all([first, second]);
});

test('what a client sends is a value in an LDAP filter and never a part of it', () => {
  assert.equal(filled('(&(uid=:username)(x=y))', { username: 'a*)(\\\0' }), '(&(uid=a\\2a\\29\\28\\5c\\00)(x=y))');
});
