/** What MQTT 3.1 differs in from 3.1.1; the answers are those of Mosquitto 2.1. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PUBREC, ack, connect as connectBytes, field, frame, hex, subscribe, u16, unsubscribe } from './bytes.ts';
import type { ConnectFields } from './bytes.ts';
import { openLab, unique } from './lab.ts';
import type { Peer } from './raw.ts';

const lab = await openLab({
  global: ['max_keepalive 100'],
  listeners: [[], ['accept_protocol_versions 4 5']],
});

const connect = (fields: ConnectFields = {}): Buffer =>
  connectBytes({ version: 3, clientId: unique('client'), ...fields });
const client = (fields: ConnectFields = {}): Promise<Peer> => lab.client({ version: 3, ...fields });

async function answered(bytes: Buffer, answer: string, listener = 0): Promise<void> {
  const peer = await lab.peer(listener);
  peer.send(bytes);
  await peer.expectBytes(answer);
  await peer.expectClose();
}

async function closesAtOnce(bytes: Buffer): Promise<void> {
  const peer = await lab.peer();
  peer.send(bytes);
  await peer.expectClose();
}

test('CONNECT with MQIsdp and level 3 is accepted with 20 02 00 00', async () => {
  const peer = await lab.peer();
  peer.send(connect());
  await peer.expectBytes('20 02 00 00');
});

test('session present is always 0, although the session is resumed', async () => {
  const clientId = unique('session');
  const topic = unique('topic');
  const first = await client({ clientId, clean: false });
  await first.subscribe(topic, 1);
  await first.disconnect();
  await (await client()).publish(topic, 'm', { qos: 1 });
  const second = await lab.peer();
  assert.equal((await second.connect({ version: 3, clientId, clean: false })).sessionPresent, false);
  await second.expectMessage('m');
});

test('the three versions share sessions by client id', async () => {
  const clientId = unique('session');
  await (await client({ clientId, clean: false })).disconnect();
  const next = await lab.peer();
  assert.equal((await next.connect({ version: 4, clientId, clean: false })).sessionPresent, true);
});

test('an empty client id is refused with 2, CleanSession or not', async () => {
  for (const clean of [true, false]) await answered(connect({ clientId: '', clean }), '20 02 00 02');
});

test('a version that the listener does not accept, and MQTT with level 3, are refused with 1', async () => {
  await answered(connect(), '20 02 00 01', 1);
  await answered(connect({ protocolName: 'MQTT' }), '20 02 00 01');
});

test('a keep alive above the maximum, or none, is refused with 2', async () => {
  for (const version of [3, 4] as const)
    for (const keepAlive of [101, 0]) await answered(connect({ version, keepAlive }), '20 02 00 02');
});

test('flags that 3.1 left open are passed over: header flags, connect flag 0, will bits without a will', async () => {
  for (const fields of [{ firstByte: 0x1f }, { flipFlags: 0x01 }, { flipFlags: 0x08 }, { flipFlags: 0x20 }]) {
    const peer = await lab.peer();
    peer.send(connect(fields));
    await peer.expectBytes('20 02 00 00');
  }
});

test('a user name flag without a user name counts as no user name', async () => {
  const peer = await lab.peer();
  peer.send(connect({ flipFlags: 0x80 }));
  await peer.expectBytes('20 02 00 00');
});

test('a password without a user name, will QoS 3 and bytes left over close', async () => {
  await closesAtOnce(connect({ password: 'secret' }));
  await closesAtOnce(connect({ will: { topic: 't', qos: 3 } }));
  await closesAtOnce(connect({ trailing: field('x') }));
});

test('PUBREL is taken with any flags', async () => {
  const peer = await client();
  const topic = unique('topic');
  for (const first of [0x60, 0x68, 0x62]) {
    peer.sendPublish(topic, 'm', { qos: 2, packetId: 1 });
    await peer.receive('PUBREC');
    peer.send(frame(first, u16(1)));
    await peer.expectBytes('70 02 00 01');
  }
});

test('SUBSCRIBE and UNSUBSCRIBE without a filter are acknowledged empty', async () => {
  const peer = await client();
  peer.send(subscribe(3, 7, []));
  await peer.expectBytes('90 02 00 07');
  peer.send(unsubscribe(3, 8, []));
  await peer.expectBytes('b0 02 00 08');
});

test('messages of every QoS go both ways', async () => {
  const peer = await client();
  const topic = unique('topic');
  await peer.subscribe(topic, 2);
  const from = await client();
  for (const qos of [0, 1, 2]) {
    await from.publish(topic, `${qos}`, { qos });
    assert.equal((await peer.expectMessage(`${qos}`)).qos, qos);
  }
});

test('an acknowledgement of the wrong kind closes', async () => {
  const peer = await client();
  const topic = unique('topic');
  await peer.subscribe(topic, 1);
  await (await client()).publish(topic, 'm', { qos: 1 });
  peer.send(ack(PUBREC, (await peer.receive('PUBLISH')).packetId));
  await peer.expectClose();
});

test('a second connection with the same client id closes the first', async () => {
  const clientId = unique('taken');
  const first = await client({ clientId });
  const second = await client({ clientId });
  await first.expectClose();
  await second.expectNothing();
});

test('a bridge (level 0x83 or 0x84) is accepted, gets the retain flag as published and not its own messages', async () => {
  for (const [version, level] of [
    [3, 0x83],
    [4, 0x84],
  ] as const) {
    const topic = unique('bridged');
    const bridge = await client({ version, level });
    await bridge.subscribe(topic, 1);
    await (await client()).publish(topic, 'm', { retain: true });
    assert.equal((await bridge.expectMessage('m')).retain, true);
    await bridge.publish(topic, 'own', { qos: 1 });
    await bridge.expectNothing();
  }
});

test('a connection that sends something else than MQTT is closed', async () => {
  await closesAtOnce(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
  await closesAtOnce(hex('16 03 01 02 00 01 00 01 fc 03 03'));
});
