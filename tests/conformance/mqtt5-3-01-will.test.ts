/** MQTT 5.0, chapter 3.1: the will, keep alive and session expiry of CONNECT. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, hex } from './bytes.ts';
import type { Property } from './bytes.ts';
import { openLab, unique } from './lab.ts';
import type { Peer } from './raw.ts';

const lab = await openLab();

const SESSION_60 = [['sessionExpiry', 60]] as const satisfies readonly Property[];

/** A subscriber to a topic of its own, for watching wills. */
async function watcher(filterOptions = 0): Promise<{ watch: Peer; topic: string }> {
  const watch = await lab.client();
  const topic = unique('will');
  await watch.subscribe(topic, filterOptions);
  return { watch, topic };
}

test('[MQTT-3.1.2-7] [MQTT-3.1.2-8] the will is published when the connection breaks', async () => {
  const { watch, topic } = await watcher();
  const client = await lab.client({ will: { topic, payload: 'gone' } });
  client.destroy();
  await watch.expectMessage('gone');
});

test('[MQTT-3.1.2-8] the will is published when a malformed packet ends the connection', async () => {
  const { watch, topic } = await watcher();
  const client = await lab.client({ will: { topic, payload: 'malformed' } });
  client.send('36 00');
  await watch.expectMessage('malformed');
});

test('[MQTT-3.1.2-8] DISCONNECT 0x04 publishes the will', async () => {
  const { watch, topic } = await watcher();
  const client = await lab.client({ will: { topic, payload: 'with will' } });
  await client.disconnect(0x04);
  await watch.expectMessage('with will');
});

test('[MQTT-3.1.2-9] a will flag without will fields is malformed', async () => {
  const peer = await lab.peer();
  peer.send(connect({ clientId: unique('client'), flipFlags: 0x04 }));
  await peer.expectEnd();
});

test('[MQTT-3.1.2-10] a will is published once, and never after a normal DISCONNECT', async () => {
  const { watch, topic } = await watcher();
  const clientId = unique('will');
  const first = await lab.client({ clientId, will: { topic, payload: 'once' } });
  first.destroy();
  await watch.expectMessage('once');
  const second = await lab.client({ clientId });
  second.destroy();
  const third = await lab.client({ clientId, will: { topic, payload: 'never' } });
  await third.disconnect();
  await watch.expectNothing();
});

test('[MQTT-3.1.2-11] [MQTT-3.1.2-13] will QoS and will retain without a will flag close the connection', async () => {
  for (const flipFlags of [0x08, 0x10, 0x20]) {
    const peer = await lab.peer();
    peer.send(connect({ clientId: unique('client'), flipFlags }));
    await peer.expectClose();
  }
});

test('[MQTT-3.1.2-12] will QoS 0, 1 and 2 are kept, 3 closes the connection', async () => {
  const { watch, topic } = await watcher(2);
  for (const qos of [0, 1, 2]) {
    const client = await lab.client({ will: { topic, payload: `qos ${qos}`, qos } });
    client.destroy();
    assert.equal((await watch.expectMessage(`qos ${qos}`)).qos, qos);
  }
  const peer = await lab.peer();
  peer.send(connect({ clientId: unique('client'), will: { topic, qos: 3 } }));
  await peer.expectClose();
});

test('[MQTT-3.1.2-14] [MQTT-3.1.2-15] will retain decides whether the will is retained', async () => {
  for (const retain of [false, true]) {
    const { watch, topic } = await watcher();
    const client = await lab.client({ will: { topic, payload: 'w', retain } });
    client.destroy();
    await watch.expectMessage('w');
    const late = await lab.client();
    await late.subscribe(topic);
    if (retain) assert.equal((await late.expectMessage('w')).retain, true);
    else await late.expectNothing();
  }
});

