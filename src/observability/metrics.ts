/**
 * The metrics for Prometheus: a row each, with its type, its labels and where the value comes from. prometheus.ts writes
 * them, docs/reference/metrics.md lists them, the dashboard and the alert rules in packaging/ are held against them.
 *
 * Labels have few values by construction: listeners, kinds, causes. Never a client, a user or a topic.
 */
import type { CounterName, Meter } from '../broker/ports.ts';
import type { Histogram } from './loop-watch.ts';
import type { Gauges } from './sys-topics.ts';

/** Everything a row may look at. */
export interface MetricFacts {
  version: string;
  /** Unix seconds. */
  startedAt: number;
  now: number;
  meter: Readonly<Meter>;
  gauges: Gauges;
  listeners: readonly { name: string; protocol: string; connections: number; accepted: number }[];
  /** Unix seconds. */
  certificates: readonly { listener: string; kind: string; ends: number }[];
  /** Null outside a home. */
  devices: { count: number; endingSoon: number } | null;
  store: StoreFacts | null;
  drops: readonly { cause: string; messages: number }[];
  /** In force. */
  bans: number;
  loop: { busySeconds: number; late: Histogram };
  process: ProcessFacts;
  workers: readonly { kind: string; count: number }[];
  /** Absent where no auth_backend is named. */
  backends?: readonly BackendFacts[];
  bridges: readonly BridgeMetrics[];
  /** Null where there is none. */
  recorder: { inTrouble: boolean } | null;
  /** Null where no collector is configured. */
  spans: { exported: number; dropped: number } | null;
}

/** The names are those of the configuration. */
export interface BridgeMetrics {
  name: string;
  connected: boolean;
  connections: number;
  waiting: number;
  out: number;
  in: number;
  heldBack: Readonly<Record<string, number>>;
}

export interface BackendFacts {
  name: string;
  answers: boolean;
  counts: { calls: number; failures: number; timeouts: number; refused: number; seconds: number };
  remembered: number;
}

export interface StoreFacts {
  waitingChanges: number;
  waitingBytes: number;
  commits: number;
  commitSeconds: number;
  rowsWritten: number;
  fileBytes: number;
  inTrouble: boolean;
}

export interface ProcessFacts {
  cpuSeconds: number;
  residentBytes: number;
  heapUsedBytes: number;
  heapTotalBytes: number;
  externalBytes: number;
  /** Null where the system does not say. */
  openDescriptors: number | null;
  descriptorsMax: number | null;
}

export interface Sample {
  labels: Readonly<Record<string, string>>;
  value: number;
}

export type MetricValue = number | readonly Sample[] | Histogram | null;

export interface MetricRow {
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  says: string;
  labels?: readonly string[];
  /** Null leaves the metric out. */
  value: (facts: MetricFacts) => MetricValue;
}

