/** `zancudo ctrl` as a program, in front of Debian's broker with its dynamic security plugin, beside mosquitto_ctrl. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  findProgram,
  needs,
  run,
  startBroker,
  temporaryDirectory,
  until,
  zancudo,
  type RunResult,
} from '../harness/mod.ts';
import { startDebianBroker, type DebianBroker } from './debian-broker.ts';

const plugin = [
  '/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so',
  '/usr/lib/aarch64-linux-gnu/mosquitto_dynamic_security.so',
];
const pluginHere = plugin.find(path => needs(path).skip === false) ?? '/usr/lib/mosquitto_dynamic_security.so';
const withPlugin = needs('mosquitto', 'mosquitto_ctrl', pluginHere);

function folder(t: TestContext): string {
  const directory = temporaryDirectory();
  t.after(() => directory.remove());
  return directory.path;
}

/** A broker whose file Debian's tool has made; its administrator is admin, password pw. */
async function withDynsec(t: TestContext): Promise<{ broker: DebianBroker; file: string }> {
  const file = join(folder(t), 'dynsec.json');
  await run('mosquitto_ctrl', ['dynsec', 'init', file, 'admin', 'pw']);
  const broker = await startDebianBroker(t, `plugin ${pluginHere}\nplugin_opt_config_file ${file}\n`);
  return { broker, file };
}

/** Called as mosquitto_ctrl, with no options file of whoever runs the tests. */
function ctrl(t: TestContext, port: number) {
  const link = join(folder(t), 'mosquitto_ctrl');
  symlinkSync(zancudo, link);
  // Another folder than the link's, which would be taken for the options file of its name.
  const home = folder(t);
  const env = { ...process.env, HOME: home, XDG_CONFIG_HOME: home };
  const place = ['-h', '127.0.0.1', '-p', String(port), '-u', 'admin'];
  return {
    ours: (...args: string[]): Promise<RunResult> => run(link, [...place, '-P', 'pw', ...args], { env }),
    theirs: (...args: string[]): Promise<RunResult> => run('mosquitto_ctrl', [...place, '-P', 'pw', ...args], { env }),
    as: (args: string[], input = ''): Promise<RunResult> => run(link, args, { env, input }),
    link,
    place,
    env,
  };
}

/** Mosquitto 2.0 ends errors without a full stop, and pads client labels to 10. */
const normal = ({ code, stdout, stderr }: RunResult) => ({
  code,
  stdout: stdout
    .replace(/^(\w+:) +/gm, '$1 ')
    .replace(/^ +/gm, ' ')
    .replace(/^Connections:\n/m, ''),
  stderr: stderr
    .replace(/^ {2}.*\n/gm, '')
    .replace(/\.?\n/g, '\n')
    .replace('Invalid function arguments provided', 'Invalid input'),
});

test('every command has the answer that mosquitto_ctrl has', withPlugin, async t => {
  const { broker } = await withDynsec(t);
  const { ours, theirs } = ctrl(t, broker.port);
  const setUp = [
    'createClient ann -p secret',
    'createGroup g',
    'createRole r',
    'addRoleACL r publishClientSend a/# allow 5',
    'addRoleACL r subscribePattern b/# deny',
    'addClientRole ann r 3',
    'addGroupClient g ann 2',
    'addGroupRole g r',
    'setDefaultACLAccess subscribe allow',
    'setAnonymousGroup g',
    'setClientId ann lamp',
    'disableClient ann',
  ];
  for (const line of setUp) {
    const { code, stdout, stderr } = await ours('dynsec', ...line.split(' '));
    assert.deepEqual([code, stdout, stderr.split('\n')[2]], [0, '', ''], line);
  }
  const questions = [
    'getClient ann',
    'getClient admin',
    'getGroup g',
    'getRole r',
    'getAnonymousGroup',
    'getDefaultACLAccess',
    'listClients',
    'listClients 1',
    'listClients 1 1',
    'listGroups',
    'LISTROLES',
    'getClient nobody',
    'createGroup g',
    'addClientRole nobody r',
    'getClient',
    'addRoleACL r nonsense a allow',
    'setDefaultACLAccess subscribe maybe',
    'nonsense',
  ];
  for (const line of questions) {
    const [mine, other] = [await ours('dynsec', ...line.split(' ')), await theirs('dynsec', ...line.split(' '))];
    assert.deepEqual(normal(mine), normal(other), line);
  }
});

test('what cannot be reached, is not known or is refused ends as with mosquitto_ctrl', withPlugin, async t => {
  const { broker } = await withDynsec(t);
  const { as, env, place } = ctrl(t, broker.port);
  const cases: string[][] = [
    [...place, '-P', 'wrong', 'dynsec', 'listClients'],
    ['-p', '1', 'dynsec', 'listClients'],
    [...place, '-P', 'pw', 'nonsense', 'listClients'],
    ['dynsec', 'init', '/nowhere/at/all'],
  ];
  for (const args of cases) {
    const mine = await as(args);
    const other = await run('mosquitto_ctrl', args, { env });
    assert.deepEqual(normal(mine), normal(other), args.join(' '));
  }
});

