/**
 * Retained messages (MQTT 5, 3.3.1.3): the last word on each topic, kept for those who subscribe later.
 *
 * A subscription to `#` may match a hundred thousand of them. They are not poured into the link at once: what the link
 * or the QoS 1 quota cannot take now stays in the connection's backlog and goes on when there is room.
 */
import { Delivery, Message } from '../session/mod.ts';
import type { Broker } from './broker.ts';
import type { Connection } from './connection.ts';
import { dropRetained, keepRetained } from './keep.ts';
import { hasRoom, isTooSlow, sendMessageAtMostOnce, take } from './deliver.ts';
import type { Publication } from './publication.ts';
import type { BrokerMessage, BrokerSubscription } from './types.ts';

/** Retained messages that a subscription has still to get. */
export interface RetainedBacklog {
  subscription: BrokerSubscription;
  messages: BrokerMessage[];
  next: number;
}

/** Replaces or, with an empty payload, deletes the retained message of a topic. [MQTT-3.3.1-5], [MQTT-3.3.1-6] */
export function retain(broker: Broker, publication: Publication): void {
  const name = publication.topic.name;
  if (publication.payloadLength === 0) removeRetained(broker, name);
  else if (hasPlaceFor(broker, publication)) putBackRetained(broker, exact(publication.stable()));
  else {
    // What was retained there is no longer the last word.
    removeRetained(broker, name);
    reportNotRetained(broker, publication);
  }
}

/** `max_retained_messages` and `max_retained_bytes`; what the broker says itself always has its place. */
function hasPlaceFor(broker: Broker, { topic, payloadLength, publisher }: Publication): boolean {
  const { maxRetainedMessages, maxRetainedBytes } = broker.settings;
  if ((maxRetainedMessages === 0 && maxRetainedBytes === 0) || publisher === null) return true;
  const before = broker.retained.get(topic.name);
  const messages = broker.retained.size + (before === undefined ? 1 : 0);
  const bytes = broker.retainedBytes + payloadLength - (before?.payload.length ?? 0);
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
  broker.log.write('notice', text);
}

/** Puts a message into the tree and tells the store. */
export function putBackRetained(broker: Broker, message: BrokerMessage): void {
  placeRetained(broker, message);
  keepRetained(broker, message);
}

/** Into the tree alone; `retainedBytes` goes along. */
export function placeRetained(broker: Broker, message: BrokerMessage): void {
  const before = broker.retained.set(message.topicName, message);
  broker.retainedBytes += message.payload.length - (before?.payload.length ?? 0);
}

export function removeRetained(broker: Broker, topicName: string): boolean {
  const before = broker.retained.delete(topicName);
  if (before === undefined) return false;
  broker.retainedBytes -= before.payload.length;
  dropRetained(broker, topicName);
  return true;
}

/** Retained messages live long: they get memory of exactly their size instead of a share of a larger block. */
function exact(message: BrokerMessage): BrokerMessage {
  const { topicName, topic, payload, properties, qos, expiresAt, publisher } = message;
  const own = Buffer.allocUnsafeSlow(payload.length);
  payload.copy(own);
  return new Message(topicName, topic, own, properties, qos, true, expiresAt, publisher);
}

/** Starts sending what is retained under a subscription's filter. */
export function sendRetained(broker: Broker, connection: Connection, subscription: BrokerSubscription): void {
  // One SUBSCRIBE has room for 25,000 times `#`: what has not begun yet need not be begun twice.
  if (connection.retainedBacklog.some(waiting => waiting.subscription === subscription && waiting.next === 0)) return;
  const messages = broker.retained.match(subscription.topicFilter);
  if (messages.length === 0) return;
  connection.addBacklog().push({ subscription, messages, next: 0 });
  if (connection.retainedBacklog.length === 1) pumpRetained(broker, connection);
}

export function pumpRetained(broker: Broker, connection: Connection): void {
  for (;;) {
    const backlog = connection.retainedBacklog[0];
    if (backlog === undefined) return;
    while (backlog.next < backlog.messages.length) {
      if (connection.closed || !sendOne(broker, connection, backlog)) return;
      backlog.next++;
    }
    connection.retainedBacklog.shift();
  }
}

/** False when there is no room just now. */
function sendOne(broker: Broker, connection: Connection, { subscription, messages, next }: RetainedBacklog): boolean {
  const message = messages[next]!;
  if (!isStillWanted(broker, subscription, message)) return true;
  const session = connection.session!;
  const qos = Math.min(message.qos, subscription.qos) as 0 | 1 | 2;
  if (qos === 0) {
    if (isTooSlow(broker, connection)) return false;
    // The retain flag says that it is not news. [MQTT-3.3.1-8]
    sendMessageAtMostOnce(broker, connection, message, true, subscription.identifier);
    return true;
  }
  if (session.queue.size > 0 || !hasRoom(broker, session, connection, message)) return false;
  take(broker, session, new Delivery(message, qos, true, subscription.identifier));
  return true;
}

function isStillWanted(broker: Broker, subscription: BrokerSubscription, message: BrokerMessage): boolean {
  const { session } = subscription;
  if (session.subscriptions.get(subscription.filter) !== subscription) return false;
  // Replaced meanwhile: the newer one was delivered live, and the older must not follow it.
  if (broker.retained.get(message.topicName) !== message) return false;
  if (message.isExpired(broker.unixSecond)) {
    removeRetained(broker, message.topicName);
    broker.meter.messagesExpired++;
    return false;
  }
  if (subscription.noLocal && message.publisher?.clientId === session.clientId) return false;
  const source = message.publisher;
  if (broker.settings.checkRetainSource && source !== null && !broker.access.mayWrite(source, message.topicName)) {
    return false;
  }
  return broker.access.mayRead(session.owner!, message.topicName);
}

/** What a leaving client with a lasting session had still to get at QoS 1 or 2 waits in its queue. */
export function keepBacklog(broker: Broker, connection: Connection): void {
  const session = connection.session!;
  for (const { subscription, messages, next } of connection.retainedBacklog) {
    for (const message of messages.slice(next)) {
      const qos = Math.min(message.qos, subscription.qos) as 0 | 1 | 2;
      if (qos === 0 || !isStillWanted(broker, subscription, message)) continue;
      take(broker, session, new Delivery(message, qos, true, subscription.identifier));
    }
  }
  connection.retainedBacklog = [];
}

/** Removes what has expired (`retain_expiry_interval`). */
export function sweepRetained(broker: Broker): void {
  for (const message of [...broker.retained.values()]) {
    if (!message.isExpired(broker.unixSecond)) continue;
    removeRetained(broker, message.topicName);
    broker.meter.messagesExpired++;
  }
}
