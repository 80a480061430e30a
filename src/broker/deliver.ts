/**
 * From a message and a subscriber to bytes on a link, or into the subscriber's queue.
 *
 *   QoS 0        now or never: written if the link has room, dropped and counted if not
 *   QoS 1 and 2  in flight if the quota has room, otherwise into the queue (queue.ts)
 *
 * The order of one subscriber's messages is the order of these calls [MQTT-4.6.0-6]: nothing overtakes the queue.
 */
import { aboutConnection } from './about.ts';
import { packetLength, publishRemainingLength, writePublish } from '../codec/mod.ts';
import { Delivery, deliveryStates } from '../session/mod.ts';
import { whenSafe } from './acknowledge.ts';
import { isReadable } from './asking.ts';
import type { Broker } from './broker.ts';
import type { Connection } from './connection.ts';
import { askOutgoing } from './hooks.ts';
import type { Publication } from './publication.ts';
import { sendRelease } from './exchanges.ts';
import { dropDelivery, keepDelivery } from './keep.ts';
import { enqueue, noteExpired, refill, reportDrop } from './queue.ts';
import { pumpRetained } from './retained.ts';
import { publishLine } from './trace.ts';
import type { BrokerDelivery, BrokerMessage, BrokerSession, BrokerSubscription } from './types.ts';

/** Above this many bytes in one turn a link is flushed early, so that we learn whether its peer keeps up. */
const FLUSH_EARLY_BYTES = 262_144;

/** Gives a message to one subscription; false when it was not taken (no-local, kept back, dropped, too large). */
export function deliver(
  broker: Broker,
  publication: Publication,
  subscription: BrokerSubscription,
  isHeldBack = false,
): boolean {
  // [MQTT-3.8.3-3]
  if (subscription.noLocal && publication.publisher?.clientId === subscription.session.clientId) return false;
  if (broker.hooks.outgoing === null) return give(broker, publication, subscription, isHeldBack);
  const given = askOutgoing(broker, publication, subscription.session.owner!);
  return given !== null && give(broker, given, subscription, isHeldBack);
}

/** Into the queue, whatever room there is: whether its client may read it is still being asked. */
export function holdBack(broker: Broker, publication: Publication, subscription: BrokerSubscription): boolean {
  return deliver(broker, publication, subscription, true);
}

function give(
  broker: Broker,
  publication: Publication,
  subscription: BrokerSubscription,
  isHeldBack: boolean,
): boolean {
  const session = subscription.session;
  const qos = broker.settings.upgradeOutgoingQos
    ? subscription.qos
    : subscription.qos < publication.qos
      ? subscription.qos
      : publication.qos;
  const retain = subscription.retainAsPublished && publication.retain; // [MQTT-3.3.1-12], [MQTT-3.3.1-13]
  const connection = session.connection;
  // With queue_qos0_messages older ones of the topic may still be in the queue, and are not overtaken.
  const asks = broker.access.asks === true && connection !== null;
  const waitsItsTurn = isHeldBack || ((broker.settings.queueQos0Messages || asks) && session.queue.size > 0);
  if (qos === 0 && connection !== null && !waitsItsTurn) {
    return sendAtMostOnce(broker, connection, publication, retain, subscription.identifier);
  }
  const keepsQos0 = broker.settings.queueQos0Messages || session.owner?.listener.bridge?.keepsQos0 === true;
  if (qos === 0 && !keepsQos0 && !asks) return false;
  const delivery = new Delivery(publication.stable(), qos, retain, subscription.identifier);
  return isHeldBack ? enqueue(broker, session, delivery) : take(broker, session, delivery);
}

function sendAtMostOnce(
  broker: Broker,
  connection: Connection,
  publication: Publication,
  retain: boolean,
  identifier: number,
): boolean {
  if (isTooSlow(broker, connection)) {
    reportDrop(broker, connection.session!, 'slow-link', publication.payloadLength);
    return false;
  }
  if (identifier !== 0 || !connection.takesSharedForms || broker.log.debug) {
    publication.fill(broker.parts);
    broker.parts.retain = retain;
    broker.parts.subscriptionIdentifier = identifier;
    return transmit(broker, connection, publication.topic.name, publication.expiresAt);
  }
  const form = publication.form(broker.arena, broker.parts, connection.version, retain, broker.unixSecond);
  if (form.end - form.start > connection.maximumPacketSize) {
    reportTooLarge(broker, connection, form.end - form.start, publication.payloadLength);
    return false;
  }
  connection.link.write(form.slab, form.start, form.end);
  countSent(broker, form.end - form.start, publication.payloadLength);
  return true;
}

/** True when what waits for this peer has reached its bound. */
export function isTooSlow(broker: Broker, connection: Connection): boolean {
  const link = connection.link;
  if (!link.blocked && link.pendingBytes > FLUSH_EARLY_BYTES) link.flush();
  if (!link.blocked) return false;
  const packets = broker.settings.maxQueuedMessages;
  return link.pendingBytes > broker.settings.maxLinkBufferBytes || (packets > 0 && link.pendingWrites >= packets);
}

