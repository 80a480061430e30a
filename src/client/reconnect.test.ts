import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backOffMs } from './back-off.ts';
import { connect, type Client, type ConnectOptions, type Qos } from './mod.ts';
import { ScriptedBroker } from './scripted-broker.test.ts';

const NOW = 0;
const lines = Array.from({ length: 30 }, (_, n) => `line ${n}`);

async function open(broker: ScriptedBroker, options: ConnectOptions = {}): Promise<Client> {
  const port = await broker.listen();
  return connect({ host: '127.0.0.1', port, clientId: 'c', reconnect: () => NOW, ...options });
}

/** The connection is cut at these packets, counted from the first; before the broker acts on them, or after. */
const cuts = fc.array(fc.record({ at: fc.nat(90), before: fc.boolean() }), { maxLength: 6 });
type Cuts = readonly { at: number; before: boolean }[];

/** Publishes all lines at once through whatever happens; what the broker passed on. */
async function deliveredThrough(plan: Cuts, qos: Qos, keepsSessions: boolean): Promise<string[]> {
  const broker = new ScriptedBroker();
  broker.keepsSessions = keepsSessions;
  const isAt = (before: boolean) => (): boolean =>
    broker.connections > 0 && plan.some(cut => cut.before === before && cut.at + 1 === broker.received.length);
  // The first CONNECT is received[0]: that connection has to come about.
  broker.cutsBefore = name => isAt(true)() && !(name === 'connect' && broker.connections === 1);
  broker.cutsAfter = name => isAt(false)() && !(name === 'connect' && broker.connections === 1);
  try {
    const client = await open(broker, { cleanStart: false, inflightMax: 5 });
    await Promise.all(lines.map(line => client.publish('t', line, { qos })));
    await client.disconnect();
    return broker.delivered;
  } finally {
    broker.close();
  }
}

const firstTimes = (all: readonly string[]): string[] => [...new Set(all)];

test('QoS 2: however often the connection is lost, every message is passed on once and in order', async () => {
  await fc.assert(
    fc.asyncProperty(cuts, async plan => {
      assert.deepEqual(await deliveredThrough(plan, 2, true), lines);
    }),
    { numRuns: 15 },
  );
});

test('QoS 1: no message is lost, and each comes first in its turn', async () => {
  await fc.assert(
    fc.asyncProperty(cuts, async plan => {
      assert.deepEqual(firstTimes(await deliveredThrough(plan, 1, true)), lines);
    }),
    { numRuns: 15 },
  );
});

test('a broker that forgets sessions makes no message of QoS 1 or 2 get lost', async () => {
  await fc.assert(
    fc.asyncProperty(cuts, fc.constantFrom<Qos>(1, 2), async (plan, qos) => {
      assert.deepEqual(firstTimes(await deliveredThrough(plan, qos, false)), lines);
    }),
    { numRuns: 15 },
  );
});

test('filters are subscribed again where the broker has kept no session, and not where it has', async () => {
  for (const keepsSessions of [true, false]) {
    const broker = new ScriptedBroker();
    broker.keepsSessions = keepsSessions;
    const client = await open(broker, { cleanStart: false });
    await client.subscribe(['a/#', 'b'], { qos: 1 });
    broker.cutsBefore = name => name.startsWith('publish') && broker.connections === 1;
    await client.publish('t', 'x', { qos: 1 });
    await client.disconnect();
    broker.close();
    const again = broker.received.slice(broker.received.lastIndexOf('connect') + 1);
    assert.equal(again.includes('subscribe a/# b'), !keepsSessions);
  }
});

test('a first connection that fails is told at once; a later one is tried again as the options say', async () => {
  const broker = new ScriptedBroker();
  broker.cutsBefore = () => broker.connections === 1;
  const port = await broker.listen();
  const asked: number[] = [];
  const reconnect = (_error: unknown, attempt: number): number | null => {
    asked.push(attempt);
    return attempt < 2 ? NOW : null;
  };
  await assert.rejects(connect({ host: '127.0.0.1', port, reconnect }), { kind: 'lost' });
  assert.deepEqual(asked, []);
  const client = await connect({ host: '127.0.0.1', port, reconnect });
  broker.cutsBefore = () => true;
  await assert.rejects(client.publish('t', 'x', { qos: 1 }), { kind: 'lost' });
  assert.deepEqual(asked, [0, 1, 2]);
  broker.close();
});

test('pauses double up to half a minute, and no two clients wait alike', () => {
  fc.assert(
    fc.property(fc.nat(1_000), attempt => {
      const whole = Math.min(30_000, 1_000 * 2 ** attempt);
      const pause = backOffMs(attempt);
      assert.ok(pause >= whole / 2 && pause <= whole, String(pause));
    }),
  );
  assert.ok(new Set(Array.from({ length: 100 }, () => backOffMs(3))).size > 90);
});

test('MQTT 5 AUTH: the broker asks as often as it wants, and the answers are those of the caller', async () => {
  const broker = new ScriptedBroker();
  const heard: string[] = [];
  broker.answersAuth = data => {
    heard.push(data.toString());
    if (heard.length > 2) return null;
    const properties = { authenticationMethod: 'count', authenticationData: Buffer.from(`challenge ${heard.length}`) };
    return { reasonCode: 0x18, properties };
  };
  const respond = (data: Buffer | null) => Buffer.from(`answer to ${data?.toString()}`);
  const client = await open(broker, { authentication: { method: 'count', data: Buffer.from('hello'), respond } });
  assert.deepEqual(heard, ['hello', 'answer to challenge 1', 'answer to challenge 2']);
  await client.disconnect();
  broker.close();
});

test('MQTT 5 AUTH: an answer that cannot be given ends the attempt with its cause', async () => {
  const broker = new ScriptedBroker();
  broker.answersAuth = () => ({ reasonCode: 0x18, properties: { authenticationMethod: 'count' } });
  const respond = (): never => {
    throw new Error('the token has expired');
  };
  const opening = open(broker, { authentication: { method: 'count', data: Buffer.from('x'), respond } });
  await assert.rejects(opening, { kind: 'authentication', message: 'Authentication failed: the token has expired.' });
  broker.close();
});
