/** How bin/zancudo starts: the bundle of a clone while it is fresh, the sources otherwise, and never anything old. */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { join } from 'node:path';
import test, { suite, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from './harness/mod.ts';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** A checkout of what is here, which may be changed; packages are borrowed. */
class Clone {
  readonly at: string;
  readonly cache: string;

  constructor(folder: string) {
    this.at = join(folder, 'clone');
    this.cache = join(folder, 'cache');
    for (const path of ['bin', 'src', 'scripts', 'package.json'])
      fs.cpSync(join(root, path), join(this.at, path), { recursive: true });
    fs.mkdirSync(join(this.at, 'node_modules'));
    for (const name of fs.readdirSync(join(root, 'node_modules')))
      if (!name.startsWith('.')) fs.symlinkSync(join(root, 'node_modules', name), join(this.at, 'node_modules', name));
  }

  get bundles(): string {
    return join(this.at, 'node_modules/.cache/zancudo');
  }

  build(): void {
    const { status, stderr } = spawnSync(process.execPath, [join(this.at, 'scripts/build.mjs')], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
  }

  run(...args: string[]): SpawnSyncReturns<string> {
    const env = { ...process.env, XDG_CACHE_HOME: this.cache };
    return spawnSync(join(this.at, 'bin/zancudo'), args, { encoding: 'utf8', env });
  }

  /** What `zancudo nonsense` answers comes from a source that the test changes. */
  answer(): string {
    return this.run('nonsense').stderr.trim();
  }

  edit(path: string, from: string, to: string): void {
    const file = join(this.at, path);
    const text = fs.readFileSync(file, 'utf8');
    assert.ok(text.includes(from));
    fs.writeFileSync(file, text.replace(from, to));
  }

  /** Marks the bundle, so that an answer tells whether it came from there. */
  mark(name: string, from: string, to: string): void {
    this.edit(`node_modules/.cache/zancudo/${name}.cjs`, from, to);
  }
}

function folderFor(t: TestContext): string {
  const folder = temporaryDirectory();
  t.after(() => folder.remove());
  return folder.path;
}

const cloneFor = (t: TestContext): Clone => new Clone(folderFor(t));

const said = 'there is no command';
const source = 'src/cli/run.ts';

suite('a clone', () => {
  test('runs from its sources while nothing is built', t => {
    const clone = cloneFor(t);
    assert.match(clone.answer(), /there is no command 'nonsense'/);
  });

  test('runs its bundle while the sources are what they were, and the sources as soon as one is not', t => {
    const clone = cloneFor(t);
    clone.build();
    clone.mark('zancudo', said, 'BUNDLED');
    assert.match(clone.answer(), /BUNDLED/);
    clone.edit(source, said, 'EDITED');
    assert.match(clone.answer(), /EDITED/);
  });

  test('notices a source of the same size and time, and one that has gone', t => {
    const clone = cloneFor(t);
    clone.build();
    clone.mark('zancudo', said, 'BUNDLED');
    const file = join(clone.at, source);
    const { atime, mtime } = fs.statSync(file);
    clone.edit(source, 'no command', 'NO COMMAND');
    fs.utimesSync(file, atime, mtime);
    assert.match(clone.answer(), /NO COMMAND/);
    fs.renameSync(join(clone.at, 'src/cli/nearest-name.ts'), join(clone.at, 'src/cli/renamed.ts'));
    clone.edit(source, './nearest-name.ts', './renamed.ts');
    assert.match(clone.answer(), /NO COMMAND/);
  });

  test('builds again only when a source has changed, and the new bundle says what the new source says', t => {
    const clone = cloneFor(t);
    clone.build();
    const first = fs.statSync(join(clone.bundles, 'zancudo.cjs')).ino;
    clone.build();
    assert.equal(fs.statSync(join(clone.bundles, 'zancudo.cjs')).ino, first);
    clone.edit(source, said, 'NEWER');
    clone.build();
    clone.mark('zancudo', 'NEWER', 'NEWER, BUNDLED');
    assert.match(clone.answer(), /NEWER, BUNDLED/);
  });

  test('may be built twice at once', async t => {
    const clone = cloneFor(t);
    const builds = [1, 2].map(() =>
      spawn(process.execPath, [join(clone.at, 'scripts/build.mjs')], { stdio: 'inherit' }),
    );
    await Promise.all(builds.map(async build => assert.deepEqual(await once(build, 'exit'), [0, null])));
    clone.mark('zancudo', said, 'BUNDLED');
    assert.match(clone.answer(), /BUNDLED/);
    assert.deepEqual(
      fs.readdirSync(clone.bundles).filter(name => name.startsWith('.')),
      [],
    );
  });

  test('that cannot be written runs from its sources, and says so once where it is built', t => {
    const clone = cloneFor(t);
    fs.writeFileSync(join(clone.at, 'node_modules/.cache'), 'in the way');
    const { status, stderr } = spawnSync(process.execPath, [join(clone.at, 'scripts/build.mjs')], { encoding: 'utf8' });
    assert.equal(status, 0);
    assert.match(stderr, /^zancudo: not bundled, it will run from its sources: /);
    assert.match(clone.answer(), /there is no command 'nonsense'/);
  });
});

test("V8's code cache speeds up later runs, and no state of it changes what is said", async t => {
  const clone = cloneFor(t);
  clone.build();
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
  const { status, stderr } = spawnSync(process.execPath, ['-r', pretend, join(root, 'bin/start.cjs'), 'pub'], {
    encoding: 'utf8',
  });
  assert.equal(status, 1);
  assert.match(stderr, /^zancudo needs Node 24\.7 or newer; this is 20\.20\.2 \(.*\)\.\n$/);
});
