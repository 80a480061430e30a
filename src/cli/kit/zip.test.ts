import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { zip } from './zip.ts';

test('unzip and Python take a ZIP archive apart into what was put in, for its owner alone', t => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'zancudo-zip-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const files = [
    { name: 'lamp.key', content: 'secret\n' },
    { name: 'fs/lámpara.bin', content: Buffer.from([0, 1, 2, 255]) },
    { name: 'empty.txt', content: '' },
  ];
  fs.writeFileSync(path.join(folder, 'kit.zip'), zip(files, new Date(2026, 10, 21, 12, 34, 56)));
  const tools: [string, string[]][] = [
    ['unzip', ['-q', 'kit.zip', '-d', 'unzip']],
    ['python3', ['-m', 'zipfile', '-e', 'kit.zip', 'python3']],
  ];
  const found = tools.filter(([program]) => spawnSync(program, ['--help']).error === undefined);
  if (found.length === 0) return t.skip('unzip and python3 are not installed');
  for (const [program, args] of found) {
    const { status, stderr } = spawnSync(program, args, { cwd: folder, encoding: 'utf8', env: { ...process.env, LC_ALL: 'C.UTF-8' } }); // prettier-ignore
    assert.equal(status, 0, stderr);
    for (const { name, content } of files) {
      assert.deepEqual(fs.readFileSync(path.join(folder, program, name)), Buffer.from(content), `${program}: ${name}`);
    }
    if (program === 'unzip') assert.equal(fs.statSync(path.join(folder, program, 'lamp.key')).mode & 0o777, 0o600);
  }
});
