/**
 * Packets and their bytes, one row each. Decoding the bytes gives the packet, encoding the packet gives the bytes, and
 * the fuzz tests start from here.
 */
import { NO_BYTES, NO_PROPERTIES, type ProtocolVersion } from '../mod.ts';
import type { AnyPacket, PlainPublish } from './any-packet.ts';

export interface Vector {
  name: string;
  version: ProtocolVersion;
  bytes: string;
  any: AnyPacket;
}

const EMPTY = NO_PROPERTIES;
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

const plain: PlainPublish = {
  qos: 0,
  dup: false,
  retain: false,
  topic: Buffer.from('a/b'),
  packetId: 0,
  properties: NO_BYTES,
  messageExpiryInterval: 0,
  topicAlias: 0,
  subscriptionIdentifier: 0,
  payload: Buffer.from('hi'),
};

const hello = {
  bridge: false,
  cleanStart: true,
  keepAlive: 60,
  clientId: 'c',
  username: null,
  password: null,
  will: null,
  properties: EMPTY,
};

const connects: Vector[] = [
  {
    name: 'CONNECT 3.1',
    version: 3,
    bytes: '10 0f 0006 4d5149736470 03 02 003c 0001 63',
    any: { type: 'connect', packet: { ...hello, version: 3 } },
  },
  {
    name: 'CONNECT 3.1.1 with everything',
    version: 4,
    bytes: '10 21 0004 4d515454 04 f4 ffff 0001 63 0003 772f74 0003 627965 0001 75 0005 7061737300',
    any: {
      type: 'connect',
      packet: {
        ...hello,
        version: 4,
        cleanStart: false,
        keepAlive: 65535,
        username: 'u',
        password: hex('7061737300'),
        will: {
          topicName: 'w/t',
          payload: Buffer.from('bye'),
          qos: 2,
          retain: true,
          properties: NO_BYTES,
          delayInterval: 0,
          messageExpiryInterval: -1,
        },
      },
    },
  },
  {
    name: 'CONNECT of a 3.1.1 bridge',
    version: 4,
    bytes: '10 0d 0004 4d515454 84 02 003c 0001 63',
    any: { type: 'connect', packet: { ...hello, version: 4, bridge: true } },
  },
  {
    name: 'CONNECT 5 without properties',
    version: 5,
    bytes: '10 0e 0004 4d515454 05 02 003c 00 0001 63',
    any: { type: 'connect', packet: { ...hello, version: 5 } },
  },
  {
    name: 'CONNECT 5 with every property and a will',
    version: 5,
    bytes:
      '10 54 0004 4d515454 05 0e 0000 2a 11 0000003c 21 0014 27 0000ffff 22 000a 19 01 17 00 26 0001 61 0001 62 26 0001 61 0000 15 0001 6d 16 0002 00ff' +
      ' 0000 17 18 00000005 02 00000064 01 01 08 0001 72 26 0001 6b 0001 76 0001 77 0000',
    any: {
      type: 'connect',
      packet: {
        ...hello,
        version: 5,
        keepAlive: 0,
        clientId: '',
        properties: {
          sessionExpiryInterval: 60,
          receiveMaximum: 20,
          maximumPacketSize: 65535,
          topicAliasMaximum: 10,
          requestResponseInformation: 1,
          requestProblemInformation: 0,
          userProperties: [
            ['a', 'b'],
            ['a', ''],
          ],
          authenticationMethod: 'm',
          authenticationData: hex('00ff'),
        },
        will: {
          topicName: 'w',
          payload: NO_BYTES,
          qos: 1,
          retain: false,
          properties: hex('01 01 08 0001 72 26 0001 6b 0001 76'),
          delayInterval: 5,
          messageExpiryInterval: 100,
        },
      },
    },
  },
  {
    name: 'CONNACK 3.1.1 refused',
    version: 4,
    bytes: '20 02 00 05',
    any: { type: 'connack', packet: { sessionPresent: false, reasonCode: 5, properties: EMPTY } },
  },
  {
    name: 'CONNACK 5 as every client sees it',
    version: 5,
    bytes: '20 0e 00 00 0b 22 000a 27 001e8480 21 0014',
    any: {
      type: 'connack',
      packet: {
        sessionPresent: false,
        reasonCode: 0,
        properties: { topicAliasMaximum: 10, maximumPacketSize: 2000000, receiveMaximum: 20 },
      },
    },
  },
  {
    name: 'CONNACK 5 with all it can say',
    version: 5,
    bytes:
      '20 35 01 00 32 13 001e 12 0002 6964 15 0001 6d 16 0001 64 25 00 24 01 28 00 29 00 2a 01 1a 0001 69 1c 0001 73 1f 0001 72 11 ffffffff 26 0001 6b 0001 76',
    any: {
      type: 'connack',
      packet: {
        sessionPresent: true,
        reasonCode: 0,
        properties: {
          serverKeepAlive: 30,
          assignedClientIdentifier: 'id',
          authenticationMethod: 'm',
          authenticationData: Buffer.from('d'),
          retainAvailable: 0,
          maximumQos: 1,
          wildcardSubscriptionAvailable: 0,
          subscriptionIdentifierAvailable: 0,
          sharedSubscriptionAvailable: 1,
          responseInformation: 'i',
          serverReference: 's',
          reasonString: 'r',
          sessionExpiryInterval: 0xffffffff,
          userProperties: [['k', 'v']],
        },
      },
    },
  },
];

