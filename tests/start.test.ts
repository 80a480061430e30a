/** How bin/zancudo starts: the bundle of a clone while it is fresh, the sources otherwise, and never anything old. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { join } from 'node:path';
import test, { suite, type TestContext } from 'node:test';
import { Clone, projectRoot } from './harness/clone.ts';
import { temporaryDirectory } from './harness/mod.ts';

function folderFor(t: TestContext): string {
  const folder = temporaryDirectory();
  t.after(() => folder.remove());
  return folder.path;
}

const cloneFor = (t: TestContext): Clone => new Clone(folderFor(t));

/** What `zancudo nonsense` answers comes from a source that the tests change. */
const answerOf = (clone: Clone): string => clone.run('nonsense').stderr.trim();

function build(clone: Clone): void {
  const { status, stderr } = clone.build();
  assert.deepEqual([status, stderr], [0, '']);
}

function edit(clone: Clone, path: string, from: string, to: string): void {
  const file = join(clone.at, path);
  const text = fs.readFileSync(file, 'utf8');
  assert.ok(text.includes(from));
  fs.writeFileSync(file, text.replace(from, to));
}

/** Marks the bundle, so that an answer tells whether it came from there. */
function mark(clone: Clone, from: string, to: string): void {
  edit(clone, 'node_modules/.cache/zancudo/zancudo.cjs', from, to);
}

const said = 'there is no command';
const source = 'src/cli/run.ts';

suite('a clone', () => {
  test('runs from its sources while nothing is built', t => {
    const clone = cloneFor(t);
    assert.match(answerOf(clone), /there is no command 'nonsense'/);
  });

  test('runs its bundle while the sources are what they were, and the sources as soon as one is not', t => {
    const clone = cloneFor(t);
    build(clone);
    mark(clone, said, 'BUNDLED');
    assert.match(answerOf(clone), /BUNDLED/);
    edit(clone, source, said, 'EDITED');
    assert.match(answerOf(clone), /EDITED/);
  });

  test('notices a source of the same size and time, and one that has gone', t => {
    const clone = cloneFor(t);
    build(clone);
    mark(clone, said, 'BUNDLED');
    const file = join(clone.at, source);
    const { atime, mtime } = fs.statSync(file);
    edit(clone, source, 'no command', 'NO COMMAND');
    fs.utimesSync(file, atime, mtime);
    assert.match(answerOf(clone), /NO COMMAND/);
    fs.renameSync(join(clone.at, 'src/cli/nearest-name.ts'), join(clone.at, 'src/cli/renamed.ts'));
    edit(clone, source, './nearest-name.ts', './renamed.ts');
    assert.match(answerOf(clone), /NO COMMAND/);
  });

  test('builds again only when a source has changed, and the new bundle says what the new source says', t => {
    const clone = cloneFor(t);
    build(clone);
    const first = fs.statSync(join(clone.bundles, 'zancudo.cjs')).ino;
    build(clone);
    assert.equal(fs.statSync(join(clone.bundles, 'zancudo.cjs')).ino, first);
    edit(clone, source, said, 'NEWER');
    build(clone);
    mark(clone, 'NEWER', 'NEWER, BUNDLED');
    assert.match(answerOf(clone), /NEWER, BUNDLED/);
  });

  test('may be built twice at once', async t => {
    const clone = cloneFor(t);
    const builds = [1, 2].map(() =>
      spawn(process.execPath, [join(clone.at, 'scripts/build.mjs')], { stdio: 'inherit' }),
    );
    await Promise.all(builds.map(async build => assert.deepEqual(await once(build, 'exit'), [0, null])));
    mark(clone, said, 'BUNDLED');
    assert.match(answerOf(clone), /BUNDLED/);
    assert.deepEqual(
      fs.readdirSync(clone.bundles).filter(name => name.startsWith('.')),
      [],
    );
  });

  test('that cannot be written runs from its sources, and says so once where it is built', t => {
    const clone = cloneFor(t);
    fs.writeFileSync(join(clone.at, 'node_modules/.cache'), 'in the way');
    const { status, stderr } = clone.build();
    assert.equal(status, 0);
    assert.match(stderr, /^zancudo: not bundled, it will run from its sources: /);
    assert.match(answerOf(clone), /there is no command 'nonsense'/);
  });
});

