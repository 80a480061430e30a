/** MQTT 3.1.1, chapters 1 to 3.2: strings, fixed headers, CONNECT, CONNACK. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectBytes, field, frame, hex, publish, subscribe, u16, unsubscribe } from './bytes.ts';
import type { ConnectFields } from './bytes.ts';
import { openLab, unique } from './lab.ts';
import type { Peer } from './raw.ts';

const lab = await openLab({ listeners: [[], ['accept_protocol_versions 5'], ['listener_allow_anonymous false']] });

const connect = (fields: ConnectFields): Buffer => connectBytes({ version: 4, ...fields });
const client = (fields: ConnectFields = {}): Promise<Peer> => lab.client({ version: 4, ...fields });

async function refusedWithoutWord(...bytes: Buffer[]): Promise<void> {
  for (const packet of bytes) {
    const peer = await lab.peer();
    peer.send(packet);
    await peer.expectClose();
  }
}

/** Each packet closes a connection that stood. */
async function closes(...packets: (Buffer | string)[]): Promise<void> {
  for (const packet of packets) {
    const peer = await client();
    peer.send(packet);
    await peer.expectClose();
  }
}

async function watcher(): Promise<{ watch: Peer; topic: string }> {
  const watch = await client();
  const topic = unique('will');
  await watch.subscribe(topic, 2);
  return { watch, topic };
}

test('[MQTT-1.5.3-1] ill-formed UTF-8 in a topic closes', async () => {
  const ill = ['61 80', 'e2 82', 'c0 af', 'ed a0 80', 'f4 90 80 80', 'ff'].map(hex);
  await closes(...ill.map(topic => publish({ version: 4, topic })), subscribe(4, 1, [[hex('ff'), 0]]));
});

test('[MQTT-1.5.3-2] U+0000 in a topic closes', async () => {
  await closes(publish({ version: 4, topic: 'a\0b' }), subscribe(4, 1, [['a\0b', 0]]));
});

test('[MQTT-1.5.3-3] U+FEFF in a topic is kept', async () => {
  const peer = await client();
  const topic = unique('\ufeffbom');
  await peer.subscribe(topic);
  peer.sendPublish(topic, 'm');
  assert.equal((await peer.expectMessage('m')).topic, topic);
});

test('[MQTT-2.2.2-1] [MQTT-2.2.2-2] wrong reserved flags close', async () => {
  await closes(
    frame(0x41, u16(1)),
    frame(0x52, u16(1)),
    frame(0x60, u16(1)),
    frame(0x78, u16(1)),
    subscribe(4, 1, [['t', 0]], [], 0x80),
    unsubscribe(4, 1, ['t'], [], 0xa0),
    'c1 00',
    'e1 00',
  );
  await refusedWithoutWord(connect({ clientId: unique('client'), firstByte: 0x12 }));
});

test('[MQTT-2.3.1-1] packet identifier 0 closes', async () => {
  await closes(
    publish({ version: 4, topic: 't', qos: 1, packetId: 0 }),
    publish({ version: 4, topic: 't', qos: 2, packetId: 0 }),
    subscribe(4, 0, [['t', 0]]),
    unsubscribe(4, 0, ['t']),
    '40 02 00 00',
    '62 02 00 00',
  );
});

test('[MQTT-3.1.0-1] a first packet other than CONNECT closes', async () => {
  await refusedWithoutWord(hex('c0 00'), publish({ version: 4, topic: 't' }), hex('e0 00'));
});

test('[MQTT-3.1.0-2] a second CONNECT closes', async () => {
  const clientId = unique('client');
  const peer = await client({ clientId });
  peer.send(connect({ clientId }));
  await peer.expectClose();
});

test('[MQTT-3.1.2-1] a wrong protocol name closes', async () => {
  await refusedWithoutWord(
    ...['MQTX', 'mqtt', 'MQTT5', 'XXXXXX'].map(protocolName => connect({ clientId: 'a', protocolName })),
  );
});

