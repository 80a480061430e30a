/**
 * Everything that is made of the sources.
 *
 *   node scripts/build.mjs          a clone: bundles in node_modules/.cache/zancudo, if those that are there are not fresh
 *   node scripts/build.mjs --dist   a package: bundles in dist/, and dist/client/ with types for whoever imports it
 *
 * Runs on any Node from 18 up.
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundlesAreFresh } from './fresh.mjs';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

if (process.argv.includes('--dist')) await makePackage();
else await makeForClone();

/** A read-only checkout runs from its sources. */
async function makeForClone() {
  const folder = `${root}/node_modules/.cache/zancudo`;
  if (bundlesAreFresh(root, folder)) return;
  try {
    const { makeBundles } = await import('./bundle.mjs');
    await makeBundles(root, folder, { inputs: true });
  } catch (error) {
    process.stderr.write(`zancudo: not bundled, it will run from its sources: ${error.message}\n`);
  }
}

async function makePackage() {
  const { build } = await import('esbuild');
  const { makeBundles } = await import('./bundle.mjs');
  rmSync(`${root}/dist`, { recursive: true, force: true });
  await makeBundles(root, `${root}/dist`, { inputs: false });
  await build({
    absWorkingDir: root,
    entryPoints: { mod: 'src/client/mod.ts' },
    outdir: 'dist/client',
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
  const types = spawnSync(process.execPath, [`${root}/node_modules/typescript/bin/tsc`, '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (types.status !== 0) process.exit(types.status ?? 1);
}
