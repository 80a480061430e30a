/**
 * The $SYS topics. A row is a topic with its unit, the rule by which it is published, and where its value comes from:
 *
 *   once      when $SYS starts
 *   tick      at every tick
 *   changed   at a tick when the value is another one
 *   upward    the highest value seen at a tick, when it has grown
 *   load      per minute, as exponentially weighted averages over 1, 5 and 15 minutes: .../1min, /5min, /15min
 *
 * Rows stand in the order in which Mosquitto's HTTP API lists them. All are retained, QoS 2, published by the broker.
 */
import type { CounterName, DropCause, Meter } from '../broker/ports.ts';

/** What the broker can say about this moment. */
export interface Gauges {
  /** Connected and stored. */
  sessionsTotal: number;
  sessionsConnected: number;
  sessionsDisconnected: number;
  /** Shared ones not counted. */
  subscriptions: number;
  /** One per member. */
  sharedSubscriptions: number;
  retainedMessages: number;
  storedMessages: number;
  storedBytes: number;
  /** Waiting for sockets. */
  packetsOutCount: number;
  packetsOutBytes: number;
  /** Sockets that have not finished CONNECT included. */
  socketsOpen: number;
}

/** Everything a row may look at. */
export interface SysFacts {
  meter: Readonly<Meter>;
  gauges: Gauges;
  version: string;
  uptimeSeconds: number;
  heapUsedBytes: number;
}

export type SysRule = 'once' | 'tick' | 'changed' | 'upward' | 'load';

export interface SysTopicRow {
  topic: string;
  /** Publishes the same value. */
  alias?: string;
  unit: string;
  rule: SysRule;
  /** For `upward`: not published until it is above this. */
  above?: number;
  value: (facts: SysFacts) => number | string;
  says: string;
}

