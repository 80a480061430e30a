import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { writePidFile } from './pid-file.ts';

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'zancudo-pid-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

test('the pid file holds the number without a newline, and goes when the broker goes', async t => {
  const path = join(await folderFor(t), 'pid');
  const file = writePidFile(path);
  assert.ok(file.ok);
  assert.equal(readFileSync(path, 'utf8'), String(process.pid));
  file.remove();
  assert.equal(existsSync(path), false);
});

test('a pid file that another process has taken over stays', async t => {
  const path = join(await folderFor(t), 'pid');
  const file = writePidFile(path);
  assert.ok(file.ok);
  writeFileSync(path, '1');
  file.remove();
  assert.equal(readFileSync(path, 'utf8'), '1');
});

test('a pid file that cannot be written ends the start with exit code 14', async t => {
  const file = writePidFile(join(await folderFor(t), 'nowhere', 'pid'));
  assert.ok(!file.ok);
  assert.equal(file.exitCode, 14);
  assert.equal(file.lines[0], 'Error: Unable to write pid file.');
});
