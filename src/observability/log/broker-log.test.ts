import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { BrokerLog, type LogOptions, type LogSettings } from './broker-log.ts';
import type { LogMessage } from './log-topics.ts';
import { sinkBounds } from './sink.ts';

const settings: LogSettings = {
  destinations: [{ kind: 'stderr' }],
  classes: ['error', 'warning', 'notice', 'information'],
  facility: null,
  timestamp: false,
  timestampFormat: null,
  format: 'text',
  foldAfter: 1,
  connectionMessages: true,
};

/** A log whose standard error is a file, in a folder of its own. */
async function start(t: TestContext, options: Partial<LogOptions> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'zancudo-log-'));
  const standardError = join(folder, 'stderr');
  const fd = openSync(standardError, 'a');
  const log = new BrokerLog({ clock: { wall: () => 5000 }, standardErrorFd: fd, ...options });
  t.after(async () => {
    log.close();
    closeSync(fd);
    await rm(folder, { recursive: true });
  });
  return { log, folder, file: join(folder, 'broker.log'), errors: () => readFileSync(standardError, 'utf8') };
}

test('before the configuration is known, lines go to standard error with unix seconds', async t => {
  const { log, errors } = await start(t);
  log.write('information', 'Starting.');
  log.write('debug', 'Not yet.');
  log.flush();
  assert.equal(errors(), '5: Starting.\n');
});

test('the lines of one turn leave together when it ends', async t => {
  const { log, errors } = await start(t);
  log.write('notice', 'a');
  log.write('notice', 'b');
  assert.equal(errors(), '');
  await new Promise(setImmediate);
  assert.equal(errors(), '5: a\n5: b\n');
});

test('log_type chooses the classes, -v takes all, -q none and beats -v', async t => {
  const quiet = await start(t, { verbosity: 'quiet' });
  const verbose = await start(t, { verbosity: 'verbose' });
  const configured = await start(t);
  for (const { log } of [quiet, verbose, configured]) {
    log.configure({ ...settings, classes: ['error', 'debug'] });
    for (const as of ['error', 'notice', 'debug', 'internal'] as const) log.write(as, as);
    log.flush();
  }
  assert.equal(quiet.errors(), '');
  assert.equal(verbose.errors(), 'error\nnotice\ndebug\ninternal\n');
  assert.equal(configured.errors(), 'error\ndebug\n');
  assert.equal(configured.log.debug && !configured.log.subscribe && verbose.log.unsubscribe, true);
});

test('connection_messages false and a log without notices both say that connects are not wanted', async t => {
  const { log } = await start(t);
  assert.equal(log.connections, true);
  log.configure({ ...settings, connectionMessages: false });
  assert.equal(log.connections, false);
  log.configure({ ...settings, classes: ['error'] });
  assert.equal(log.connections, false);
});

test('a log file is made for its owner alone and appended to', async t => {
  const { log, file, errors } = await start(t);
  for (const word of ['one', 'two']) {
    log.configure({ ...settings, destinations: [{ kind: 'file', path: file }] });
    log.write('notice', word);
    log.flush();
  }
  assert.equal(readFileSync(file, 'utf8'), 'one\ntwo\n');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(errors(), '');
});

test('a log file that was renamed is noticed without a signal', async t => {
  const { log, file } = await start(t);
  log.configure({ ...settings, destinations: [{ kind: 'file', path: file }] });
  renameSync(file, `${file}.1`);
  log.write('notice', 'new file');
  log.flush();
  assert.equal(readFileSync(`${file}.1`, 'utf8'), '');
  assert.equal(readFileSync(file, 'utf8'), 'new file\n');
});

test('after a log file was renamed, reopen starts a new one', async t => {
  const { log, file } = await start(t);
  log.configure({ ...settings, destinations: [{ kind: 'file', path: file }] });
  log.write('notice', 'one');
  log.flush();
  renameSync(file, `${file}.1`);
  log.reopen();
  log.write('notice', 'two');
  log.flush();
  assert.equal(readFileSync(`${file}.1`, 'utf8'), 'one\n');
  assert.equal(readFileSync(file, 'utf8'), 'two\n');
});

test('a log file that cannot be opened is named with the cause, and standard error takes its lines', async t => {
  const { log, folder, errors } = await start(t);
  const path = join(folder, 'nowhere', 'broker.log');
  log.configure({ ...settings, destinations: [{ kind: 'stderr' }, { kind: 'file', path }] });
  log.write('notice', 'still here');
  log.flush();
  const [line, explanation, ...rest] = errors().split('\n');
  assert.equal(line, `Error: Unable to open log file ${path} for writing.`);
  assert.match(explanation ?? '', /folder does not exist.*mkdir/);
  assert.deepEqual(rest, ['still here', '']);
  mkdirSync(join(folder, 'nowhere'));
  log.reopen();
  log.write('notice', 'found');
  log.flush();
  assert.equal(readFileSync(path, 'utf8'), 'found\n');
});

