/**
 * Retained messages (MQTT 5, 3.3.1.3): the last word on each topic, kept for those who subscribe later.
 *
 * A subscription to `#` may match a hundred thousand of them. They are not poured into the link at once: what the link
 * or the QoS 1 quota cannot take now stays in the connection's backlog and goes on when there is room.
 */
import { Delivery, Message } from '../session/mod.ts';
import { mustWaitToRead } from './asking.ts';
import type { Broker } from './broker.ts';
import type { Connection } from './connection.ts';
import { dropRetained, isKept, keepRetained } from './keep.ts';
import { outgoingMessage } from './hooks.ts';
import { hasRoom, isTooSlow, sendMessageAtMostOnce, take } from './deliver.ts';
import type { Publication } from './publication.ts';
import { PLAIN_PACKET_BYTES_MAX, PlainRun, type RetainedMessage } from './retained-messages.ts';
import type { BrokerMessage, BrokerSession, BrokerSubscription } from './types.ts';

/** Retained messages that a subscription has still to get. */
export interface RetainedBacklog {
  subscription: BrokerSubscription;
  messages: RetainedMessage[];
  next: number;
  /** The next one, while it has no room. */
  waiting: BrokerMessage | null;
}

/** What is gathered for one call: a quarter of a slab, so that little of one is left empty. */
const RUN_BYTES = 16_384;

/** Replaces or, with an empty payload, deletes the retained message of a topic. [MQTT-3.3.1-5], [MQTT-3.3.1-6] */
export function retain(broker: Broker, publication: Publication): void {
  const name = publication.topic.name;
  if (publication.payloadLength === 0) removeRetained(broker, name);
  else if (hasPlaceFor(broker, publication)) replace(broker, publication);
  else {
    // What was retained there is no longer the last word.
    removeRetained(broker, name);
    reportNotRetained(broker, publication);
  }
}

/** Most are short and in no store: they are packed as they lie in what was read, and nothing else is made of them. */
function replace(broker: Broker, publication: Publication): void {
  const kept = isKept(broker, publication.topic.name);
  if (kept || !broker.retained.put(publication)) putBackRetained(broker, lasting(publication.stable()));
}

/** Who lives long gets memory of exactly its size instead of a share of a larger block. */
function lasting({ topicName, topic, payload, properties, qos, expiresAt, publisher }: BrokerMessage): BrokerMessage {
  const own = Buffer.allocUnsafeSlow(payload.length);
  payload.copy(own);
  return new Message(topicName, topic, own, properties, qos, true, expiresAt, publisher);
}

/** `max_retained_messages` and `max_retained_bytes`; what the broker says itself always has its place. */
function hasPlaceFor(broker: Broker, { topic, payloadLength, publisher }: Publication): boolean {
  const { maxRetainedMessages, maxRetainedBytes } = broker.settings;
  if ((maxRetainedMessages === 0 && maxRetainedBytes === 0) || publisher === null) return true;
  const messages = broker.retained.size + (broker.retained.has(topic.name) ? 0 : 1);
  const bytes = broker.retained.payloadBytes + payloadLength - broker.retained.payloadLengthOn(topic.name);
  return !(
    (maxRetainedMessages > 0 && messages > maxRetainedMessages) ||
    (maxRetainedBytes > 0 && bytes > maxRetainedBytes)
  );
}

function reportNotRetained(broker: Broker, { publisher, payloadLength }: Publication): void {
  const clientId = publisher!.clientId;
  broker.drops.note(clientId, 'not-retained', payloadLength, broker.unixSecond);
  const session = broker.sessions.get(clientId);
  if (session === undefined || session.dropsReported) return;
  session.dropsReported = true;
  const text = `Messages of client ${clientId} are delivered and not retained: max_retained_messages or max_retained_bytes is reached.`;
  broker.log.write('notice', text, { code: 'message.retained-full', client: clientId });
}

/** Keeps a message as the last word on its topic, and tells the store. */
export function putBackRetained(broker: Broker, message: BrokerMessage): void {
  placeRetained(broker, message);
  keepRetained(broker, message);
}

/** In memory alone. */
export function placeRetained(broker: Broker, message: BrokerMessage): void {
  broker.retained.set(message, isKept(broker, message.topicName));
}

export function removeRetained(broker: Broker, topicName: string): boolean {
  if (!broker.retained.delete(topicName)) return false;
  dropRetained(broker, topicName);
  return true;
}

/** Starts sending what is retained under a subscription's filter. */
export function sendRetained(broker: Broker, connection: Connection, subscription: BrokerSubscription): void {
  // One SUBSCRIBE has room for 25,000 times `#`: what has not begun yet need not be begun twice.
  if (connection.retainedBacklog.some(waiting => waiting.subscription === subscription && waiting.next === 0)) return;
  const messages = broker.retained.match(subscription.topicFilter);
  if (messages.length === 0) return;
  connection.addBacklog().push({ subscription, messages, next: 0, waiting: null });
  if (connection.retainedBacklog.length === 1) pumpRetained(broker, connection);
}

export function pumpRetained(broker: Broker, connection: Connection): void {
  for (;;) {
    const backlog = connection.retainedBacklog[0];
    if (backlog === undefined) return;
    while (backlog.next < backlog.messages.length) {
      if (connection.closed) return;
      if (sendRun(broker, connection, backlog)) continue;
      if (!sendOne(broker, connection, backlog)) return;
      backlog.next++;
    }
    connection.retainedBacklog.shift();
  }
}

