/** What happened, asked afterwards: after a kill, live, without a place to write, and given away without secrets. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import {
  Background,
  type Broker,
  type BrokerOptions,
  disconnect,
  type Place,
  publish,
  RawClient,
  run,
  startBroker,
  subscribe,
  until,
  zancudo,
} from './harness/mod.ts';

const conf = (more = '') => (at: Place): string => `listener ${at.port()} 127.0.0.1
allow_anonymous true
acl_file ${at.directory}/rules
admin_socket ${at.directory}/operators.sock
${more}`; // prettier-ignore

const kept = (at: Place): string => conf(`persistence true\npersistence_location ${at.directory}/\n`)(at);

async function begin(t: TestContext, text: (at: Place) => string, options: BrokerOptions = {}): Promise<Broker> {
  const withRules = (at: Place): string => {
    writeFileSync(join(at.directory, 'rules'), 'topic readwrite ok/#\n', { mode: 0o600 });
    return text(at);
  };
  const broker = await startBroker({ conf: withRules, ...options });
  t.after(() => broker.stop());
  return broker;
}

async function ask(broker: Broker, ...words: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return run(zancudo, [...words, '-c', join(broker.directory, 'mosquitto.conf')], { cwd: broker.directory });
} // prettier-ignore

async function client(t: TestContext, broker: Broker, clientId: string): Promise<RawClient> {
  const raw = await RawClient.dial({ port: broker.port });
  t.after(() => raw.end());
  await raw.connect({ version: 5, clientId });
  return raw;
}

/** Until the story has this; what is noted reaches the file half a second later. */
async function told(broker: Broker, who: string, wanted: RegExp): Promise<string> {
  return until(`${wanted} in the story of ${who}`, async () => {
    const { stdout } = await ask(broker, 'what', 'happened', 'to', who);
    return wanted.test(stdout) ? stdout : undefined;
  });
}

