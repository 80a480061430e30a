import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import type { BrokerView, ClientFacts, StoredMessage } from '../broker/ports.ts';
import { AskError, OperatorsClient } from './ask.ts';
import { openOperatorsSocket } from './operators-socket.ts';
import type { OperatorPorts } from './ports.ts';

const client = (clientId: string): ClientFacts => ({
  clientId,
  username: 'anna',
  address: '10.0.0.1',
  port: 1,
  listener: 'port 8883',
  version: 5,
  tls: null,
  certificate: null,
  connectedAt: 0,
  subscriptions: 0,
  inflight: 0,
  queued: 0,
  waitingBytes: 0,
});

const message = (topicName: string, payload: string): StoredMessage => ({
  topicName,
  payload: Buffer.from(payload),
  properties: Buffer.from([1, 1]),
  qos: 1,
  retain: true,
  expiresAt: 0,
  publisher: null,
});

/** A broker of two maps. */
function fakeBroker(clients: string[] = []) {
  const retained = new Map<string, StoredMessage>();
  const view: BrokerView = {
    clients: () => clients.map(client),
    sessions: () => [],
    filters: () => [],
    retained: () => retained.values(),
    client: name => (clients.includes(name) ? client(name) : null),
    session: () => null,
    retainedOn: topic => retained.get(topic) ?? null,
    refusals: () => [],
    identity: () => null,
    seen: () => [],
    receivers: () => [],
    follow: () => () => {},
    disconnect: name => clients.includes(name),
    forget: () => false,
    removeRetained: topic => retained.delete(topic),
    restoreRetained: one => {
      if (retained.has(one.topicName)) return false;
      retained.set(one.topicName, { ...one, retain: true, publisher: null });
      return true;
    },
  };
  const faults: string[] = [];
  const log = { debug: false, subscribe: false, unsubscribe: false, connections: true, write: (_: unknown, text: string) => void faults.push(text) }; // prettier-ignore
  const ports = {
    view,
    log,
    metrics: () => 'x 1\n',
    notReady: () => null,
    status: () => {
      throw new Error('a fault');
    },
    drops: () => ({ totals: [], clients: [] }),
    bridges: () => ({ bridges: [] }),
    bans: { list: () => [], add: () => true, lift: () => false },
    control: {
      clients: () => [],
      disconnect: () => 0,
      dropForbiddenSubscriptions: () => 0,
      recheck: () => Promise.resolve(),
    },
    backends: { flush: () => [] },
    explain: async () => 'what is asked?',
    accessChanges: () => [],
    record: () => [],
    recorder: null,
    quarantine: () => ({ policy: 'refuse', devices: [] }),
    release: () => false,
    reload: async () => ({ ok: true, changed: [], waits: [], disconnected: 0, said: [] }),
  } satisfies OperatorPorts;
  return { ports, retained, faults };
}

function place(t: TestContext, ...names: string[]): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'operators-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  return path.join(folder, ...names, 'operators.sock');
}

async function open(t: TestContext, file: string, ports: OperatorPorts): Promise<OperatorsClient> {
  const opened = await openOperatorsSocket(file, ports);
  assert.ok('close' in opened, JSON.stringify(opened));
  t.after(() => opened.close());
  return new OperatorsClient(file);
}

test('only its owner can open the socket and its folder, and both are made when they are missing', async t => {
  const file = place(t, 'run');
  await open(t, file, fakeBroker().ports);
  const modes = [file, path.dirname(file)].map(each => fs.statSync(each).mode & 0o777);
  assert.deepEqual(modes, [0o600, 0o700]);
});

test('what a dead broker left is replaced, a live one and any other file are left alone', async t => {
  const file = place(t);
  const { ports } = fakeBroker(['lamp']);
  const dead = createServer().listen(file);
  await once(dead, 'listening');
  fs.renameSync(file, `${file}.left`);
  dead.close();
  await once(dead, 'close');
  fs.renameSync(`${file}.left`, file);
  const first = await open(t, file, ports);
  const second = await openOperatorsSocket(file, ports);
  assert.ok('refused' in second);
  assert.match(second.refused.join('\n'), /another broker serves it/);
  assert.equal((await first.get<ClientFacts>('/v1/clients/lamp')).clientId, 'lamp');
  const other = path.join(path.dirname(file), 'notes.txt');
  fs.writeFileSync(other, 'mine');
  assert.ok('refused' in (await openOperatorsSocket(other, ports)));
  assert.equal(fs.readFileSync(other, 'utf8'), 'mine');
});

