/** Where log lines go, which, and what stands in front of them: docs/compat/runtime.md, 2 and the options log_*. */
import assert from 'node:assert/strict';
import { readFileSync, renameSync, statSync } from 'node:fs';
import { describe, test } from 'node:test';
import {
  Background,
  Namespace,
  needs,
  pingreq,
  publish,
  RawClient,
  unsubscribe,
  until,
  disconnect,
  type Broker,
  type BrokerOptions,
} from '../harness/mod.ts';
import { assertInOrder, rowsAtOnce, texts, versionLine, start, type Owner } from './stage.ts';

/** A broker on one port with these further lines. */
function brokerWith(t: Owner, lines: string, more: BrokerOptions = {}): Promise<Broker> {
  return start(t, {
    conf: at => `listener ${at.port()} 127.0.0.1\nallow_anonymous true\n${lines.replaceAll('{dir}', at.directory)}`,
    ...more,
  });
}

/** Ready without a word on stderr. */
const answers = async (broker: Broker): Promise<boolean> => {
  try {
    const raw = await RawClient.dial({ port: broker.port });
    await raw.connect({ clientId: 'ready' });
    raw.send(disconnect());
    return true;
  } catch {
    return false;
  }
};

const logOf = (broker: Broker): string => {
  try {
    return readFileSync(`${broker.directory}/log`, 'utf8');
  } catch {
    return '';
  }
};

/** One client that does a little of everything. */
async function visit(broker: Broker): Promise<void> {
  const raw = await RawClient.dial({ port: broker.port });
  await raw.connect({
    clientId: 'visitor',
    username: 'alice',
    will: { topic: 'w', payload: '12345', qos: 1, retain: true },
  });
  await raw.subscribe([['a/#', 1]]);
  raw.send(publish({ topic: 'a/b', payload: 'hello', qos: 1, packetId: 7 }));
  const answers = [(await raw.next())?.type, (await raw.next())?.type].sort();
  assert.deepEqual(answers, ['puback', 'publish']);
  raw.send(unsubscribe({ packetId: 2, filters: ['a/#'] }));
  await raw.expect('unsuback');
  raw.send(pingreq());
  await raw.expect('pingresp');
  raw.send(disconnect());
  await raw.expectClosed();
}

describe('log_dest', rowsAtOnce, () => {
  test('file: created for its owner only, appended to, opened again on SIGHUP', async t => {
    const broker = await brokerWith(t, 'log_dest file {dir}/log\n', { isReady: answers });
    const path = `${broker.directory}/log`;
    assert.equal(statSync(path).mode & 0o777, 0o600);
    await until('a line', () => logOf(broker).includes('running'));
    renameSync(path, `${path}.1`);
    broker.signal('SIGHUP');
    await until('the new file', () => logOf(broker) !== '');
    await answers(broker);
    await until('a line in the new file', () => logOf(broker).includes('New client connected'));
    await broker.stop();
    assert.deepEqual(
      broker.lines.filter(line => !line.includes('root')),
      [],
      'nothing else comes to stderr',
    );
  });

  test('stdout', async t => {
    let out = '';
    const broker = await brokerWith(t, 'log_dest stdout\n');
    broker.process.stdout!.on('data', (chunk: string) => (out += chunk));
    await visit(broker);
    await until('the lines', () => out.includes('New client connected'));
    await broker.stop();
  });

  test('several at once', async t => {
    const broker = await brokerWith(t, 'log_dest stderr\nlog_dest file {dir}/log\n');
    await until('the lines', () => logOf(broker).includes('running'));
    await broker.stop();
  });

  test('none takes back what stands before it', async t => {
    const broker = await brokerWith(t, 'log_dest stderr\nlog_dest none\n', { isReady: answers });
    await visit(broker);
    await broker.stop();
    assert.ok(!broker.log.includes('New client'), broker.log);
  });

  test('topic: the line goes to the topic of its class, at QoS 2, not retained, to expire after 20 s', async t => {
    const broker = await brokerWith(t, 'log_dest topic\nlog_dest stderr\nlog_type all\n');
    const reader = await RawClient.dial({ port: broker.port });
    await reader.connect({ version: 5, clientId: 'reader' });
    await reader.subscribe([['$SYS/broker/log/N', 2]]);
    const other = await RawClient.dial({ port: broker.port });
    await other.connect({ clientId: 'other' });
    for (;;) {
      const line = await reader.expect('publish');
      const text = line.payload!.toString();
      if (!/New client connected from .* as other/.test(text)) continue;
      assert.match(text, /^\d+: New client connected from 127\.0\.0\.1:\d+ as other \(p4, c1, k60\)\.$/);
      assert.equal(line.qos, 2);
      assert.equal(line.retain, false);
      const expiry = line.properties.find(([name]) => name === 'messageExpiryInterval')?.[1] as number;
      assert.ok(expiry >= 18 && expiry <= 20, `${expiry}`);
      break;
    }
    await broker.stop();
  });

  test('topic: subscriptions have topics of their own', async t => {
    const broker = await brokerWith(
      t,
      'log_dest topic\nlog_dest stderr\nlog_type subscribe\nlog_type unsubscribe\nlog_type notice\nlog_type information\n',
    );
    const reader = await RawClient.dial({ port: broker.port });
    await reader.connect({ clientId: 'reader' });
    await reader.subscribe([['$SYS/broker/log/M/#', 0]]);
    const other = await RawClient.dial({ port: broker.port });
    await other.connect({ clientId: 'other' });
    await other.subscribe([['a/b', 1]]);
    other.send(unsubscribe({ packetId: 2, filters: ['a/b'] }));
    const got: string[] = [];
    while (!got.some(line => line.includes('unsubscribe'))) {
      const line = await reader.expect('publish');
      got.push(`${line.topic} ${line.payload!.toString().replace(/^\d+: /, '')}`);
    }
    assertInOrder(got, '$SYS/broker/log/M/subscribe other 1 a/b', '$SYS/broker/log/M/unsubscribe other a/b');
    await broker.stop();
  });

  test('syslog: lines reach /dev/log under the name of the daemon', needs('root', 'ip', 'python3'), async t => {
    const space = new Namespace({ ownDevices: true });
    t.after(() => space.remove());
    const listen = `import socket,sys
s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.bind('/dev/log'); print('bound',flush=True)
while True: sys.stdout.write(s.recv(4096).decode()+'\\n'); sys.stdout.flush()`;

    const daemon = new Background('python3', ['-c', listen], { spawn: space.spawn });
    t.after(() => daemon.stop());
    await daemon.says('bound');
    const broker = await brokerWith(t, 'log_dest syslog\nlog_dest stderr\nlog_facility 3\n', { spawn: space.spawn });
    await daemon.says('running');
    await broker.stop();
    // local3 (19) * 8 + informational (6)
    assert.match(daemon.stdout, /^<158>.*(mosquitto|zancudo)\[\d+\]: .*running/m);
  });
});

