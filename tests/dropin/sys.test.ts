/** $SYS, topic by topic of docs/compat/sys-topics.tsv. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { publish, until, type Broker, type RawClient } from '../harness/mod.ts';
import { clientOf, rowsAtOnce, start } from './stage.ts';

function brokerWith(t: TestContext, lines: string): Promise<Broker> {
  return start(t, { conf: at => `listener ${at.port()} 127.0.0.1\nallow_anonymous true\n${lines}` });
}

/** What arrives on $SYS/#, the last value of each topic. */
class Watcher {
  readonly values = new Map<string, string>();
  readonly retained = new Set<string>();

  constructor(client: RawClient) {
    void this.#read(client);
  }

  async #read(client: RawClient): Promise<void> {
    for (let packet = await client.next(); packet !== null; packet = await client.next()) {
      if (packet.type !== 'publish') continue;
      const topic = packet.topic!.replace('$SYS/broker/', '');
      this.values.set(topic, packet.payload!.toString());
      if (packet.retain) this.retained.add(topic);
    }
  }

  number(topic: string): number {
    return Number(this.values.get(topic));
  }

  /** Waits until the topic has a value that pleases. */
  async shows(topic: string, pleases: (value: number) => boolean): Promise<void> {
    await until(`${topic} to change, is ${this.values.get(topic)}`, () => pleases(this.number(topic)));
  }
}

const counters = [
  'clients/total',
  'clients/disconnected',
  'clients/inactive',
  'clients/connected',
  'clients/active',
  'clients/expired',
  'messages/stored',
  'store/messages/count',
  'store/messages/bytes',
  'subscriptions/count',
  'shared_subscriptions/count',
  'retained messages/count',
  'messages/received',
  'messages/sent',
  'bytes/received',
  'bytes/sent',
  'publish/bytes/received',
  'publish/bytes/sent',
  'publish/messages/received',
  'publish/messages/sent',
  'publish/messages/dropped',
  'packet/out/count',
  'packet/out/bytes',
  'connections/socket/count',
];
const loads = [
  'messages/received',
  'messages/sent',
  'publish/dropped',
  'publish/received',
  'publish/sent',
  'bytes/received',
  'bytes/sent',
  'sockets',
  'connections',
];

async function watch(broker: Broker): Promise<Watcher> {
  const client = await clientOf(broker, { clientId: 'watcher' });
  await client.subscribe([['$SYS/#', 0]]);
  return new Watcher(client);
}

describe('$SYS', rowsAtOnce, () => {
  test('every topic is there soon after the start, retained, with a value of its kind', async t => {
    const broker = await brokerWith(t, 'sys_interval 1\n');
    const watcher = await watch(broker);
    const names = [...counters, ...loads.flatMap(name => [1, 5, 15].map(minutes => `load/${name}/${minutes}min`))];
    const missing = (): string[] => names.filter(name => !watcher.values.has(name));
    await until('every topic', () => missing().length === 0).catch(() => assert.deepEqual(missing(), []));
    for (const name of counters) assert.match(watcher.values.get(name)!, /^\d+$/, name);
    for (const name of names.filter(each => each.startsWith('load/'))) {
      assert.match(watcher.values.get(name)!, /^\d+\.\d\d$/, name);
    }
    assert.match(watcher.values.get('version')!, /^(mosquitto|zancudo) version \d+\.\d+\.\d+$/);
    assert.match(watcher.values.get('uptime')!, /^\d+ seconds$/);
    assert.ok(watcher.retained.has('version'));
    assert.equal(watcher.values.get('clients/connected'), watcher.values.get('clients/active'));
    assert.equal(watcher.values.get('messages/stored'), watcher.values.get('store/messages/count'));
  });

  test('the counts are those of what happened', async t => {
    const broker = await brokerWith(t, 'sys_interval 1\n');
    const watcher = await watch(broker);
    const kept = await clientOf(broker, { clientId: 'kept', clean: false });
    await kept.subscribe([['a', 1]]);
    const shared = await clientOf(broker, { clientId: 'shared' });
    await shared.subscribe([['$share/g/b', 0]]);
    kept.destroy();
    const writer = await clientOf(broker, { clientId: 'writer' });
    writer.send(publish({ topic: 'a', payload: '12345', qos: 1 }), publish({ topic: 'r', payload: 'x', retain: true }));
    await writer.expect('puback');
    await watcher.shows('clients/total', value => value === 4);
    await watcher.shows('clients/maximum', value => value === 4);
    await watcher.shows('clients/connected', value => value === 3);
    await watcher.shows('clients/disconnected', value => value === 1);
    await watcher.shows('subscriptions/count', value => value === 2);
    await watcher.shows('shared_subscriptions/count', value => value === 1);
    await watcher.shows('publish/messages/received', value => value === 2);
    await watcher.shows('publish/bytes/received', value => value === 6);
    await watcher.shows('connections/socket/count', value => value === 4);
    await watcher.shows('messages/received', value => value >= 9);
    await watcher.shows('retained messages/count', value => value > 50);
    await watcher.shows('load/connections/1min', value => value > 0);
  });

  test('what has not changed is not said again', async t => {
    const broker = await brokerWith(t, 'sys_interval 1\n');
    const client = await clientOf(broker, { clientId: 'c' });
    const [uptime, count] = ['$SYS/broker/uptime', '$SYS/broker/subscriptions/count'];
    await client.subscribe([
      [uptime, 0],
      [count, 0],
    ]);
    const topics = [];
    for (let uptimes = 0; uptimes < 4;) {
      const { topic } = await client.expect('publish');
      topics.push(topic);
      if (topic === uptime) uptimes++;
    }
    // As it was kept, and once more with these two subscriptions.
    const counts = topics.filter(topic => topic === count).length;
    assert.ok(counts === 1 || counts === 2, topics.join(' '));
  });

  test('sys_interval 0: nothing at all', async t => {
    const broker = await brokerWith(t, 'sys_interval 0\n');
    const client = await clientOf(broker, { clientId: 'c' });
    await client.subscribe([['$SYS/#', 0]]);
    await client.expectQuiet();
  });

  test('a subscription to # does not match it, and no client may publish there', async t => {
    const broker = await brokerWith(t, 'sys_interval 1\n');
    const client = await clientOf(broker, { clientId: 'c', version: 5 });
    await client.subscribe([['#', 0]]);
    await client.expectQuiet();
    client.send(publish({ version: 5, topic: '$SYS/broker/uptime', qos: 1, retain: true, payload: 'x' }));
    assert.equal((await client.expect('puback')).reasonCode, 0x87);
    client.send(publish({ version: 5, topic: '$SYS/broker/uptime', qos: 2, payload: 'x' }));
    assert.equal((await client.expect('pubrec')).reasonCode, 0x87);
  });

  test('it is published at QoS 2 and delivered at what was subscribed', async t => {
    const broker = await brokerWith(t, 'sys_interval 1\n');
    const client = await clientOf(broker, { clientId: 'c' });
    await client.subscribe([['$SYS/broker/version', 2]]);
    const packet = await client.expect('publish');
    assert.equal(packet.qos, 2);
    assert.equal(packet.retain, true);
  });
});