test('passwords are asked for when they are not given: the new one, then the own', withPlugin, async t => {
  const { broker } = await withDynsec(t);
  const { as, place, ours } = ctrl(t, broker.port);
  const { code, stdout } = await as([...place, 'dynsec', 'createClient', 'ann'], 'secret\nsecret\npw\n');
  assert.equal(code, 0);
  assert.match(stdout, /New password for ann: \nReenter password for ann: \nPassword for admin: \n$/);
  await ours('dynsec', 'createRole', 'r');
  await ours('dynsec', 'addClientRole', 'ann', 'r');
  assert.equal(await broker.connack('ann', 'secret'), 0);
});

test('a password set offline lets the administrator in, in the form that the file has', withPlugin, async t => {
  const file = join(folder(t), 'dynsec.json');
  await run('mosquitto_ctrl', ['dynsec', 'init', file, 'admin', 'forgotten']);
  const { as } = ctrl(t, 0);
  assert.equal((await as(['-f', file, 'dynsec', 'setClientPassword', 'admin', 'pw', '-i', '2000'])).code, 0);
  const unknown = await as(['-f', file, 'dynsec', 'setClientPassword', 'nobody', 'pw']);
  assert.deepEqual([unknown.code, unknown.stderr], [6, 'Error: Client nobody not found.\n']);
  assert.match(readFileSync(file, 'utf8'), /"iterations":\s*2000/);
  const broker = await startDebianBroker(t, `plugin ${pluginHere}\nplugin_opt_config_file ${file}\n`);
  const { stdout } = await ctrl(t, broker.port).theirs('dynsec', 'listClients');
  assert.equal(stdout, 'admin\n');
});

test('init makes a file for owner and group, once', async t => {
  const file = join(folder(t), 'dynsec.json');
  const { as } = ctrl(t, 0);
  const first = await as(['dynsec', 'init', file, 'admin'], 'pw\npw\n');
  assert.equal(first.code, 0);
  assert.match(
    first.stdout,
    /^New password for admin: \nReenter .+\nThe client 'admin' has been created in the file '/,
  );
  assert.equal(statSync(file).mode & 0o137, 0);
  const text = readFileSync(file, 'utf8');
  assert.match(text, /^\{"clients":\[\{"username":"admin",.*"encoded_password":"\$7\$/);
  const second = await as(['dynsec', 'init', file, 'admin', 'other']);
  assert.match(second.stderr, /^dynsec init: Unable to open '.+' for writing \(File exists\)\.\n/);
  assert.equal(readFileSync(file, 'utf8'), text);
});

test('files that are no such files are named and left alone', async t => {
  const file = join(folder(t), 'f');
  const { as } = ctrl(t, 0);
  const lines: Record<string, string> = {
    '': 'is empty.',
    '{': 'is not valid JSON.',
    '{}': 'is not a valid dynamic-security config file.',
  };
  for (const [text, line] of Object.entries(lines)) {
    writeFileSync(file, text);
    const { code, stderr } = await as(['-f', file, 'dynsec', 'setClientPassword', 'u', 'p']);
    assert.deepEqual([code, stderr.split('\n')[0]], [3, `Error: ${file} ${line}`]);
    assert.equal(readFileSync(file, 'utf8'), text);
  }
});

test('the options file is read, and a broker without the plugin says so', async t => {
  const broker = await startBroker();
  t.after(() => broker.stop());
  const { link, env } = ctrl(t, broker.port);
  const file = join(dirname(link), 'options');
  writeFileSync(file, `# where\n-h 127.0.0.1\n-p ${broker.port}\n-q 0\n`);
  const { code, stderr } = await run(link, ['-o', file, '-v', 'dynsec', 'listRoles'], { env });
  assert.equal(code, 0);
  assert.match(stderr, /^request: \{"commands":\[\{"command":"listRoles"\}\]\}$/m);
  assert.match(stderr, /^Error: Payload missing data\.\n {2}The broker says: endpoint not available\./m);
});

test(
  'the shell at a terminal completes by Tab, asks without echo and ends with exit',
  needs('script', 'mosquitto', pluginHere),
  async t => {
    const { broker } = await withDynsec(t);
    const { link, env } = ctrl(t, broker.port);
    const terminal = spawn(findProgram('script') ?? '', ['-qec', link, '/dev/null'], { env });
    t.after(() => terminal.kill());
    let shown = '';
    const ended = new Promise<number | null>(resolve => terminal.once('close', resolve));
    terminal.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
    const dialogue: [waitFor: string, keys: string][] = [
      ['> ', 'auth admin\r'],
      ['password: ', 'pw\r'],
      ['> ', `connect mqtt://127.0.0.1:${broker.port}\r`],
      [`${broker.port}> `, 'dyn\t'],
      ['sec ', '\r'],
      ['|dynsec> ', 'getCl\t'],
      ['ient ', 'ad\t'],
      ['min ', '\r'],
      ['Username:    admin', 'exit\r'],
    ];
    for (const [waitFor, keys] of dialogue) {
      await until(`${waitFor} from the shell`, () => shown.includes(waitFor));
      shown = shown.slice(shown.indexOf(waitFor) + waitFor.length);
      terminal.stdin.write(keys);
      assert.ok(!shown.includes('pw'), shown);
    }
    assert.equal(await ended, 0);
  },
);