/** Takes a QoS 1 or 2 message (or a QoS 0 one for an absent client) in: in flight, or into the queue. */
export function take(broker: Broker, session: BrokerSession, delivery: BrokerDelivery): boolean {
  const connection = session.connection;
  if (connection !== null && session.queue.size === 0 && hasRoom(broker, session, connection, delivery.message)) {
    return startExchange(broker, connection, session, delivery);
  }
  return enqueue(broker, session, delivery);
}

/** Whether one more QoS 1 or 2 message may be in flight. [MQTT-3.3.4-9] */
export function hasRoom(
  broker: Broker,
  session: BrokerSession,
  connection: Connection,
  message: BrokerMessage,
): boolean {
  const inflight = session.inflight;
  if (session.unsentInflight > 0 || inflight.size >= connection.sendQuota || !inflight.canAdd) return false;
  const bytesMax = broker.settings.maxInflightBytes;
  if (bytesMax > 0 && inflight.size > 0 && inflight.payloadBytes + message.payloadLength > bytesMax) return false;
  return !isTooSlow(broker, connection);
}

function startExchange(
  broker: Broker,
  connection: Connection,
  session: BrokerSession,
  delivery: BrokerDelivery,
): boolean {
  session.ownInflight.add(delivery);
  if (!session.stored) return sendInflight(broker, connection, session, delivery);
  delivery.state = deliveryStates.published;
  keepDelivery(broker, session, delivery);
  if (delivery.qos !== 2) return sendInflight(broker, connection, session, delivery);
  // Exactly once holds across a crash only if we know after it that this identifier was in use.
  whenSafe(broker, connection, () => {
    const stillInFlight = session.inflight.get(delivery.packetId) === delivery;
    if (!stillInFlight || delivery.state !== deliveryStates.published) return;
    // Too large after all: what waits behind it would wait for an acknowledgement that never comes.
    if (!sendInflight(broker, connection, session, delivery)) pump(broker, connection);
  });
  return true;
}

/** Sends the PUBLISH of something in flight; what the client cannot take is forgotten. [MQTT-3.1.2-24], [-25] */
function sendInflight(
  broker: Broker,
  connection: Connection,
  session: BrokerSession,
  delivery: BrokerDelivery,
): boolean {
  const { message } = delivery;
  fillFromMessage(broker, message);
  const parts = broker.parts;
  parts.qos = delivery.qos;
  parts.packetId = delivery.packetId;
  parts.dup = delivery.dup;
  parts.retain = delivery.retain;
  parts.subscriptionIdentifier = delivery.subscriptionIdentifier;
  if (!transmit(broker, connection, message.topicName, message.expiresAt)) {
    session.inflight.remove(delivery);
    dropDelivery(broker, session, delivery);
    return false;
  }
  delivery.state = deliveryStates.published;
  delivery.dup = true;
  return true;
}

function fillFromMessage(broker: Broker, message: BrokerMessage): void {
  const parts = broker.parts;
  parts.topic = message.topic;
  parts.properties = message.properties;
  parts.topicAlias = 0;
  if (parts.payload !== message.bytes) parts.payload = message.bytes;
  parts.payloadStart = message.payloadStart;
  parts.payloadEnd = message.payloadStart + message.payloadLength;
}

/** Sends a message at QoS 0 that has to be encoded for this subscriber alone (retained, or out of the queue). */
export function sendMessageAtMostOnce(
  broker: Broker,
  connection: Connection,
  message: BrokerMessage,
  retain: boolean,
  identifier: number,
): boolean {
  fillFromMessage(broker, message);
  const parts = broker.parts;
  parts.qos = 0;
  parts.packetId = 0;
  parts.dup = false;
  parts.retain = retain;
  parts.subscriptionIdentifier = identifier;
  return transmit(broker, connection, message.topicName, message.expiresAt);
}

/** Completes broker.parts for one connection (version, mount point, expiry, alias) and writes the packet. */
function transmit(broker: Broker, connection: Connection, topicName: string, expiresAt: number): boolean {
  const parts = broker.parts;
  const mountPoint = connection.mountPoint;
  parts.version = connection.version;
  if (mountPoint !== null && isBelow(parts.topic, mountPoint)) parts.topic = parts.topic.subarray(mountPoint.length);
  parts.messageExpiryInterval = expiresAt === 0 ? 0 : Math.max(0, expiresAt - broker.unixSecond);
  const fullTopic = parts.topic;
  const newAlias = applyAlias(connection, topicName);
  const remainingLength = publishRemainingLength(parts);
  const size = packetLength(remainingLength);
  if (size > connection.maximumPacketSize) {
    reportTooLarge(broker, connection, size, parts.payloadEnd - parts.payloadStart);
    return false;
  }
  if (newAlias !== 0) connection.outgoingAliases!.set(topicName, newAlias);
  const start = broker.arena.reserve(size);
  const end = (broker.arena.position = writePublish(broker.arena.slab, start, parts, remainingLength));
  connection.link.write(broker.arena.slab, start, end);
  countSent(broker, size, parts.payloadEnd - parts.payloadStart);
  if (broker.log.debug) {
    parts.topic = fullTopic;
    broker.log.write('debug', `Sending PUBLISH to ${connection.clientId} ${publishLine(parts)}`);
  }
  return true;
}

