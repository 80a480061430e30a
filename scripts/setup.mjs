/**
 * Makes node_modules match package-lock.json and the bundles match the sources, and does nothing when they already do.
 * npm start and npm test run it first, so that a fresh clone needs no other step.
 * Plain JavaScript for any Node from 18 up: it runs before the pinned Node is there.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = name => fileURLToPath(new URL(`../${name}`, import.meta.url));
const stamp = at('node_modules/.zancudo-lock');
const lock = createHash('sha256')
  .update(readFileSync(at('package-lock.json')))
  .digest('hex');

const matches =
  existsSync(stamp) && readFileSync(stamp, 'utf8') === lock && existsSync(at('node_modules/node/bin/node'));
if (!matches) {
  process.stderr.write('zancudo: installing the dependencies of package-lock.json (once) ...\n');
  const run = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: at('.'),
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (run.status !== 0) {
    process.stderr.write('zancudo: `npm ci` failed; its own lines above say why.\n');
    process.exit(run.status ?? 1);
  }
  writeFileSync(stamp, lock);
}

await import('./build.mjs');