test('[MQTT-3.1.2-2] a version that is not accepted is answered with return code 1 and closed', async () => {
  const wrongListener = await lab.peer(1);
  wrongListener.send(connect({ clientId: unique('client') }));
  await wrongListener.expectBytes('20 02 00 01');
  await wrongListener.expectClose();
  for (const fields of [
    { protocolName: 'MQIsdp', level: 4 },
    { protocolName: 'MQTT', level: 3 },
  ]) {
    const peer = await lab.peer();
    peer.send(connect({ clientId: unique('client'), ...fields }));
    await peer.expectBytes('20 02 00 01');
    await peer.expectClose();
  }
});

test('[MQTT-3.1.2-3] the reserved connect flag closes', async () => {
  await refusedWithoutWord(connect({ clientId: unique('client'), flipFlags: 1 }));
});

test('[MQTT-3.1.2-4] [MQTT-3.1.2-5] CleanSession 0 keeps subscriptions and QoS 1 and 2 messages', async () => {
  const clientId = unique('session');
  const topic = unique('topic');
  const first = await client({ clientId, clean: false });
  await first.subscribe(topic, 2);
  await first.disconnect();
  const publisher = await client();
  for (const qos of [0, 1, 2]) await publisher.publish(topic, `${qos}`, { qos });
  const second = await lab.peer();
  assert.equal((await second.connect({ version: 4, clientId, clean: false })).sessionPresent, true);
  assert.equal((await second.receive('PUBLISH')).payload.toString(), '1');
  assert.equal((await second.receive('PUBLISH')).payload.toString(), '2');
  await second.expectNothing();
});

test('[MQTT-3.1.2-6] CleanSession 1 discards what was and keeps nothing', async () => {
  const clientId = unique('session');
  const topic = unique('topic');
  const first = await client({ clientId, clean: false });
  await first.subscribe(topic, 1);
  await first.disconnect();
  const second = await client({ clientId, clean: true });
  const publisher = await client();
  await publisher.publish(topic, 'm', { qos: 1 });
  await second.expectNothing();
  await second.subscribe(topic, 1);
  await second.disconnect();
  const third = await lab.peer();
  assert.equal((await third.connect({ version: 4, clientId, clean: false })).sessionPresent, false);
  await publisher.publish(topic, 'm', { qos: 1 });
  await third.expectNothing();
});

test('[MQTT-3.1.2-7] retained messages outlive the session of their publisher', async () => {
  const topic = unique('retained');
  const publisher = await client();
  await publisher.publish(topic, 'kept', { qos: 1, retain: true });
  await publisher.disconnect();
  const late = await client();
  await late.subscribe(topic);
  await late.expectMessage('kept');
});

test('[MQTT-3.1.2-8] the will is published when the connection breaks or is broken by an error', async () => {
  const { watch, topic } = await watcher();
  const broken = await client({ will: { topic, payload: 'gone' } });
  broken.destroy();
  await watch.expectMessage('gone');
  const wrong = await client({ will: { topic, payload: 'wrong' } });
  wrong.send('36 00');
  await watch.expectMessage('wrong');
});

test('[MQTT-3.1.2-9] a will flag without will fields closes', async () => {
  await refusedWithoutWord(connect({ clientId: 'a', flipFlags: 4 }));
});

test('[MQTT-3.1.2-10] the will is published once, and not after DISCONNECT', async () => {
  const { watch, topic } = await watcher();
  const clientId = unique('client');
  (await client({ clientId, clean: false, will: { topic, payload: 'once' } })).destroy();
  await watch.expectMessage('once');
  (await client({ clientId, clean: false })).destroy();
  await (await client({ clientId, will: { topic, payload: 'never' } })).disconnect();
  await watch.expectNothing();
});

test('[MQTT-3.1.2-11] [MQTT-3.1.2-13] [MQTT-3.1.2-15] will QoS or will retain without a will closes', async () => {
  await refusedWithoutWord(...[0x08, 0x10, 0x20].map(flipFlags => connect({ clientId: 'a', flipFlags })));
});

test('[MQTT-3.1.2-12] without a will nothing is published', async () => {
  const watch = await client();
  await watch.subscribe('#');
  const peer = await client();
  await watch.drain();
  peer.destroy();
  await lab.broker.logged(new RegExp(`Client ${peer.clientId} .*disconnected`));
  assert.deepEqual(await watch.drain(), []);
});

