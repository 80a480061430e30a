import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startDaemon, takeDaemonChannel } from './daemon.ts';

const module = JSON.stringify(new URL('./daemon.ts', import.meta.url).href);

/** Runs `program` as the copy; ends with what the first process would print and exit with. */
async function daemon(program: string) {
  let text = '';
  const source = `
    const { takeDaemonChannel } = await import(${module});
    const { writeSync } = await import('node:fs');
    const channel = takeDaemonChannel();
    const say = words => writeSync(channel.standardErrorFd, words);
    ${program}`;
  const exitCode = await startDaemon({
    program: process.execPath,
    args: ['--input-type=module', '-e', source],
    onText: more => (text += more),
  });
  return { text, exitCode };
}

test('the first process ends with 0 once the daemon is ready, having passed on its lines', async () => {
  const ready = `say('starting\\n'); channel.ready();`;
  assert.deepEqual(await daemon(ready), { text: 'starting\n', exitCode: 0 });
});

test('a daemon that cannot start gives the first process its lines and its exit code', async () => {
  const failing = `say('Error: Unable to write pid file.\\n'); process.exit(14);`;
  assert.deepEqual(await daemon(failing), { text: 'Error: Unable to write pid file.\n', exitCode: 14 });
});

test('the daemon leads a session of its own, and its standard streams are nowhere', async () => {
  const { text } = await daemon(`
    const { readFileSync, readlinkSync } = await import('node:fs');
    const session = readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ')[3];
    say([0, 1, 2].map(fd => readlinkSync('/proc/self/fd/' + fd)).join() + ' ' + (session === String(process.pid)));
    channel.ready();`);
  assert.equal(text, '/dev/null,/dev/null,/dev/null true');
});

test('a process that nobody started as a daemon is none, and the mark is not handed on', () => {
  assert.equal(takeDaemonChannel({}), null);
  const environment = { ZANCUDO_DAEMON: '1' };
  assert.ok(takeDaemonChannel(environment));
  assert.deepEqual(environment, {});
});
