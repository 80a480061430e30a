/**
 * Makes the bundles that bin/start.cjs runs: one file for each command that has to start fast, one for all others, one
 * for each worker thread. Modules that a command loads late stay inside its file, and are run late.
 *
 *   src/cli/main.ts ── esbuild ──> pub.cjs sub.cjs rr.cjs broker.cjs zancudo.cjs
 *   new URL('./worker.ts', import.meta.url)  ──> worker-<hash>.cjs, and the place where it was asked for names that file
 *
 * Each file is written under another name first and then renamed, so that two makers, and a reader, never meet half a
 * one. Sources that change while they are read are read again.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { build } from 'esbuild';
import { bundles, stateOf } from './fresh.mjs';

/** Made otherwise, a bundle is another one: this file counts as a source of each. */
const maker = 'scripts/bundle.mjs';

const workerUrl = /new URL\('(\.\/[\w./-]+\.ts)', import\.meta\.url\)/g;

/** A worker thread is started with the broker: one that nothing names any more may still be asked for by an old one. */
const keepWorkersMs = 24 * 3600_000;

/** Source times come from a clock that ticks every 4 ms: what changed so shortly before may have changed during it. */
const tickMs = 50;
const attempts = 5;

/** `inputs`: whether the bundles say what they were made of, as they do in a clone. */
export async function makeBundles(root, folder, { inputs }) {
  mkdirSync(folder, { recursive: true });
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const started = Date.now();
    const made = await makeAll(root);
    const changed = made
      .flatMap(each => each.inputs)
      .filter(path => statSync(join(root, path)).ctimeMs > started - tickMs);
    if (inputs && changed.length > 0) {
      await new Promise(resolve => setTimeout(resolve, 2 * tickMs));
      continue;
    }
    const toRoot = relative(folder, root);
    for (const each of made)
      write(folder, each, toRoot, inputs ? each.inputs.map(path => stateOf(root, path)) : undefined);
    return removeOldWorkers(folder, new Set(made.map(each => each.file)));
  }
  throw new Error('the sources change faster than they can be bundled');
}

async function makeAll(root) {
  const workers = new Map();
  for (const path of workersOf(root)) {
    const made = await bundle(root, path, { workers: new Map() });
    const file = `${basename(path, '.ts')}-${made.id}.cjs`;
    workers.set(path, { ...made, file });
  }
  const made = [...workers.values()];
  for (const [name, command] of Object.entries(bundles)) {
    const { inputs, ...rest } = await bundle(root, 'src/cli/main.ts', { workers, command });
    const used = [...workers.values()].filter(({ file }) => rest.code.includes(file)).flatMap(each => each.inputs);
    made.push({ ...rest, file: `${name}.cjs`, inputs: [...new Set([...inputs, ...used, maker])] });
  }
  return made;
}

/** Sources that are asked for as files of their own. */
function workersOf(root) {
  const found = new Set();
  for (const name of readdirSync(join(root, 'src'), { recursive: true })) {
    if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
    const path = join('src', name);
    for (const [, target] of readFileSync(join(root, path), 'utf8').matchAll(workerUrl))
      found.add(join(dirname(path), target));
  }
  return found;
}

async function bundle(root, entry, { workers, command = null }) {
  const isMain = entry.endsWith('cli/main.ts');
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    charset: 'ascii',
    packages: 'external',
    // What a bundle loads late is resolved as its own `require` does it, and not from where V8 thinks it is.
    supported: { 'dynamic-import': false },
    logLevel: 'silent',
    plugins: [...(command === null ? [] : [onlyCommand(command)]), places(root, workers)],
  });
  const code = leanBuiltins(outputFiles[0].text);
  const id = createHash('sha256').update(code).digest('hex').slice(0, 16);
  return { code, id, isMain, inputs: Object.keys(metafile.inputs).filter(path => path.startsWith('src/')) };
}

/** `import.meta.url` stays what it is in the sources; a worker's place is that of its bundle. */
function places(root, workers) {
  return {
    name: 'places',
    setup(build) {
      build.onLoad({ filter: /\.ts$/, namespace: 'file' }, ({ path }) => {
        const text = readFileSync(path, 'utf8');
        if (!text.includes('import.meta.url')) return undefined;
        const source = relative(root, path);
        const contents = text
          .replaceAll(workerUrl, (all, target) => {
            const worker = workers.get(join(dirname(source), target));
            return worker === undefined ? all : `bundledFile(${JSON.stringify(worker.file)})`;
          })
          .replaceAll('import.meta.url', `sourceFile(${JSON.stringify(source)})`);
        return { contents, loader: 'ts' };
      });
    },
  };
}

/**
 * One command, loaded at once instead of late: esbuild can then lay its modules out flat. The other commands are left
 * out, since start.cjs never asks this bundle for them.
 */
function onlyCommand(command) {
  const late = /\(\) => import\('(\.\/[\w-]+\.ts)'\)/g;
  return {
    name: 'only-command',
    setup(build) {
      build.onLoad({ filter: /[/\\]cli[/\\]run\.ts$/ }, ({ path }) => {
        const text = readFileSync(path, 'utf8').replace(late, (all, target) =>
          target === `./${command}.ts`
            ? 'async () => command'
            : `() => Promise.reject(new Error('not in this bundle'))`,
        );
        return { contents: `import * as command from './${command}.ts';\n${text}`, loader: 'ts' };
      });
    },
  };
}

/** esbuild copies a module of Node property by property for a default import that nobody makes; fs alone has 100. */
function leanBuiltins(code) {
  return code.replace(/(var (\w+) = )__toESM\((require\("node:[\w/]+"\))\)/g, (all, head, name, required) =>
    new RegExp(`\\b${name}\\.default\\b`).test(code) ? all : head + required,
  );
}

/** What `places` refers to. `file` is the bundle, `root` the folder of package.json. */
const placeFunctions = `
const sourceFile = path => require('node:url').pathToFileURL(root + '/' + path).href;
const bundledFile = name => require('node:url').pathToFileURL(file.replace(/[^/\\\\]+$/, name));
`;

/** A command's bundle is a function that start.cjs calls; a worker's is a module that Node loads. */
function write(folder, { file, code, id, isMain }, root, inputs) {
  const header = `//${JSON.stringify({ id, ...(inputs === undefined ? {} : { inputs }) })}\n`;
  const call = isMain ? '' : `(require, __filename, require('node:path').join(__dirname, ${JSON.stringify(root)}))`;
  const temporary = join(folder, `.${file}.${process.pid}`);
  // The code has its own `file` and `root`, and a scope of its own for them.
  const body = `(function (require, file, root) {${placeFunctions}(function () {\n${code}\n})();\n})${call};\n`;
  writeFileSync(temporary, header + body);
  renameSync(temporary, join(folder, file));
}

function removeOldWorkers(folder, current) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (current.has(name) || !name.endsWith('.cjs')) continue;
    if (Date.now() - statSync(path).mtimeMs > keepWorkersMs) rmSync(path, { force: true });
  }
}
