import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { connect } from '../client/mod.ts';
import { BrokerError, type BrokerOptions, createBroker, type EmbeddedBroker, type Message } from './mod.ts';

async function started(t: TestContext, options: BrokerOptions): Promise<EmbeddedBroker> {
  const broker = createBroker({ log: null, ...options });
  await broker.start();
  t.after(() => broker.stop());
  return broker;
}

/** The next messages, as `topic payload`. */
function collected(): { take: (message: Message) => void; first: (count: number) => Promise<string[]> } {
  const texts: string[] = [];
  let wake = (): void => undefined;
  return {
    take: ({ topic, payload }) => {
      texts.push(`${topic} ${payload.toString()}`);
      wake();
    },
    async first(count) {
      while (texts.length < count) await new Promise<void>(resolve => (wake = resolve));
      return texts;
    },
  };
}

test('a broker without a listener serves its own process, and opens nothing', async t => {
  const broker = await started(t, {});
  assert.deepEqual(broker.listeners, []);
  const { take, first } = collected();
  broker.publish('kept', 'before', { retain: true });
  await broker.subscribe('#', take);
  const client = await broker.connect({ clientId: 'inside' });
  await client.publish('told', 'by a client', { qos: 2 });
  assert.deepEqual(await first(2), ['kept before', 'told by a client']);
  assert.ok(broker.clients().some(({ clientId }) => clientId === 'inside'));
  assert.equal(broker.disconnect('inside'), true);
  assert.equal(broker.disconnect('inside'), false);
});

test('port 0 is a free port, and others reach the process through it', async t => {
  const broker = await started(t, { listeners: [{ host: '127.0.0.1', allowAnonymous: true }] });
  const [{ port = 0 } = {}] = broker.listeners;
  const { take, first } = collected();
  const outside = await connect({ host: '127.0.0.1', port, onMessage: take });
  t.after(() => outside.disconnect());
  await outside.subscribe('news/#');
  broker.publish('news/today', Buffer.from('hello'));
  assert.deepEqual(await first(1), ['news/today hello']);
});

test('options are checked as those of a file, and an error names what the program wrote', () => {
  const errorOf = (options: BrokerOptions): string => {
    try {
      createBroker(options);
    } catch (error) {
      assert.ok(error instanceof BrokerError);
      return error.message;
    }
    return 'none';
  };
  assert.match(errorOf({ listeners: [{ port: 1 }, { port: 2, maxQos: 3 }] }), /at listeners\[1\]\.maxQos\./);
  assert.match(errorOf({ settings: { maxQueuedMesages: 1 } }), /settings\.maxQueuedMesages.*\n.*'max_queued_messages'/);
  assert.match(errorOf({ settings: { passwordFile: '/a\nallow_anonymous true' } }), /line break/);
  assert.match(errorOf({ plugins: ['no-such-file.mjs'] }), /no-such-file\.mjs does not exist/);
  assert.match(errorOf({ bridges: [{ name: 'up' }] }), /bridges\[0\]|address/);
  assert.equal(errorOf({ settings: { max_queued_messages: 5, logType: ['error', 'warning'] } }), 'none');
});

test('a port that is taken rejects the start, and the broker can be started once it is free', async t => {
  const first = await started(t, { listeners: [{ host: '127.0.0.1' }] });
  const second = createBroker({ log: null, listeners: [{ host: '127.0.0.1', port: first.listeners[0]!.port }] });
  await assert.rejects(second.start(), { name: 'BrokerError' });
  await first.stop();
  await second.start();
  await second.stop();
});

test('plugins of the program are asked about those who come from outside', async t => {
  const seen: string[] = [];
  const broker = await started(t, {
    listeners: [{ host: '127.0.0.1' }],
    plugins: [
      {
        authenticate: ({ username }) => (username === 'ann' ? 'allow' : { deny: 'not ann' }),
        authorize: ({ action, topic }) => (action === 'publish' && topic === 'secret' ? 'deny' : 'allow'),
        onConnect: ({ username }) => void seen.push(String(username)),
      },
    ],
  });
  const [{ port = 0 } = {}] = broker.listeners;
  await assert.rejects(connect({ host: '127.0.0.1', port, username: 'bob' }), { reasonCode: 0x87 });
  const ann = await connect({ host: '127.0.0.1', port, username: 'ann' });
  t.after(() => ann.disconnect());
  assert.equal((await ann.publish('secret', 'x', { qos: 1 })).reasonCode, 0x87);
  assert.deepEqual(seen, ['ann']);
});
