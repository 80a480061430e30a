/**
 * PUBLISH from a client (MQTT 5, 3.3): may they, how large, where to, and what they are told.
 *
 *   view ─ topic (cache or alias) ─ limits ─ access ─ QoS 0: route
 *                                                     QoS 1: route, then PUBACK
 *                                                     QoS 2: keep, PUBREC; at PUBREL route, then PUBCOMP
 */
import { aboutConnection } from './about.ts';
import {
  malformed,
  varintLength,
  NO_BYTES,
  PacketError,
  protocolError,
  reasonCodes,
  readPublish,
} from '../codec/mod.ts';
import type { IncomingExchange } from '../session/mod.ts';
import { Publication } from './publication.ts';
import { acknowledge } from './acknowledge.ts';
import type { Broker } from './broker.ts';
import { mayPublishConfined } from './confined.ts';
import type { Connection } from './connection.ts';
import { askIncoming, tellPublished } from './hooks.ts';
import { paceOf } from './pace.ts';
import type { Identity } from './ports.ts';
import { noteRefused } from './refused.ts';
import { retain } from './retained.ts';
import { route } from './route.ts';
import { isOutsideRules, isOutsideRulesBytes, isServiceTopic, serve, type ServiceCall } from './services.ts';
import { keepBirthCertificate } from './sparkplug.ts';
import type { TopicEntry } from './topic-cache.ts';
import { receivedLine } from './trace.ts';
import { noteRouted, traced, tracedAgain } from './tracing.ts';
import type { BrokerMessage, BrokerSession } from './types.ts';

/** Open QoS 2 exchanges of a 3.x client, which cannot be told a receive maximum, and their payload together. */
const OPEN_EXCHANGES_MAX_V3 = 1000;
const OPEN_EXCHANGE_BYTES_MAX_V3 = 67_108_864;

const NO_EXPIRY = 0xffff_ffff;

export function onPublish(broker: Broker, connection: Connection, first: number, start: number, end: number): void {
  const { view, meter } = broker;
  readPublish(view, connection.reader.bytes, first, start, end, connection.version);
  if (view.subscriptionIdentifiers.length > 0) throw protocolError(); // [MQTT-3.3.4-6]
  meter.publishReceived++;
  meter.publishBytesReceived += view.payloadEnd - view.payloadStart;
  const topic = topicOf(broker, connection);
  if (connection.pass !== null && !mayPublishConfined(connection, connection.pass, topic.name)) return;
  checkListenerLimits(broker, connection);
  if (broker.log.debug) {
    broker.log.write('debug', `Received PUBLISH from ${connection.clientId} ${receivedLine(view, topic.name)}`);
  }
  if (broker.tracing === null) take(broker, connection, topic);
  else takeTraced(broker, connection, topic);
}

/** Apart: V8 makes room for what a function within a function needs as soon as the outer one begins, 56 bytes here. */
function takeTraced(broker: Broker, connection: Connection, topic: TopicEntry): void {
  traced(broker, connection, topic, () => take(broker, connection, topic));
}

function take(broker: Broker, connection: Connection, topic: TopicEntry): void {
  const { view } = broker;
  const paced = paceOf(broker, connection);
  if (paced !== null) return paced === 'drop' ? undefined : answer(broker, connection, paced);
  if (view.qos === 0) return onAtMostOnce(broker, connection, topic);
  if (isBeyondReceiveMaximum(broker, connection)) {
    return answer(broker, connection, reasonCodes.quotaExceeded);
  }
  if (view.qos === 1) onAtLeastOnce(broker, connection, topic);
  else onExactlyOnce(broker, connection, topic);
}

function onAtMostOnce(broker: Broker, connection: Connection, topic: TopicEntry): void {
  if (isTooLarge(broker, connection, topic) || !mayWrite(broker, connection, topic)) return;
  if (topic.reserved && isServiceTopic(topic.name)) return serve(broker, connection, callOf(broker, topic));
  const publication = viewed(broker, connection, topic);
  if (goesOnAsItCame(broker, connection)) {
    publication.passThrough(connection.reader.packetStart, broker.view.payloadEnd, connection.version);
  }
  if (broker.hooks.incoming === null || askIncoming(broker, publication) === null) publish(broker, publication);
}

