/** Properties of the codec over arbitrary packets: what is written is read as what it was. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isMqttUtf8, NO_BYTES, NO_PROPERTIES, PacketError, propertyTable } from '../mod.ts';
import type { Properties, ProtocolVersion } from '../mod.ts';
import { ByteWriter } from '../byte-writer.ts';
import { writeProperties } from '../properties.ts';
import type { PropertyPlace, PropertyRow } from '../properties.ts';
import { decodePacket, encodePacket, framed, tryDecode } from '../vectors/any-packet.ts';
import type { AnyPacket } from '../vectors/any-packet.ts';

function isAllowed(character: string): boolean {
  const bytes = Buffer.from(character);
  return isMqttUtf8(bytes, 0, bytes.length);
}

/** Text as MQTT allows it; utf8.test.ts holds the judge to account. */
const text = fc.string({ unit: 'binary', maxLength: 12 }).map(raw => [...raw].filter(isAllowed).join(''));
const name = text.map(raw => raw.replace(/[+#]/g, '') || 't');
const binary = fc.uint8Array({ maxLength: 20 }).map(bytes => Buffer.from(bytes));
const uint16 = fc.integer({ min: 0, max: 0xffff });
const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const packetId = fc.integer({ min: 1, max: 0xffff });
const qos = fc.constantFrom(0 as const, 1 as const, 2 as const);
const version = fc.constantFrom<ProtocolVersion>(3, 4, 5);

function propertyValue(row: PropertyRow): fc.Arbitrary<unknown> {
  const numbers = {
    flag: fc.nat(1),
    byte: fc.nat(255),
    uint16,
    uint32,
    varint: fc.integer({ min: 0, max: 268435455 }),
  };
  switch (row.type) {
    case 'string':
      return row.name === 'responseTopic' ? name : text;
    case 'binary':
      return binary;
    case 'pair':
      return fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 3 });
    default:
      return numbers[row.type].map(value => (row.notZero && value === 0 ? 1 : value));
  }
}

/** Plain objects, such as the readers make. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(model, { noNullPrototype: true });
}

/** Any properties that may stand in this place. */
function propertiesOf(place: PropertyPlace): fc.Arbitrary<Readonly<Properties>> {
  const rows = propertyTable.filter(row => row.places.includes(place));
  const values = Object.fromEntries(rows.map(row => [row.name, propertyValue(row)]));
  return fc
    .record(values, { requiredKeys: [], noNullPrototype: true })
    .map(found => (Object.keys(found).length === 0 ? NO_PROPERTIES : (found as Properties)));
}

function without(properties: Readonly<Properties>, ...names: (keyof Properties)[]): Readonly<Properties> {
  const rest = { ...properties };
  for (const absent of names) delete rest[absent];
  return rest;
}

/** Raw bytes of properties that travel with a message. */
const forwardable = propertiesOf('will').map(properties => {
  const writer = new ByteWriter();
  writeProperties(writer, without(properties, 'messageExpiryInterval', 'willDelayInterval'));
  const block = Buffer.from(writer.view());
  return block.subarray(block.findIndex(byte => byte < 0x80) + 1);
});

const only5 = <T>(level: ProtocolVersion, value: fc.Arbitrary<T>, otherwise: T): fc.Arbitrary<T> =>
  level === 5 ? value : fc.constant(otherwise);

const will = (level: ProtocolVersion) =>
  record({
    topicName: name,
    payload: binary,
    qos,
    retain: fc.boolean(),
    properties: only5(level, forwardable, NO_BYTES),
    delayInterval: only5(level, uint32, 0),
    messageExpiryInterval: only5(level, fc.oneof(uint32, fc.constant(-1)), -1),
  });

const connect = version.chain(level =>
  record({
    version: fc.constant(level),
    bridge: fc.boolean(),
    cleanStart: fc.boolean(),
    keepAlive: uint16,
    clientId: text,
    username: fc.option(text),
    password: fc.option(binary),
    will: fc.option(will(level)),
    properties: only5(level, propertiesOf('connect'), NO_PROPERTIES),
  }).map(packet => {
    // 3.x has no password without a user name; 5 has no data without a method.
    if (level !== 5 && packet.username === null) return { ...packet, password: null };
    if (packet.properties.authenticationMethod !== undefined) return packet;
    return { ...packet, properties: without(packet.properties, 'authenticationData') };
  }),
);

const publish = (level: ProtocolVersion) =>
  record({
    qos,
    dup: fc.boolean(),
    retain: fc.boolean(),
    topic: name.map(value => Buffer.from(value)),
    packetId,
    properties: only5(level, forwardable, NO_BYTES),
    messageExpiryInterval: only5(level, uint32, 0),
    topicAlias: only5(level, uint16, 0),
    subscriptionIdentifier: only5(level, fc.nat(268435455), 0),
    payload: fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)),
  }).map(packet => (packet.qos === 0 ? { ...packet, dup: false, packetId: 0 } : packet));