test("V8's code cache speeds up later runs, and no state of it changes what is said", async t => {
  const clone = cloneFor(t);
  build(clone);
  const help = (): string => clone.run('profile', '--help').stdout;
  const expected = help();
  const [name = ''] = cached(clone);
  const file = join(clone.cache, 'zancudo/code', name);
  const whole = fs.readFileSync(file);
  assert.match(expected, /^zancudo profile/);

  await t.test('it is for its user alone, and is not written after a run that failed', () => {
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    assert.equal(clone.run('pub', '-t', 'a#', '-m', 'x').status, 1);
    assert.deepEqual(cached(clone), [name]);
  });

  await t.test('one of another bundle, an empty, a cut and a wiped one are passed over and written anew', () => {
    const strange = Buffer.concat([Buffer.from('0'.repeat(16)), whole.subarray(16)]);
    for (const bytes of [strange, Buffer.alloc(0), whole.subarray(0, 5000), Buffer.alloc(whole.length)]) {
      fs.writeFileSync(file, bytes);
      assert.equal(help(), expected);
      assert.deepEqual(fs.readFileSync(file).subarray(0, 16), whole.subarray(0, 16));
    }
  });

  await t.test('one that others may write is not used, but replaced', () => {
    fs.writeFileSync(file, whole);
    fs.chmodSync(file, 0o666);
    assert.equal(help(), expected);
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  });

  await t.test('no home is made for it where there is none', () => {
    const home = join(clone.at, 'absent');
    const env = { ...process.env, XDG_CACHE_HOME: '', HOME: home };
    for (const state of ['bundled', 'from sources']) {
      assert.equal(spawnSync(join(clone.at, 'bin/zancudo'), ['profile', '--help'], { env }).status, 0, state);
      assert.equal(fs.existsSync(home), false, state);
      fs.rmSync(clone.bundles, { recursive: true, force: true });
    }
    build(clone);
  });

  await t.test('none can be kept: it works all the same', () => {
    fs.rmSync(clone.cache, { recursive: true });
    fs.writeFileSync(clone.cache, 'in the way');
    assert.equal(help(), expected);
  });
});

function cached(clone: Clone): string[] {
  const folder = join(clone.cache, 'zancudo/code');
  return fs.existsSync(folder) ? fs.readdirSync(folder) : [];
}

test('an older Node is told in one line which one is needed', t => {
  const folder = folderFor(t);
  // The real check reads process.versions; an older Node than ours is not on every machine.
  const pretend = join(folder, 'older.cjs');
  fs.writeFileSync(
    pretend,
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });",
  );
  const { status, stderr } = spawnSync(process.execPath, ['-r', pretend, join(projectRoot, 'bin/start.cjs'), 'pub'], {
    encoding: 'utf8',
  });
  assert.equal(status, 1);
  assert.match(stderr, /^zancudo needs Node 24\.7 or newer; this is 20\.20\.2 \(.*\)\.\n$/);
});

test('a broker has the same flags and the same share of memory, whether a shell or Node itself starts it', async t => {
  if (!fs.existsSync('/proc/self/environ')) return t.skip('there is no /proc');
  const folder = folderFor(t);
  const ways = {
    shell: [join(projectRoot, 'bin/zancudo')],
    node: [process.execPath, join(projectRoot, 'bin/start.cjs')],
  };
  const seen = await Promise.all(
    Object.entries(ways).map(([way, command]) => {
      const file = join(folder, `${way}.conf`);
      fs.writeFileSync(file, `listener 0 ${folder}/${way}\nallow_anonymous true\n`);
      return startedAs(t, [...command, '-c', file], way);
    }),
  );
  assert.deepEqual(seen[0], seen[1]);
  assert.ok(seen[0]?.flags.includes('--max-semi-space-size=1'));
  assert.equal(seen[0]?.arenas, 'MALLOC_ARENA_MAX=2');
});

/** What the process has become when it is Node with our flags. */
async function startedAs(t: TestContext, [program, ...args]: string[], way: string) {
  const child = spawn(program!, args, { stdio: 'ignore', env: { ...process.env, MALLOC_ARENA_MAX: undefined } });
  t.after(() => child.kill('SIGKILL'));
  const read = (name: string): string[] => fs.readFileSync(`/proc/${child.pid}/${name}`, 'utf8').split('\0');
  for (let words = read('cmdline'); ; words = read('cmdline')) {
    if (words[1] === '--max-semi-space-size=1') break;
    assert.equal(child.exitCode, null, `started by ${way} it ended`);
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  const flags = read('cmdline').filter(word => word.startsWith('--'));
  return { flags, arenas: read('environ').find(each => each.startsWith('MALLOC_ARENA_MAX=')) };
}
