/** The completion scripts inside the shells that they are for, and the man pages inside groff. */
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test, type TestContext } from 'node:test';
import { needs, run, temporaryDirectory, zancudo } from '../harness/mod.ts';

/** What is typed, and some of what is offered for its last word. */
const cases: [typed: string, offered: string[]][] = [
  ['zancudo pass', ['passwd']],
  ['zancudo --vers', ['--version']],
  ['zancudo passwd -H sha', ['sha512', 'sha512-pbkdf2']],
  ['mosquitto_passwd -H arg', ['argon2id']],
  ['zancudo ca issue ', ['client', 'server']],
  ['zancudo ctrl -h host dynsec getCl', ['getClient']],
  ['zancudo signal -p 5 conf', ['config-reload']],
  ['mosquitto_sub --retained-o', ['--retained-only']],
  ['zancudo completion fi', ['fish']],
];

async function scriptFor(shell: string, t: TestContext): Promise<string> {
  const directory = temporaryDirectory();
  t.after(() => directory.remove());
  const file = join(directory.path, `completion.${shell}`);
  writeFileSync(file, (await run(zancudo, ['completion', shell])).stdout);
  return file;
}

async function offers(shell: string, args: string[], offered: string[], typed: string): Promise<void> {
  const { stdout, stderr } = await run(shell, args);
  const words = stdout.split('\n').map(line => line.split('\t')[0]);
  for (const word of offered) assert.ok(words.includes(word), `${typed}: ${stdout}${stderr}`);
  assert.equal(stderr, '', typed);
}

test('bash completes', needs('bash'), async t => {
  const file = await scriptFor('bash', t);
  for (const [typed, offered] of cases) {
    const program = `compopt() { :; }; source '${file}'; COMP_WORDS=(${typed.endsWith(' ') ? `${typed} ''` : typed});
      COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 )); _zancudo; printf '%s\\n' "\${COMPREPLY[@]}"`;
    await offers('bash', ['--norc', '-c', program], offered, typed);
  }
});

test('zsh completes', needs('zsh'), async t => {
  const file = await scriptFor('zsh', t);
  // Outside of its line editor, zsh has none of these; they print what they are given.
  const stubs = `compdef() { : }; _files() { : }; compadd() { shift; print -l -- "$@" };
    _describe() { local word; for word in "\${(@P)2}"; do print -- "\${word%%:*}"; done }`;
  for (const [typed, offered] of cases) {
    const program = `${stubs}; source '${file}'; words=(${typed.endsWith(' ') ? `${typed} ''` : typed}); CURRENT=$#words; _zancudo`;
    await offers('zsh', ['-f', '-c', program], offered, typed);
  }
});

test('fish completes', needs('fish'), async t => {
  const file = await scriptFor('fish', t);
  for (const [typed, offered] of cases) {
    await offers('fish', ['--no-config', '-c', `source '${file}'; complete -C '${typed}'`], offered, typed);
  }
});

test('groff has no complaint about any man page', needs('groff'), async () => {
  const folder = fileURLToPath(new URL('../../docs/man/', import.meta.url));
  for (const name of readdirSync(folder)) {
    const { code, output } = await run('groff', ['-man', '-ww', '-Tutf8', '-z', join(folder, name)]);
    assert.deepEqual([code, output], [0, ''], name);
  }
});