test('a symbolic link is not followed to a log file', async t => {
  const { log, folder, file, errors } = await start(t);
  symlinkSync(join(folder, 'elsewhere'), file);
  log.configure({ ...settings, destinations: [{ kind: 'file', path: file }] });
  assert.match(errors(), /is a symbolic link.*MOSQUITTO_UNSAFE_ALLOW_SYMLINKS/);
  assert.equal(existsSync(join(folder, 'elsewhere')), false);
});

test('log_dest topic publishes lines with their timestamp once the broker runs', async t => {
  const { log } = await start(t);
  const published: LogMessage[] = [];
  log.configure({ ...settings, timestamp: true, destinations: [{ kind: 'topic' }] });
  log.write('notice', 'nobody can hear this');
  log.publishTo(message => void published.push(message));
  log.write('warning', 'careful');
  log.flush();
  const seen = published.map(({ topic, payload }) => [topic, payload]);
  assert.deepEqual(seen, [['$SYS/broker/log/W', '5: careful']]);
});

test('a daemon that is ready leaves the pipe to whoever started it', async t => {
  const { log, folder, errors } = await start(t);
  const fd = openSync(join(folder, 'later'), 'a');
  log.write('notice', 'before');
  log.redirectStandardError(fd);
  log.write('notice', 'after');
  log.flush();
  closeSync(fd);
  assert.equal(errors(), '5: before\n');
  assert.equal(readFileSync(join(folder, 'later'), 'utf8'), '5: after\n');
});

test('a terminal that does not read stops nobody: lines wait, then are dropped and counted', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'zancudo-log-'));
  const path = join(folder, 'pipe');
  assert.equal(spawnSync('mkfifo', [path]).status, 0);
  const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const log = new BrokerLog({ clock: { wall: () => 5000 }, standardErrorFd: reader });
  t.after(async () => {
    log.close();
    closeSync(reader);
    await rm(folder, { recursive: true });
  });
  const line = 'x'.repeat(900);
  const lines = Math.ceil((2 * sinkBounds.pendingBytesMax) / line.length);
  for (let n = 0; n < lines; n++) log.write('notice', line);
  let text = '';
  for (let round = 0; round < 200 && !text.includes('dropped'); round++) {
    text += readAll(reader);
    log.flush();
  }
  const dropped = Number(/Warning: (\d+) log lines were dropped here/.exec(text)?.[1]);
  assert.ok(dropped > 0);
  assert.equal(text.split(line).length - 1 + dropped, lines);
});

test('what is folded when the process ends or the log is configured anew is told before', async t => {
  const { log, errors } = await start(t);
  log.configure(settings);
  const about = { code: 'connection.not-mqtt', address: '10.0.0.5' } as const;
  const scan = (): void => {
    for (let n = 1; n <= 9; n++) log.write('notice', `Scan ${n} of 10.0.0.5.`, about);
  };
  scan();
  log.configure({ ...settings, foldAfter: 0 });
  assert.match(errors(), /^(Scan \d .*\n){5} {2}\.\.\. 4 times more in \d+ s, last at 5: Scan 9 of .*\n$/);
  scan();
  log.flush();
  assert.equal(errors().split('\n').length, 6 + 9 + 1);
});

function readAll(fd: number): string {
  const buffer = Buffer.alloc(1_048_576);
  let text = '';
  for (;;) {
    try {
      text += buffer.toString('latin1', 0, readSync(fd, buffer));
    } catch {
      return text;
    }
  }
}

test('lines written just before the process ends are in the file', async t => {
  const { file } = await start(t);
  const program = `
    const { BrokerLog } = await import(${JSON.stringify(new URL('./broker-log.ts', import.meta.url).href)});
    const log = new BrokerLog({ clock: { wall: Date.now } });
    log.configure({ destinations: [{ kind: 'file', path: ${JSON.stringify(file)} }, { kind: 'stdout' }],
      classes: ['error'], facility: null, timestamp: false, timestampFormat: null, format: 'text', foldAfter: 1,
      connectionMessages: true });
    log.write('error', 'last words');
    process.exit(4);`;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  assert.equal(run.status, 4, run.stderr);
  assert.equal(readFileSync(file, 'utf8'), 'last words\n');
  assert.equal(run.stdout, 'last words\n');
});
