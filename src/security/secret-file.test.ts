import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import fc from 'fast-check';
import { loadAclFile } from './acl-file.ts';
import { loadPasswordFile } from './password-file.ts';
import { loadPskFile } from './psk-file.ts';
import { readSecretFile, trimBlanks } from './secret-file.ts';

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'zancudo-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function fileWith(t: TestContext, content: string | Buffer): string {
  const path = join(folderFor(t), 'secrets');
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

test('lines come numbered, with or without a line end at the end of the file', t => {
  const file = readSecretFile(fileWith(t, 'a\n\nb\r\nc'));
  assert.ok(file.ok);
  assert.deepEqual(
    file.lines.map(({ number, text }) => [number, text]),
    [
      [1, 'a'],
      [2, ''],
      [3, 'b\r'],
      [4, 'c'],
    ],
  );
  assert.deepEqual(file.warnings, []);
});

test('a line that is not UTF-8 is marked, and its neighbours are not', t => {
  const file = readSecretFile(fileWith(t, Buffer.from('ä\n\xff\nb\n', 'latin1')));
  assert.ok(file.ok);
  assert.deepEqual(
    file.lines.map(line => line.utf8),
    [false, false, true],
  );
});

test('a byte order mark is left out, with a warning', t => {
  const file = readSecretFile(fileWith(t, '\ufeffuser ana\n'));
  assert.ok(file.ok);
  assert.equal(file.lines[0]?.text, 'user ana');
  assert.match(file.warnings.join(), /byte order mark/);
});

test('a file that others may read is loaded with the two lines of Mosquitto and a smaller remedy', t => {
  const path = fileWith(t, 'a\n');
  chmodSync(path, 0o644);
  const file = readSecretFile(path);
  assert.ok(file.ok);
  assert.deepEqual(file.warnings, [
    `Warning: File ${path} has world readable permissions. Future versions will refuse to load this file.`,
    `To fix this, use \`chmod 0700 ${path}\`.`,
    `  Every user of this machine can open it. Nothing executes it, so this is enough: chmod 0600 ${path}`,
  ]);
});

test('a file that is not there is refused with the reason', t => {
  const file = readSecretFile(join(folderFor(t), 'nowhere'));
  assert.ok(!file.ok);
  assert.match(file.because.join('\n'), /no such file/);
});

test('a folder and a named pipe are not files, and neither holds the broker', t => {
  const folder = folderFor(t);
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  mkdirSync(join(folder, 'folder'));
  for (const path of [pipe, join(folder, 'folder')]) {
    const file = readSecretFile(path);
    assert.ok(!file.ok);
    assert.match(file.because.join(), /is not a file/);
  }
});

test('a symbolic link is refused and its target named, unless MOSQUITTO_UNSAFE_ALLOW_SYMLINKS is set', t => {
  const path = fileWith(t, 'a\n');
  const link = `${path}-link`;
  symlinkSync(path, link);
  const file = readSecretFile(link);
  assert.ok(!file.ok);
  assert.match(file.because.join('\n'), /symbolic link/);
  assert.ok(file.because.join('\n').includes(`(${path})`));
  t.after(() => delete process.env['MOSQUITTO_UNSAFE_ALLOW_SYMLINKS']);
  process.env['MOSQUITTO_UNSAFE_ALLOW_SYMLINKS'] = '';
  assert.equal(readSecretFile(link).ok, true);
});

test('blanks are what C calls blank: a non-breaking space stays', () => {
  assert.equal(trimBlanks(' \t\v\f\r\nx y \r\n'), 'x y');
  assert.equal(trimBlanks('\u00a0x\u00a0'), '\u00a0x\u00a0');
  assert.equal(trimBlanks(' \n'), '');
});

test('a file that belongs to someone else is loaded with a warning', t => {
  if (process.getuid?.() !== 0) return t.skip('only root can give a file away');
  const path = fileWith(t, 'a\n');
  chownSync(path, 1, 0);
  const file = readSecretFile(path);
  assert.ok(file.ok);
  assert.equal(
    file.warnings[0],
    `Warning: File ${path} owner is not root. Future versions will refuse to load this file.`,
  );
  assert.equal(file.warnings[1], `To fix this, use \`chown root ${path}\`.`);
});

test('whatever a file holds, reading it as passwords, rules or keys gives an answer and never an exception', t => {
  const path = fileWith(t, '');
  const word = fc.constantFrom(
    'user',
    'topic',
    'pattern',
    'deny',
    ' ',
    ':',
    '\n',
    '#',
    '$7$',
    '$',
    '%u',
    '/',
    '\r',
    '\0',
    '\u00a0',
  );
  const content = fc.oneof(
    fc.uint8Array().map(bytes => Buffer.from(bytes)),
    fc.array(word).map(words => Buffer.from(words.join(''))),
  );
  fc.assert(
    fc.property(content, bytes => {
      writeFileSync(path, bytes);
      for (const load of [loadPasswordFile, loadAclFile, loadPskFile]) {
        const loaded = load(path);
        if (!loaded.ok) assert.ok(loaded.failure.lines.length >= 2 && loaded.failure.exitCode === 3);
      }
    }),
    { numRuns: 300 },
  );
});