describe('keep alive', { concurrency: 8 }, () => {
  test('[MQTT-3.1.2-22] silence beyond one and a half keep alive closes the connection, and the will goes out', async () => {
    const { watch, topic } = await watcher();
    const client = await lab.client({ keepAlive: 1, will: { topic, payload: 'silent' } });
    await client.expectClose();
    await watch.expectMessage('silent');
  });

  test('[MQTT-3.1.2-22] any packet counts as a sign of life', async () => {
    const client = await lab.client({ keepAlive: 2 });
    const topic = unique('topic');
    for (let n = 0; n < 40; n += 1) {
      await sleep(100);
      client.sendPublish(topic, 'alive');
    }
    await client.expectNothing();
  });

  test('[MQTT-3.1.2-22] keep alive 0 never times out', async () => {
    const client = await lab.client({ keepAlive: 0 });
    await sleep(3000);
    await client.expectNothing();
  });

  test('[MQTT-3.1.2-23] the session is kept while its expiry interval runs, and not longer', async () => {
    const clientId = unique('expiry');
    const first = await lab.client({ clientId, properties: SESSION_60 });
    await first.disconnect();
    const second = await lab.peer();
    const resumed = await second.connect({ clientId, clean: false, properties: [['sessionExpiry', 1]] });
    assert.equal(resumed.sessionPresent, true);
    second.destroy();
    await lab.broker.logged(new RegExp(`Expiring client ${clientId} due to timeout`));
    const third = await lab.peer();
    assert.equal((await third.connect({ clientId, clean: false })).sessionPresent, false);
  });

  test('[MQTT-3.1.3-9] a new connection before the will delay has passed takes the will back', async () => {
    const { watch, topic } = await watcher();
    const clientId = unique('delay');
    const will = (payload: string) => ({ topic, payload, properties: [['willDelay', 3]] as const });
    const client = await lab.client({ clientId, properties: SESSION_60, will: will('taken back') });
    const other = await lab.client({ properties: SESSION_60, will: will('of another') });
    client.destroy();
    await lab.client({ clientId, clean: false, properties: SESSION_60 });
    // A will that waits as long and has begun later: the first would have come before it.
    other.destroy();
    await watch.expectMessage('of another');
    await watch.expectNothing();
  });

  test('[MQTT-3.1.2-8] a will with a delay goes out when the delay is over, not before', async () => {
    const { watch, topic } = await watcher();
    const will = { topic, payload: 'delayed', properties: [['willDelay', 2]] } as const;
    const client = await lab.client({ properties: SESSION_60, will });
    const start = performance.now();
    client.destroy();
    await watch.expectMessage('delayed');
    assert.ok(performance.now() - start >= 900, 'the delay was not waited for');
  });

  test('[MQTT-3.1.2-8] a will delay longer than the session ends with the session', async () => {
    const { watch, topic } = await watcher();
    const will = { topic, payload: 'session over', properties: [['willDelay', 600]] } as const;
    const client = await lab.client({ properties: [['sessionExpiry', 1]], will });
    client.destroy();
    await watch.expectMessage('session over');
  });

  test('[MQTT-3.1.2-8] a will with a delay goes out at once when there is no session to wait for', async () => {
    const { watch, topic } = await watcher();
    const will = { topic, payload: 'at once', properties: [['willDelay', 600]] } as const;
    const client = await lab.client({ will });
    client.destroy();
    await watch.expectMessage('at once');
  });

  test('[MQTT-3.1.2-8] a short will delay is not held up by a longer one that started earlier', async () => {
    const { watch, topic } = await watcher();
    const long = { topic, payload: 'long', properties: [['willDelay', 600]] } as const;
    const short = { topic, payload: 'short', properties: [['willDelay', 1]] } as const;
    const first = await lab.client({ properties: SESSION_60, will: long });
    first.destroy();
    const second = await lab.client({ properties: SESSION_60, will: short });
    second.destroy();
    await watch.expectMessage('short');
  });
});

test('[MQTT-3.1.3-10] the properties of the will are kept, user properties in their order', async () => {
  const { watch, topic } = await watcher();
  const properties = [
    ['userProperty', ['b', '1']],
    ['payloadFormat', 1],
    ['userProperty', ['a', '2']],
    ['responseTopic', 'r'],
    ['userProperty', ['b', '1']],
    ['correlationData', hex('00 ff')],
    ['contentType', 'c'],
  ] as const;
  const client = await lab.client({ will: { topic, payload: 'w', properties } });
  client.destroy();
  const message = await watch.expectMessage('w');
  const users = message.properties.filter(([name]) => name === 'userProperty').map(([, value]) => value);
  assert.deepEqual(users, [
    ['b', '1'],
    ['a', '2'],
    ['b', '1'],
  ]);
  assert.deepEqual(new Map(message.properties).get('correlationData'), hex('00 ff'));
  assert.equal(message.properties.length, 7);
});

test('[MQTT-3.1.3-11] a will topic that is not UTF-8 closes the connection', async () => {
  const peer = await lab.peer();
  peer.send(connect({ clientId: unique('client'), will: { topic: hex('61 ff') } }));
  await peer.expectClose();
});
