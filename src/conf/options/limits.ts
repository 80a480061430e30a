/** Chapter: how much of everything, and what happens beyond. */
import { globalOption, specialOption, type OptionRow } from './row.ts';
import { bool, choice, integer, readInteger, type ValueType } from './types.ts';
import { refuse } from '../error.ts';

const atLeastZero = integer({ argument: 'number', as: n => Math.max(n, 0) });
const noLimitBelowOne = integer({ argument: 'number', as: n => (n <= 0 ? -1 : n) });
const seconds = (max: number) => integer({ argument: `seconds, 1-${max}`, min: 1, max, outside: '0' });
const buffer = integer({ argument: 'bytes, 0-65535', min: 0, max: 65_535, outside: '65536', error: 'Error: Packet buffer size must be between 0 and 65535 inclusive.' }); // prettier-ignore

/** A number that may be larger than a C int. */
const largeNumber: ValueType<number> = {
  ...integer({ argument: 'bytes', good: ['0', '8589934592'] }),
  bad: [
    { text: '-5', error: "Error: Invalid '<name>' value (-5)." },
    { text: '10k', error: "Error: '<name>' value not a number." },
  ],
  read(argument, name) {
    const value = readInteger(argument, name, BigInt(Number.MAX_SAFE_INTEGER));
    if (value >= 0) return value;
    refuse(`Error: Invalid '${name}' value (${value}).`, 'Write a number of bytes, 0 for no limit.');
  },
};

/** Mosquitto keeps it unsigned: -1 is shown, and refused, as 4294967295. */
const payloadLimit: ValueType<number> = {
  ...integer({ argument: 'bytes, 0-268435455' }),
  bad: [
    { text: '268435456', error: "Error: Invalid 'message_size_limit' value (268435456)." },
    { text: '-1', error: "Error: Invalid 'message_size_limit' value (4294967295)." },
    { text: '10k', error: "Error: 'message_size_limit' value not a number." },
  ],
  read(argument, name) {
    const value = readInteger(argument, name);
    if (value >= 0 && value <= 268_435_455) return value;
    refuse(`Error: Invalid '${name}' value (${value >>> 0}).`, 'Write a number from 0 to 268435455.');
  },
};

/** 19 years in minutes. */
const retainExpiryMinutesMax = 10_000_000;

