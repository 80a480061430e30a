/**
 * What waits for a client: how much may, and what of it is in memory.
 *
 *   client away, or its window full ──> tail, in the store alone (a lasting session with a store that keeps)
 *   client here ──> window in memory ◄── refilled from the tail, a page at a time, before it is empty
 *   client goes ──> its window is stowed in front of the tail
 *
 * So a million messages for clients that are away take no memory, and a client that reads slowly takes a window's worth.
 * Without a store everything is in the window. Nothing overtakes: while there is a tail, what comes goes behind it.
 */
import { Delivery } from '../session/mod.ts';
import { mayStillRead } from './asking.ts';
import type { Broker } from './broker.ts';
import { dropDelivery, keepDelivery } from './keep.ts';
import type { DropCause, Page, StoredDelivery } from './ports.ts';
import { messageFromStore } from './restore.ts';
import type { BrokerDelivery, BrokerMessage, BrokerSession } from './types.ts';

/** A window may always have so much, however little memory is left for all: 20 is what is in flight by default. */
const LEAST_MESSAGES = 20;
const LEAST_BYTES = 16_384;

/** What a page may bring when it is only fetched to make room at the head of a queue that is too long. */
const TRIMMED_MESSAGES_MAX = 1000;
const TRIMMED_BYTES_MAX = 1_048_576;

/** Takes a delivery in behind everything that waits; false when there was no room for it. */
export function enqueue(broker: Broker, session: BrokerSession, delivery: BrokerDelivery): boolean {
  const queue = session.ownQueue;
  const bytes = delivery.message.payloadLength;
  const cause = fullBecause(broker, session, 1, bytes);
  if (cause !== null && broker.settings.queuePolicy === 'drop-newest') {
    reportDrop(broker, session, cause, bytes);
    return false;
  }
  if (belongsInTail(broker, session)) {
    queue.append(1, bytes);
    broker.store.appendDelivery(session.clientId, delivery);
  } else {
    queue.push(delivery);
    keepDelivery(broker, session, delivery);
  }
  if (cause !== null) dropOldest(broker, session);
  return true;
}

/** Which bound so much more would break; null for none. */
function fullBecause(broker: Broker, { queue }: BrokerSession, messages: number, bytes: number): DropCause | null {
  const { maxQueuedMessages, maxQueuedBytes, maxTotalQueuedBytes } = broker.settings;
  if (maxQueuedMessages > 0 && queue.size + messages > maxQueuedMessages) return 'queue-messages';
  if (maxQueuedBytes > 0 && queue.payloadBytes + bytes > maxQueuedBytes) return 'queue-bytes';
  if (maxTotalQueuedBytes > 0 && broker.queued.payloadBytes + bytes > maxTotalQueuedBytes) return 'total-bytes';
  return null;
}

function belongsInTail(broker: Broker, session: BrokerSession): boolean {
  if (!session.stored) return false;
  const { queue, connection } = session;
  return connection === null || queue.tailMessages > 0 || roomInWindow(broker, session).messages <= 0;
}

/** What the window of a client may still take. */
function roomInWindow(broker: Broker, { queue }: BrokerSession): { messages: number; bytes: number } {
  const { windowMessages, windowBytes, allWindowsBytes } = broker.settings;
  const isScarce = broker.queued.windowBytes >= allWindowsBytes;
  const messages = (isScarce ? Math.min(LEAST_MESSAGES, windowMessages) : windowMessages) - queue.windowSize;
  const bytes = (isScarce ? Math.min(LEAST_BYTES, windowBytes) : windowBytes) - queue.windowBytes;
  return bytes <= 0 && queue.windowSize > 0 ? { messages: 0, bytes: 0 } : { messages, bytes: Math.max(bytes, 1) };
}

/** Fetches more of the tail when half of the window is free. */
export function refill(broker: Broker, session: BrokerSession, arrived: () => void): void {
  const { queue } = session;
  if (queue.tailMessages === 0 || queue.fetching) return;
  const room = roomInWindow(broker, session);
  if (room.messages <= queue.windowSize) return;
  fetchTail(broker, session, { ...room, take: given => takeIn(broker, session, given) }, arrived);
}

function fetchTail(broker: Broker, session: BrokerSession, page: Omit<Page, 'done'>, arrived: () => void): void {
  const queue = session.ownQueue;
  queue.fetching = true;
  const done = (end: boolean): void => {
    queue.fetching = false;
    if (end) queue.endTail();
    arrived();
  };
  broker.store.fetchPage(session.clientId, { ...page, done });
}

