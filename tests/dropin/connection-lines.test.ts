/**
 * What the log says of a client that goes wrong: the literal texts of docs/compat/errors-logs.md 3, each provoked by bytes.
 *
 *   before CONNECT   Protocol error from 127.0.0.1:44574: TEXT      Client 127.0.0.1 [127.0.0.1:44574] disconnected: REASON
 *   afterwards       Protocol error from c: TEXT                    Client c [127.0.0.1:44574] disconnected: REASON
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  acknowledgement,
  auth,
  connect,
  disconnect,
  packet,
  publish,
  RawClient,
  subscribe,
  text,
  u16,
  until,
  type Version,
} from '../harness/mod.ts';
import { assertInOrder, shared, texts } from './stage.ts';

const all = shared({ conf: at => `listener ${at.port()} 127.0.0.1\nallow_anonymous true\nlog_type all\n` });

/** CONNECT with a body of one's own behind the protocol name. */
const raw = (name: string, rest: string): Buffer =>
  packet('connect', 0, Buffer.concat([text(name), Buffer.from(rest, 'hex')]));

type Row = readonly [says: string, bytes: Buffer, text: string | null, reason: string];

const protocolError = 'protocol error.';
const malformed = 'malformed packet.';

/** As the first bytes of a connection. */
const strangers: readonly Row[] = [
  ['PINGREQ', Buffer.from('c000', 'hex'), 'First packet not CONNECT (C0).', protocolError],
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'First packet not CONNECT (47).', protocolError],
  [
    'a name of 5 bytes',
    raw('MQTTX', '0402003c0000'),
    'CONNECT with incorrect protocol string length (5).',
    protocolError,
  ],
  ['a name that is none', raw('MQTX', '0402003c000163'), 'CONNECT with invalid protocol "MQTX".', protocolError],
  [
    'connect flag bit 0',
    connect({ clientId: 'c', connectFlags: 0x03 }),
    'CONNECT with non-zero connect reserved flag (03).',
    protocolError,
  ],
  [
    'fixed header flags',
    Buffer.concat([Buffer.from([0x11]), connect({ clientId: 'c' }).subarray(1)]),
    'CONNECT with non-zero reserved flags (11).',
    protocolError,
  ],
  [
    'will QoS 3',
    connect({ clientId: 'c', will: { topic: 'w', qos: 3 } }),
    'CONNECT with invalid Will QoS (3).',
    protocolError,
  ],
  [
    'will QoS without a will',
    connect({ clientId: 'c', connectFlags: 0x0a }),
    'CONNECT without Will with non-zero QoS (1) or retain (0).',
    protocolError,
  ],
  [
    'a password without a name',
    connect({ clientId: 'c', password: 'x' }),
    'password without username, closing connection.',
    protocolError,
  ],
  [
    'an empty id in 3.1',
    connect({ version: 3, clientId: '' }),
    'v3.1 CONNECT with zero length clientid.',
    'client identifier not valid.',
  ],
  ['an empty will topic', connect({ clientId: 'c', will: { topic: '' } }), 'Will with empty topic.', protocolError],
  [
    'a version that nobody knows',
    connect({ clientId: 'c', protocolLevel: 6 }),
    'CONNECT with invalid protocol version (6).',
    'used disallowed feature (QoS too high, retain not supported, or bad AUTH method).',
  ],
];

