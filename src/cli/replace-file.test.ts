import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { changeFile, createFile } from './replace-file.ts';
import { temporaryFolder } from './shared.test.ts';

test('a change keeps the mode and every byte it does not touch, and leaves nothing beside the file', t => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'f');
  const bytes = Buffer.from([0x00, 0xff, 0x0a, 0xc3, 0x28, 0x0d, 0x0a]);
  fs.writeFileSync(file, bytes);
  fs.chmodSync(file, 0o640);
  const replaced = changeFile(file, text => `${text}x`);
  assert.deepEqual(replaced, { inPlaceBecause: null, isWorldReadable: false });
  assert.deepEqual(fs.readFileSync(file), Buffer.concat([bytes, Buffer.from('x')]));
  assert.equal(fs.statSync(file).mode & 0o777, 0o640);
  assert.deepEqual(fs.readdirSync(folder), ['f']);
});

test('a file that somebody changed meanwhile is read again: neither change is lost', t => {
  const file = join(temporaryFolder(t), 'f');
  fs.writeFileSync(file, 'a');
  let first = true;
  changeFile(file, text => {
    if (first) fs.writeFileSync(file, 'a and b');
    first = false;
    return `${text} and c`;
  });
  assert.equal(fs.readFileSync(file, 'utf8'), 'a and b and c');
});

test('a change that is none leaves the file alone', t => {
  const file = join(temporaryFolder(t), 'f');
  fs.writeFileSync(file, 'a');
  const { ino } = fs.statSync(file);
  assert.equal(
    changeFile(file, () => null),
    null,
  );
  assert.equal(fs.statSync(file).ino, ino);
});

test('through a symbolic link its target is changed, and the link stays', t => {
  const folder = temporaryFolder(t);
  fs.writeFileSync(join(folder, 'target'), 'a');
  fs.symlinkSync('target', join(folder, 'link'));
  changeFile(join(folder, 'link'), () => 'b');
  assert.ok(fs.lstatSync(join(folder, 'link')).isSymbolicLink());
  assert.equal(fs.readFileSync(join(folder, 'target'), 'utf8'), 'b');
});

test('where the folder may not be written, the file is overwritten in place, and shorter text leaves no tail', t => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'f');
  fs.writeFileSync(file, 'longer');
  fs.chmodSync(file, 0o666);
  fs.chmodSync(folder, 0o555);
  const replaced = asNobody(() => changeFile(file, () => 'new'));
  assert.equal((replaced?.inPlaceBecause as NodeJS.ErrnoException).code, 'EACCES');
  assert.equal(fs.readFileSync(file, 'utf8'), 'new');
});

/** Root may write every folder. */
function asNobody<T>(act: () => T): T {
  if (process.getuid?.() !== 0) return act();
  process.seteuid?.(65_534);
  try {
    return act();
  } finally {
    process.seteuid?.(0);
  }
}

test('a new file is for its owner alone, and never in the place of another', t => {
  const file = join(temporaryFolder(t), 'f');
  createFile(file, 'a');
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  assert.throws(() => createFile(file, 'b'), { code: 'EEXIST' });
  assert.equal(fs.readFileSync(file, 'utf8'), 'a');
});