/** Rights may have shrunk since the message was queued. */
function takeIn(broker: Broker, session: BrokerSession, given: StoredDelivery): StoredDelivery | null {
  const { message, qos, retain, subscriptionIdentifier } = given;
  if (!broker.access.readsUnrestricted && !mayStillRead(broker, session.owner!, message.topicName)) {
    session.queue.removeFromTail(1, message.payload.length);
    broker.meter.publishDenied++;
    broker.drops.note(session.clientId, 'denied', message.payload.length, broker.unixSecond);
    return null;
  }
  const ours: BrokerDelivery = new Delivery(messageFromStore(message, null), qos, retain, subscriptionIdentifier);
  session.ownQueue.arrive(ours);
  return ours;
}

/** The client has gone: what waits for it needs no memory any more. */
export function stow(broker: Broker, session: BrokerSession): void {
  if (!session.stored) return;
  const deliveries = session.queue.stow();
  if (deliveries.length > 0 || session.queue.tailMessages > 0) broker.store.stow(session.clientId, deliveries);
}

/** `queue_policy drop_oldest`: what waits longest goes until the bounds hold, from the disk if need be. */
function dropOldest(broker: Broker, session: BrokerSession): void {
  const { queue } = session;
  for (let cause = fullBecause(broker, session, 0, 0); cause !== null; cause = fullBecause(broker, session, 0, 0)) {
    const oldest = queue.shift();
    if (oldest === undefined) return trimTail(broker, session);
    dropDelivery(broker, session, oldest);
    reportDrop(broker, session, cause, oldest.message.payloadLength);
  }
}

function trimTail(broker: Broker, session: BrokerSession): void {
  const { queue } = session;
  if (queue.fetching || queue.tailMessages === 0) return;
  const { maxQueuedMessages } = broker.settings;
  const surplus = maxQueuedMessages > 0 ? queue.size - maxQueuedMessages : 0;
  const messages = surplus > 0 ? Math.min(surplus, TRIMMED_MESSAGES_MAX) : TRIMMED_MESSAGES_MAX;
  const take = (given: StoredDelivery): StoredDelivery | null => {
    const cause = fullBecause(broker, session, 0, 0);
    if (cause === null) return takeIn(broker, session, given);
    const bytes = given.message.payload.length;
    queue.removeFromTail(1, bytes);
    reportDrop(broker, session, cause, bytes);
    return null;
  };
  const onward = (): void => broker.pumpSession(session);
  fetchTail(broker, session, { messages, bytes: TRIMMED_BYTES_MAX, take }, () => {
    dropOldest(broker, session);
    onward();
  });
}

/** Whatever waits and has expired goes, in memory and on the disk, so that it does not wait for its client. */
export function removeExpired(broker: Broker): void {
  for (const session of broker.sessions.values()) {
    if (session.connection !== null || session.queue.windowSize === 0) continue;
    session.queue.sift(delivery => {
      if (!delivery.message.isExpired(broker.unixSecond)) return true;
      dropDelivery(broker, session, delivery);
      noteExpired(broker, session, delivery.message);
      return false;
    });
  }
  broker.store.removeExpired(broker.unixSecond, (clientId, messages, bytes) => {
    const session = broker.sessions.get(clientId);
    session?.queue.removeFromTail(messages, bytes);
    broker.meter.messagesExpired += messages;
    broker.drops.note(clientId, 'expired', bytes, broker.unixSecond, messages);
  });
}

export function noteExpired(broker: Broker, session: BrokerSession, { payloadLength }: BrokerMessage): void {
  broker.meter.messagesExpired++; // [MQTT-3.3.2-5]
  broker.drops.note(session.clientId, 'expired', payloadLength, broker.unixSecond);
}

/** Counted every time, said once per connection. */
export function reportDrop(broker: Broker, session: BrokerSession, cause: DropCause, bytes: number): void {
  broker.meter.publishDropped++;
  broker.drops.note(session.clientId, cause, bytes, broker.unixSecond);
  if (session.dropsReported) return;
  session.dropsReported = true;
  broker.log.write('notice', `Outgoing messages are being dropped for client ${session.clientId}.`, {
    code: 'message.dropped',
    client: session.clientId,
    reason: cause,
  });
}
