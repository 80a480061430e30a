/** MQTT 5.0, chapters 3.12 to 3.15: PINGREQ, DISCONNECT, AUTH as far as no method is configured. */
import { test } from 'node:test';
import { frame, hex, propertyField, publish, u8 } from './bytes.ts';
import { openLab, unique } from './lab.ts';

const lab = await openLab();

test('[MQTT-3.12.4-1] PINGREQ is answered with PINGRESP', async () => {
  const client = await lab.client();
  for (let n = 0; n < 3; n += 1) {
    client.send('c0 00');
    await client.expectBytes('d0 00');
  }
});

test('a PINGREQ with a body closes the connection without a packet', async () => {
  const client = await lab.client();
  client.send('c0 01 00');
  await client.expectClose();
});

test('[MQTT-3.14.0-1] no DISCONNECT is sent before a CONNACK of success', async () => {
  for (const bytes of ['36 00', 'e0 00', '10 00']) {
    const peer = await lab.peer();
    peer.send(bytes);
    await peer.expectClose();
  }
});

test('[MQTT-3.14.1-1] DISCONNECT with reserved flags is answered with 0x81', async () => {
  for (const first of [0xe1, 0xe2, 0xe8]) {
    const client = await lab.client();
    client.send(frame(first));
    await client.expectDisconnect(0x81);
  }
});

test('[MQTT-3.14.2-1] [MQTT-3.14.2-2] [MQTT-3.14.2-3] [MQTT-3.14.2-4] DISCONNECT is a reason code and nothing else', async () => {
  const client = await lab.client({ properties: [['maximumPacketSize', 20]] });
  client.send('36 00');
  await client.expectBytes('e0 01 81');
});

test('[MQTT-3.14.4-1] [MQTT-3.14.4-2] after DISCONNECT the broker sends nothing more and closes', async () => {
  const client = await lab.client();
  const topic = unique('topic');
  await client.subscribe(topic);
  client.send('36 00', publish({ topic, payload: 'late' }), 'c0 00');
  await client.expectDisconnect(0x81);
});

test('what a client sends behind its DISCONNECT is not processed', async () => {
  const watch = await lab.client();
  const topic = unique('topic');
  await watch.subscribe(topic);
  const client = await lab.client();
  client.send('e0 00', publish({ topic, payload: 'late' }));
  await client.expectClose();
  await watch.expectNothing();
});

test('[MQTT-3.14.4-3] DISCONNECT 0x00 discards the will, in its short and its long form', async () => {
  for (const bytes of ['e0 00', 'e0 01 00', 'e0 02 00 00']) {
    const watch = await lab.client();
    const topic = unique('will');
    await watch.subscribe(topic);
    const client = await lab.client({ will: { topic, payload: 'never' } });
    client.send(bytes);
    await client.expectClose();
    await watch.expectNothing();
  }
});

test('[MQTT-3.1.2-8] DISCONNECT with any other reason than 0x00 leaves the will to be published', async () => {
  const watch = await lab.client();
  const topic = unique('will');
  await watch.subscribe(topic);
  for (const reason of [0x04, 0x80, 0x81, 0x99]) {
    const client = await lab.client({ will: { topic, payload: `${reason}` } });
    await client.disconnect(reason);
    await watch.expectMessage(`${reason}`);
  }
});

test('DISCONNECT may change the session expiry', async () => {
  const clientId = unique('expiry');
  const first = await lab.client({ clientId, properties: [['sessionExpiry', 60]] });
  await first.disconnect(0, [['sessionExpiry', 0]]);
  const second = await lab.peer();
  const connack = await second.connect({ clientId, clean: false, properties: [['sessionExpiry', 1]] });
  if (connack.sessionPresent) throw new Error('the session outlived its expiry interval of 0');
  await second.disconnect(0, [['sessionExpiry', 60]]);
  const third = await lab.peer();
  if (!(await third.connect({ clientId, clean: false })).sessionPresent) throw new Error('the session was not kept');
});

test('a session without expiry cannot be given one in DISCONNECT', async () => {
  const client = await lab.client();
  client.send(frame(0xe0, u8(0), propertyField([['sessionExpiry', 60]])));
  await client.expectDisconnect(0x82);
});

test('DISCONNECT may carry a reason string and user properties', async () => {
  const client = await lab.client();
  await client.disconnect(0, [
    ['reasonString', 'bye'],
    ['userProperty', ['a', 'b']],
  ]);
});

test('DISCONNECT with an unknown property, or bytes left over, is malformed', async () => {
  for (const body of ['00 02 7e00', '00 00 00', '00 05 1f']) {
    const client = await lab.client();
    client.send(frame(0xe0, hex(body)));
    await client.expectDisconnect(0x81);
  }
});

test('[MQTT-3.15.1-1] AUTH with flags, or without an authentication method in CONNECT, is a protocol error', async () => {
  for (const bytes of ['f0 00', 'f0 02 18 00', 'f0 02 19 00']) {
    const client = await lab.client();
    client.send(bytes);
    await client.expectDisconnect(0x82);
  }
  const client = await lab.client();
  client.send('f1 00');
  await client.expectEnd();
});

test('[MQTT-4.12.0-1] an authentication method that is not served is refused with 0x8C and a close', async () => {
  const peer = await lab.peer();
  peer.send(
    frame(
      0x10,
      hex('0004 4d515454 05 02 003c'),
      propertyField([
        ['authenticationMethod', 'none such'],
        ['authenticationData', hex('00 ff')],
      ]),
      hex('0001 61'),
    ),
  );
  await peer.expectBytes('20 03 00 8c 00');
  await peer.expectClose();
});

test('[MQTT-4.12.0-6] [MQTT-4.12.0-7] without an authentication method neither side speaks AUTH', async () => {
  const peer = await lab.peer();
  const connack = await peer.connect({ clientId: unique('client') });
  if (connack.properties.some(([name]) => name === 'authenticationMethod')) throw new Error('an unasked-for method');
  peer.send('f0 00');
  await peer.expectDisconnect(0x82);
});