test('after a kill -9 the record tells what happened to a client, with the death of the broker', async t => {
  const broker = await begin(t, kept);
  const lamp = await client(t, broker, 'lamp-1');
  lamp.send(subscribe({ version: 5, packetId: 1, filters: [['ok/#', 1]] }));
  await lamp.expect('suback');
  lamp.send(publish({ version: 5, topic: 'secret/door', payload: 'the payload', qos: 1, packetId: 2 }));
  await lamp.expect('puback');
  const other = await client(t, broker, 'lamp-2');
  other.send(disconnect(5));
  await told(broker, 'lamp-1', /was not allowed to publish secret\/door/);
  broker.signal('SIGKILL');
  await until('the broker to be dead', () => broker.hasEnded);

  const story = await told(broker, 'lamp-1', /connected from 127\.0\.0\.1/);
  assert.match(story, /subscribed to ok\/# \(QoS 1\)/);
  assert.match(story, /not allowed to publish secret\/door, once: no line of .*rules/);
  assert.doesNotMatch(story, /lamp-2|the payload/);

  const next = await startBroker({ confPath: join(broker.directory, 'mosquitto.conf'), cwd: broker.directory });
  t.after(() => next.stop());
  const after = await told(broker, 'lamp-1', /had not been stopped before this start, it died/);
  assert.match(after, new RegExp(`process ${broker.process.pid}`));
  assert.match(after, /It is not connected since/);
  const { stdout } = await ask(broker, 'what', 'happened', 'to', 'lamp-l');
  assert.match(stdout, /knows nobody by the name lamp-l\. Did you mean lamp-1\?/);
  const files = readdirSync(join(broker.directory, 'zancudo-record'));
  const record = files.map(name => readFileSync(join(broker.directory, 'zancudo-record', name), 'utf8')).join('');
  assert.doesNotMatch(record, /the payload/);
});

test('an orderly stop is told as one, and JSON has the facts', async t => {
  const broker = await begin(t, kept);
  await client(t, broker, 'lamp-1');
  broker.signal('SIGTERM');
  await until('the broker to stop', () => broker.hasEnded);
  const { stdout } = await ask(broker, 'what', 'happened', 'to', 'lamp-1', '--json');
  const events = stdout.trim().split('\n').map(line => JSON.parse(line) as { event: string; client?: string }); // prettier-ignore
  assert.equal(events.at(-1)?.event, 'broker.stopped');
  assert.equal(events.find(({ event }) => event === 'client.connected')?.client, 'lamp-1');
});

test('a record without a place is in memory, and a place that cannot be written hurts nobody', async t => {
  const inMemory = await begin(t, conf());
  await client(t, inMemory, 'lamp-1');
  assert.match(await told(inMemory, 'lamp-1', /connected from/), /the broker was started/);
  const noPlace = await begin(t, at => {
    writeFileSync(join(at.directory, 'taken'), 'a file');
    return conf(`flight_recorder_location ${at.directory}/taken\n`)(at);
  });
  await noPlace.logged(/The flight recorder cannot write to .*taken/);
  await client(t, noPlace, 'lamp-1');
  assert.match((await ask(noPlace, 'status')).stdout, /the flight recorder cannot write to its files/);
  assert.doesNotMatch((await ask(inMemory, 'status')).stdout, /flight recorder/);
});

test('trace follows the packets of one client from its CONNACK on, and ends by itself', async t => {
  const broker = await begin(t, kept);
  const file = join(broker.directory, 'mosquitto.conf');
  const trace = new Background(zancudo, ['trace', 'lamp-1', '--for', '4s', '--payload', '-c', file]);
  t.after(() => trace.stop());
  await until('trace to wait', () => trace.stderr.includes('waiting for it'));
  const [other, lamp] = [await client(t, broker, 'lamp-2'), await client(t, broker, 'lamp-1')];
  other.send(publish({ version: 5, topic: 'ok/1', payload: 'not mine' }));
  lamp.send(publish({ version: 5, topic: 'ok/2', payload: 'switch on', qos: 1, packetId: 7 }));
  other.send(publish({ version: 5, topic: 'ok/1', payload: 'not mine, either' }));
  await lamp.expect('puback');
  assert.equal(await trace.ended(), 0);
  assert.match(trace.stdout, /Sending CONNACK to lamp-1 \(0, 0\)/);
  assert.match(
    trace.stdout,
    /Received PUBLISH from lamp-1 \(d0, q1, r0, m7, 'ok\/2', \.\.\. \(9 bytes\)\)\n\s+switch on/,
  );
  assert.match(trace.stdout, /Sending PUBACK to lamp-1 \(m7, rc16\)/);
  assert.doesNotMatch(trace.stdout, /not mine|lamp-2/);
  // What was laid over its connection is gone again, and it goes on as before.
  lamp.send(publish({ version: 5, topic: 'ok/2', payload: 'switch off', qos: 1, packetId: 8 }));
  await lamp.expect('puback');
});

test('no secret that lies in the files of a broker gets into a report', async t => {
  const secrets = ['pass-word-of-bridge', 'psk00112233445566', 'comment-secret', 'plugin-secret'];
  const broker = await begin(t, at => {
    writeFileSync(join(at.directory, 'psk'), 'lamp:aabbccddeeff0011\n', { mode: 0o600 });
    return `${kept(at)}# ${secrets[2]}
psk_file ${at.directory}/psk
connection up
address 127.0.0.1:${at.port(1)}
remote_username bridge
remote_password ${secrets[0]}
topic # out
`;
  });
  const lamp = await client(t, broker, 'lamp-1');
  lamp.send(publish({ version: 5, topic: 'ok/1', payload: 'payload-secret', retain: true }));
  const { stderr } = await ask(broker, 'trace', 'lamp-1', '--record', '--payload', '--for', '60s');
  assert.equal(stderr, '');
  lamp.send(publish({ version: 5, topic: 'ok/1', payload: 'payload-secret', qos: 1, packetId: 3 }));
  await lamp.expect('puback');
  await told(broker, 'lamp-1', /payload-secret/);
  await told(broker, 'up', /bridge up does not reach/);
  const bundle = join(broker.directory, 'report.zip');
  const written = await ask(broker, 'report', '--yes', '--output', bundle);
  assert.equal(written.code, 0, written.stderr);
  const text = readFileSync(bundle, 'latin1');
  for (const part of ['versions.txt', 'configuration.txt', 'doctor.txt', 'events.txt', 'status.json', 'metrics.txt']) {
    assert.ok(text.includes(part), `${part} is missing`);
  }
  for (const secret of [...secrets, 'aabbccddeeff0011', 'payload-secret']) {
    assert.ok(!text.includes(secret), `${secret} is in the report`);
  }
  assert.match(text, /remote_password \(hidden\)/);
  const unasked = await ask(broker, 'report');
  assert.equal(unasked.code, 1);
  assert.match(unasked.stderr, /Nothing was written/);
});

test('a home keeps its record in itself, and zancudo what finds it there', async t => {
  const broker = await startBroker({ conf: null });
  t.after(() => broker.stop());
  const home = join(broker.directory, 'home');
  await until('a record in the home', () => readdirSync(home).includes('record'));
  mkdirSync(join(broker.directory, 'elsewhere'));
  const story = await until('the start in the record', async () => {
    const { stdout } = await run(zancudo, ['what', 'happened', 'to', 'anybody', '--home', home, '--json']);
    return stdout.includes('"broker.started"') ? stdout : undefined;
  });
  assert.match(story, /the broker was started/);
});