const mosquittoRows: readonly SysTopicRow[] = [
  {
    topic: '$SYS/broker/version',
    unit: 'text',
    rule: 'once',
    value: facts => `zancudo version ${facts.version}`,
    says: 'Which broker this is.',
  },
  {
    topic: '$SYS/broker/clients/total',
    unit: 'sessions',
    rule: 'changed',
    value: facts => facts.gauges.sessionsTotal,
    says: 'Connected clients and stored sessions of absent ones.',
  },
  {
    topic: '$SYS/broker/clients/maximum',
    unit: 'sessions',
    rule: 'upward',
    above: 1,
    value: facts => facts.gauges.sessionsTotal,
    says: 'Highest `clients/total` seen at a tick. As in Mosquitto it appears when there have been two.',
  },
  {
    topic: '$SYS/broker/clients/disconnected',
    alias: '$SYS/broker/clients/inactive',
    unit: 'sessions',
    rule: 'changed',
    value: facts => facts.gauges.sessionsDisconnected,
    says: 'Stored sessions whose client is away.',
  },
  {
    topic: '$SYS/broker/clients/connected',
    alias: '$SYS/broker/clients/active',
    unit: 'clients',
    rule: 'changed',
    value: facts => facts.gauges.sessionsConnected,
    says: 'Connected clients. Sockets that have not finished CONNECT are not counted; in Mosquitto they are.',
  },
  {
    topic: '$SYS/broker/clients/expired',
    unit: 'sessions since the start',
    rule: 'changed',
    value: facts => facts.meter.sessionsExpired,
    says: 'Sessions dropped because their expiry interval was over.',
  },
  {
    topic: '$SYS/broker/messages/stored',
    alias: '$SYS/broker/store/messages/count',
    unit: 'messages',
    rule: 'changed',
    value: facts => facts.gauges.storedMessages,
    says: 'Messages held for sessions and as retained messages, those of $SYS included.',
  },
  {
    topic: '$SYS/broker/store/messages/bytes',
    unit: 'payload bytes',
    rule: 'changed',
    value: facts => facts.gauges.storedBytes,
    says: 'Payload bytes of the messages held.',
  },
  {
    topic: '$SYS/broker/subscriptions/count',
    unit: 'subscriptions',
    rule: 'changed',
    value: facts => facts.gauges.subscriptions,
    says: 'Subscriptions, shared ones not counted.',
  },
  {
    topic: '$SYS/broker/shared_subscriptions/count',
    unit: 'subscriptions',
    rule: 'changed',
    value: facts => facts.gauges.sharedSubscriptions,
    says: 'Shared subscriptions, one per member of a group.',
  },
  {
    topic: '$SYS/broker/retained messages/count',
    unit: 'messages',
    rule: 'changed',
    value: facts => facts.gauges.retainedMessages,
    says: 'Retained messages, those of $SYS included. The topic has a space in it.',
  },
  {
    topic: '$SYS/broker/heap/current',
    unit: 'bytes',
    rule: 'changed',
    value: facts => facts.heapUsedBytes,
    says: 'JavaScript heap in use.',
  },
  {
    topic: '$SYS/broker/heap/maximum',
    unit: 'bytes',
    rule: 'upward',
    value: facts => facts.heapUsedBytes,
    says: 'Highest `heap/current` seen at a tick.',
  },
  {
    topic: '$SYS/broker/messages/received',
    unit: 'packets since the start',
    rule: 'changed',
    value: facts => facts.meter.packetsReceived,
    says: 'MQTT packets of every type, not only PUBLISH.',
  },
  {
    topic: '$SYS/broker/messages/sent',
    unit: 'packets since the start',
    rule: 'changed',
    value: facts => facts.meter.packetsSent,
    says: 'MQTT packets of every type, not only PUBLISH.',
  },
  {
    topic: '$SYS/broker/bytes/received',
    unit: 'bytes since the start',
    rule: 'changed',
    value: facts => facts.meter.bytesReceived,
    says: 'Network bytes, after TLS was taken off.',
  },
  {
    topic: '$SYS/broker/bytes/sent',
    unit: 'bytes since the start',
    rule: 'changed',
    value: facts => facts.meter.bytesSent,
    says: 'Network bytes, before TLS is put on.',
  },
  {
    topic: '$SYS/broker/publish/bytes/received',
    unit: 'bytes since the start',
    rule: 'changed',
    value: facts => facts.meter.publishBytesReceived,
    says: 'Payload bytes of PUBLISH packets.',
  },
  {
    topic: '$SYS/broker/publish/bytes/sent',
    unit: 'bytes since the start',
    rule: 'changed',
    value: facts => facts.meter.publishBytesSent,
    says: 'Payload bytes of PUBLISH packets.',
  },
  {
    topic: '$SYS/broker/packet/out/count',
    unit: 'packets',
    rule: 'changed',
    value: facts => facts.gauges.packetsOutCount,
    says: 'Packets waiting for sockets.',
  },
  {
    topic: '$SYS/broker/packet/out/bytes',
    unit: 'bytes',
    rule: 'changed',
    value: facts => facts.gauges.packetsOutBytes,
    says: 'Bytes waiting for sockets.',
  },
  {
    topic: '$SYS/broker/connections/socket/count',
    unit: 'sockets since the start',
    rule: 'changed',
    value: facts => facts.meter.socketsAccepted,
    says: 'Accepted sockets.',
  },
  {
    topic: '$SYS/broker/publish/messages/dropped',
    unit: 'messages since the start',
    rule: 'changed',
    value: facts => facts.meter.publishDropped,
    says: 'Messages dropped at a limit of a queue or a link.',
  },
  {
    topic: '$SYS/broker/publish/messages/received',
    unit: 'packets since the start',
    rule: 'changed',
    value: facts => facts.meter.publishReceived,
    says: 'PUBLISH packets, counted before the access rules are asked.',
  },
  {
    topic: '$SYS/broker/publish/messages/sent',
    unit: 'packets since the start',
    rule: 'changed',
    value: facts => facts.meter.publishSent,
    says: 'PUBLISH packets.',
  },
  {
    topic: '$SYS/broker/uptime',
    unit: 'text: `<n> seconds`',
    rule: 'tick',
    value: facts => `${facts.uptimeSeconds} seconds`,
    says: 'Whole seconds since the start.',
  },
  load('messages/received', 'packets received', meter => meter.packetsReceived),
  load('messages/sent', 'packets sent', meter => meter.packetsSent),
  load('publish/dropped', 'messages dropped', meter => meter.publishDropped),
  load('publish/received', 'PUBLISH packets received', meter => meter.publishReceived),
  load('publish/sent', 'PUBLISH packets sent', meter => meter.publishSent),
  load('bytes/received', 'bytes received', meter => meter.bytesReceived),
  load('bytes/sent', 'bytes sent', meter => meter.bytesSent),
  load('sockets', 'sockets accepted', meter => meter.socketsAccepted),
  load('connections', 'CONNECT packets received', meter => meter.connectsReceived),
];