export const metricRows: readonly MetricRow[] = [
  {
    name: 'zancudo_info',
    type: 'gauge',
    labels: ['version'],
    says: 'Always 1; the label says which version runs.',
    value: ({ version }) => [{ labels: { version }, value: 1 }],
  },
  gauge('zancudo_start_time_seconds', 'Unix time at which the broker began to serve.', facts => facts.startedAt),
  gauge('zancudo_clients_connected', 'Clients past their CONNACK.', ({ gauges }) => gauges.sessionsConnected),
  gauge('zancudo_sessions', 'Sessions, of absent clients too.', ({ gauges }) => gauges.sessionsTotal),
  gauge('zancudo_sockets_open', 'Sockets that MQTT is spoken on, CONNECT not finished included.', ({ gauges }) => gauges.socketsOpen),
  gauge('zancudo_subscriptions', 'Subscriptions, shared ones not counted.', ({ gauges }) => gauges.subscriptions),
  gauge('zancudo_shared_subscriptions', 'Shared subscriptions, one per member.', ({ gauges }) => gauges.sharedSubscriptions),
  gauge('zancudo_retained_messages', 'Retained messages, those of $SYS included.', ({ gauges }) => gauges.retainedMessages),
  gauge('zancudo_stored_messages', 'Messages held for sessions and as retained messages.', ({ gauges }) => gauges.storedMessages),
  gauge('zancudo_stored_bytes', 'Payload bytes of the messages held.', ({ gauges }) => gauges.storedBytes),
  gauge('zancudo_output_waiting_packets', 'Packets that wait for sockets.', ({ gauges }) => gauges.packetsOutCount),
  gauge('zancudo_output_waiting_bytes', 'Bytes that wait for sockets.', ({ gauges }) => gauges.packetsOutBytes),

  counter('zancudo_packets_received_total', 'packetsReceived', 'MQTT packets of every type.'),
  counter('zancudo_packets_sent_total', 'packetsSent', 'MQTT packets of every type.'),
  counter('zancudo_bytes_received_total', 'bytesReceived', 'Bytes from clients, after TLS was taken off.'),
  counter('zancudo_bytes_sent_total', 'bytesSent', 'Bytes to clients, before TLS is put on.'),
  counter('zancudo_publish_received_total', 'publishReceived', 'PUBLISH packets, counted before the access rules are asked.'),
  counter('zancudo_publish_sent_total', 'publishSent', 'PUBLISH packets.'),
  counter('zancudo_publish_payload_bytes_received_total', 'publishBytesReceived', 'Payload bytes of PUBLISH packets.'),
  counter('zancudo_publish_payload_bytes_sent_total', 'publishBytesSent', 'Payload bytes of PUBLISH packets.'),
  counter('zancudo_publish_dropped_total', 'publishDropped', 'Messages dropped at a limit of a queue or a link.'),
  counter('zancudo_publish_denied_total', 'publishDenied', 'Publishes and deliveries that the access rules refused.'),
  counter('zancudo_publish_expired_total', 'messagesExpired', 'Messages whose expiry was over before they were delivered.'),
  {
    name: 'zancudo_messages_dropped_total',
    type: 'counter',
    labels: ['cause'],
    says: 'Deliveries that did not happen, by cause; `zancudo drops` says whose.',
    value: ({ drops }) => drops.map(({ cause, messages }) => ({ labels: { cause }, value: messages })),
  },

  counter('zancudo_connects_received_total', 'connectsReceived', 'CONNECT packets.'),
  counter('zancudo_sockets_accepted_total', 'socketsAccepted', 'Accepted sockets.'),
  {
    name: 'zancudo_connections_refused_total',
    type: 'counter',
    labels: ['stage'],
    says: 'Sockets turned away, by how far they came: `ban` and `limit` before a byte was read, `tls` in the handshake or by its certificate, `connect` by the answer to CONNECT, `timeout` because nothing whole came in time.',
    value: ({ meter }) => [
      { labels: { stage: 'ban' }, value: meter.connectionsRefusedByBan },
      { labels: { stage: 'limit' }, value: meter.connectionsRefusedByLimit },
      { labels: { stage: 'tls' }, value: meter.tlsRefused },
      { labels: { stage: 'connect' }, value: meter.connectsRefused },
      { labels: { stage: 'timeout' }, value: meter.connectTimeouts },
    ],
  },
  {
    name: 'zancudo_refusals_total',
    type: 'counter',
    labels: ['cause'],
    says: 'CONNECTs, TLS handshakes and certificates refused, by cause; a cause appears when it has happened.',
    value: ({ meter }) => [...meter.refusals].map(([cause, value]) => ({ labels: { cause }, value })),
  },
  counter('zancudo_keepalive_timeouts_total', 'keepAliveTimeouts', 'Clients that were silent for one and a half times their keep alive.'),
  counter('zancudo_protocol_errors_total', 'protocolErrors', 'Packets that broke the specification; the sender was cut off.'),
  counter('zancudo_oversize_packets_total', 'oversizePackets', 'Packets above max_packet_size or the cap of their type.'),
  counter('zancudo_slow_links_paused_total', 'slowLinksPaused', 'Times that requests of a client were left unread because it did not read the answers.'),
  gauge('zancudo_bans', 'Addresses whose connections are closed as they arrive just now.', ({ bans }) => bans),
  counter('zancudo_bans_imposed_total', 'bansImposed', 'Addresses banned, for failed logins or by the operator.'),
  counter('zancudo_publishers_slowed_total', 'publishersSlowed', 'Times that a client was not read for a while because it published faster than it may.'),
  counter('zancudo_takeover_fights_total', 'takeoverFights', 'Times that two clients were found to throw each other out under one client identifier.'),
  counter('zancudo_takeovers_held_off_total', 'takeoversHeldOff', 'Newcomers of such a pair that were refused.'),
  counter('zancudo_sessions_expired_total', 'sessionsExpired', 'Sessions dropped because their expiry interval was over.'),

  {
    name: 'zancudo_listener_connections',
    type: 'gauge',
    labels: ['listener', 'protocol'],
    says: 'Open sockets of a listener, handshakes included.',
    value: ({ listeners }) =>
      listeners.map(({ name, protocol, connections }) => ({ labels: { listener: name, protocol }, value: connections })),
  },
  {
    name: 'zancudo_listener_sockets_accepted_total',
    type: 'counter',
    labels: ['listener', 'protocol'],
    says: 'Sockets accepted by a listener, those that a limit turned away included.',
    value: ({ listeners }) =>
      listeners.map(({ name, protocol, accepted }) => ({ labels: { listener: name, protocol }, value: accepted })),
  },
  {
    name: 'zancudo_certificate_expiry_timestamp_seconds',
    type: 'gauge',
    labels: ['listener', 'kind'],
    says: 'Unix time at which the first of its files of this kind ends: `certificate`, `ca`, `revocation-list`.',
    value: ({ certificates }) => soonest(certificates),
  },
  gauge('zancudo_devices', 'Devices of this home with a certificate that holds.', ({ devices }) => devices?.count ?? null),
  gauge('zancudo_devices_ending_soon', 'Of them, those whose certificate ends within 30 days.', ({ devices }) => devices?.endingSoon ?? null),

  gauge('zancudo_store_waiting_changes', 'Changes that wait for the disk.', ({ store }) => store?.waitingChanges ?? null),
  gauge('zancudo_store_waiting_bytes', 'Payload bytes that wait for the disk.', ({ store }) => store?.waitingBytes ?? null),
  gauge('zancudo_store_file_bytes', 'Size of the file of the store, its write-ahead log included.', ({ store }) => store?.fileBytes ?? null),
  gauge('zancudo_store_trouble', '1 while the disk does not take what it should: nothing is acknowledged at QoS 1 and 2.', ({ store }) => (store === null ? null : Number(store.inTrouble))),
  {
    name: 'zancudo_store_commits_total',
    type: 'counter',
    says: 'Transactions that are on the disk.',
    value: ({ store }) => store?.commits ?? null,
  },
  {
    name: 'zancudo_store_commit_seconds_total',
    type: 'counter',
    says: 'Time from handing a batch to the disk until it was safe, summed; divided by the commits, the latency of an acknowledgement.',
    value: ({ store }) => store?.commitSeconds ?? null,
  },
  {
    name: 'zancudo_store_rows_written_total',
    type: 'counter',
    says: 'Rows inserted, updated or removed.',
    value: ({ store }) => store?.rowsWritten ?? null,
  },

  {
    name: 'zancudo_auth_backend_up',
    type: 'gauge',
    labels: ['backend'],
    says: '0 while an auth_backend does not answer and logins by it are refused.',
    value: facts => perBackend(facts, ({ answers }) => Number(answers)),
  },
  {
    name: 'zancudo_auth_backend_calls_total',
    type: 'counter',
    labels: ['backend'],
    says: 'Questions to an auth_backend.',
    value: facts => perBackend(facts, ({ counts }) => counts.calls),
  },
  {
    name: 'zancudo_auth_backend_seconds_total',
    type: 'counter',
    labels: ['backend'],
    says: 'Time until it answered, summed.',
    value: facts => perBackend(facts, ({ counts }) => counts.seconds),
  },
  {
    name: 'zancudo_auth_backend_failures_total',
    type: 'counter',
    labels: ['backend'],
    says: 'Questions that it answered with an error or not in time.',
    value: facts => perBackend(facts, ({ counts }) => counts.failures),
  },
  {
    name: 'zancudo_auth_backend_refused_total',
    type: 'counter',
    labels: ['backend'],
    says: 'Questions that were not put to it because it was out of order or too many were waiting.',
    value: facts => perBackend(facts, ({ counts }) => counts.refused),
  },
  {
    name: 'zancudo_auth_backend_remembered_total',
    type: 'counter',
    labels: ['backend'],
    says: 'Logins that were answered from memory.',
    value: facts => perBackend(facts, ({ remembered }) => remembered),
  },

  {
    name: 'zancudo_event_loop_late_seconds',
    type: 'histogram',
    says: 'How late a timer of the routing thread came, ten times a second: what every message may have to wait.',
    value: ({ loop }) => loop.late,
  },
  {
    name: 'zancudo_event_loop_busy_seconds_total',
    type: 'counter',
    says: 'Time in which the routing thread was at work; its rate is its load from 0 to 1.',
    value: ({ loop }) => loop.busySeconds,
  },
  {
    name: 'zancudo_workers',
    type: 'gauge',
    labels: ['kind'],
    says: 'Threads and processes beside the routing thread.',
    value: ({ workers }) => workers.map(({ kind, count }) => ({ labels: { kind }, value: count })),
  },
  {
    name: 'zancudo_bridge_up',
    type: 'gauge',
    labels: ['bridge'],
    says: '1 while the bridge is connected; a lazy one is 0 while it is idle.',
    value: ({ bridges }) => bridges.map(({ name, connected }) => ({ labels: { bridge: name }, value: Number(connected) })),
  },
  {
    name: 'zancudo_bridge_connections_total',
    type: 'counter',
    labels: ['bridge'],
    says: 'Times that the bridge was connected.',
    value: ({ bridges }) => bridges.map(({ name, connections }) => ({ labels: { bridge: name }, value: connections })),
  },
  {
    name: 'zancudo_bridge_messages_total',
    type: 'counter',
    labels: ['bridge', 'direction'],
    says: 'Messages that have passed, `out` and `in`.',
    value: ({ bridges }) =>
      bridges.flatMap(each => (['out', 'in'] as const).map(direction => ({ labels: { bridge: each.name, direction }, value: each[direction] }))),
  },
  {
    name: 'zancudo_bridge_held_back_total',
    type: 'counter',
    labels: ['bridge', 'cause'],
    says: 'Messages that did not pass: `loop`, `too-large`, `refused` by the other broker, `unmapped` by any topic line.',
    value: ({ bridges }) =>
      bridges.flatMap(({ name, heldBack }) => Object.entries(heldBack).map(([cause, value]) => ({ labels: { bridge: name, cause }, value }))),
  },
  {
    name: 'zancudo_bridge_waiting_messages',
    type: 'gauge',
    labels: ['bridge'],
    says: 'Messages that wait here to go out by the bridge.',
    value: ({ bridges }) => bridges.map(({ name, waiting }) => ({ labels: { bridge: name }, value: waiting })),
  },
  gauge('zancudo_recorder_trouble', '1 while the flight recorder cannot write to its files and keeps the last events in memory alone.', ({ recorder }) => (recorder === null ? null : Number(recorder.inTrouble))),
  {
    name: 'zancudo_trace_spans_total',
    type: 'counter',
    labels: ['outcome'],
    says: 'Spans of messages for the collector of otel_endpoint: `exported`, or `dropped` because it did not take them.',
    value: ({ spans }) => (spans === null ? null : (['exported', 'dropped'] as const).map(outcome => ({ labels: { outcome }, value: spans[outcome] }))),
  },
  {
    name: 'zancudo_heap_bytes',
    type: 'gauge',
    labels: ['kind'],
    says: 'Memory of JavaScript: `used`, `total`, and `external` for buffers.',
    value: ({ process: of }) => [
      { labels: { kind: 'used' }, value: of.heapUsedBytes },
      { labels: { kind: 'total' }, value: of.heapTotalBytes },
      { labels: { kind: 'external' }, value: of.externalBytes },
    ],
  },
  {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    says: 'CPU time of the whole process, all threads.',
    value: facts => facts.process.cpuSeconds,
  },
  gauge('process_resident_memory_bytes', 'Resident memory.', facts => facts.process.residentBytes),
  gauge('process_open_fds', 'Open file descriptors.', facts => facts.process.openDescriptors),
  gauge('process_max_fds', 'File descriptors it may open.', facts => facts.process.descriptorsMax),
]; // prettier-ignore

function perBackend({ backends }: MetricFacts, of: (facts: BackendFacts) => number): Sample[] | null {
  return backends?.map(facts => ({ labels: { backend: facts.name }, value: of(facts) })) ?? null;
}

function gauge(name: string, says: string, value: (facts: MetricFacts) => number | null): MetricRow {
  return { name, type: 'gauge', says, value };
}

function counter(name: string, of: CounterName, says: string): MetricRow {
  return { name, type: 'counter', says, value: ({ meter }) => meter[of] };
}

function soonest(certificates: MetricFacts['certificates']): Sample[] {
  const byPlace = Map.groupBy(certificates, ({ listener, kind }) => `${kind} ${listener}`);
  return [...byPlace.values()].map(same => {
    const { listener, kind } = same[0]!;
    return { labels: { listener, kind }, value: Math.min(...same.map(({ ends }) => ends)) };
  });
}
