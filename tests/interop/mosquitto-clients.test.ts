/** mosquitto_pub, mosquitto_sub and mosquitto_rr of Debian against the broker: what most people have at hand. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, afterEach, before, describe, test } from 'node:test';
import { Background, needs, run, until, type RunOptions } from '../harness/mod.ts';
import { openStage, type ListenerKind, type Stage } from './stage.ts';

const needed = needs('mosquitto_sub', 'mosquitto_pub', 'mosquitto_rr', 'mosquitto_passwd', 'openssl');
let stage: Stage;
let counter = 0;
const running: Background[] = [];

/** How to reach each listener that an ordinary client may use. */
const ways: Record<string, () => string[]> = {
  TCP: () => ['-h', '127.0.0.1', '-p', portOf('plain')],
  TLS: () => ['-h', 'localhost', '-p', portOf('tls'), '--cafile', stage.file('ca.crt')],
  PSK: () => ['-h', '127.0.0.1', '-p', portOf('psk'), '--psk-identity', 'device', '--psk', '0123456789abcdef'],
  'user and password': () => ['-h', '127.0.0.1', '-p', portOf('password'), '-u', 'ana', '-P', 'secret'],
  'a client certificate': () => [
    ...['-h', 'localhost', '-p', portOf('certificate'), '--cafile', stage.file('ca.crt')],
    ...['--cert', stage.file('client.crt'), '--key', stage.file('client.key')],
  ],
  'a Unix socket': () => ['--unix', stage.socket],
};
const overTcp = (): string[] => ways['TCP']!();
const portOf = (kind: ListenerKind): string => String(stage.port(kind));
const unique = (word: string): string => `${word}-${++counter}`;

function start(args: string[]): Background {
  const subscriber = new Background('mosquitto_sub', args);
  running.push(subscriber);
  return subscriber;
}

/** Starts mosquitto_sub and returns once its subscription is acknowledged. */
async function subscribe(way: string[], ...args: string[]): Promise<Background> {
  const id = args.includes('-i') ? args[args.indexOf('-i') + 1]! : unique('sub');
  const named = args.includes('-i') ? args : ['-i', id, ...args];
  const from = stage.broker.lines.length;
  const subscriber = start([...way, ...named]);
  const isSubscribed = (): boolean =>
    stage.broker.lines.slice(from).some(line => line.includes(`Sending SUBACK to ${id}`));
  await until(`the subscription of ${id}`, () => subscriber.hasEnded || isSubscribed());
  if (!isSubscribed())
    assert.fail(`${subscriber.stdout}${subscriber.stderr}\n${stage.broker.lines.slice(from).join('\n')}`);
  return subscriber;
}

async function publish(way: string[], args: string[], options: RunOptions = {}): Promise<void> {
  const result = await run('mosquitto_pub', [...way, ...args], options);
  assert.equal(result.code, 0, result.output);
}

/** A subscriber that ends after `count` messages; its output. */
async function outputOf(subscriber: Background): Promise<string> {
  assert.equal(await subscriber.ended(), 0, subscriber.stderr);
  return subscriber.stdout;
}

