/**
 * Take-over, wills and sessions: what the specification leaves to the broker is answered as Mosquitto 2.1 answers it,
 * and where Mosquitto breaks the specification, as the specification has it.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectFields, Property } from './bytes.ts';
import { openLab, unique } from './lab.ts';
import type { Peer } from './raw.ts';

const lab = await openLab({ listeners: [[], []] });

const SESSION_60 = [['sessionExpiry', 60]] as const satisfies readonly Property[];

async function watcher(): Promise<{ watch: Peer; topic: string }> {
  const watch = await lab.client();
  const topic = unique('will');
  await watch.subscribe(topic, 2);
  return { watch, topic };
}

/** A client with a will is taken over; what the watcher then gets. */
async function willAtTakeover(old: ConnectFields, next: ConnectFields, delay = 0): Promise<string[]> {
  const { watch, topic } = await watcher();
  const clientId = unique('taken');
  const properties = delay && old.version === undefined ? ([['willDelay', delay]] as const) : [];
  const taken = await lab.client({ clientId, ...old, will: { topic, payload: 'will', properties } });
  await lab.client({ clientId, ...next });
  await taken.expectEnd();
  return watch.drain();
}

test('the old will is sent when the session ends with the take-over', async () => {
  assert.deepEqual(await willAtTakeover({}, { clean: false }), ['will'], 'expiry 0');
  assert.deepEqual(await willAtTakeover({ properties: SESSION_60 }, { clean: true }), ['will'], 'clean start');
  assert.deepEqual(await willAtTakeover({ version: 4 }, { version: 4, clean: false }), ['will'], 'CleanSession 1');
  assert.deepEqual(await willAtTakeover({ version: 4, clean: false }, { version: 4, clean: true }), ['will']);
});

// 3.1.2.5 lets a new connection of the client id take a delayed will back, whatever becomes of the session.
test('a will with a delay is dropped at take-over even when the session ends, as in Mosquitto', async () => {
  assert.deepEqual(await willAtTakeover({ properties: SESSION_60 }, { clean: true }, 600), []);
});

test('[MQTT-3.1.3-9] a will with a delay is dropped when the newcomer goes on with the session', async () => {
  assert.deepEqual(await willAtTakeover({ properties: SESSION_60 }, { clean: false }, 600), []);
});

test('take-over goes over versions and listeners: each old client is told in its own way', async () => {
  const clientId = unique('taken');
  const five = await lab.client({ clientId, version: 5 });
  const four = await lab.client({ clientId, version: 4 }, 1);
  await five.expectDisconnect(0x8e);
  const three = await lab.client({ clientId, version: 3 });
  await four.expectClose();
  await lab.client({ clientId, version: 5 }, 1);
  await three.expectClose();
});

test('once the new client has its CONNACK, nothing but DISCONNECT 0x8E goes to the old one', async () => {
  const clientId = unique('taken');
  const topic = unique('topic');
  const old = await lab.client({ clientId });
  await old.subscribe(topic);
  const next = await lab.client({ clientId });
  next.sendPublish(topic, 'after');
  await next.settle();
  await old.expectDisconnect(0x8e);
});

test('a session is resumed at take-over only if it would have outlived its connection', async () => {
  for (const [properties, present] of [
    [[], false],
    [SESSION_60, true],
  ] as const) {
    const clientId = unique('session');
    await lab.client({ clientId, properties });
    const next = await lab.peer();
    assert.equal((await next.connect({ clientId, clean: false })).sessionPresent, present);
  }
});

test('a will keeps its properties in their order, and the expiry counts from when it is sent', async () => {
  const { watch, topic } = await watcher();
  const properties = [
    ['payloadFormat', 1],
    ['contentType', 'c'],
    ['responseTopic', 'r'],
    ['correlationData', Buffer.from('d')],
    ['userProperty', ['a', 'b']],
  ] as const satisfies readonly Property[];
  const will = { topic, payload: 'w', properties: [['messageExpiry', 100], ...properties] as const };
  (await lab.client({ will })).destroy();
  const message = await watch.expectMessage('w');
  assert.deepEqual(message.properties, [...properties, ['messageExpiry', 100]]);
});

describe('packet identifiers', () => {
  test('they start at 1 and go on over reconnects', async () => {
    const clientId = unique('ids');
    const topic = unique('topic');
    const from = await lab.client();
    let expected = 0;
    for (const clean of [true, false]) {
      const to = await lab.client({ clientId, clean, properties: SESSION_60 });
      if (clean) await to.subscribe(topic, 1);
      for (let n = 0; n < 3; n += 1) {
        await from.publish(topic, 'm', { qos: 1 });
        expected += 1;
        assert.equal((await to.take()).packetId, expected);
      }
      await to.settle();
      await to.disconnect();
    }
  });
});

test('an operator who stops the broker closes every connection without DISCONNECT', async () => {
  const last = await openLab();
  const peers = [await last.client(), await last.client({ version: 4 })];
  last.broker.signal('SIGTERM');
  for (const peer of peers) await peer.expectClose();
});

test('a v5 client that falls silent is closed without DISCONNECT', async () => {
  const client = await lab.client({ keepAlive: 1 });
  await sleep(1000);
  await client.expectClose();
});