/** From a client that is in. */
const members: readonly (readonly [version: Version, ...Row])[] = [
  [4, 'packet type 0', Buffer.from('0000', 'hex'), 'RESERVED packet.', protocolError],
  [
    5,
    'packet id 0',
    publish({ version: 5, topic: 'a', qos: 1, packetId: 0 }),
    'PUBLISH packet with mid = 0.',
    protocolError,
  ],
  [
    4,
    'PUBLISH with packet id 0',
    publish({ topic: 'a', qos: 1, packetId: 0 }),
    'PUBLISH packet with mid = 0.',
    protocolError,
  ],
  [4, 'PUBACK 0', acknowledgement('puback', 0), 'PUBACK with mid = 0.', protocolError],
  [5, 'PUBACK with a code it has not', acknowledgement('puback', 1, 1), 'PUBACK with reason code = 1.', protocolError],
  [4, 'CONNACK', Buffer.from('20020000', 'hex'), 'CONNACK when not a bridge.', protocolError],
  [4, 'SUBACK', Buffer.from('9003000100', 'hex'), 'SUBACK when not a bridge.', protocolError],
  [4, 'UNSUBACK', Buffer.from('b0020001', 'hex'), 'UNSUBACK when not a bridge.', protocolError],
  [4, 'PINGRESP', Buffer.from('d000', 'hex'), 'PINGRESP when not a bridge.', protocolError],
  [4, 'AUTH', Buffer.from('f000', 'hex'), 'AUTH packet when session not MQTT v5.0.', protocolError],
  [5, 'AUTH without a method', auth(0x18), 'AUTH packet without existing auth-method.', protocolError],
  [
    5,
    'DISCONNECT that lengthens the session',
    disconnect(0, [['sessionExpiryInterval', 5]]),
    'DISCONNECT packet with mismatched session-expiry-interval (0:5).',
    protocolError,
  ],
  [
    5,
    'no-local on a shared subscription',
    subscribe({ version: 5, filters: [['$share/g/a', 4]] }),
    '$share subscription with no-local set.',
    protocolError,
  ],
  [5, 'an alias that is 0', publish({ version: 5, topic: 'a', properties: [['topicAlias', 0]] }), null, protocolError],
  [
    5,
    'an alias above the maximum',
    publish({ version: 5, topic: 'a', properties: [['topicAlias', 11]] }),
    'PUBLISH invalid topic alias (11).',
    'topic alias invalid.',
  ],
  [5, 'a wildcard in a topic', publish({ version: 5, topic: 'a/#' }), null, malformed],
  [4, 'PINGREQ with a body', packet('pingreq', 0, Buffer.from([0])), null, malformed],
  [5, 'PINGREQ with flags', packet('pingreq', 1), null, malformed],
];

/** Mosquitto's other lines, without "Protocol error from". */
const others: readonly (readonly [version: Version, says: string, bytes: Buffer, line: RegExp, reason: RegExp])[] = [
  [
    4,
    'a second CONNECT',
    connect({ clientId: 'c' }),
    /^Bad client 127\.0\.0\.1:\d+ sending multiple CONNECT messages\.$/,
    /protocol error\.$/,
  ],
  [
    4,
    'QoS 3',
    publish({ topic: 'a', qos: 3 }),
    /^Invalid QoS in PUBLISH from c, disconnecting\.$/,
    /malformed packet\.$/,
  ],
  [
    4,
    'DUP with QoS 0',
    publish({ topic: 'a', dup: true }),
    /^Invalid PUBLISH \(QoS=0 and DUP=1\) from c, disconnecting\.$/,
    /malformed packet\.$/,
  ],
  [
    4,
    'an empty filter',
    subscribe({ filters: [['', 0]] }),
    /^Empty subscription string from 127\.0\.0\.1, disconnecting\.$/,
    /malformed packet\.$/,
  ],
  [
    4,
    'a filter that is none',
    subscribe({ filters: [['a#', 0]] }),
    /^Invalid subscription string from 127\.0\.0\.1, disconnecting\.$/,
    /malformed packet\.$/,
  ],
  [
    4,
    'a QoS that is none',
    subscribe({ filters: [['a', 3]] }),
    /^Invalid QoS in subscription command from 127\.0\.0\.1, disconnecting\.$/,
    /malformed packet\.$/,
  ],
  [
    4,
    'UNSUBSCRIBE from a filter that is none',
    packet('unsubscribe', 2, Buffer.concat([u16(1), text('a#')])),
    /^Invalid unsubscription string from c, disconnecting\.$/,
    /malformed packet\.$/,
  ],
];

/** The lines of this connection, once it is over. */
async function linesUntilTheEnd(from: number): Promise<string[]> {
  const lines = (): string[] => texts(all().lines.slice(from));
  await until('the end in the log', () => lines().some(line => / disconnected(:|\.)/.test(line)));
  return lines();
}

