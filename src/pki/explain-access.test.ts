import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { explainAccess, readerNamed, type Reader } from './explain-access.ts';
import { temporaryFolder } from './shared.test.ts';

const nobody: Reader = { user: 'nobody', group: 'nogroup', uid: 65_534, groups: [65_534] };

const codes = (file: string, reader: Reader | null, isSecret = true): string[] =>
  explainAccess({ option: 'keyfile', file, reader, isSecret }).map(each => each.code);

test('a file that its reader cannot reach is refused at the first folder that bars the way', t => {
  const folder = temporaryFolder(t);
  const file = path.join(folder, 'server.key');
  fs.writeFileSync(file, '', { mode: 0o644 });
  fs.chmodSync(folder, 0o700);
  const [finding] = explainAccess({ option: 'keyfile', file, reader: nobody, isSecret: false });
  assert.equal(finding?.code, 'tls.file-forbidden');
  assert.match(finding.saw, new RegExp(`nobody may not read it: the folder ${folder} on the way`));
  fs.chmodSync(folder, 0o755);
  assert.deepEqual(codes(file, nobody, false), []);
});

test('the owner and his group are asked for their own bits, and root for none', t => {
  const folder = temporaryFolder(t);
  const file = path.join(folder, 'server.key');
  fs.writeFileSync(file, '', { mode: 0o640 });
  fs.chmodSync(folder, 0o755);
  const { uid, gid } = fs.statSync(file);
  assert.deepEqual(codes(file, { ...nobody, uid: uid + 1, groups: [gid] }), []);
  assert.deepEqual(codes(file, { ...nobody, uid: uid + 1, groups: [gid + 1] }), ['tls.file-forbidden']);
  assert.deepEqual(codes(file, { ...nobody, uid: 0, groups: [0] }), []);
});

test('a secret that all may read, and a folder that all may write to, are named; the sticky bit protects', t => {
  const folder = temporaryFolder(t);
  const file = path.join(folder, 'server.key');
  fs.writeFileSync(file, '');
  fs.chmodSync(file, 0o644);
  fs.chmodSync(folder, 0o777);
  assert.deepEqual(codes(file, null), ['file.open-to-others', 'file.replaceable']);
  fs.chmodSync(folder, 0o1777);
  assert.deepEqual(codes(file, null), ['file.open-to-others']);
  assert.deepEqual(codes(file, null, false), []);
});

test('a file that is not there is left to whoever opens it', () => {
  assert.deepEqual(codes('/nowhere/at/all', nobody), []);
});

test('users are found by name with all their groups', t => {
  if (!fs.existsSync('/etc/passwd')) return t.skip('/etc/passwd is not here');
  assert.equal(readerNamed('root')?.uid, 0);
  assert.equal(readerNamed('no such user'), null);
});
