import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { lockFile } from './lock-file.ts';
import { temporaryFolder } from './shared.test.ts';

test('a lock stands beside the file while it is held, and goes with it', t => {
  const folder = temporaryFolder(t);
  const unlock = lockFile(join(folder, 'f'));
  assert.deepEqual(fs.readdirSync(folder), ['f.lock']);
  unlock();
  assert.deepEqual(fs.readdirSync(folder), []);
});

test('the lock of a process that was killed holds nobody up', t => {
  const file = join(temporaryFolder(t), 'f');
  const { pid } = spawnSync('true');
  fs.writeFileSync(`${file}.lock`, String(pid));
  lockFile(file)();
  assert.ok(!fs.existsSync(`${file}.lock`));
});

test('a lock that is older than any change takes is removed, whoever has its number today', t => {
  const file = join(temporaryFolder(t), 'f');
  fs.writeFileSync(`${file}.lock`, String(process.pid));
  fs.utimesSync(`${file}.lock`, 0, 0);
  lockFile(file)();
  assert.ok(!fs.existsSync(`${file}.lock`));
});
