import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { recordedContext, temporaryFolder } from './shared.test.ts';
import { signalCommand, type Processes } from './signal.ts';

/** Brokers 10 and 11, of which 11 listens on 1883; process 12 is somebody else's, 13 does not exist. */
function machine(changes: Partial<Processes> = {}) {
  const sent: [number, NodeJS.Signals | number][] = [];
  const processes: Processes = {
    all: () => [10, 11],
    isBroker: pid => pid === 10 || pid === 11,
    programOf: pid => (pid < 13 ? (pid === 12 ? 'sshd' : 'node') : null),
    listenersOn: port => (port === 1883 ? [11] : port === 22 ? [12] : []),
    kill: (pid, signal) => {
      if (pid > 12) throw Object.assign(new Error(), { code: 'ESRCH' });
      sent.push([pid, signal]);
    },
    ...changes,
  };
  return (...args: string[]) => {
    sent.length = 0;
    const context = recordedContext();
    const code = signalCommand(args, context, processes);
    return { code, sent: [...sent], printed: context.printed, complained: context.complained };
  };
}

function pidFile(t: TestContext, text: string): string {
  const file = join(temporaryFolder(t), 'broker.pid');
  fs.writeFileSync(file, text);
  return file;
}

test('the five words mean the signals that they mean to Mosquitto', () => {
  const signal = machine();
  const meaning = {
    'config-reload': 'SIGHUP',
    'log-rotate': 'SIGHUP',
    shutdown: 'SIGINT',
    'tree-print': 'SIGUSR2',
    xtreport: 34,
  };
  for (const [word, name] of Object.entries(meaning)) {
    assert.deepEqual(signal('-p', '12', word), { code: 0, sent: [[12, name]], printed: '', complained: '' });
  }
});

test('-a signals every broker, and the last of -a and -p counts', () => {
  const signal = machine();
  assert.deepEqual(signal('-p', '12', '-a', 'shutdown').sent, [
    [10, 'SIGINT'],
    [11, 'SIGINT'],
  ]);
  assert.deepEqual(signal('-a', '-p', '12', 'shutdown').sent, [[12, 'SIGINT']]);
});

test('a process that cannot be signalled is named, and the exit code stays 0', () => {
  const { code, complained } = machine()('-p', '13', 'shutdown');
  assert.deepEqual([code, complained], [0, 'Error sending signal to process 13: No such process\n']);
  const all = machine({ all: () => [13, 10] })('-a', 'shutdown');
  assert.deepEqual([all.code, all.sent], [0, [[10, 'SIGINT']]]);
  assert.equal(all.complained, 'Unable to signal process 13: No such process\n');
});

test('--pid-file signals the broker that it names', t => {
  const { code, sent } = machine()('--pid-file', pidFile(t, '10'), 'config-reload');
  assert.deepEqual([code, sent], [0, [[10, 'SIGHUP']]]);
});

test('a pid file left behind harms nobody', t => {
  const signal = machine();
  const reused = signal('--pid-file', pidFile(t, '12'), 'shutdown');
  assert.deepEqual([reused.code, reused.sent], [1, []]);
  assert.match(reused.complained, /^Error: Process 12, which .+ names, is no broker: that is sshd\.\n/);
  const gone = signal('--pid-file', pidFile(t, '13'), 'shutdown');
  assert.match(gone.complained, /is no broker: there is no such process\./);
  assert.match(signal('--pid-file', pidFile(t, 'abc'), 'shutdown').complained, /is no pid file\./);
  assert.match(signal('--pid-file', '/nowhere/x', 'shutdown').complained, /^Error: Unable to read .+ No such file or/);
});

test('--port signals the broker that listens there, and nobody else', () => {
  const signal = machine();
  assert.deepEqual(signal('--port', '1883', 'shutdown').sent, [[11, 'SIGINT']]);
  const other = signal('--port', '22', 'shutdown');
  assert.deepEqual([other.code, other.sent], [1, []]);
  assert.match(other.complained, /^Error: No broker listens on port 22\.\n {2}It belongs to sshd \(process 12\)\.\n$/);
});

test("every mistake gets Mosquitto's line, and 1", () => {
  const lines: Record<string, string[]> = {
    'Error: -p argument given but process ID missing.': ['-p'],
    'Error: Process ID must be >0.': ['-p', '-5', 'shutdown'],
    'Error: One of -a or -p must be used.': ['shutdown'],
    'Error: No signal given.': ['-a'],
    "Error: Unknown signal 'stop'.": ['-a', 'stop'],
    "Error: Unknown option '-x'.": ['-a', '-x'],
    "Error: Unknown argument 'twice'.": ['-a', 'shutdown', 'twice'],
    'Error: Invalid port given: 0': ['--port', '0', 'shutdown'],
  };
  for (const [line, args] of Object.entries(lines)) {
    const { code, complained, sent } = machine()(...args);
    assert.deepEqual([code, complained.split('\n')[0], sent], [1, line, []]);
  }
});

test('nothing, and --help anywhere before the signal, print the usage and end with 1', () => {
  for (const args of [[], ['--help'], ['-a', '--help']]) {
    const { code, printed } = machine()(...args);
    assert.equal(code, 1);
    assert.match(printed, /^Usage: zancudo signal \{-a/m);
  }
});