function onAtLeastOnce(broker: Broker, connection: Connection, topic: TopicEntry): void {
  const { packetId } = broker.view;
  if (isTooLarge(broker, connection, topic)) return answer(broker, connection, reasonCodes.packetTooLarge);
  if (!mayWrite(broker, connection, topic)) return answer(broker, connection, reasonCodes.notAuthorized);
  if (topic.reserved && isServiceTopic(topic.name)) {
    const call = callOf(broker, topic);
    acknowledge(broker, connection, 'puback', packetId, reasonCodes.success, broker.store.changes);
    return serve(broker, connection, call);
  }
  const publication = viewed(broker, connection, topic);
  const kept = broker.hooks.incoming === null ? null : askIncoming(broker, publication);
  if (kept !== null) return answer(broker, connection, kept);
  const before = broker.store.changes;
  const matched = publish(broker, publication);
  const code = matched === 0 ? reasonCodes.noMatchingSubscribers : reasonCodes.success;
  acknowledge(broker, connection, 'puback', packetId, code, before);
}

function onExactlyOnce(broker: Broker, connection: Connection, topic: TopicEntry): void {
  const { packetId } = broker.view;
  const exchanges = connection.session!.incoming;
  const known = exchanges.get(packetId);
  if (known !== undefined && isSame(broker, known, topic)) return answer(broker, connection, reasonCodes.success);
  if (known !== undefined) {
    const text = `Warning: Reused message ID ${packetId} from ${connection.clientId} detected. Clearing from storage.`;
    broker.log.write('warning', text, aboutConnection('message.id-reused', connection));
    exchanges.release(packetId);
    forgetExchange(broker, connection, packetId);
  }
  let deliver = true;
  if (isTooLarge(broker, connection, topic)) {
    if (connection.version === 5) return answer(broker, connection, reasonCodes.packetTooLarge);
    deliver = false;
  } else if (!mayWrite(broker, connection, topic)) {
    if (connection.version === 5) return answer(broker, connection, reasonCodes.notAuthorized);
    deliver = false;
  }
  const publication = viewed(broker, connection, topic);
  if (deliver && broker.hooks.incoming !== null && !isServiceTopic(topic.name)) {
    const kept = askIncoming(broker, publication);
    if (kept !== null && kept !== 0 && connection.version === 5) return answer(broker, connection, kept);
    deliver = kept === null;
  }
  const message = publication.stable();
  const { session } = connection;
  session!.ownIncoming.open(packetId, message, deliver);
  if (broker.trace !== null) broker.tracing?.keep(message, broker.trace);
  // A request may hold a secret, and one that was not answered before a crash is asked again.
  const kept = session!.stored && !isServiceTopic(topic.name);
  if (kept) broker.store.putExchange(session!.clientId, packetId, message, deliver);
  acknowledge(broker, connection, 'pubrec', packetId, reasonCodes.success);
}

/** A copy is acknowledged as often as it comes and taken once. [MQTT-4.3.3-10] */
function isSame(broker: Broker, known: IncomingExchange<Identity>, topic: TopicEntry): boolean {
  const { view } = broker;
  const { topicName, payload } = known.message;
  // What a plugin has changed cannot be compared with what came.
  if (view.dup && broker.hooks.incoming !== null) return true;
  if (topicName !== topic.name || payload.length !== view.payloadEnd - view.payloadStart) return false;
  return payload.compare(view.bytes, view.payloadStart, view.payloadEnd) === 0;
}

/** PUBREL: the sender will not send it again, so now it is passed on, exactly once. */
export function onPubrel(broker: Broker, connection: Connection, packetId: number): void {
  if (broker.log.debug) broker.log.write('debug', `Received PUBREL from ${connection.clientId} (Mid: ${packetId})`);
  const exchange = connection.session!.incoming.release(packetId);
  if (exchange !== undefined) forgetExchange(broker, connection, packetId);
  if (exchange?.deliver === true) passOn(broker, connection, exchange, broker.publication);
  acknowledge(broker, connection, 'pubcomp', packetId, reasonCodes.success);
}

function forgetExchange(broker: Broker, connection: Connection, packetId: number): void {
  const session = connection.session!;
  if (session.stored) broker.store.removeExchange(session.clientId, packetId);
}

/** `publication` is written over. */
function passOn(
  broker: Broker,
  connection: Connection,
  { message }: IncomingExchange<Identity>,
  publication: Publication,
): void {
  const { lastTopic } = connection;
  const topic = lastTopic?.name === message.topicName ? lastTopic : broker.topics.findText(message.topicName);
  if (topic === null) return;
  if (topic.reserved && isServiceTopic(topic.name)) return serve(broker, connection, message);
  if (message.isExpired(broker.unixSecond)) return;
  if (broker.tracing === null) publish(broker, publication.fromMessage(message, topic));
  else publishTraced(broker, message, topic, publication);
}