describe('the time in front', rowsAtOnce, () => {
  test('Unix seconds unless told otherwise', async t => {
    const broker = await brokerWith(t, '');
    await broker.stop();
    for (const line of broker.lines) assert.match(line, /^\d{10}: /);
  });

  test('log_timestamp_format is strftime, in local time', async t => {
    const broker = await brokerWith(t, 'log_timestamp_format %Y-%m-%dT%H:%M:%S\n', { env: { TZ: 'UTC-5' } });
    await broker.stop();
    const line = broker.lines.find(each => each.includes('running'))!;
    assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d: \S+ version/);
    const local = Date.parse(`${line.slice(0, 19)}Z`);
    assert.ok(Math.abs(local - (Date.now() + 5 * 3_600_000)) < 600_000, line);
  });

  test('log_timestamp false leaves it out', async t => {
    const broker = await brokerWith(t, 'log_timestamp false\n');
    await broker.stop();
    assertInOrder(broker.lines, versionLine('running'));
  });
});

describe('log_type', rowsAtOnce, () => {
  test('errors, warnings, notices and information unless told otherwise', async t => {
    const broker = await brokerWith(t, '');
    await visit(broker);
    await broker.stop();
    assert.match(broker.log, /New connection from 127\.0\.0\.1:\d+ on port \d+\./);
    assert.doesNotMatch(broker.log, /Received PUBLISH|No will message|Sending CONNACK/);
  });

  test('one line replaces the usual set', async t => {
    const broker = await brokerWith(t, 'log_type error\n', { isReady: answers });
    await visit(broker);
    await broker.stop();
    const rest = texts(broker.lines).filter(line => !line.includes('root'));
    assert.deepEqual(rest, []);
  });

  test('connection_messages false hides who comes and goes', async t => {
    const broker = await brokerWith(t, 'connection_messages false\n');
    await visit(broker);
    await broker.stop();
    assert.doesNotMatch(broker.log, /New connection|New client|disconnected/);
  });

  test('all shows every packet in Mosquitto’s words', async t => {
    const broker = await brokerWith(t, 'log_type all\n');
    await visit(broker);
    await broker.stop();
    assertInOrder(
      texts(broker.lines),
      /^New connection from 127\.0\.0\.1:\d+ on port \d+\.$/,
      /^New client connected from 127\.0\.0\.1:\d+ as visitor \(p4, c1, k60, u'alice'\)\.$/,
      'Will message specified (5 bytes) (r1, q1).',
      '\tw',
      'Sending CONNACK to visitor (0, 0)',
      'Received SUBSCRIBE from visitor',
      '\ta/# (QoS 1)',
      'visitor 1 a/#',
      'Sending SUBACK to visitor',
      "Received PUBLISH from visitor (d0, q1, r0, m7, 'a/b', ... (5 bytes))",
      "Sending PUBLISH to visitor (d0, q1, r0, m1, 'a/b', ... (5 bytes))",
      'Received UNSUBSCRIBE from visitor',
      'visitor a/#',
      'Sending UNSUBACK to visitor',
      'Received PINGREQ from visitor',
      'Sending PINGRESP to visitor',
      'Received DISCONNECT from visitor',
      /^Client visitor \[127\.0\.0\.1:\d+\] disconnected\.$/,
    );
  });
});