const item = (level: ProtocolVersion) =>
  record({
    topicFilter: text,
    qos,
    noLocal: only5(level, fc.boolean(), false),
    retainAsPublished: only5(level, fc.boolean(), false),
    retainHandling: only5<0 | 1 | 2>(level, qos, 0),
  });

const codes = fc.array(fc.nat(255), { minLength: 1, maxLength: 5 });

function ack(type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp', level: ProtocolVersion): fc.Arbitrary<AnyPacket> {
  const reasons = type === 'puback' || type === 'pubrec' ? [0, 0x10, 0x80, 0x97] : [0, 0x92];
  return record({
    packetId,
    reasonCode: only5(level, fc.constantFrom(...reasons), 0),
    properties: only5(level, propertiesOf(type), NO_PROPERTIES),
  }).map(packet => ({ type, packet }));
}

/** Any packet of any type that this version has. */
function anyPacket(level: ProtocolVersion): fc.Arbitrary<AnyPacket> {
  const props = (place: PropertyPlace) => only5(level, propertiesOf(place), NO_PROPERTIES);
  const suback = (type: 'suback' | 'unsuback') =>
    record({
      packetId,
      properties: props(type),
      reasonCodes: level !== 5 && type === 'unsuback' ? fc.constant<number[]>([]) : codes,
    }).map(packet => ({ type, packet }));
  return fc.oneof(
    record({
      sessionPresent: level === 3 ? fc.constant(false) : fc.boolean(),
      reasonCode: fc.nat(255),
      properties: props('connack'),
    }).map(packet => ({ type: 'connack' as const, packet })),
    publish(level).map(packet => ({ type: 'publish' as const, packet })),
    ...(['puback', 'pubrec', 'pubrel', 'pubcomp'] as const).map(type => ack(type, level)),
    record({
      packetId,
      properties: props('subscribe'),
      items: fc.array(item(level), { minLength: 1, maxLength: 4 }),
    }).map(packet => ({ type: 'subscribe' as const, packet })),
    suback('suback'),
    suback('unsuback'),
    record({
      packetId,
      properties: props('unsubscribe'),
      topicFilters: fc.array(text, { minLength: 1, maxLength: 4 }),
    }).map(packet => ({ type: 'unsubscribe' as const, packet })),
    record({ reasonCode: only5(level, fc.nat(255), 0), properties: props('disconnect') }).map(packet => ({
      type: 'disconnect' as const,
      packet,
    })),
    ...(level === 5
      ? [
          record({ reasonCode: fc.constantFrom(0, 0x18, 0x19), properties: props('auth') }).map(packet => ({
            type: 'auth' as const,
            packet,
          })),
        ]
      : []),
  );
}

test('every CONNECT is read as it was written', () => {
  fc.assert(
    fc.property(connect, packet => {
      const any = { type: 'connect' as const, packet };
      assert.deepEqual(decodePacket(encodePacket(any, packet.version), packet.version), any);
    }),
  );
});

for (const level of [3, 4, 5] as const)
  test(`every packet of version ${level} is read as it was written`, () => {
    fc.assert(
      fc.property(anyPacket(level), any => assert.deepEqual(decodePacket(encodePacket(any, level), level), any)),
      { numRuns: 500 },
    );
  });

test('random bytes behind any first byte give a packet or a reason, in every version', () => {
  const first = fc.integer({ min: 0x10, max: 0xff });
  fc.assert(
    fc.property(first, fc.uint8Array({ maxLength: 40 }), version, (head, body, level) => {
      const read = tryDecode(framed(head, Buffer.from(body)), level);
      if (read instanceof PacketError) assert.ok(read.reasonCode >= 0x80);
    }),
    { numRuns: 5000 },
  );
});

test('an arbitrary packet with some bytes changed gives a packet or a reason', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(
      version.chain(level => fc.tuple(fc.constant(level), anyPacket(level))),
      changes,
      ([level, any], list) => {
        const bytes = encodePacket(any, level);
        const body = bytes.subarray(bytes.findIndex((byte, at) => at > 0 && byte < 0x80) + 1);
        for (const [at, value] of list) if (body.length > 0) body[at % body.length] = value;
        tryDecode(framed(bytes[0]!, body), level);
      },
    ),
    { numRuns: 3000 },
  );
});