function publishTraced(broker: Broker, message: BrokerMessage, topic: TopicEntry, publication: Publication): void {
  tracedAgain(broker, message, () => publish(broker, publication.fromMessage(message, topic)));
}

/** Nobody will release what was taken from a broker that has forgotten it: it was acknowledged, and is passed on now. */
export function passOnUnreleased(broker: Broker, connection: Connection, session: BrokerSession): void {
  for (const [packetId, exchange] of session.incoming.drain()) {
    if (session.stored) broker.store.removeExchange(session.clientId, packetId);
    if (exchange.deliver) passOn(broker, connection, exchange, new Publication(broker.payloads));
  }
}

/** A request to a service, in memory of its own. */
function callOf({ view }: Broker, topic: TopicEntry): ServiceCall {
  const payload = Buffer.from(view.bytes.subarray(view.payloadStart, view.payloadEnd));
  return { topicName: topic.name, payload, properties: Buffer.from(view.properties) };
}

/** Retains and routes; returns how many filters matched. */
export function publish(broker: Broker, publication: Publication): number {
  const { trace } = broker;
  if (trace !== null) trace.routes();
  if (publication.retain) retain(broker, publication);
  const matched = route(broker, publication);
  if (trace !== null) noteRouted(trace, publication.topic, matched);
  if (broker.sparkplugAware.size > 0) keepBirthCertificate(broker, publication);
  if (broker.hooks.events !== null) tellPublished(broker, publication, matched);
  return matched;
}

/** The publication of the packet that is being read. */
function viewed(broker: Broker, connection: Connection, topic: TopicEntry): Publication {
  const { view } = broker;
  const seconds = view.messageExpiryInterval;
  // 0 and the largest value mean no expiry (docs/compat/packets.md, 5).
  const expiresAt = seconds <= 0 || seconds === NO_EXPIRY ? 0 : broker.unixSecond + seconds;
  return broker.publication.fromView(view, topic, connection.identity, expiresAt);
}

/**
 * Whether the QoS 0 packet at hand is what the codec would write for a subscriber of the same version: its name in full,
 * nothing that belongs to this hop alone, every length in its shortest form.
 */
function goesOnAsItCame({ view }: Broker, { version, mountPoint, reader }: Connection): boolean {
  const { topicStart, topicEnd, payloadStart, payloadEnd, properties } = view;
  if (mountPoint !== null || topicEnd === topicStart) return false;
  const bodyStart = topicStart - 2;
  if (bodyStart - reader.packetStart !== 1 + varintLength(payloadEnd - bodyStart)) return false;
  if (version !== 5) return true;
  if (view.messageExpiryInterval >= 0 || view.topicAlias > 0) return false;
  return properties.length < 0x80 && payloadStart === topicEnd + 1 + properties.length;
}

/** The topic of the packet: named, or by its alias, or both. [MQTT-3.3.2-8] to [MQTT-3.3.2-12] */
function topicOf(broker: Broker, connection: Connection): TopicEntry {
  const { view } = broker;
  const alias = view.topicAlias;
  if (alias > connection.incomingAliases.maximum) {
    const text = `PUBLISH invalid topic alias (${alias}).`;
    throw new PacketError(reasonCodes.topicAliasInvalid, text, undefined, 'topic alias invalid');
  }
  if (view.topicEnd === view.topicStart) {
    if (alias === 0) throw malformed();
    const known = connection.incomingAliases.get(alias);
    if (known === undefined) throw protocolError(`PUBLISH invalid topic alias (${alias}).`);
    return known;
  }
  const topic = namedTopic(broker, connection);
  if (alias > 0) connection.incomingAliases.set(alias, topic);
  return topic;
}

function namedTopic(broker: Broker, connection: Connection): TopicEntry {
  const { view } = broker;
  const last = connection.lastTopic;
  const mountPoint = connection.mountPoint;
  if (mountPoint !== null) return mounted(broker, mountPoint);
  if (last !== null && last.is(view.bytes, view.topicStart, view.topicEnd)) return last;
  const topic = broker.topics.find(view.bytes, view.topicStart, view.topicEnd);
  if (topic === null) throw malformed();
  connection.lastTopic = topic;
  connection.writableAsked = -1;
  return topic;
}

