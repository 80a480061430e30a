import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { setUser } from './password-file-edit.ts';
import { decode, hashPassword, type HashKind, matches, unmatchable, untilNul, workOf } from './password-hash.ts';

async function fits(encoded: string, password: string): Promise<boolean> {
  const decoded = decode(encoded);
  assert.ok(decoded.ok, decoded.ok ? '' : decoded.because);
  return matches(decoded.hash, Buffer.from(password));
}

const bytes = (n: number) => Buffer.alloc(n, 7).toString('base64');
const unpadded = (n: number) => bytes(n).replace(/=/g, '');

test('a $6$ line written by a Mosquitto of 2019 still lets its user in', async () => {
  const line =
    '$6$SVen8AFp/cFwOzRw$a2TEcduNff+6xZPxEzDDmC5Hr1N8SFw9Vhg78P8Zxtunm/+tWV6FeCGcgaX9dY09yD6gUfmLsEcsn7A5X1AH1g==';
  assert.equal(await fits(line, 'user1'), true);
  assert.equal(await fits(line, 'user2'), false);
});

test('an $argon2id$ string of the reference implementation fits its password', async () => {
  const line = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
  assert.equal(await fits(line, 'password'), true);
  assert.equal(await fits(line, 'Password'), false);
});

for (const kind of ['sha512', 'sha512-pbkdf2'] as const) {
  test(`what mosquitto_passwd -H ${kind} writes is read here`, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'zancudo-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'passwords');
    try {
      execFileSync('mosquitto_passwd', ['-H', kind, '-c', '-b', file, 'ana', 'säsam öffne dich'], { stdio: 'ignore' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return t.skip('mosquitto_passwd is not installed');
      throw error;
    }
    const encoded = readFileSync(file, 'utf8').trim().replace('ana:', '');
    assert.equal(await fits(encoded, 'säsam öffne dich'), true);
    assert.equal(await fits(encoded, 'sesam'), false);
  });
}

for (const kind of ['sha512', 'sha512-pbkdf2', 'argon2id', 'scram-sha-256', 'scram-sha-512'] as HashKind[]) {
  test(`a new ${kind} hash fits its own password, no other, and is never the same twice`, async () => {
    const encoded = await hashPassword('correct horse', kind, 101);
    assert.equal(await fits(encoded, 'correct horse'), true);
    assert.equal(await fits(encoded, 'correct horsf'), false);
    assert.notEqual(await hashPassword('correct horse', kind, 101), encoded);
  });

  test(`the stand-in for a ${kind} hash costs as much and fits nothing`, async () => {
    const decoded = decode(await hashPassword('x', kind, 101));
    assert.ok(decoded.ok);
    const standIn = unmatchable(decoded.hash);
    assert.equal(workOf(standIn), workOf(decoded.hash));
    assert.equal(await matches(standIn, Buffer.from('x')), false);
  });
}

test('new hashes have the layout that Mosquitto reads: 12-byte salts, and 47104 KiB in one pass for Argon2id', async () => {
  assert.match(await hashPassword('x', 'sha512'), /^\$6\$[A-Za-z0-9+/]{16}\$[A-Za-z0-9+/]{86}==$/);
  assert.match(await hashPassword('x', 'sha512-pbkdf2', 7), /^\$7\$7\$[A-Za-z0-9+/]{16}\$[A-Za-z0-9+/]{86}==$/);
  assert.match(await hashPassword('x'), /^\$argon2id\$v=19\$m=47104,t=1,p=1\$[A-Za-z0-9+/]{86}\$[A-Za-z0-9+/]{86}$/);
});

test('a password ends at its first NUL byte, as it did for the program that hashed it', async () => {
  const encoded = await hashPassword(Buffer.from('short\0long'), 'sha512');
  assert.equal(await fits(encoded, 'short'), true);
  assert.deepEqual(untilNul(Buffer.from('a\0b\0c')), Buffer.from('a'));
  assert.deepEqual(untilNul(Buffer.from('abc')), Buffer.from('abc'));
});

const good = [
  ['$6$ with a 12-byte salt', `$6$${bytes(12)}$${bytes(64)}`],
  ['$6$ with a 64-byte salt', `$6$${bytes(64)}$${bytes(64)}`],
  ['$7$ with a 12-byte salt', `$7$101$${bytes(12)}$${bytes(64)}`],
  ['$7$ with a 64-byte salt, as Mosquitto 2.1 writes it', `$7$1000$${bytes(64)}$${bytes(64)}`],
  ['$7$ with one iteration', `$7$1$${bytes(12)}$${bytes(64)}`],
  [
    'Argon2id with other parameters and a 32-byte hash',
    `$argon2id$v=19$m=65536,t=3,p=4$${unpadded(16)}$${unpadded(32)}`,
  ],
] as const;
for (const [name, encoded] of good) test(`${name} is accepted`, () => assert.equal(decode(encoded).ok, true));

const refused: [name: string, encoded: string, because: RegExp][] = [
  ['nothing', '', /empty/],
  ['a password in plain text', 'letmein', /plain text/],
  ['an unknown kind of hash', '$2b$12$abcdefghijklmnopqrstuv', /unknown/],
  ['a salt of 13 bytes', `$6$${bytes(13)}$${bytes(64)}`, /13 bytes long, not 12 or 64/],
  ['a hash of 63 bytes', `$7$101$${bytes(12)}$${bytes(63)}`, /63 bytes long, not 64/],
  ['a missing hash', `$6$${bytes(12)}`, /cut off/],
  ['base64 without its padding', `$6$${bytes(12)}$${unpadded(64)}`, /cut off/],
  ['characters outside base64', `$6$${bytes(12).replace('B', '-')}$${bytes(64)}`, /cut off/],
  ['something after the hash', `$6$${bytes(12)}$${bytes(64)}$x`, /cut off/],
  ['no iterations', `$7$0$${bytes(12)}$${bytes(64)}`, /iterations is missing/],
  ['iterations that are no number', `$7$many$${bytes(12)}$${bytes(64)}`, /iterations is missing/],
  ['iterations beyond all bounds', `$7$2000001$${bytes(12)}$${bytes(64)}`, /at most 2000000/],
  ['Argon2 of the old version', `$argon2id$v=16$m=64,t=1,p=1$${unpadded(16)}$${unpadded(32)}`, /version 19/],
  ['Argon2 without parameters', `$argon2id$v=19$${unpadded(16)}$${unpadded(32)}`, /m=\.\.,t=\.\.,p=\.\./],
  [
    'Argon2 with too little memory for its lanes',
    `$argon2id$v=19$m=15,t=1,p=2$${unpadded(16)}$${unpadded(32)}`,
    /below/,
  ],
  [
    'Argon2 with a gigabyte of memory',
    `$argon2id$v=19$m=1048576,t=1,p=1$${unpadded(16)}$${unpadded(32)}`,
    /262144 KiB/,
  ],
  ['Argon2 with too many passes', `$argon2id$v=19$m=262144,t=5,p=1$${unpadded(16)}$${unpadded(32)}`, /m times t/],
  ['Argon2 with too many lanes', `$argon2id$v=19$m=65536,t=1,p=65$${unpadded(16)}$${unpadded(32)}`, /at most 64/],
  ['Argon2 with a salt of 4 bytes', `$argon2id$v=19$m=64,t=1,p=1$${unpadded(4)}$${unpadded(32)}`, /too short/],
];
for (const [name, encoded, because] of refused) {
  test(`${name} is refused with its reason`, () => {
    const decoded = decode(encoded);
    assert.ok(!decoded.ok);
    assert.match(decoded.because, because);
  });
}

test('whatever stands in the place of a hash, decoding it neither throws nor lets a hash without bounds through', () => {
  const piece = fc.constantFrom(
    '$',
    '6',
    '7',
    'argon2id',
    'v=19',
    'm=64',
    ',t=1',
    ',p=1',
    bytes(12),
    bytes(64),
    '99999999999',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map(p => p.join('')),
      ),
      encoded => {
        const decoded = decode(encoded);
        if (decoded.ok) assert.ok(workOf(decoded.hash) <= 2_000_000);
        else assert.notEqual(decoded.because, '');
      },
    ),
  );
});

