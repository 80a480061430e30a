import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { brokerOptions } from './broker-options.ts';
import { run } from './run.ts';

async function zancudo(args: string[], calledAs = 'zancudo') {
  let printed = '';
  let complained = '';
  const exitCode = await run(args, {
    calledAs,
    environment: {},
    print: text => (printed += text),
    complain: text => (complained += text),
    wall: () => 5000,
  });
  return { exitCode, printed, complained };
}

test('a command that does not exist is answered in one line, with the one that was meant', async () => {
  const { exitCode, complained } = await zancudo(['brokr', '-v']);
  assert.equal(exitCode, 1);
  assert.equal(
    complained,
    "zancudo: there is no command 'brokr'. Did you mean 'broker'? 'zancudo --help' lists what there is.\n",
  );
});

test('the help lists every option, under the name by which the program was called', async () => {
  for (const args of [['-h'], ['--help'], ['broker', '-h']]) {
    const { exitCode, printed, complained } = await zancudo(args);
    assert.deepEqual([exitCode, complained], [0, '']);
    for (const option of brokerOptions) assert.ok(printed.includes(option.long));
  }
  assert.match((await zancudo(['-h'], 'mosquitto')).printed, /^Usage: mosquitto \[-c config_file\]/m);
});

test('--version prints three lines', async () => {
  const { exitCode, printed } = await zancudo(['--version']);
  assert.equal(exitCode, 0);
  assert.match(printed, /^zancudo \d+\.\d+\.\d+\n.+\n.+\n$/);
});

test('an unknown option ends with 3: the line, the end of the broker, the usage', async () => {
  const { exitCode, printed, complained } = await zancudo(['--foo']);
  assert.equal(exitCode, 3);
  assert.match(complained, /^Error: Unknown option '--foo'\.\n5: zancudo version \S+ terminating\n$/);
  assert.match(printed, /^Usage: zancudo/m);
});

test('any other mistake ends with 3 and lines like those of the log', async () => {
  const { exitCode, printed, complained } = await zancudo(['-p', 'mqtt']);
  assert.deepEqual([exitCode, printed], [3, '']);
  const [line, hint, end] = complained.split('\n');
  assert.equal(line, '5: Error: Invalid port specified (0).');
  assert.equal(hint, "  'mqtt' is not a number from 1 to 65535.");
  assert.match(end ?? '', /^5: zancudo version \S+ terminating$/);
});

test('called mosquitto, a word is an unknown option and never a command', async () => {
  const { exitCode, complained } = await zancudo(['broker'], 'mosquitto');
  assert.equal(exitCode, 3);
  assert.match(complained, /^Error: Unknown option 'broker'\./);
});

test('bin/zancudo passes arguments, output and exit code through', () => {
  const bin = fileURLToPath(new URL('../../bin/zancudo', import.meta.url));
  const version = spawnSync(bin, ['--version'], { encoding: 'utf8' });
  assert.deepEqual([version.status, version.stderr], [0, '']);
  assert.match(version.stdout, /^zancudo /);
  const mistake = spawnSync(bin, ['-p'], { encoding: 'utf8' });
  assert.equal(mistake.status, 3);
  assert.match(mistake.stderr, /Error: -p argument given, but no port specified\./);
});

test('the help lists every command, and a tool under its Mosquitto name is that tool', async () => {
  const { printed } = await zancudo(['--help']);
  for (const name of ['pub', 'passwd', 'ctrl', 'signal', 'completion'])
    assert.match(printed, new RegExp(`^  ${name} `, 'm'));
  assert.doesNotMatch((await zancudo(['--help'], 'mosquitto')).printed, /^Commands/m);
  for (const tool of ['mosquitto_passwd', 'mosquitto_ctrl', 'mosquitto_signal']) {
    assert.match((await zancudo(['--help'], tool)).printed, new RegExp(`^Usage: ${tool} `, 'm'));
  }
});
