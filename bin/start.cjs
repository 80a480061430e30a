/**
 * Starts the program on whatever there is to run, and never on anything old.
 *
 *   clone      node_modules/.cache/zancudo/pub.cjs   the bundle, if every source in it is as it was when it was built
 *              src/cli/main.ts                       otherwise: the sources themselves
 *   package    dist/pub.cjs                          the bundle that was published
 *
 * The first line of a bundle is a comment with JSON: `id`, a hash of its code, and in a clone `inputs`, the sources that
 * are in it with size, inode and times. Checking the 100 of `pub` takes 0.6 ms.
 *
 * V8's code cache is kept in the user's cache folder, written once after a run that went well, so that it holds just the
 * functions which such a run needs (Node's own compile cache holds none that are compiled when they are first called).
 *
 * Plain JavaScript for any Node: it has to say which one is needed. Why it is done this way: docs/decisions.
 */
'use strict';

const needed = [24, 7];
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
  process.stderr.write(
    `zancudo needs Node ${needed.join('.')} or newer; this is ${process.versions.node} (${process.execPath}).\n`,
  );
  process.exit(1);
}

const fs = require('node:fs');

const root = __dirname.slice(0, -'/bin'.length);
const entry = `${root}/src/cli/main.ts`;

/** Commands with a bundle of their own; the others share one with everything in it. */
const ownBundles = new Set(['pub', 'sub', 'rr', 'broker']);
const everything = 'zancudo';

/**
 * What the broker is started with: a small young generation (docs/decisions), compilers whose work is thrown away where
 * it was asked for (in the background its threads keep 15 MB: 5.2 kB for each of 10,000 idle connections instead of 3.5),
 * no debugger that a signal can open. The launcher starts clients with one thread for V8 instead of four, each of which
 * takes 0.5 ms to make.
 *
 * glibc is held to two arenas, one of them for all threads but the first: otherwise each compiler and collector keeps what
 * it once needed (4.1 kB for each of 10,000 idle connections instead of 3.8). With one, the store's thread and the first
 * stand in each other's way: a third more CPU for a durable message.
 */
const brokerFlags = [
  '--max-semi-space-size=1',
  '--no-maglev-destroy-on-background',
  '--disable-sigusr1',
  '--disable-warning=ExperimentalWarning',
];
const brokerEnvironment = { MALLOC_ARENA_MAX: '2' };

function main() {
  const args = process.argv.slice(2);
  const name = bundleFor(calledAs(), args);
  if (!process.execArgv.includes(brokerFlags[0])) {
    if (name === 'broker') startAgain(args);
    hideExperiments();
  }
  const isClone = fs.existsSync(entry);
  const bundle = isClone ? freshBundle(name) : readBundle(`${root}/dist/${name}.cjs`);
  if (bundle !== null) return run(bundle, name);
  if (!isClone) return missing(name);
  if (cacheHome() && hasCacheFolder()) require('node:module').enableCompileCache(cacheFolder());
  void import(entry);
}

/** bin/zancudo says by which name it was called; started without it, the link does. */
function calledAs() {
  if (!process.env.ZANCUDO_CALLED_AS) {
    const link = /[/\\](mosquitto\w*)$/.exec(process.argv[1]);
    process.env.ZANCUDO_CALLED_AS = link === null ? 'zancudo' : link[1];
  }
  return process.env.ZANCUDO_CALLED_AS;
}

/** As src/cli/run.ts picks the command; help and version are no work for a code cache. */
function bundleFor(program, args) {
  const [word = '-'] = args;
  const named = word.startsWith('-') ? 'broker' : word;
  const command = program.startsWith('mosquitto') ? program.slice('mosquitto_'.length) || 'broker' : named;
  const asks = args.includes('--help') || args.includes('--version');
  return ownBundles.has(command) && !asks ? command : everything;
}

/**
 * Called by its file or by npm's link, there was no shell to give Node its flags: the process becomes one that has them,
 * under the same number. Node cannot ignore SIGRTMIN (34), on which Mosquitto reopens its logs; a shell can.
 */
function startAgain(args) {
  if (process.execve === undefined || !fs.existsSync('/bin/sh')) return;
  const command = [process.execPath, ...brokerFlags, ...process.execArgv, __filename, ...args];
  const script = "(trap '' 34) 2>/dev/null && trap '' 34; exec \"$@\"";
  process.execve('/bin/sh', ['sh', '-c', script, 'sh', ...command], { ...brokerEnvironment, ...process.env });
}

/** What --disable-warning=ExperimentalWarning does. */
function hideExperiments() {
  const { emitWarning } = process;
  process.emitWarning = (...args) => {
    if (args[1] !== 'ExperimentalWarning') Reflect.apply(emitWarning, process, args);
  };
}