function load(name: string, what: string, count: (meter: Readonly<Meter>) => number): SysTopicRow {
  return {
    topic: `$SYS/broker/load/${name}`,
    unit: `${what} per minute`,
    rule: 'load',
    value: facts => count(facts.meter),
    says: `Average of ${what} per minute.`,
  };
}

/** The counters behind our limits and refusals, under a name that is ours. */
const refused: readonly [topic: string, counter: CounterName, unit: string, says: string][] = [
  [
    'connections/refused/limit',
    'connectionsRefusedByLimit',
    'sockets',
    'Closed at once by max_connections, global_max_connections or max_pending_connections.',
  ],
  [
    'connections/refused/tls',
    'tlsRefused',
    'sockets',
    'TLS handshakes that failed or timed out, and certificates that did not hold.',
  ],
  ['connections/refused/connect', 'connectsRefused', 'CONNECTs', 'Refused, for whatever reason; the log says which.'],
  ['connections/timeout/connect', 'connectTimeouts', 'sockets', 'No whole CONNECT within connect_timeout.'],
  [
    'connections/timeout/keepalive',
    'keepAliveTimeouts',
    'clients',
    'Silent for one and a half times their keep alive.',
  ],
  [
    'connections/slow',
    'slowLinksPaused',
    'times',
    'A client did not read its answers and max_link_buffer_bytes waited: its requests were left unread.',
  ],
  [
    'packets/oversize',
    'oversizePackets',
    'packets',
    'Larger than max_packet_size or the cap of their type; the sender was cut off.',
  ],
  ['packets/malformed', 'protocolErrors', 'packets', 'Broke the specification; the sender was cut off.'],
  ['bans/imposed', 'bansImposed', 'bans', 'Addresses banned, for failed logins or by the operator (zancudo bans).'],
  [
    'connections/refused/ban',
    'connectionsRefusedByBan',
    'connections',
    'Closed as they arrived because their address was banned.',
  ],
  [
    'publish/slowed',
    'publishersSlowed',
    'times',
    'A client was not read for a while because it published faster than it may.',
  ],
  [
    'clients/fights',
    'takeoverFights',
    'times',
    'Two clients were found to throw each other out under one client identifier.',
  ],
  ['clients/held-off', 'takeoversHeldOff', 'connections', 'Newcomers of such a pair that were refused.'],
  ['publish/denied', 'publishDenied', 'messages', 'Publishes and deliveries that the access rules refused.'],
  ['publish/expired', 'messagesExpired', 'messages', 'Message expiry was over before delivery.'],
];

/** The account of what somebody did not get, by cause (zancudo drops names the clients, too). */
const dropped: readonly [cause: DropCause, says: string][] = [
  ['queue-messages', 'The queue of a client had max_queued_messages.'],
  ['queue-bytes', 'The queue of a client had max_queued_bytes.'],
  ['total-bytes', 'All queues together had max_total_queued_bytes.'],
  ['slow-link', 'QoS 0 for a client that does not read fast enough.'],
  ['too-large', 'Larger than the client takes, or than message_size_limit.'],
  ['over-rate', 'Published faster than max_publish_rate or max_publish_byte_rate.'],
  ['denied', 'The access rules said no, to a publish or to a delivery.'],
  ['plugin', 'A plugin kept it back, on its way in or out.'],
  ['expired', 'Its time was over before the client came for it.'],
  ['session-expired', 'Still waiting when the session of its client expired.'],
  ['not-retained', 'Delivered, but max_retained_messages or max_retained_bytes was reached.'],
];

export const sysTopicRows: readonly SysTopicRow[] = [
  ...mosquittoRows,
  ...refused.map(([topic, counter, unit, says]): SysTopicRow => ({
    topic: `$SYS/zancudo/${topic}`,
    unit: `${unit} since the start`,
    rule: 'changed',
    value: facts => facts.meter[counter],
    says,
  })),
  ...dropped.map(([cause, says]): SysTopicRow => ({
    topic: `$SYS/zancudo/drops/${cause}`,
    unit: 'messages since the start',
    rule: 'changed',
    value: facts => facts.meter.drops[cause],
    says,
  })),
];
