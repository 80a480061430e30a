/** `zancudo passwd` as a program, beside Debian's mosquitto_passwd and in front of Debian's broker. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { findProgram, needs, run, temporaryDirectory, until, zancudo } from '../harness/mod.ts';

function folder(t: TestContext): string {
  const directory = temporaryDirectory();
  t.after(() => directory.remove());
  return directory.path;
}

/** What both programs answer to the same arguments; what ours explains below a line is left out. */
async function both(t: TestContext, args: string[], input = '', before: string | null = null) {
  const answer = async (program: string) => {
    const cwd = folder(t);
    if (before !== null) writeFileSync(join(cwd, 'f'), before, { mode: 0o600 });
    const { code, stdout, stderr } = await run(program, args, { cwd, input });
    return { code, stdout, stderr: stderr.replace(/^ {2}.*\n/gm, '') };
  };
  return { ours: await answer(toolNamed('mosquitto_passwd', t)), theirs: await answer('mosquitto_passwd') };
}

/** The program called by a Mosquitto name. */
function toolNamed(name: string, t: TestContext): string {
  const link = join(folder(t), name);
  symlinkSync(zancudo, link);
  return link;
}

test('mistakes and prompts are those of mosquitto_passwd', needs('mosquitto_passwd'), async t => {
  const cases: [args: string[], input?: string, before?: string][] = [
    [['-H']],
    [['-H', 'md5', 'f', 'u']],
    [['-c', '-D', 'f', 'u']],
    [['-c', '-U', 'f']],
    [['-D', '-U', 'f']],
    [['-b', '-D', 'f', 'u']],
    [['-c', 'f']],
    [['-c', '-b', 'f', 'u']],
    [['-D', 'f']],
    [['-U']],
    [['-b', 'f', 'a:b', 'p']],
    [['-b', 'f', 'a\u0001b', 'p']],
    [['-c', 'f', 'u'], 'a\nb\n'],
    [['-c', 'f', 'u'], '\n'],
    [['-c', 'f', 'u'], ''],
    [['f', 'u'], 'a\nb\n', 'x:$6$y\n'],
    [['-D', 'f', 'u'], '', 'x:$6$y\n'],
    [['-D', 'f', 'x'], '', 'x:$6$y\n'],
  ];
  for (const [args, input, before] of cases) {
    const { ours, theirs } = await both(t, args, input, before ?? null);
    assert.deepEqual(ours, theirs, args.join(' '));
  }
});

test('a file that our passwd made admits its users to a Mosquitto 2.0 broker', needs('mosquitto'), async t => {
  const { startDebianBroker } = await import('./debian-broker.ts');
  const cwd = folder(t);
  const file = join(cwd, 'passwords');
  await run(zancudo, ['passwd', '-H', 'sha512-pbkdf2', '-c', '-b', file, 'ann', 'secret']);
  await run(zancudo, ['passwd', '-H', 'sha512', file, 'bob'], { input: 'hush\nhush\n' });
  const broker = await startDebianBroker(t, `allow_anonymous false\npassword_file ${file}\n`);
  assert.equal(await broker.connack('ann', 'secret'), 0);
  assert.equal(await broker.connack('bob', 'hush'), 0);
  assert.equal(await broker.connack('ann', 'wrong'), 5);
});

test('a file that mosquitto_passwd made is changed line by line', needs('mosquitto_passwd'), async t => {
  const file = join(folder(t), 'f');
  await run('mosquitto_passwd', ['-c', '-b', file, 'ann', 'x']);
  await run('mosquitto_passwd', ['-b', file, 'bob', 'y']);
  const [ann, bob] = readFileSync(file, 'utf8').split('\n');
  const { stdout } = await run(zancudo, ['passwd', '-b', file, 'ann', 'z']);
  assert.equal(stdout, 'Updating password for user ann\n');
  const [newAnn, sameBob] = readFileSync(file, 'utf8').split('\n');
  assert.notEqual(newAnn, ann);
  assert.equal(sameBob, bob);
});

test('on a terminal the password does not show', needs('script'), async t => {
  const file = join(folder(t), 'f');
  // script(1) gives the program a terminal, and us what it shows.
  const terminal = spawn(findProgram('script') ?? '', ['-qec', `'${zancudo}' passwd -c '${file}' ann`, '/dev/null']);
  t.after(() => terminal.kill());
  let shown = '';
  terminal.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
  await until('the question', () => shown.includes('Password: '));
  terminal.stdin.write('hiddn\u007fen\r');
  await until('the second question', () => shown.includes('Reenter password: '));
  terminal.stdin.write('hidden\r');
  await until('the file', () => existsSync(file) && shown.includes('Adding password for user ann'));
  assert.ok(!shown.includes('hid'));
  assert.match(readFileSync(file, 'utf8'), /^ann:\$argon2id\$/);
});

test('ten runs at once lose no user', async t => {
  const file = join(folder(t), 'f');
  writeFileSync(file, '# users\n', { mode: 0o600 });
  const users = Array.from({ length: 10 }, (_, n) => `user${n}`);
  await Promise.all(users.map(user => run(zancudo, ['passwd', '-H', 'sha512', '-b', file, user, 'p'])));
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  assert.deepEqual(lines.map(line => line.split(':')[0]).sort(), ['# users', ...users].sort());
  assert.equal(statSync(file).mode & 0o777, 0o600);
});