describe('Debian clients', needed, () => {
  before(async () => (stage = await openStage()));
  afterEach(() => Promise.all(running.splice(0).map(subscriber => subscriber.stop())));
  after(() => stage.close());

  for (const version of ['mqttv31', 'mqttv311', 'mqttv5']) {
    for (const qos of ['0', '1', '2']) {
      test(`${version} at QoS ${qos}: what is published arrives`, async () => {
        const topic = unique('t');
        const subscriber = await subscribe(overTcp(), '-V', version, '-t', topic, '-q', qos, '-C', '1', '-F', '%q %p');
        await publish(overTcp(), ['-V', version, '-t', topic, '-q', qos, '-m', 'hello']);
        assert.equal(await outputOf(subscriber), `${qos} hello\n`);
      });
    }
  }

  for (const way of Object.keys(ways)) {
    test(`over ${way} a message arrives`, async () => {
      const topic = unique('t');
      const subscriber = await subscribe(ways[way]!(), '-t', topic, '-q', '1', '-C', '1');
      await publish(ways[way]!(), ['-t', topic, '-q', '1', '-m', way]);
      assert.equal(await outputOf(subscriber), `${way}\n`);
    });
  }

  test('a wrong password, a wrong PSK and a missing certificate are refused', async () => {
    const attempts: [string[], RegExp][] = [
      [[...ways['user and password']!().slice(0, -1), 'wrong'], /not authorised/],
      [[...ways['PSK']!().slice(0, -1), 'ffff'], /TLS|lost|error/i],
      [ways['a client certificate']!().slice(0, -4), /lost|TLS|error/i],
    ];
    for (const [way, says] of attempts) {
      const result = await run('mosquitto_pub', [...way, '-t', 'refused', '-m', 'x']);
      assert.notEqual(result.code, 0);
      assert.match(result.output, says);
    }
  });

  test('the identity of a certificate becomes the user name', async () => {
    const from = stage.broker.lines.length;
    await publish(ways['a client certificate']!(), ['-t', unique('t'), '-m', 'x', '-i', 'with-certificate']);
    const line = await stage.broker.logged(/New client connected .* as with-certificate /, from);
    assert.match(line, /u'device'/);
  });

  test('a retained message greets a later subscriber, until an empty one removes it', async () => {
    const topic = unique('t');
    await publish(overTcp(), ['-t', topic, '-q', '1', '-r', '-m', 'kept']);
    const first = await subscribe(overTcp(), '-t', topic, '-C', '1', '-F', '%r %p');
    assert.equal(await outputOf(first), '1 kept\n');
    await publish(overTcp(), ['-t', topic, '-q', '1', '-r', '-n']);
    const second = await subscribe(overTcp(), '-t', topic, '-C', '1', '-F', '%r %p');
    await publish(overTcp(), ['-t', topic, '-m', 'live']);
    assert.equal(await outputOf(second), '0 live\n');
  });

  test('the will of a client that is killed is published', async () => {
    const topic = unique('t');
    const watcher = await subscribe(overTcp(), '-t', topic, '-C', '1');
    const will = ['--will-topic', topic, '--will-payload', 'gone', '--will-qos', '1'];
    const victim = await subscribe(overTcp(), '-t', 'nothing', ...will);
    victim.process.kill('SIGKILL');
    assert.equal(await outputOf(watcher), 'gone\n');
  });

  test('the will of a client that says goodbye is not', async () => {
    const topic = unique('t');
    const watcher = await subscribe(overTcp(), '-t', topic, '-C', '1');
    await publish(overTcp(), ['-t', unique('t'), '-m', 'x', '--will-topic', topic, '--will-payload', 'gone']);
    await publish(overTcp(), ['-t', topic, '-m', 'nothing before this']);
    assert.equal(await outputOf(watcher), 'nothing before this\n');
  });

  test('what is published while a session sleeps arrives when it comes back, in order', async () => {
    const topic = unique('t');
    const sleeper = ['-i', unique('sleeper'), '-c', '-q', '2', '-t', topic];
    const evening = await subscribe(overTcp(), ...sleeper);
    await evening.stop();
    await publish(overTcp(), ['-t', topic, '-q', '2', '-l'], { input: 'one\ntwo\nthree\n' });
    const morning = start([...overTcp(), ...sleeper, '-C', '3']);
    assert.equal(await outputOf(morning), 'one\ntwo\nthree\n');
  });

  test('five hundred lines at QoS 2 arrive once each and in order', async () => {
    const topic = unique('t');
    const lines = Array.from({ length: 500 }, (_, n) => `line ${n}\n`).join('');
    const subscriber = await subscribe(overTcp(), '-t', topic, '-q', '2', '-C', '500');
    await publish(overTcp(), ['-t', topic, '-q', '2', '-l'], { input: lines });
    assert.equal(await outputOf(subscriber), lines);
  });

  test('a megabyte passes unchanged', async () => {
    const topic = unique('t');
    const big = stage.file('big');
    writeFileSync(big, 'x'.repeat(1_000_000));
    const subscriber = await subscribe(ways['TLS']!(), '-t', topic, '-q', '1', '-C', '1', '-N');
    await publish(ways['TLS']!(), ['-t', topic, '-q', '1', '-f', big]);
    assert.equal((await outputOf(subscriber)).length, 1_000_000);
  });

  test('MQTT 5: user properties, content type and expiry travel with the message', async () => {
    const topic = unique('t');
    const subscriber = await subscribe(overTcp(), '-V', '5', '-t', topic, '-C', '1', '-F', '%C|%P|%p');
    const properties = ['content-type text/plain', 'user-property room attic', 'message-expiry-interval 60'];
    const args = properties.flatMap(line => ['-D', 'publish', ...line.split(' ')]);
    await publish(overTcp(), ['-V', '5', '-t', topic, ...args, '-m', 'warm']);
    assert.equal(await outputOf(subscriber), 'text/plain|room:attic|warm\n');
  });

  test('MQTT 5: mosquitto_rr gets its answer', async () => {
    const topic = unique('question');
    const answerer = await subscribe(overTcp(), '-V', '5', '-t', topic, '-C', '1', '-F', '%R');
    const asking = run('mosquitto_rr', [...overTcp(), '-V', '5', '-t', topic, '-e', `${topic}/answer`, '-m', 'why']);
    const answerTo = (await outputOf(answerer)).trim();
    await publish(overTcp(), ['-V', '5', '-t', answerTo, '-m', 'because']);
    assert.equal((await asking).stdout, 'because\n');
  });

  test('a shared subscription gives each message to one member', async () => {
    const topic = unique('t');
    const members = [
      await subscribe(overTcp(), '-t', `$share/g/${topic}`),
      await subscribe(overTcp(), '-t', `$share/g/${topic}`),
    ];
    await publish(overTcp(), ['-t', topic, '-q', '1', '-l'], { input: 'a\nb\nc\nd\n' });
    const received = (): string[] => members.flatMap(member => member.stdout.split('\n').filter(line => line !== ''));
    await until('four messages', () => received().length >= 4);
    assert.deepEqual(received().sort(), ['a', 'b', 'c', 'd']);
    assert.deepEqual(
      members.map(member => member.stdout.length),
      [4, 4],
    );
  });

  test('a client that takes over an id throws the other one out', async () => {
    const id = unique('twin');
    await subscribe(overTcp(), '-i', id, '-t', 'x', '-V', '5');
    const from = stage.broker.lines.length;
    await publish(overTcp(), ['-i', id, '-t', 'x', '-m', 'mine', '-V', '5']);
    await stage.broker.logged(new RegExp(`${id}.*taken over`), from);
  });
});
