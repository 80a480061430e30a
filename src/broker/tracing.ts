/**
 * A message's way, told to `broker.tracing` while it is gone. Called only where somebody traces: with nobody there the
 * message path asks whether a field is null, and that is all.
 *
 *   onPublish ─ begin ─ limits, access ─ routes ─ routed ─ PUBACK: at once, or waitsForStore ... acknowledged
 *                                                         PUBREC: keep ... PUBREL: resume ─ routes ─ routed
 */
import { ByteReader, type Properties, readProperty } from '../codec/mod.ts';
import type { Broker } from './broker.ts';
import type { Connection } from './connection.ts';
import type { MessageTrace, TracedReceiver } from './ports.ts';
import type { TopicEntry } from './topic-cache.ts';
import { type BrokerMessage, isGroup } from './types.ts';

/** More receivers are counted and not named. */
const RECEIVERS_NAMED_MAX = 32;
const TRACEPARENT = Buffer.from('traceparent');

/** Takes the packet at hand its way, as `handle` does, and lets the tracer see. */
export function traced(broker: Broker, connection: Connection, topic: TopicEntry, handle: () => void): void {
  const { view } = broker;
  const { traceparent, tracestate } = contextOf(view.properties);
  const trace = broker.tracing!.begin({
    clientId: connection.clientId,
    topicName: topic.name,
    qos: view.qos,
    retain: view.retain,
    bytes: view.payloadEnd - view.payloadStart,
    traceparent,
    tracestate,
  });
  under(broker, trace, handle);
}

/** The same of a QoS 2 message that is released. */
export function tracedAgain(broker: Broker, message: BrokerMessage, handle: () => void): void {
  under(broker, broker.tracing!.resume(message), handle);
}

function under(broker: Broker, trace: MessageTrace | null, handle: () => void): void {
  broker.trace = trace;
  try {
    handle();
  } finally {
    broker.trace = null;
    trace?.turnEnds();
  }
}

/** After routing: who is to get it. Of a shared group one member is chosen, and only the group is known here. */
export function noteRouted(trace: MessageTrace, topic: TopicEntry, matched: number): void {
  const receivers: TracedReceiver[] = [];
  for (const target of topic.targets) {
    if (receivers.length === RECEIVERS_NAMED_MAX) break;
    if (isGroup(target)) continue;
    const { session, qos } = target;
    receivers.push({ clientId: session.clientId, qos, connected: session.connection !== null });
  }
  trace.routed(matched, receivers);
}

/** W3C Trace Context in user properties; hardly any message has it, so the bytes are looked through first. */
export function contextOf(properties: Uint8Array): { traceparent: string | null; tracestate: string | null } {
  const bytes = Buffer.from(properties.buffer, properties.byteOffset, properties.length);
  if (bytes.length === 0 || bytes.indexOf(TRACEPARENT) === -1) return { traceparent: null, tracestate: null };
  const read: Properties = {};
  const reader = new ByteReader(bytes, 0, bytes.length);
  while (reader.left > 0) readProperty(reader, 'publish', read);
  const value = (key: string): string | null => read.userProperties?.find(([name]) => name === key)?.[1] ?? null;
  return { traceparent: value('traceparent'), tracestate: value('tracestate') };
}
