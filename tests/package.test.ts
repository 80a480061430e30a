/** The package as `npm pack` makes it, laid out in an empty folder as npm does, and used as people will. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import test, { after, before, suite } from 'node:test';
import { Clone, projectRoot } from './harness/clone.ts';
import { Background, findProgram, freePort, run, temporaryDirectory, until, type RunResult } from './harness/mod.ts';

const ours = dirname(process.execPath);
const documents = ['docs', 'README.md', 'LICENSE', 'CHANGELOG.md', 'tsconfig.json', 'tsconfig.build.json'];

suite('the package', { skip: findProgram('npm') === null ? 'npm is missing' : false }, () => {
  const folder = temporaryDirectory();
  const project = join(folder.path, 'project');
  const bin = join(project, 'node_modules/.bin/zancudo');
  const env = {
    ...process.env,
    PATH: [ours, process.env['PATH']].join(delimiter),
    HOME: folder.path,
    XDG_CACHE_HOME: join(folder.path, 'cache'),
    ZANCUDO_HOME: join(folder.path, 'home'),
  };
  const zancudo = (...args: string[]): Promise<RunResult> => run(bin, args, { env, cwd: project });

  before(() => {
    const clone = new Clone(folder.path, documents);
    const packed = spawnSync('npm', ['pack', '--loglevel=error'], { cwd: clone.at, encoding: 'utf8' });
    assert.equal(packed.status, 0, packed.stderr);
    const unpacked = join(project, 'node_modules/zancudo');
    mkdirSync(unpacked, { recursive: true });
    const archive = readdirSync(clone.at).find(name => name.endsWith('.tgz'))!;
    spawnSync('tar', ['-xzf', join(clone.at, archive), '-C', unpacked, '--strip-components=1']);
    mkdirSync(dirname(bin));
    symlinkSync('../zancudo/bin/zancudo', bin);
    // What npm would fetch for the package's `dependencies`.
    for (const name of ['@peculiar', 'reflect-metadata', '@types', 'undici-types'])
      symlinkSync(join(projectRoot, 'node_modules', name), join(project, 'node_modules', name));
  });
  after(() => folder.remove());

  test('holds what runs, types, man pages and documents, and neither sources nor tests', () => {
    const files = readdirSync(join(project, 'node_modules/zancudo'), { recursive: true }).map(String);
    for (const wanted of [
      'dist/pub.cjs',
      'dist/types/client/mod.d.ts',
      'docs/man/zancudo-pub.1',
      'LICENSE',
      'README.md',
    ])
      assert.ok(files.includes(wanted), wanted);
    assert.deepEqual(
      files.filter(name => /^(src|tests|scripts|bench)\b|\.test\./.test(name)),
      [],
    );
  });

  test('starts by the link that npm makes, says its version, and makes certificates', async () => {
    assert.match((await zancudo('--version')).stdout, /^zancudo \d/);
    assert.deepEqual((await zancudo('ca', 'init')).code, 0);
    assert.match((await zancudo('ca', 'list')).stdout, /CA/);
  });

  test('its broker keeps what it has acknowledged over a restart, and its clients speak with it', async () => {
    const port = await freePort();
    const conf = join(project, 'broker.conf');
    const user = process.getuid?.() === 0 ? 'user root\n' : '';
    writeFileSync(conf, `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location ${folder.path}/\n${user}`); // prettier-ignore
    const start = async (): Promise<Background> => {
      const broker = new Background(bin, ['-c', conf], { env, cwd: project });
      await until('the broker to run', () => / running$/m.test(broker.stderr) || broker.hasEnded);
      return broker;
    };
    const first = await start();
    const published = await zancudo('pub', '-p', String(port), '-t', 'a', '-m', 'kept', '-q', '1', '-r');
    assert.deepEqual([published.code, published.output], [0, ''], first.stderr);
    await first.stop();
    const second = await start();
    const read = await zancudo('sub', '-p', String(port), '-t', 'a', '-C', '1', '-W', '20');
    assert.equal(read.stdout, 'kept\n', second.stderr);
    assert.equal((await importClient(port)).output, 'a kept\n');
    await second.stop();
  });

  /** As whoever imports the client would write it. */
  function importClient(port: number): Promise<RunResult> {
    const script = join(project, 'import.mjs');
    writeFileSync(
      script,
      `import { connect } from 'zancudo/client';
       const client = await connect({ port: ${port}, onMessage: ({ topic, payload }) => {
         console.log(topic, payload.toString());
         void client.disconnect();
       } });
       await client.subscribe('#');`,
    );
    return run(process.execPath, [script], { env, cwd: project });
  }

  test('is a broker for whoever imports it, with a store and a plugin from a file', async () => {
    const script = join(project, 'embed.mjs');
    writeFileSync(join(project, 'shout.mjs'), `export default { messageIn: m => ({ payload: m.payload + '!' }) };`);
    writeFileSync(
      script,
      `import { createBroker } from 'zancudo';
       const broker = createBroker({
         plugins: ['shout.mjs'],
         settings: { persistence: true, persistenceLocation: ${JSON.stringify(`${folder.path}/embedded/`)} },
       });
       await broker.start();
       const client = await broker.connect();
       await client.publish('a', 'heard', { qos: 1, retain: true });
       const end = await broker.subscribe('#', ({ topic, payload }) => console.log(topic, payload.toString()));
       await end();
       await broker.stop();`,
    );
    mkdirSync(join(folder.path, 'embedded'));
    const embedded = await run(process.execPath, [script], { env, cwd: project });
    assert.equal(embedded.stdout, 'a heard!\n', embedded.output);
  });

  test('has types that a strict project can use', () => {
    const strict = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
    writeFileSync(
      join(project, 'typed.mts'),
      `import { connect, type Message } from 'zancudo/client';
       const topics: string[] = [];
       const client = await connect({ host: 'x', onMessage: (message: Message) => void topics.push(message.topic) });
       const code: number = (await client.publish('a', 'b', { qos: 1 })).reasonCode;
       // @ts-expect-error There is no quality of service 3.
       await client.publish('a', String(code), { qos: 3 });
       import { createBroker } from 'zancudo';
       import type { Plugin } from 'zancudo/plugin';
       export default { messageIn: ({ topic }, from) => ({ topic: topic + from.clientId }) } satisfies Plugin;
       const broker = createBroker({ listeners: [{ port: 0, maxQos: 1 }] });
       await (await broker.connect()).publish('a', 'b');
       // @ts-expect-error A login is not answered with true.
       const wrong: Plugin = { authenticate: () => true };
       export { wrong };`,
    );
    const tsc = join(projectRoot, 'node_modules/typescript/bin/tsc');
    const { status, stdout } = spawnSync(process.execPath, [tsc, ...strict, 'typed.mts'], {
      cwd: project,
      encoding: 'utf8',
    });
    assert.deepEqual([status, stdout], [0, '']);
  });

  test('under an older Node, one line says which one it needs', async t => {
    const older = ['/usr/bin', '/usr/local/bin'].find(path => olderNode(join(path, 'node')));
    if (older === undefined) return t.skip('there is no older Node on this machine');
    const { code, output } = await run(bin, ['--version'], { env: { ...env, PATH: `${older}:/usr/bin:/bin` } });
    assert.equal(code, 1);
    assert.match(output, /^zancudo needs Node 24\.7 or newer; this is \d+\.\d+\.\d+ \(.*\)\.\n$/);
  });
});

function olderNode(path: string): boolean {
  const { stdout } = spawnSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' });
  return stdout !== null && Number.parseInt(stdout) < 24;
}
