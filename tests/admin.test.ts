/** An operator at a broker that runs: looks, acts, reloads; Prometheus comes by. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  Background,
  freePort,
  needs,
  publish,
  RawClient,
  run,
  startBroker,
  subscribe,
  temporaryDirectory,
  until,
  zancudo,
  type Broker,
  type Place,
} from './harness/mod.ts';

const conf = (at: Place): string => `listener ${at.port()} 127.0.0.1
allow_anonymous true
admin_socket ${at.directory}/run/operators.sock
max_queued_messages 500
listener ${at.port(1)} 127.0.0.1
protocol http_api
`;

class Operator {
  readonly broker: Broker;

  constructor(broker: Broker) {
    this.broker = broker;
  }

  async ask(...words: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const [command = '', ...rest] = words;
    const socket = join(this.broker.directory, 'run/operators.sock');
    return run(zancudo, [command, ...rest, '--socket', socket], { cwd: this.broker.directory });
  }

  async json<T>(...words: string[]): Promise<T> {
    const { code, stdout, stderr } = await this.ask(...words, '--json');
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as T;
  }
}

async function begin(t: TestContext): Promise<Operator> {
  const broker = await startBroker({ conf });
  t.after(() => broker.stop());
  return new Operator(broker);
}

async function client(t: TestContext, broker: Broker, clientId: string): Promise<RawClient> {
  const raw = await RawClient.dial({ port: broker.port });
  t.after(() => raw.end());
  await raw.connect({ version: 5, clientId });
  return raw;
}

test('an operator sees who is there, and puts somebody out', async t => {
  const operator = await begin(t);
  const { broker } = operator;
  const lamp = await client(t, broker, 'lamp/1');
  lamp.send(subscribe({ version: 5, packetId: 1, filters: [['home/+', 1]] }));
  await lamp.expect('suback');
  lamp.send(publish({ version: 5, topic: 'home/old', payload: 'kept', retain: true }));
  await lamp.expect('publish');

  const status = await operator.json<{ clients: { connected: number }; listeners: { reach: string }[] }>('status');
  assert.equal(status.clients.connected, 1);
  assert.deepEqual(status.listeners.map(({ reach }) => reach), ['this machine', 'this machine']); // prettier-ignore
  assert.match((await operator.ask('status')).stdout, /^zancudo \S+, process \d+, up /);
  assert.match((await operator.ask('clients', 'lamp*')).stdout, /^lamp\/1\t-\t127\.0\.0\.1:\d+\tport \d+\t5\.0\t/);
  assert.equal((await operator.ask('clients', 'nobody*')).stdout, '');
  const topic = await operator.json<{ receivers: { clientId: string }[]; retained: object | null }>('topics', 'show', 'home/old'); // prettier-ignore
  assert.deepEqual([topic.receivers.length, topic.retained !== null], [1, true]);

  const kicked = await operator.ask('clients', 'kick', 'lamp/1');
  assert.deepEqual([kicked.code, kicked.stdout], [0, 'lamp/1 was disconnected.\n']);
  const goodbye = await lamp.expect('disconnect');
  assert.equal(goodbye.reasonCode, 0x98);
  const again = await operator.ask('clients', 'kick', 'lamp/1');
  assert.deepEqual([again.code, again.stderr], [1, "Error: no client 'lamp/1' is connected.\n"]);
});

test('retained messages are purged with a way back', async t => {
  const operator = await begin(t);
  const { broker } = operator;
  const raw = await client(t, broker, 'p');
  for (const topic of ['old/a', 'old/b', 'new']) raw.send(publish({ version: 5, topic, payload: topic, retain: true }));
  await until('the messages', async () => (await operator.ask('retained')).stdout.split('\n').length === 4);
  const undo = join(broker.directory, 'undo.jsonl');
  const purged = await operator.ask('retained', 'purge', 'old/#', '--undo', undo);
  assert.match(purged.stdout, /^2 retained messages were removed\.\n  Put back: zancudo retained restore /);
  assert.equal(statSync(undo).mode & 0o777, 0o600);
  assert.equal((await operator.ask('retained')).stdout.split('\t')[0], 'new');
  assert.equal((await operator.ask('retained', 'restore', undo)).stdout, '2 retained messages were put back.\n');
  assert.equal((await operator.ask('retained', 'show', 'old/b')).stdout, 'old/b');
});

test('a reload says exactly what it has changed, and why not', async t => {
  const operator = await begin(t);
  const file = join(operator.broker.directory, 'mosquitto.conf');
  const idle = await operator.ask('reload');
  assert.deepEqual([idle.code, idle.stdout], [0, 'Read again; nothing that takes effect now has changed.\n']);
  const good = readFileSync(file, 'utf8');
  writeFileSync(file, good.replace('max_queued_messages 500', 'max_queued_messages 7'));
  assert.equal((await operator.ask('reload')).stdout, 'In force now:\n  max_queued_messages: 500 -> 7\n');
  appendFileSync(file, 'max_quued_messages 8\n');
  const bad = await operator.ask('reload');
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /max_quued_messages/);
  assert.match(bad.stderr, /Not everything could be put in force/);
});

test('where no broker runs, the command says so and what to write', async t => {
  const directory = temporaryDirectory();
  t.after(() => directory.remove());
  const none = await run(zancudo, ['status', '--home', directory.path]);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /^Error: No broker runs from .*\n.*'admin_socket PATH'/);
  const file = join(directory.path, 'mosquitto.conf');
  writeFileSync(file, 'listener 1883\n');
  assert.match((await run(zancudo, ['status', '-c', file])).stderr, /names no operators' socket\.\n  Write the line/);
});

test('a real Prometheus takes the metrics, and its tools have nothing to say against them', needs('prometheus', 'promtool'), async t => {
  const { broker } = await begin(t);
  const at = `127.0.0.1:${broker.ports[1]}`;
  const text = await (await fetch(`http://${at}/metrics`)).text();
  const lint = await run('/bin/sh', ['-c', 'promtool check metrics'], { input: text });
  assert.deepEqual([lint.code, lint.output], [0, '']);
  const packaging = fileURLToPath(new URL('../packaging/prometheus', import.meta.url));
  const rules = await run('promtool', ['test', 'rules', 'alerts.test.yml'], { cwd: packaging });
  assert.equal(rules.code, 0, rules.output);

  const [directory, port] = [temporaryDirectory(), await freePort()];
  t.after(() => directory.remove());
  const config = readFileSync(join(packaging, 'prometheus.yml'), 'utf8')
    .replace('127.0.0.1:9883', at)
    .replace('15s', '1s')
    .replace('alerts.yml', join(packaging, 'alerts.yml'));
  writeFileSync(join(directory.path, 'prometheus.yml'), config);
  const prometheus = new Background(
    'prometheus',
    ['--config.file=prometheus.yml', '--storage.tsdb.path=data', `--web.listen-address=127.0.0.1:${port}`],
    { cwd: directory.path },
  );
  t.after(() => prometheus.stop());
  const query = `http://127.0.0.1:${port}/api/v1/query?query=zancudo_listener_connections`;
  const found = await until('a scrape', async () => {
    assert.ok(!prometheus.hasEnded, prometheus.stderr);
    const answer = await fetch(query).then(response => response.text(), () => ''); // prettier-ignore
    return /"protocol":"http_api"/.test(answer) ? answer : null;
  });
  assert.match(found, new RegExp(`"listener":"port ${broker.port}"`));
}); // prettier-ignore