/** Sends those that are nothing but plain packets, many at a time; false when the next one is none of them. */
function sendRun(broker: Broker, connection: Connection, backlog: RetainedBacklog): boolean {
  const { subscription, messages } = backlog;
  const { version } = connection;
  if (!takesPlain(broker, connection, subscription) || isTooSlow(broker, connection)) return false;
  const run = new PlainRun();
  let { next } = backlog;
  for (; next < messages.length && run.bytes < RUN_BYTES; next++) {
    const retained = messages[next]!;
    if ((subscription.qos > 0 && retained.qos > 0) || !retained.isPlainFor(version)) break;
    if (isStillWanted(broker, subscription, retained)) run.add(retained, version);
  }
  const isNone = next === backlog.next;
  backlog.next = next;
  if (run.packets > 0) write(broker, connection, run);
  return !isNone;
}

/** What a blocked link is given is counted packet by packet. */
function takesPlain(broker: Broker, connection: Connection, { identifier }: BrokerSubscription): boolean {
  if (connection.link.blocked || broker.log.debug || broker.hooks.outgoing !== null) return false;
  return identifier === 0 && connection.takesSharedForms && connection.maximumPacketSize >= PLAIN_PACKET_BYTES_MAX;
}

function write({ arena, meter }: Broker, { link }: Connection, run: PlainRun): void {
  meter.packetsSent += run.packets;
  meter.publishSent += run.packets;
  meter.bytesSent += run.bytes;
  meter.publishBytesSent += run.payloadBytes;
  const start = run.write(arena);
  link.write(arena.slab, start, arena.position);
}

/** False when there is no room just now. */
function sendOne(broker: Broker, connection: Connection, backlog: RetainedBacklog): boolean {
  const { subscription } = backlog;
  const retained = backlog.messages[backlog.next]!;
  if (broker.access.asks === true && mustWaitToRead(broker, connection.session!, retained.topicName)) return false;
  if (!isStillWanted(broker, subscription, retained)) return true;
  const qos = Math.min(retained.qos, subscription.qos) as 0 | 1 | 2;
  if (qos === 0) {
    if (isTooSlow(broker, connection)) return false;
    sendRetainedAtMostOnce(broker, connection, retained, subscription.identifier);
    return true;
  }
  const session = connection.session!;
  const message = (backlog.waiting ??= shownTo(broker, session, retained));
  if (message === null) return true;
  if (session.queue.size > 0 || !hasRoom(broker, session, connection, message)) return false;
  backlog.waiting = null;
  take(broker, session, new Delivery(message, qos, true, subscription.identifier));
  return true;
}

/** As plugins let this subscriber have it; null for not at all. */
function shownTo(broker: Broker, { owner }: BrokerSession, retained: RetainedMessage): BrokerMessage | null {
  const message = retained.message();
  return broker.hooks.outgoing === null ? message : outgoingMessage(broker, message, owner!);
}

/** The retain flag says that it is not news. [MQTT-3.3.1-8] */
function sendRetainedAtMostOnce(
  broker: Broker,
  connection: Connection,
  retained: RetainedMessage,
  identifier: number,
): void {
  const given = shownTo(broker, connection.session!, retained);
  if (given !== null) sendMessageAtMostOnce(broker, connection, given, true, identifier);
}

function isStillWanted(broker: Broker, subscription: BrokerSubscription, retained: RetainedMessage): boolean {
  const { session } = subscription;
  if (session.subscriptions.get(subscription.filter) !== subscription) return false;
  // Replaced meanwhile: the newer one was delivered live, and the older must not follow it.
  if (!retained.isCurrent) return false;
  if (retained.isExpired(broker.unixSecond)) {
    expire(broker, retained);
    return false;
  }
  const { publisher } = retained;
  if (subscription.noLocal && publisher?.clientId === session.clientId) return false;
  const { access, settings } = broker;
  const asksWriter = settings.checkRetainSource && publisher !== null;
  if (access.readsUnrestricted && !asksWriter) return true;
  const { topicName } = retained;
  if (asksWriter && !access.mayWrite(publisher, topicName)) return false;
  return access.readsUnrestricted || access.mayRead(session.owner!, topicName);
}

function expire(broker: Broker, { topicName }: RetainedMessage): void {
  removeRetained(broker, topicName);
  broker.meter.messagesExpired++;
}

/** What a leaving client with a lasting session had still to get at QoS 1 or 2 waits in its queue. */
export function keepBacklog(broker: Broker, connection: Connection): void {
  const session = connection.session!;
  for (const { subscription, messages, next } of connection.retainedBacklog) {
    for (const retained of messages.slice(next)) {
      const qos = Math.min(retained.qos, subscription.qos) as 0 | 1 | 2;
      if (qos === 0 || !isStillWanted(broker, subscription, retained)) continue;
      const message = shownTo(broker, session, retained);
      if (message !== null) take(broker, session, new Delivery(message, qos, true, subscription.identifier));
    }
  }
  connection.retainedBacklog = [];
}

/** Removes what has expired (`retain_expiry_interval`). */
export function sweepRetained(broker: Broker): void {
  for (const retained of broker.retained.expired(broker.unixSecond)) expire(broker, retained);
}