/** Null when there is none, or when a source is not what it was. */
function freshBundle(name) {
  const bundle = readBundle(`${root}/node_modules/.cache/zancudo/${name}.cjs`);
  return bundle !== null && bundle.inputs.every(isUnchanged) ? bundle : null;
}

function isUnchanged([path, size, inode, modifiedMs, changedMs]) {
  const now = fs.statSync(`${root}/${path}`, { throwIfNoEntry: false });
  return (
    now !== undefined &&
    now.size === size &&
    now.ino === inode &&
    now.mtimeMs === modifiedMs &&
    now.ctimeMs === changedMs
  );
}

/** Bundles are written in ASCII, which latin1 reads as it is. */
function readBundle(file) {
  let code;
  try {
    code = fs.readFileSync(file, 'latin1');
  } catch {
    return null;
  }
  return { file, code, ...JSON.parse(code.slice(2, code.indexOf('\n'))) };
}

function missing(name) {
  process.stderr.write(`zancudo: ${root}/dist/${name}.cjs is missing. Install the package again.\n`);
  process.exit(1);
}

function run(bundle, name) {
  const { Script } = require('node:vm');
  const { file, code, id } = bundle;
  const cache = codeCache(name, id);
  const script = new Script(code, { filename: file, cachedData: cache?.read() });
  if (cache !== null && script.cachedDataRejected !== false) recordSoon(script, cache);
  script.runInThisContext()(require, file, root);
}

/**
 * A command is recorded when it ends well; a broker when it has settled, for later V8 throws away what it no longer uses,
 * or just before root becomes somebody who may not write here.
 */
const settledMs = 3000;

function recordSoon(script, cache) {
  let open = true;
  const record = () => {
    if (open) cache.write(script.createCachedData());
    open = false;
  };
  process.once('exit', code => void (code === 0 && record()));
  setTimeout(record, settledMs).unref();
  const { setgid } = process;
  if (setgid === undefined) return;
  process.setgid = group => {
    record();
    setgid.call(process, group);
  };
}

function cacheHome() {
  return process.env.XDG_CACHE_HOME || (process.env.HOME && `${process.env.HOME}/.cache`);
}

function cacheFolder() {
  return `${cacheHome()}/zancudo/code`;
}

/** File: the bundle's id, then V8's data. Null where there is no place for it. */
function codeCache(name, id) {
  if (!cacheHome()) return null;
  const file = `${cacheFolder()}/${name}-${process.version}-${process.arch}.bin`;
  return { read: () => readCache(file, id), write: data => writeCache(file, id, data) };
}

/** Code from somebody else's hands is not run: the file must be ours, and nobody else's to write. */
function readCache(file, id) {
  let fd;
  try {
    fd = fs.openSync(file, 'r');
    const state = fs.fstatSync(fd);
    if (!isOurs(state) || (state.mode & 0o022) !== 0) return undefined;
    const bytes = Buffer.allocUnsafeSlow(state.size);
    const isWhole = fs.readSync(fd, bytes) === state.size && bytes.latin1Slice(0, id.length) === id;
    return isWhole ? bytes.subarray(id.length) : undefined;
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** Whole or not at all, also when the power fails; without it everything works, only slower. */
function writeCache(file, id, data) {
  const temporary = `${file}.${process.pid}`;
  try {
    if (!hasCacheFolder()) return;
    fs.writeFileSync(temporary, Buffer.concat([Buffer.from(id, 'latin1'), data]), { mode: 0o600, flush: true });
    fs.renameSync(temporary, file);
  } catch {
    removeQuietly(temporary);
  }
}

/** Makes it where it can be made. */
function hasCacheFolder() {
  try {
    for (const each of [cacheHome(), `${cacheHome()}/zancudo`, cacheFolder()]) makeFolder(each);
    return isOurs(fs.statSync(cacheFolder()));
  } catch {
    return false;
  }
}

/** One at a time: Node's `recursive` never ends where a file system makes no folders, such as /proc. */
function makeFolder(path) {
  if (fs.existsSync(path)) return;
  // Under sudo, HOME may be that of the user, who could not use what root makes there.
  if (!isOurs(fs.statSync(path.slice(0, path.lastIndexOf('/')) || '/')))
    throw new Error(`${path} would be in somebody else's folder`);
  fs.mkdirSync(path, { mode: 0o700 });
}

function isOurs({ uid }) {
  return process.geteuid === undefined || uid === process.geteuid();
}

function removeQuietly(file) {
  try {
    fs.unlinkSync(file);
  } catch {
    // It was never made.
  }
}

main();