async function send(bytes: Buffer, as: Version | null): Promise<string[]> {
  const from = all().lines.length;
  const client = await RawClient.dial({ port: all().port });
  if (as !== null) assert.equal((await client.connect({ clientId: 'c', version: as })).reasonCode, 0);
  client.send(bytes);
  for (let next = await client.next(); next !== null; next = await client.next());
  return linesUntilTheEnd(from);
}

const escaped = (line: string): string => line.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

describe('a stranger', () => {
  for (const [says, bytes, wanted, reason] of strangers) {
    test(`${says}: ${wanted}`, async () => {
      assertInOrder(
        await send(bytes, null),
        new RegExp(`^Protocol error from 127\\.0\\.0\\.1:\\d+: ${escaped(wanted!)}$`),
        new RegExp(`^Client \\S+ \\[127\\.0\\.0\\.1:\\d+\\] disconnected: ${escaped(reason)}$`),
      );
    });
  }
});

describe('a client', () => {
  for (const [version, says, bytes, wanted, reason] of members) {
    test(`protocol ${version}, ${says}: ${wanted ?? reason}`, async () => {
      assertInOrder(
        await send(bytes, version),
        ...(wanted === null ? [] : [`Protocol error from c: ${wanted}`]),
        new RegExp(`^Client c \\[127\\.0\\.0\\.1:\\d+\\] disconnected: ${escaped(reason)}$`),
      );
    });
  }

  for (const [version, says, bytes, line, reason] of others) {
    test(`protocol ${version}, ${says}`, async () => {
      assertInOrder(await send(bytes, version), line, reason);
    });
  }

  test('two acknowledgements of one message: the second counts for nothing', async () => {
    const client = await RawClient.dial({ port: all().port });
    await client.connect({ clientId: 'acks' });
    client.send(acknowledgement('puback', 7), acknowledgement('pubcomp', 8));
    await client.expectQuiet();
    const from = all().lines.length;
    client.send(acknowledgement('pubrec', 9));
    assert.equal((await client.expect('pubrel')).packetId, 9);
    await all().logged(/Warning: Received PUBREC from acks for an unknown packet identifier 9\.$/, from);
  });

  test('an acknowledgement of the wrong kind', async () => {
    const client = await RawClient.dial({ port: all().port });
    await client.connect({ clientId: 'kinds' });
    await client.subscribe([['kinds', 2]]);
    client.send(publish({ topic: 'kinds', qos: 2, packetId: 1 }), acknowledgement('pubrel', 1));
    for (let next = await client.next(); next?.type !== 'publish'; next = await client.next());
    const from = all().lines.length;
    client.send(acknowledgement('puback', 1));
    for (let next = await client.next(); next !== null; next = await client.next());
    assertInOrder(
      await linesUntilTheEnd(from),
      'Protocol error from kinds: Mismatched QoS (2:1) when deleting outgoing message.',
      /^Client kinds .* disconnected: protocol error\.$/,
    );
  });

  test('an id that comes again with other content', async () => {
    const client = await RawClient.dial({ port: all().port });
    await client.connect({ clientId: 'again' });
    client.send(publish({ topic: 'one', qos: 2, packetId: 5 }));
    await client.expect('pubrec');
    client.send(publish({ topic: 'two', qos: 2, packetId: 5 }));
    await client.expect('pubrec');
    await all().logged(/Reused message ID 5 from again detected\. Clearing from storage\.$/);
  });

  test('the will in the debug log, and none', async () => {
    const from = all().lines.length;
    const client = await RawClient.dial({ port: all().port });
    await client.connect({ clientId: 'wills', will: { topic: 'a/b', payload: '12345', qos: 1, retain: true } });
    await all().logged(/Sending CONNACK to wills/, from);
    assertInOrder(
      texts(all().lines.slice(from)),
      'Will message specified (5 bytes) (r1, q1).',
      '\ta/b',
      'Sending CONNACK to wills (0, 0)',
    );
  });
});