test('[MQTT-3.1.2-14] will QoS 0, 1 and 2 are kept, 3 closes', async () => {
  const { watch, topic } = await watcher();
  for (const qos of [0, 1, 2]) {
    (await client({ will: { topic, payload: 'w', qos } })).destroy();
    assert.equal((await watch.expectMessage('w')).qos, qos);
  }
  await refusedWithoutWord(connect({ clientId: 'a', will: { topic, qos: 3 } }));
});

test('[MQTT-3.1.2-16] [MQTT-3.1.2-17] will retain decides whether the will is retained', async () => {
  for (const retain of [false, true]) {
    const { watch, topic } = await watcher();
    (await client({ will: { topic, payload: 'w', retain } })).destroy();
    await watch.expectMessage('w');
    const late = await client();
    await late.subscribe(topic);
    if (retain) await late.expectMessage('w');
    else await late.expectNothing();
  }
});

test('[MQTT-3.1.2-18] [MQTT-3.1.2-20] a user name or password without its flag closes', async () => {
  await refusedWithoutWord(
    connect({ clientId: 'a', trailing: field('user') }),
    connect({ clientId: 'a', username: 'user', trailing: field('password') }),
  );
});

test('[MQTT-3.1.2-19] [MQTT-3.1.2-21] a flag without its user name or password closes', async () => {
  await refusedWithoutWord(
    connect({ clientId: 'a', flipFlags: 0x80 }),
    connect({ clientId: 'a', username: 'u', flipFlags: 0x40 }),
  );
});

test('[MQTT-3.1.2-22] a password without a user name closes', async () => {
  await refusedWithoutWord(connect({ clientId: 'a', password: 'secret' }));
});

test('a user name of any text and a password of any bytes are taken', async () => {
  const peer = await client({ username: 'ä', password: hex('00 ff') });
  await peer.expectNothing();
});

describe('keep alive', { concurrency: 4 }, () => {
  test('[MQTT-3.1.2-24] silence of one and a half keep alive closes, and the will goes out', async () => {
    const { watch, topic } = await watcher();
    const peer = await client({ keepAlive: 1, will: { topic, payload: 'silent' } });
    await peer.expectClose();
    await watch.expectMessage('silent');
  });

  test('[MQTT-3.1.2-24] PINGREQ keeps the connection, and keep alive 0 needs none', async () => {
    const pinging = await client({ keepAlive: 2 });
    const silent = await client({ keepAlive: 0 });
    for (let n = 0; n < 16; n += 1) {
      await sleep(250);
      await pinging.expectNothing();
    }
    await silent.expectNothing();
  });
});

test('[MQTT-3.1.3-1] [MQTT-3.1.3-3] the payload is client id, will topic, will message, user name, password', async () => {
  const { watch, topic } = await watcher();
  const will = { topic, payload: 'message' };
  (await client({ will, username: 'user', password: 'password' })).destroy();
  await watch.expectMessage('message');
  await refusedWithoutWord(frame(0x10, hex('0004 4d515454 04 02 003c')));
});

test('[MQTT-3.1.3-2] the client id alone names the session', async () => {
  const clientId = unique('named');
  await (await client({ clientId, clean: false, username: 'one' })).disconnect();
  const same = await lab.peer();
  assert.equal((await same.connect({ version: 4, clientId, clean: false, username: 'two' })).sessionPresent, true);
});

test('[MQTT-3.1.3-4] a client id that is not UTF-8 closes', async () => {
  await refusedWithoutWord(connect({ clientId: hex('61 ff') }));
});

test('[MQTT-3.1.3-5] client ids of 1 to 23 letters and digits, and longer ones, are accepted', async () => {
  const letters = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
  for (const clientId of ['a', letters.slice(0, 23), letters.slice(39), letters]) await client({ clientId });
});

test('[MQTT-3.1.3-6] [MQTT-3.1.3-7] empty client ids with CleanSession 1 are all different clients', async () => {
  const first = await client({ clientId: '' });
  const second = await client({ clientId: '' });
  await first.expectNothing();
  await second.expectNothing();
});

test('[MQTT-3.1.3-8] [MQTT-3.1.3-9] an empty client id with CleanSession 0 is refused with 2 and closed', async () => {
  const peer = await lab.peer();
  peer.send(connect({ clientId: '', clean: false }));
  await peer.expectBytes('20 02 00 02');
  await peer.expectClose();
});