export const limits: readonly OptionRow[] = [
  globalOption({
    name: 'global_max_connections',
    type: noLimitBelowOne,
    field: 'globalMaxConnections',
    says: 'Open sockets over all listeners; one more is closed as it arrives. 0 or less is no limit.',
    since: '2.1',
    reload: 'live',
  }),
  globalOption({
    name: 'global_max_clients',
    type: noLimitBelowOne,
    field: 'globalMaxClients',
    says: 'Sessions, connected or stored. One more is refused: MQTT 5 clients are told 0x89, others are closed. 0 or less is no limit.',
    since: '2.1',
    reload: 'live',
  }),
  globalOption({
    name: 'max_pending_connections',
    type: integer({ argument: 'number, 1 or more', min: 1, outside: '0' }),
    field: 'maxPendingConnections',
    says: 'Connections that have not finished their CONNECT; one more is closed as it arrives.',
    since: 'ours',
    reload: 'live',
  }),
  globalOption({
    name: 'connect_timeout',
    type: seconds(3600),
    field: 'connectTimeoutSeconds',
    says: 'How long a connection may take until its CONNECT is complete; then it is closed.',
    since: 'ours',
    reload: 'live',
  }),
  globalOption({
    name: 'tls_handshake_timeout',
    type: seconds(3600),
    field: 'tlsHandshakeTimeoutSeconds',
    says: 'How long a TLS handshake may take; then the connection is closed.',
    since: 'ours',
    reload: 'live',
  }),
  globalOption({
    name: 'max_link_buffer_bytes',
    type: integer({ argument: 'bytes, 65536 or more', min: 65_536, outside: '65535', good: ['65536', '0x100000'] }),
    field: 'maxLinkBufferBytes',
    says: 'Bytes that may wait for one client that does not read; beyond, QoS 0 for it is dropped and counted, QoS 1 and 2 wait in its session, and its own requests are not read.',
    since: 'ours',
    reload: 'live',
  }),
  globalOption({
    name: 'nap_microseconds',
    type: integer({ argument: 'microseconds, 0-1000', min: 0, max: 1000, outside: '1001' }),
    field: 'napMicroseconds',
    says: 'While more than 24,000 small packets a second come in one by one, the broker waits this long before it reads on, so that it serves several at a time, for up to 40 % less CPU. Messages are that much later meanwhile. At lower rates, and under full load, nothing waits. 0 is never.',
    since: 'ours',
    reload: 'restart',
  }),
  globalOption({
    name: 'max_keepalive',
    type: integer({ argument: 'seconds, 0-65535', min: 0, max: 65_535, outside: '65536' }),
    field: 'maxKeepaliveSeconds',
    says: 'Longest keep alive. MQTT 5 clients are told to use it, older ones that want more are refused. 0 is any.',
    since: '1.6',
    reload: 'live',
  }),
  globalOption({
    name: 'set_tcp_nodelay',
    type: bool,
    field: 'setTcpNodelay',
    says: 'Sends small packets at once (TCP_NODELAY), instead of waiting up to 40 ms for the answer to the packet before.',
    since: '1.5',
    reload: 'live',
    differs: 'true unless said otherwise; false in Mosquitto. What belongs together is written together here anyway.',
  }),
  globalOption({
    name: 'packet_buffer_size',
    aliases: ['websockets_headers_size'],
    type: buffer,
    field: 'packetBufferSizeBytes',
    says: 'Largest HTTP header block of a WebSocket connection.',
    since: '2.1 (websockets_headers_size 1.6)',
    reload: 'live',
    differs: 'Mosquitto also reads from sockets in pieces of this size; here the system decides.',
  }),
  specialOption<number, 'global'>({
    name: 'memory_limit',
    type: largeNumber,
    says: 'Limit of the heap in Mosquitto. 0 is none.',
    standard: '0',
    since: '1.4.15',
    reload: 'none',
    fate: {
      kind: 'without effect',
      why: 'a process that may not allocate has to drop somebody blindly; bound what grows instead, with max_queued_bytes, max_queued_messages, max_link_buffer_bytes, global_max_clients and max_packet_size',
    },
    only: { when: 'above 0', test: value => value > 0 },
    scope: 'global',
    needs: 'nothing',
    fields: [],
    put: () => undefined,
  }),
  globalOption({
    name: 'max_packet_size',
    type: integer({
      argument: 'bytes, 20 or more',
      min: 20,
      outside: '19',
      error: "Error: 'max_packet_size' must be >= 20.",
    }),
    field: 'maxPacketSizeBytes',
    says: 'Largest MQTT packet a client may send; beyond, it is disconnected. MQTT 5 clients are told so in advance.',
    since: '1.6',
    reload: 'live',
  }),
  specialOption<number, 'global'>({
    name: 'message_size_limit',
    type: payloadLimit,
    says: 'Largest payload of a publish; a larger one is acknowledged and dropped. 0 is no limit.',
    since: '<=1.4',
    reload: 'live',
    scope: 'global',
    needs: 'nothing',
    fields: ['messageSizeLimitBytes'],
    put(settings, value, reading) {
      settings.messageSizeLimitBytes = value;
      reading.say('notice', 'Note: It is recommended to replace `message_size_limit` with `max_packet_size`.');
    },
  }),
  globalOption({
    name: 'max_inflight_messages',
    type: integer({
      argument: 'number, 0-65535',
      max: 65_535,
      outside: '65536',
      error: "Error: 'max_inflight_messages' must be <= 65535.",
      as: n => (n < 0 || n === 65_535 ? 0 : n),
    }),
    field: 'maxInflightMessages',
    says: 'QoS 1 and 2 messages on the way to one client, and what an MQTT 5 client may have on the way to us. 0 or 65535 is no limit.',
    since: '<=1.4',
    reload: 'live',
  }),
  globalOption({
    name: 'max_inflight_bytes',
    type: atLeastZero,
    field: 'maxInflightBytes',
    says: 'The same in bytes of payload; one message is always sent. 0 is no limit.',
    since: '1.5',
    reload: 'live',
  }),
  globalOption({
    name: 'max_queued_messages',
    type: atLeastZero,
    field: 'maxQueuedMessages',
    says: 'Messages kept for one client beyond those on the way; beyond, the newest is dropped. 0 is no limit.',
    since: '<=1.4',
    reload: 'live',
  }),
  globalOption({
    name: 'max_queued_bytes',
    type: atLeastZero,
    field: 'maxQueuedBytes',
    says: 'The same in bytes of payload; whichever is reached first. 0 is no limit.',
    since: '1.5',
    reload: 'live',
  }),
  globalOption({
    name: 'max_total_queued_bytes',
    type: largeNumber,
    field: 'maxTotalQueuedBytes',
    says: 'Bytes of payload that the queues of all clients may hold together, in memory and on the disk; beyond, queue_policy says what goes. 0 is no limit.',
    since: 'ours',
    reload: 'live',
  }),
  globalOption({
    name: 'queue_policy',
    type: choice(['drop_newest', 'drop_oldest'], "Error: Invalid '<name>' value (<word>)."),
    field: 'queuePolicy',
    says: 'Which message goes when the queue of a client is full: the one that comes, or the one that has waited longest.',
    since: 'ours',
    reload: 'live',
  }),
  globalOption({
    name: 'queue_memory_bytes',
    type: largeNumber,
    field: 'queueMemoryBytes',
    says: 'Memory for queued messages when persistence is on: what does not fit is on the disk alone until its client can take it. At most 1000 messages and 1 MB are for one client, and 20 messages always.',
    since: 'ours',
    reload: 'live',
  }),
  globalOption({
    name: 'max_retained_messages',
    type: atLeastZero,
    field: 'maxRetainedMessages',
    says: 'Retained messages; one on a further topic is delivered and not retained. 0 is no limit. Those of $SYS count.',
    since: 'ours',
    reload: 'live',
  }),
  globalOption({
    name: 'max_retained_bytes',
    type: largeNumber,
    field: 'maxRetainedBytes',
    says: 'The same in bytes of payload; whichever is reached first. 0 is no limit.',
    since: 'ours',
    reload: 'live',
  }),
  globalOption({
    name: 'queue_qos0_messages',
    type: bool,
    field: 'queueQos0Messages',
    says: 'Keeps QoS 0 messages too for clients that are away.',
    since: '<=1.4',
    reload: 'live',
    differs: 'They count towards the queue limits, as Mosquitto\u2019s manual says and its code forgets.',
  }),
  globalOption({
    name: 'upgrade_outgoing_qos',
    type: bool,
    field: 'upgradeOutgoingQos',
    says: 'Delivers with the QoS of the subscription even if the message was published with less. Not what the standard says.',
    since: '<=1.4',
    reload: 'live',
  }),
  globalOption({
    name: 'allow_duplicate_messages',
    type: bool,
    field: 'allowDuplicateMessages',
    says: 'Sends an MQTT 3 client one copy for each of its subscriptions that match; false sends one in all.',
    since: '<=1.4',
    deprecated: 'The behaviour will default to true.',
    reload: 'live',
  }),
  globalOption({
    name: 'retain_available',
    type: bool,
    field: 'retainAvailable',
    says: 'Supports retained messages. When false, a client that publishes one is disconnected.',
    since: '1.6',
    reload: 'live',
  }),
  specialOption<number, 'global'>({
    name: 'retain_expiry_interval',
    type: integer({
      argument: 'minutes, 1-10000000',
      min: 1,
      outside: '0',
      error: 'Error: retain_expiry_interval must be >= 1.',
    }),
    says: 'How often retained messages whose time is over are swept out; otherwise they go when somebody asks for them.',
    standard: 'never',
    since: '2.0.21',
    reload: 'live',
    scope: 'global',
    needs: 'nothing',
    fields: ['retainExpiryIntervalSeconds'],
    put(settings, minutes, reading) {
      settings.retainExpiryIntervalSeconds = Math.min(minutes, retainExpiryMinutesMax) * 60;
      if (minutes <= retainExpiryMinutesMax) return;
      reading.say('warning', 'Warning: retain_expiry_interval being capped at 19 years.');
    },
  }),
];
