import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { AuthenticationRequest } from '../broker/ports.ts';
import { HashQueue } from './hash-queue.ts';
import { hashPassword } from './password-hash.ts';
import { loadPasswordFile, type PasswordEntries, PasswordFile } from './password-file.ts';

const sha = await hashPassword('secret', 'sha512');
const pbkdf2 = await hashPassword('secret', 'sha512-pbkdf2', 101);

function fileWith(t: TestContext, content: string | Buffer): string {
  const folder = mkdtempSync(join(tmpdir(), 'zancudo-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'passwords');
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

function entriesOf(t: TestContext, content: string | Buffer): PasswordEntries {
  const loaded = loadPasswordFile(fileWith(t, content));
  assert.ok(loaded.ok, loaded.ok ? '' : loaded.failure.lines.join('\n'));
  return loaded.value;
}

/** Only what a password file looks at. */
function login(username: string | null, password: string | null): AuthenticationRequest {
  return { username, password: password === null ? null : Buffer.from(password) } as AuthenticationRequest;
}

test('comments, blank lines and lines without a colon are nobody, blanks around name and hash do not count', t => {
  const entries = entriesOf(t, `# users:\n\nno colon here\n ana b :  ${sha} \r\nBob:${pbkdf2}:ignored`);
  assert.deepEqual([...entries.keys()], ['ana b', 'Bob']);
});

test('a line that is not UTF-8 is left out with a warning, and the others stay', t => {
  const path = fileWith(t, Buffer.concat([Buffer.from('m\xfcller:', 'latin1'), Buffer.from(`${sha}\nana:${sha}\n`)]));
  const loaded = loadPasswordFile(path);
  assert.ok(loaded.ok);
  assert.deepEqual([...loaded.value.keys()], ['ana']);
  assert.match(loaded.warnings.join(), /Line 1 .* not UTF-8/);
});

const refusals: [name: string, content: string, line: string, because: RegExp][] = [
  [
    'a plain-text password',
    'ana:secret\n',
    "Unable to decode line in password file '%s'.",
    /Line 1: user "ana": .*plain text/,
  ],
  ['an empty hash', `ok:${sha}\nana:\n`, "Unable to decode line in password file '%s'.", /Line 2: user "ana": .*empty/],
  ['a hash of unknown kind', 'ana:$1$x$y\n', "Unable to decode line in password file '%s'.", /unknown/],
  [
    'a hash that would block every login',
    `ana:$7$999999999$${'A'.repeat(16)}$x`,
    "Unable to decode line in password file '%s'.",
    /at most/,
  ],
  [
    'a user who stands there twice',
    `ana:${sha}\nana:${sha}\n`,
    "Duplicate user 'ana' in password file '%s'.",
    /Line 2/,
  ],
  ['an empty user name', ` :${sha}\n`, "Empty username in password file '%s'.", /Line 1/],
  [
    'a user name beyond 65535 bytes',
    `${'n'.repeat(65_536)}:${sha}`,
    "Invalid line in password file '%s', username too long.",
    /65535/,
  ],
];
for (const [name, content, line, because] of refusals) {
  test(`${name} refuses the file with Mosquitto's line, exit code 3 and the place`, t => {
    const path = fileWith(t, content);
    const loaded = loadPasswordFile(path);
    assert.ok(!loaded.ok);
    assert.equal(loaded.failure.lines[0], `password-file: Error: ${line.replace('%s', path)}`);
    assert.match(loaded.failure.lines[1] ?? '', because);
    assert.equal(loaded.failure.exitCode, 3);
  });
}

test('a refusal never shows what stands in the place of the hash', t => {
  const loaded = loadPasswordFile(fileWith(t, 'ana:letmein\n'));
  assert.ok(!loaded.ok);
  assert.doesNotMatch(loaded.failure.lines.join('\n'), /letmein/);
});

test("a missing file gives Mosquitto's line and exit code 13", () => {
  const loaded = loadPasswordFile('/nowhere/passwords');
  assert.ok(!loaded.ok);
  assert.equal(loaded.failure.lines[0], 'password-file: Error: Unable to open pwfile "/nowhere/passwords".');
  assert.equal(loaded.failure.exitCode, 13);
});

test('the right password is let in, and every other outcome has its reason for the log', async t => {
  const file = new PasswordFile(entriesOf(t, `ana:${sha}\nbob:${pbkdf2}\n`), new HashQueue());
  const rows: [string | null, string | null, unknown][] = [
    ['ana', 'secret', 'allow'],
    ['ana', 'secret\0and more', 'allow'],
    ['bob', 'secret', 'allow'],
    ['ana', 'Secret', { deny: 'wrong password' }],
    ['bob', 'Secret', { deny: 'wrong password' }],
    ['Ana', 'secret', { deny: 'no such user' }],
    ['', 'secret', { deny: 'no such user' }],
    ['ana', null, { deny: 'password missing' }],
    ['eve', null, { deny: 'no such user' }],
    [null, null, 'ignore'],
    [null, 'secret', 'ignore'],
  ];
  for (const [name, password, answer] of rows) {
    assert.deepEqual(await file.authenticate(login(name, password)), answer, `${name} ${password}`);
  }
});

test('an unknown user costs the same hash as a known one', async t => {
  const file = new PasswordFile(entriesOf(t, `ana:${sha}\nbob:${pbkdf2}\n`), new HashQueue());
  assert.ok(file.authenticate(login('bob', 'wrong')) instanceof Promise);
  assert.ok(file.authenticate(login('nobody', 'wrong')) instanceof Promise);
  assert.deepEqual(await file.authenticate(login('nobody', 'secret')), { deny: 'no such user' });
});

test('in a file without users everybody is unknown', async t => {
  const file = new PasswordFile(entriesOf(t, '# nobody yet\n'), new HashQueue());
  assert.deepEqual(await file.authenticate(login('ana', '')), { deny: 'no such user' });
});

test('a password that was right once is answered at once, and a wrong one still costs the hash', async t => {
  const file = new PasswordFile(entriesOf(t, `bob:${pbkdf2}\n`), new HashQueue());
  assert.equal(await file.authenticate(login('bob', 'secret')), 'allow');
  assert.equal(file.authenticate(login('bob', 'secret')), 'allow');
  assert.ok(file.authenticate(login('bob', 'guess')) instanceof Promise);
  assert.equal(file.authenticate(login('bob', 'secret')), 'allow');
});

test('what was proved survives a reload of an unchanged line and dies with a changed one', async t => {
  const before = entriesOf(t, `bob:${pbkdf2}\n`);
  const queue = new HashQueue();
  await new PasswordFile(before, queue).authenticate(login('bob', 'secret'));
  const same = new PasswordFile(entriesOf(t, `bob:${pbkdf2}\n`), queue, before);
  assert.equal(same.authenticate(login('bob', 'secret')), 'allow');
  const other = await hashPassword('changed', 'sha512-pbkdf2', 101);
  const changed = new PasswordFile(entriesOf(t, `bob:${other}\n`), queue, before);
  assert.deepEqual(await changed.authenticate(login('bob', 'secret')), { deny: 'wrong password' });
});

test('when too many passwords wait, the next login is refused as busy, unless it was proved before', async t => {
  const queue = new HashQueue(0, 1);
  const file = new PasswordFile(entriesOf(t, `bob:${pbkdf2}\n`), queue);
  assert.equal(await file.authenticate(login('bob', 'secret')), 'allow');
  const slow = file.authenticate(login('bob', 'wrong'));
  assert.deepEqual(file.authenticate(login('eve', 'x')), {
    deny: 'busy: too many passwords are waiting to be checked',
    undecided: true,
  });
  assert.equal(file.authenticate(login('bob', 'secret')), 'allow');
  assert.equal(queue.refused, 1);
  await slow;
});

test('many devices with one user pay for one hash', async t => {
  const file = new PasswordFile(entriesOf(t, `bob:${pbkdf2}\n`), new HashQueue(1000, 1));
  const answers = await Promise.all(Array.from({ length: 500 }, async () => file.authenticate(login('bob', 'secret'))));
  assert.ok(answers.every(answer => answer === 'allow'));
});