test('a closed socket is gone, and a path of more than 107 bytes works', async t => {
  const file = place(t, 'a'.repeat(60), 'b'.repeat(60));
  const opened = await openOperatorsSocket(file, fakeBroker().ports);
  assert.ok('close' in opened);
  assert.equal(await new OperatorsClient(file).text('/readyz'), 'ready\n');
  await opened.close();
  assert.equal(fs.existsSync(file), false);
});

test('a list of 50,000 comes whole and chosen, and everybody else has their turn meanwhile', async t => {
  const names = Array.from({ length: 50_000 }, (_, i) => `lamp${i}/ü`);
  const socket = await open(t, place(t), fakeBroker(names).ports);
  let turns = 0;
  let counting = true;
  const count = (): void => void (turns++, counting && setImmediate(count));
  setImmediate(count);
  const got: string[] = [];
  for await (const { clientId } of socket.list<ClientFacts>('/v1/clients')) got.push(clientId);
  counting = false;
  assert.deepEqual(got, names);
  const bytes = got.length * JSON.stringify(client('lamp12345/ü')).length;
  assert.ok(turns > bytes / 70_000, `${turns} turns for ${bytes} bytes`);
  const some = socket.list<ClientFacts>('/v1/clients?match=lamp4999*&limit=3');
  const few = [await some.next(), await some.next(), await some.next(), await some.next()];
  assert.deepEqual(few.map(each => (each.done === true ? each.value : each.value.clientId)), ['lamp4999/ü', 'lamp49990/ü', 'lamp49991/ü', true]); // prettier-ignore
});

test('what is purged is what was looked at, and it can be put back, but never over a newer one', async t => {
  const { ports, retained } = fakeBroker();
  for (const topic of ['a/1', 'a/2', 'b']) retained.set(topic, message(topic, `of ${topic}`));
  const socket = await open(t, place(t), ports);
  const copies: string[] = [];
  for await (const copy of socket.list('/v1/retained?match=a/%2B&payload=1')) copies.push(`${JSON.stringify(copy)}\n`);
  const before = new Map(retained);
  retained.set('a/2', message('a/2', 'newer'));
  assert.deepEqual(await socket.post('/v1/retained/purge', copies), { purged: 1, changed: ['a/2'] });
  assert.deepEqual([...retained.keys()], ['a/2', 'b']);
  assert.deepEqual(await socket.post('/v1/retained/restore', copies), { restored: 1, kept: ['a/2'] });
  assert.deepEqual(retained.get('a/1'), before.get('a/1'));
  assert.equal(retained.get('a/2')!.payload.toString(), 'newer');
});

test('what cannot be served is answered with a reason, and a fault of ours costs one request', async t => {
  const { ports, faults } = fakeBroker();
  const socket = await open(t, place(t), ports);
  const failures: [work: () => Promise<unknown>, status: number][] = [
    [() => socket.get('/v1/clients/nobody%2F'), 404],
    [() => socket.get('/nothing'), 404],
    [() => socket.post('/v1/status', []), 405],
    [() => socket.get('/v1/clients?limit=x'), 400],
    [() => socket.post('/v1/retained/restore', ['{}\n']), 400],
    [() => socket.post('/v1/retained/purge', ['not json\n']), 400],
    [() => socket.get('/v1/status'), 500],
  ];
  for (const [work, status] of failures) {
    await assert.rejects(work, (error: unknown) => error instanceof AskError && error.status === status);
  }
  assert.match(faults.join('\n'), /internal fault on the operators' socket.*a fault/s);
  assert.equal(await socket.text('/healthz'), 'ok\n');
});
