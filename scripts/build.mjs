/**
 * Everything that is made of the sources.
 *
 *   node scripts/build.mjs          a clone: bundles in node_modules/.cache/zancudo, if those that are there are not fresh
 *   node scripts/build.mjs --dist   a package: bundles in dist/, and dist/client/, dist/embed/ and types for whoever
 *                                   imports it
 *
 * Runs on any Node from 18 up.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundlesAreFresh } from './fresh.mjs';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

if (process.argv.includes('--dist')) await makePackage();
else await makeForClone();

/** What is imported lies two folders below the root, whatever it was made of; its workers are those of the commands. */
function places() {
  return {
    name: 'places',
    setup(build) {
      build.onLoad({ filter: /\.ts$/, namespace: 'file' }, ({ path }) => {
        const text = readFileSync(path, 'utf8');
        if (!text.includes('import.meta.url')) return undefined;
        const workers = /new URL\('\.\/([\w-]+)\.ts', import\.meta\.url\)/g;
        const contents = text
          .replace(workers, (_, name) => `new URL('../${workerFile(name)}', import.meta['url'])`)
          .replaceAll('import.meta.url', `new URL('../../${relative(root, path)}', import.meta['url']).href`);
        return { contents, loader: 'ts' };
      });
    },
  };
}

function workerFile(name) {
  const file = readdirSync(`${root}/dist`).find(each => each.startsWith(`${name}-`) && each.endsWith('.cjs'));
  if (file === undefined) throw new Error(`no bundle of the worker ${name}`);
  return file;
}

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
    entryPoints: { 'client/mod': 'src/client/mod.ts', 'embed/mod': 'src/embed/mod.ts' },
    outdir: 'dist',
    chunkNames: 'parts/[name]-[hash]',
    bundle: true,
    splitting: true,
    plugins: [places()],
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