/** A filter `a/#` also brings `a`, and a session may have subscribed by another listener: those keep their whole name. */
function isBelow(topic: Uint8Array, mountPoint: Buffer): boolean {
  return topic.length > mountPoint.length && mountPoint.equals(topic.subarray(0, mountPoint.length));
}

/** Puts an alias into broker.parts; returns it when the client has still to learn it. */
function applyAlias(connection: Connection, topicName: string): number {
  const aliases = connection.outgoingAliases;
  if (aliases === null) return 0;
  const parts = connection.broker.parts;
  const known = aliases.known(topicName);
  if (known !== 0) {
    parts.topic = NO_TOPIC;
    parts.topicAlias = known;
    return 0;
  }
  return (parts.topicAlias = aliases.nextFree);
}

const NO_TOPIC = Buffer.alloc(0);

/** Of one PUBLISH. */
export function countSent(broker: Broker, packetBytes: number, payloadBytes: number): void {
  const meter = broker.meter;
  meter.packetsSent++;
  meter.bytesSent += packetBytes;
  meter.publishSent++;
  meter.publishBytesSent += payloadBytes;
}

export function reportTooLarge(broker: Broker, connection: Connection, bytes: number, payloadBytes: number): void {
  broker.meter.publishDropped++;
  broker.drops.note(connection.clientId, 'too-large', payloadBytes, broker.unixSecond);
  broker.log.write(
    'notice',
    `Dropping too large outgoing PUBLISH for ${connection.clientId} (${bytes} bytes)`,
    aboutConnection('message.too-large', connection),
  );
}

/**
 * After a reconnect: what was in flight, then what waits. A QoS 2 message may have been given its identifier, or its
 * PUBREC, only a moment ago: the store has to know before the client hears of it again, or a crash would double it.
 */
export function resumeDelivery(broker: Broker, connection: Connection): void {
  const session = connection.session!;
  if (!session.stored || !session.hasExactlyOnceInFlight) return pump(broker, connection);
  connection.resuming = true;
  whenSafe(broker, connection, () => {
    connection.resuming = false;
    pump(broker, connection);
  });
}

/** Continues what the quota or the link held up: after an acknowledgement, a drain, a reconnect. */
export function pump(broker: Broker, connection: Connection): void {
  if (connection.resuming) return;
  const session = connection.session!;
  if (session.unsentInflight > 0) resend(broker, connection, session);
  pumpQueue(broker, connection, session);
  if (connection.closed) return;
  if (session.queue.tailMessages > 0) refillAndGoOn(broker, session);
  if (connection.retainedBacklog.length > 0) pumpRetained(broker, connection);
}

/** Apart from pump(), as takeTraced() is from onPublish(): 48 bytes at each acknowledgement. */
function refillAndGoOn(broker: Broker, session: BrokerSession): void {
  refill(broker, session, () => broker.pumpSession(session));
}

function pumpQueue(broker: Broker, connection: Connection, session: BrokerSession): void {
  const { queue } = session;
  while (queue.windowSize > 0 && !connection.closed) {
    const next = queue.peek()!;
    if (broker.access.asks === true && !isReadable(broker, session, next)) {
      if (queue.peek() === next) return;
    } else if (next.message.isExpired(broker.unixSecond)) {
      queue.shift();
      dropDelivery(broker, session, next);
      noteExpired(broker, session, next.message);
    } else if (next.qos === 0) {
      if (isTooSlow(broker, connection)) return;
      queue.shift();
      dropDelivery(broker, session, next);
      sendMessageAtMostOnce(broker, connection, next.message, next.retain, next.subscriptionIdentifier);
    } else {
      if (!hasRoom(broker, session, connection, next.message)) return;
      queue.shift();
      startExchange(broker, connection, session, next);
    }
  }
}

/** Sends what was in flight before the reconnect, oldest first, as far as the new quota goes. [MQTT-4.4.0-1] */
function resend(broker: Broker, connection: Connection, session: BrokerSession): void {
  for (const delivery of [...session.inflight]) {
    if (session.inflight.size - session.unsentInflight >= connection.sendQuota) return;
    if (delivery.state === deliveryStates.unsent) {
      session.unsentInflight--;
      sendInflight(broker, connection, session, delivery);
    } else if (delivery.state === deliveryStates.releaseUnsent) {
      session.unsentInflight--;
      delivery.state = deliveryStates.released;
      sendRelease(broker, connection, delivery.packetId);
    }
  }
}