const publishes: Vector[] = [
  {
    name: 'PUBLISH 3.1.1 QoS 0',
    version: 4,
    bytes: '30 07 0003 612f62 6869',
    any: { type: 'publish', packet: plain },
  },
  {
    name: 'PUBLISH 3.1.1 QoS 2, again, retained',
    version: 4,
    bytes: '3d 09 0003 612f62 ffff 6869',
    any: { type: 'publish', packet: { ...plain, qos: 2, dup: true, retain: true, packetId: 65535 } },
  },
  {
    name: 'PUBLISH 5 QoS 1, empty payload',
    version: 5,
    bytes: '32 08 0003 612f62 0001 00',
    any: { type: 'publish', packet: { ...plain, qos: 1, packetId: 1, payload: NO_BYTES } },
  },
  {
    name: 'PUBLISH 5 with forwardable properties in a mixed order',
    version: 5,
    bytes: '30 20 0003 612f62 18 26 0001 61 0001 31 03 0001 63 26 0001 61 0001 32 09 0001 ff 01 01 6869',
    any: {
      type: 'publish',
      packet: { ...plain, properties: hex('26 0001 61 0001 31 03 0001 63 26 0001 61 0001 32 09 0001 ff 01 01') },
    },
  },
  {
    name: 'PUBLISH 5 with a content type, an expiry and an alias',
    version: 5,
    bytes: '30 14 0003 612f62 0c 03 0001 63 02 0000000a 23 000a 6869',
    any: {
      type: 'publish',
      packet: { ...plain, properties: hex('03 0001 63'), messageExpiryInterval: 10, topicAlias: 10 },
    },
  },
  {
    name: 'PUBLISH 5 by alias alone, with the largest subscription identifier',
    version: 5,
    bytes: '30 0d 0000 08 23 0001 0b ffffff7f 6869',
    any: {
      type: 'publish',
      packet: { ...plain, topic: NO_BYTES, topicAlias: 1, subscriptionIdentifier: 268435455 },
    },
  },
];

const ack = (
  reasonCode: number,
  properties = EMPTY,
): { packetId: number; reasonCode: number; properties: typeof EMPTY } => ({
  packetId: 0x1234,
  reasonCode,
  properties,
});

const acks: Vector[] = [
  { name: 'PUBACK 3.1.1', version: 4, bytes: '40 02 1234', any: { type: 'puback', packet: ack(0) } },
  { name: 'PUBACK 5 success', version: 5, bytes: '40 02 1234', any: { type: 'puback', packet: ack(0) } },
  { name: 'PUBACK 5 nobody', version: 5, bytes: '40 03 1234 10', any: { type: 'puback', packet: ack(0x10) } },
  { name: 'PUBREC 5 refused', version: 5, bytes: '50 03 1234 97', any: { type: 'pubrec', packet: ack(0x97) } },
  {
    name: 'PUBREC 5 with a reason string',
    version: 5,
    bytes: '50 09 1234 83 05 1f 0002 6e6f',
    any: { type: 'pubrec', packet: ack(0x83, { reasonString: 'no' }) },
  },
  { name: 'PUBREL 3.1', version: 3, bytes: '62 02 1234', any: { type: 'pubrel', packet: ack(0) } },
  { name: 'PUBREL 5 unknown', version: 5, bytes: '62 03 1234 92', any: { type: 'pubrel', packet: ack(0x92) } },
  {
    name: 'PUBCOMP 5 with user properties and success',
    version: 5,
    bytes: '70 0b 1234 00 07 26 0001 61 0001 62',
    any: { type: 'pubcomp', packet: ack(0, { userProperties: [['a', 'b']] }) },
  },
];