test('[MQTT-3.1.3-10] a will topic that is not UTF-8, is empty or has a wildcard closes', async () => {
  await refusedWithoutWord(...[hex('ff'), '', 'a/+', '#'].map(topic => connect({ clientId: 'a', will: { topic } })));
});

test('[MQTT-3.1.3-11] a user name that is not UTF-8 closes', async () => {
  await refusedWithoutWord(connect({ clientId: 'a', username: hex('ff') }));
});

test('[MQTT-3.1.4-1] a CONNECT that is cut off or has bytes left over closes without CONNACK', async () => {
  const whole = connect({ clientId: 'abc' });
  await refusedWithoutWord(
    frame(0x10, whole.subarray(2, -1)),
    frame(0x10, whole.subarray(2, 8)),
    frame(0x10),
    connect({ clientId: 'abc', trailing: hex('00') }),
  );
});

test('[MQTT-3.1.4-2] a second connection with the same client id closes the first without a word', async () => {
  const clientId = unique('taken');
  const first = await client({ clientId });
  const second = await client({ clientId });
  await first.expectClose();
  await second.expectNothing();
});

test('[MQTT-3.1.4-3] CleanSession is honoured at take-over too', async () => {
  for (const clean of [true, false]) {
    const clientId = unique('taken');
    await client({ clientId, clean: false });
    const peer = await lab.peer();
    assert.equal((await peer.connect({ version: 4, clientId, clean })).sessionPresent, !clean);
  }
});

test('[MQTT-3.1.4-4] [MQTT-3.2.0-1] the first packet is CONNACK with return code 0', async () => {
  const peer = await lab.peer();
  peer.send(connect({ clientId: unique('client') }), 'c0 00');
  await peer.expectBytes('20 02 00 00');
  await peer.expectBytes('d0 00');
});

test('[MQTT-3.1.4-5] what follows a refused CONNECT is not processed', async () => {
  const watch = await client();
  const topic = unique('refused');
  await watch.subscribe(topic);
  const peer = await lab.peer(2);
  peer.send(connect({ clientId: unique('client') }), publish({ version: 4, topic, payload: 'smuggled' }));
  await peer.expectBytes('20 02 00 05');
  await peer.expectClose();
  await watch.expectNothing();
});

test('[MQTT-3.2.2-1] CleanSession 1 is answered with session present 0 even if there was a session', async () => {
  const clientId = unique('session');
  await (await client({ clientId, clean: false })).disconnect();
  const peer = await lab.peer();
  peer.send(connect({ clientId, clean: true }));
  await peer.expectBytes('20 02 00 00');
});

test('[MQTT-3.2.2-2] [MQTT-3.2.2-3] CleanSession 0 is answered with whether there is a session', async () => {
  const clientId = unique('session');
  for (const expected of ['20 02 00 00', '20 02 01 00']) {
    const peer = await lab.peer();
    peer.send(connect({ clientId, clean: false }));
    await peer.expectBytes(expected);
    peer.send('e0 00');
    await peer.expectClose();
  }
});

test('[MQTT-3.2.2-4] [MQTT-3.2.2-5] a refusal has session present 0 and closes', async () => {
  const clientId = unique('session');
  await (await client({ clientId, clean: false })).disconnect();
  const peer = await lab.peer(2);
  peer.send(connect({ clientId, clean: false }));
  await peer.expectBytes('20 02 00 05');
  await peer.expectClose();
});

test('[MQTT-3.2.2-6] where no return code fits, the broker closes without CONNACK', async () => {
  await refusedWithoutWord(connect({ clientId: 'a', will: { topic: 'a/#' } }));
});

test('version 3.1.1 and 5 share sessions by client id', async () => {
  const clientId = unique('shared');
  const topic = unique('topic');
  const old = await client({ clientId, clean: false });
  await old.subscribe(topic, 1);
  await old.disconnect();
  await (await client()).publish(topic, 'm', { qos: 1 });
  const next = await lab.peer();
  const connack = await next.connect({ version: 5, clientId, clean: false });
  assert.equal(connack.sessionPresent, true);
  await next.expectMessage('m');
});