function mounted(broker: Broker, mountPoint: Buffer): TopicEntry {
  const { view } = broker;
  const before = isOutsideRulesBytes(view.bytes, view.topicStart, view.topicEnd) ? NO_BYTES : mountPoint;
  const bytes = Buffer.concat([before, view.bytes.subarray(view.topicStart, view.topicEnd)]);
  const topic = broker.topics.find(bytes, 0, bytes.length);
  if (topic === null) throw malformed();
  return topic;
}

/** Capabilities we told the client of: above them it is a protocol error. [MQTT-3.2.2-11], [MQTT-3.2.2-14] */
function checkListenerLimits(broker: Broker, connection: Connection): void {
  const { view } = broker;
  const v5 = connection.version === 5;
  if (view.qos > connection.peer.listener.maxQos) {
    broker.log.write(
      'information',
      `Too high QoS in PUBLISH from ${connection.clientId}, disconnecting.`,
      aboutConnection('client.protocol-error', connection),
    );
    throw unsupported(reasonCodes.qosNotSupported, v5 ? 'Requested QoS not supported on server' : 'Invalid input');
  }
  if (view.retain && !broker.settings.retainAvailable) {
    throw unsupported(reasonCodes.retainNotSupported, v5 ? 'Retain not supported' : 'Invalid input');
  }
}

function unsupported(code: 0x9a | 0x9b, text: string): PacketError {
  return new PacketError(code, '', undefined, `bad socket read/write: ${text}`);
}

function isTooLarge(broker: Broker, connection: Connection, topic: TopicEntry): boolean {
  const limit = broker.settings.messageSizeLimitBytes;
  const { view } = broker;
  const bytes = view.payloadEnd - view.payloadStart;
  if (limit === 0 || bytes <= limit) return false;
  broker.drops.note(connection.clientId, 'too-large', bytes, broker.unixSecond);
  if (broker.log.debug) {
    const line = receivedLine(view, topic.name);
    broker.log.write('debug', `Dropped too large PUBLISH from ${connection.clientId} ${line}`);
  }
  return true;
}

function mayWrite(broker: Broker, connection: Connection, topic: TopicEntry): boolean {
  const { access } = broker;
  if (connection.lastTopic !== topic || connection.writableAsked !== access.generation) {
    connection.lastTopic = topic;
    connection.writableAsked = access.generation;
    connection.writable =
      (topic.reserved && isOutsideRules(topic.name)) || access.mayWrite(connection.identity, topic.name);
  }
  if (connection.writable) {
    topic.writer = connection.identity;
    return true;
  }
  broker.meter.publishDenied++;
  const { payloadStart, payloadEnd } = broker.view;
  broker.drops.note(connection.clientId, 'denied', payloadEnd - payloadStart, broker.unixSecond);
  if (broker.log.debug) {
    const line = receivedLine(broker.view, topic.name);
    broker.log.write('debug', `Denied PUBLISH from ${connection.clientId} ${line}`);
  }
  noteRefused(broker, connection.identity, 'write', topic.name);
  return false;
}

/**
 * We take at most as many open QoS 2 exchanges as our receive maximum says; the message beyond is refused and the
 * connection stays (docs/compat/packets.md, 4). A 3.x client was never told, and must not have a message acknowledged and
 * lost: it gets a larger bound, and beyond that it is disconnected.
 */
function isBeyondReceiveMaximum(broker: Broker, connection: Connection): boolean {
  const open = connection.session!.incoming.size;
  const maximum = connection.receiveMaximum;
  if (connection.version !== 5) {
    const isFull =
      open >= OPEN_EXCHANGES_MAX_V3 || connection.session!.incoming.payloadBytes > OPEN_EXCHANGE_BYTES_MAX_V3;
    if (!isFull || broker.view.qos === 1) return false;
    throw new PacketError(reasonCodes.receiveMaximumExceeded, '', undefined, 'receive maximum exceeded');
  }
  if (maximum === 0 || open < maximum || connection.session!.incoming.get(broker.view.packetId) !== undefined) {
    return false;
  }
  const text = `Client ${connection.clientId} has exceeded its receive-maximum quota. This behaviour must be fixed on the client.`;
  broker.log.write('warning', text, aboutConnection('client.quota-exceeded', connection));
  return true;
}

/** PUBACK or PUBREC with a reason; 3.x is told nothing of it. [MQTT-4.3.3-9]: a refused QoS 2 exchange ends here. */
function answer(broker: Broker, connection: Connection, reasonCode: number): void {
  const { qos, packetId } = broker.view;
  acknowledge(broker, connection, qos === 1 ? 'puback' : 'pubrec', packetId, reasonCode);
}