const subscriptions: Vector[] = [
  {
    name: 'SUBSCRIBE 3.1.1',
    version: 4,
    bytes: '82 0e 0001 0003 612f62 01 0003 632f23 02',
    any: {
      type: 'subscribe',
      packet: {
        packetId: 1,
        properties: EMPTY,
        items: [
          { topicFilter: 'a/b', qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 },
          { topicFilter: 'c/#', qos: 2, noLocal: false, retainAsPublished: false, retainHandling: 0 },
        ],
      },
    },
  },
  {
    name: 'SUBSCRIBE 5 with identifier and every option',
    version: 5,
    bytes: '82 13 ffff 0a 0b ac02 26 0001 61 0001 62 0003 612f2b 2e',
    any: {
      type: 'subscribe',
      packet: {
        packetId: 65535,
        properties: { subscriptionIdentifier: 300, userProperties: [['a', 'b']] },
        items: [{ topicFilter: 'a/+', qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 }],
      },
    },
  },
  {
    name: 'SUBACK 3.1.1',
    version: 4,
    bytes: '90 05 0001 00 02 80',
    any: { type: 'suback', packet: { packetId: 1, properties: EMPTY, reasonCodes: [0, 2, 0x80] } },
  },
  {
    name: 'SUBACK 5',
    version: 5,
    bytes: '90 05 0001 00 01 87',
    any: { type: 'suback', packet: { packetId: 1, properties: EMPTY, reasonCodes: [1, 0x87] } },
  },
  {
    name: 'UNSUBSCRIBE 3.1.1',
    version: 4,
    bytes: 'a2 07 0002 0003 612f62',
    any: { type: 'unsubscribe', packet: { packetId: 2, properties: EMPTY, topicFilters: ['a/b'] } },
  },
  {
    name: 'UNSUBSCRIBE 5 of two filters',
    version: 5,
    bytes: 'a2 0d 0002 00 0003 612f62 0003 c3a92f',
    any: { type: 'unsubscribe', packet: { packetId: 2, properties: EMPTY, topicFilters: ['a/b', 'é/'] } },
  },
  {
    name: 'UNSUBACK 3.1.1',
    version: 4,
    bytes: 'b0 02 0002',
    any: { type: 'unsuback', packet: { packetId: 2, properties: EMPTY, reasonCodes: [] } },
  },
  {
    name: 'UNSUBACK 5',
    version: 5,
    bytes: 'b0 05 0002 00 00 11',
    any: { type: 'unsuback', packet: { packetId: 2, properties: EMPTY, reasonCodes: [0, 0x11] } },
  },
];

const others: Vector[] = [
  { name: 'PINGREQ', version: 4, bytes: 'c0 00', any: { type: 'pingreq' } },
  { name: 'PINGRESP', version: 5, bytes: 'd0 00', any: { type: 'pingresp' } },
  {
    name: 'DISCONNECT 3.1.1',
    version: 4,
    bytes: 'e0 00',
    any: { type: 'disconnect', packet: { reasonCode: 0, properties: EMPTY } },
  },
  {
    name: 'DISCONNECT 5 taken over',
    version: 5,
    bytes: 'e0 01 8e',
    any: { type: 'disconnect', packet: { reasonCode: 0x8e, properties: EMPTY } },
  },
  {
    name: 'DISCONNECT 5 with a new expiry',
    version: 5,
    bytes: 'e0 07 00 05 11 0000003c',
    any: { type: 'disconnect', packet: { reasonCode: 0, properties: { sessionExpiryInterval: 60 } } },
  },
  {
    name: 'AUTH continue',
    version: 5,
    bytes: 'f0 0a 18 08 15 0001 6d 16 0001 64',
    any: {
      type: 'auth',
      packet: { reasonCode: 0x18, properties: { authenticationMethod: 'm', authenticationData: Buffer.from('d') } },
    },
  },
  {
    name: 'AUTH success in its short form',
    version: 5,
    bytes: 'f0 00',
    any: { type: 'auth', packet: { reasonCode: 0, properties: EMPTY } },
  },
];

export const goodVectors: readonly Vector[] = [...connects, ...publishes, ...acks, ...subscriptions, ...others];