test("Debian's Mosquitto lets in a user whose line was written here", async t => {
  if (spawnSync('mosquitto', ['-h']).error !== undefined) return t.skip('mosquitto is not installed');
  if (spawnSync('mosquitto_pub', ['--help']).error !== undefined) return t.skip('mosquitto_pub is not installed');
  const folder = mkdtempSync(join(tmpdir(), 'zancudo-'));
  t.after(() => rmSync(folder, { recursive: true }));
  let text = '';
  for (const kind of ['sha512', 'sha512-pbkdf2'] as const)
    text = setUser(text, kind, await hashPassword('tópico', kind, 101));
  writeFileSync(join(folder, 'passwords'), text);
  const socket = join(folder, 'socket');
  const conf = [
    `listener 0 ${socket}`,
    `password_file ${join(folder, 'passwords')}`,
    `user ${userInfo().username}`,
    '',
  ];
  writeFileSync(join(folder, 'conf'), conf.join('\n'));
  const broker = spawn('mosquitto', ['-c', join(folder, 'conf')], { stdio: 'ignore' });
  t.after(() => broker.kill());
  const listens = (): Promise<boolean> =>
    new Promise(resolve => {
      const knock = connect(socket, () => resolve((knock.destroy(), true))).on('error', () => resolve(false));
    });
  while (!(await listens()) && broker.exitCode === null) await new Promise(again => setTimeout(again, 10));
  const publish = (user: string, password: string) =>
    spawnSync('mosquitto_pub', ['--unix', socket, '-u', user, '-P', password, '-t', 'a', '-m', 'b']).status;
  for (const user of ['sha512', 'sha512-pbkdf2']) {
    assert.equal(publish(user, 'tópico'), 0, user);
    assert.notEqual(publish(user, 'topico'), 0, user);
  }
});
