/** Signals, the end, and the background: INT, TERM, HUP, USR1, USR2, RTMIN and -d, as docs/compat/runtime.md has them. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { describe, test } from 'node:test';
import { freePort, publish, RawClient, refusedStart, until, type Broker } from '../harness/mod.ts';
import { assertInOrder, Folder, rowsAtOnce, runToEnd, texts, versionLine, start } from './stage.ts';

async function client(broker: Broker, clientId: string, more: object = {}): Promise<RawClient> {
  const raw = await RawClient.dial({ port: broker.port });
  assert.equal((await raw.connect({ clientId, ...more })).reasonCode, 0);
  return raw;
}

describe('the end', rowsAtOnce, () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`${signal} takes the socket and the pid file away and ends with 0`, async t => {
      const broker = await start(t, {
        conf: at =>
          `pid_file ${at.directory}/pid\nlistener 0 ${at.directory}/socket\nlistener ${at.port()} 127.0.0.1\n`,
      });
      broker.signal(signal);
      await until('the end', () => broker.hasEnded);
      const left = ['pid', 'socket'].filter(name => existsSync(`${broker.directory}/${name}`));
      assert.equal(await broker.stop(), 0);
      assert.deepEqual(left, []);
      assert.match(texts(broker.lines).at(-1)!, versionLine('terminating'));
    });
  }

  for (const version of [4, 5] as const) {
    test(`every will is said before the links are closed, without a DISCONNECT (protocol ${version})`, async t => {
      const broker = await start(t);
      const first = await client(broker, 'first', { version });
      await first.subscribe([['wills/#', 0]]);
      const will = (topic: string) => ({ topic, payload: 'gone' });
      await client(broker, 'one', { version, will: will('wills/one') });
      const late = { sessionExpiryInterval: 60, willDelayInterval: 60 };
      const delayed = await client(broker, 'two', {
        version: 5,
        properties: [['sessionExpiryInterval', late.sessionExpiryInterval]],
        will: { ...will('wills/two'), properties: [['willDelayInterval', late.willDelayInterval]] },
      });
      delayed.destroy();
      await broker.logged(/Client two .*disconnected/);
      const last = await client(broker, 'last', { version });
      await last.subscribe([['wills/#', 0]]);
      broker.signal('SIGTERM');
      for (const reader of [first, last]) {
        const topics = [(await reader.expect('publish')).topic, (await reader.expect('publish')).topic].sort();
        assert.deepEqual(topics, ['wills/one', 'wills/two']);
        await reader.expectClosed();
      }
      await until('the end', () => broker.hasEnded);
      assert.equal(await broker.stop(), 0);
    });
  }

  test('a second signal does not cut the end short', async t => {
    const broker = await start(t, { conf: at => `pid_file ${at.directory}/pid\nlistener ${at.port()} 127.0.0.1\n` });
    const open = await RawClient.dial({ port: broker.port });
    broker.signal('SIGTERM');
    broker.signal('SIGINT');
    await open.expectClosed();
    broker.signal('SIGTERM');
    await until('the end', () => broker.hasEnded);
    assert.equal(existsSync(`${broker.directory}/pid`), false);
    assert.equal(await broker.stop(), 0);
  });

  test('a client that does not read does not hold the end up', async t => {
    const broker = await start(t);
    const deaf = await RawClient.dial({ port: broker.port });
    await deaf.connect({ clientId: 'deaf' });
    assert.equal(await broker.stop(), 0);
    deaf.destroy();
  });
});

test('HUP, USR1, USR2 and RTMIN leave the broker and its clients where they are', async t => {
  const broker = await start(t);
  const reader = await client(broker, 'reader');
  await reader.subscribe([
    ['a/+/b', 1],
    ['$share/g/c', 0],
  ]);
  broker.signal('SIGHUP');
  await broker.logged(/^\d+: Reloading config\.$/);
  broker.signal('SIGUSR1');
  broker.signal('SIGUSR2');
  await broker.logged(/a\/\+\/b|a.*\+.*b/);
  process.kill(broker.process.pid!, 34);
  await reader.expectQuiet();
  assert.equal(await broker.stop(), 0);
});

test('PIPE is ignored', async t => {
  const broker = await start(t);
  const reader = await client(broker, 'reader');
  broker.process.kill(constants.signals.SIGPIPE);
  await reader.expectQuiet();
  await broker.stop();
});

describe('-d', () => {
  const end = async (pid: number): Promise<void> => {
    process.kill(pid, 'SIGTERM');
    await until('the daemon to end', () => !isAlive(pid));
  };
  const isAlive = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };

  test('ends with 0 once the daemon listens, and the daemon goes on with the pid file', async t => {
    const folder = new Folder(t);
    const port = await freePort();
    const path = folder.write(
      'mosquitto.conf',
      `listener ${port} 127.0.0.1\nallow_anonymous true\nuser root\npid_file ${folder.at('pid')}\nlog_dest file ${folder.at('log')}\n`,
    );
    const { code, lines } = await runToEnd(['-c', path, '-d']);
    assert.equal(code, 0, lines.join('\n'));
    const pid = Number(readFileSync(folder.at('pid'), 'utf8'));
    const raw = await RawClient.dial({ port });
    assert.equal((await raw.connect({ clientId: 'a' })).reasonCode, 0);
    raw.send(publish({ topic: 't' }));
    await raw.expectQuiet();
    await end(pid);
    const log = texts(readFileSync(folder.at('log'), 'utf8').trim().split('\n'));
    const left = existsSync(folder.at('pid'));
    assert.equal(left, false);
    assertInOrder(
      log,
      versionLine('starting'),
      versionLine('running'),
      /New client connected/,
      versionLine('terminating'),
    );
  });

  const failures: readonly (readonly [conf: string, code: number, line: RegExp])[] = [
    ['foo 1\n', 3, /Unknown configuration variable/],
    ['pid_file /gone/pid\n', 14, /Unable to write pid file/],
    ['password_file /gone\n', 13, /Unable to open pwfile/],
    ['certfile /gone\nkeyfile /gone\n', 1, /Unable to load server certificate/],
  ];
  for (const [conf, exit, line] of failures) {
    test(`${conf.split('\n')[0]} ends with ${exit} in the background too`, async () => {
      const { code, log } = await refusedStart({
        conf: at => `listener ${at.port()} 127.0.0.1\n${conf}`,
        args: ['-d'],
      });
      assert.equal(code, exit, log);
      assert.match(log, line);
      assert.equal(log.match(new RegExp(line, 'g'))?.length, 1, `said once:\n${log}`);
    });
  }
});
