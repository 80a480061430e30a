import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { loadPskFile } from './psk-file.ts';

function fileWith(t: TestContext, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'zancudo-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'psk');
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

test('identities and keys are read, comments and lines without a colon are not', t => {
  const loaded = loadPskFile(fileWith(t, '# keys\nnothing\n sensor : 00FFa1 \r\nodd:abc\nthird:01:ignored'));
  assert.ok(loaded.ok);
  assert.deepEqual(
    [...loaded.value].map(([identity, key]) => [identity, key.toString('hex')]),
    [
      ['sensor', '00ffa1'],
      ['odd', '0abc'],
      ['third', '01'],
    ],
  );
  assert.deepEqual(loaded.warnings, []);
});

test('of two lines for one identity the first counts, and an empty identity counts for nothing, each with a notice', t => {
  const path = fileWith(t, 'a:01\na:02\n :03\n');
  const loaded = loadPskFile(path);
  assert.ok(loaded.ok);
  assert.deepEqual([...loaded.value], [['a', Buffer.from([1])]]);
  assert.deepEqual(loaded.warnings, [
    `Error: Duplicate user 'a' in password file '${path}', ignoring.`,
    '  Line 2 is left out.',
    `Warning: Empty username in password file '${path}', ignoring.`,
    '  Line 3 is left out.',
  ]);
});

const refusals: [name: string, content: string, line: string][] = [
  ['a key with 0x', 'a:0x01', 'Error: psk for identity "a" contains non-hexadecimal characters.'],
  ['a key with a letter beyond f', 'a:0g', 'Error: psk for identity "a" contains non-hexadecimal characters.'],
  ['an empty key', 'a:\n', 'Error: Empty psk for identity "a".'],
  ['a key longer than TLS takes', `a:${'00'.repeat(513)}`, 'Error: psk for identity "a" is too long.'],
];
for (const [name, content, line] of refusals) {
  test(`${name} refuses the file with exit code 3 and the place`, t => {
    const path = fileWith(t, content);
    const loaded = loadPskFile(path);
    assert.ok(!loaded.ok);
    assert.deepEqual(loaded.failure.lines.slice(0, 2), [line, `Error opening psk file "${path}".`]);
    assert.match(loaded.failure.lines[2] ?? '', /^ {2}Line 1: /);
    assert.equal(loaded.failure.exitCode, 3);
  });
}

test("a missing file gives Mosquitto's two lines and exit code 13", () => {
  const loaded = loadPskFile('/nowhere/psk');
  assert.ok(!loaded.ok);
  assert.deepEqual(loaded.failure.lines.slice(0, 2), [
    'Error: Unable to open pwfile "/nowhere/psk".',
    'Error opening psk file "/nowhere/psk".',
  ]);
  assert.equal(loaded.failure.exitCode, 13);
});
