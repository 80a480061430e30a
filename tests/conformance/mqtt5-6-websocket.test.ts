/** MQTT 5.0, chapter 6: MQTT over WebSocket. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { WebSocket, createWebSocketStream } from 'ws';
import { PINGREQ, connect, u8 } from './bytes.ts';
import { openLab, unique } from './lab.ts';
import { Peer } from './raw.ts';

const lab = await openLab({ listeners: [['protocol websockets']] });

async function open(protocols: string[] = ['mqtt']): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${lab.broker.port}/any/path`, protocols);
  await once(socket, 'open');
  return socket;
}

const peerOn = (socket: WebSocket): Peer => new Peer(createWebSocketStream(socket));

test('[MQTT-6.0.0-1] MQTT packets come in binary frames, and a text frame closes the connection', async () => {
  const socket = await open();
  socket.send(connect({ clientId: unique('client') }));
  const [data, isBinary] = (await once(socket, 'message')) as [Buffer, boolean];
  assert.equal(isBinary, true);
  assert.equal(data[0], 0x20);
  const closed = once(socket, 'close');
  socket.send('not MQTT');
  await closed;
});

test('[MQTT-6.0.0-2] packets may be cut and joined across frames', async () => {
  const socket = await open();
  const peer = peerOn(socket);
  for (const byte of connect({ clientId: unique('client') })) socket.send(u8(byte));
  await peer.receive('CONNACK');
  socket.send(Buffer.concat([PINGREQ, PINGREQ, PINGREQ.subarray(0, 1)]));
  socket.send(PINGREQ.subarray(1));
  for (let n = 0; n < 3; n += 1) await peer.receive('PINGRESP');
  peer.destroy();
});

test('[MQTT-6.0.0-3] a client that does not offer the subprotocol mqtt is refused', async () => {
  for (const protocols of [[], ['chat']]) {
    const socket = new WebSocket(`ws://127.0.0.1:${lab.broker.port}/`, protocols);
    await once(socket, 'error');
  }
});

test('[MQTT-6.0.0-4] the subprotocol selected is mqtt, also out of a list', async () => {
  for (const protocols of [['mqtt'], ['chat', 'mqtt'], ['mqtt', 'mqttv3.1']]) {
    const socket = await open(protocols);
    assert.equal(socket.protocol, 'mqtt');
    socket.terminate();
  }
});

test('messages go between a WebSocket and itself like over TCP', async () => {
  const peer = peerOn(await open());
  await peer.connect({ clientId: unique('client') });
  const topic = unique('topic');
  await peer.subscribe(topic, 2);
  peer.sendPublish(topic, Buffer.alloc(100_000, 'x'));
  assert.equal((await peer.receive('PUBLISH')).payload.length, 100_000);
  await peer.disconnect();
});
