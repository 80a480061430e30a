/** SUBSCRIBE and UNSUBSCRIBE (MQTT 5, 3.8 to 3.11). */
import { aboutConnection } from './about.ts';
import type { PacketError } from '../codec/mod.ts';
import {
  encodeSuback,
  malformed,
  NO_PROPERTIES,
  protocolError,
  reasonCodes,
  type Subscribe,
  type SubscribeItem,
  type Unsubscribe,
} from '../codec/mod.ts';
import { Subscription } from '../session/mod.ts';
import { isValidFilter, parseSharedFilter } from '../topics/mod.ts';
import type { Broker } from './broker.ts';
import { whenSafe } from './acknowledge.ts';
import type { Connection } from './connection.ts';
import { keepSubscription } from './keep.ts';
import type { StoredSubscription } from './ports.ts';
import { recordSubscribed, recordUnsubscribed } from './recording.ts';
import { noteRefused } from './refused.ts';
import { sendRetained } from './retained.ts';
import { isOutsideRules } from './services.ts';
import { groupFor, join, leave } from './shared-subscriptions.ts';
import type { BrokerSession, BrokerSubscription } from './types.ts';

/** 3.1.1's only code for "no" (MQTT 3.1.1, 3.9.3). */
const FAILURE_3_1_1 = 0x80;

export function onSubscribe(broker: Broker, connection: Connection, packet: Subscribe): void {
  const { log } = broker;
  if (log.debug) log.write('debug', `Received SUBSCRIBE from ${connection.clientId}`);
  const identifier = packet.properties.subscriptionIdentifier ?? 0;
  const codes: number[] = [];
  const toSend: BrokerSubscription[] = [];
  for (const item of packet.items) codes.push(subscribeOne(broker, connection, item, identifier, toSend));
  recordSubscribed(connection, packet.items, codes);
  whenSafe(broker, connection, () => {
    const suback = { packetId: packet.packetId, properties: NO_PROPERTIES, reasonCodes: codes };
    connection.send(encodeSuback('suback', suback, connection.version));
    if (log.debug) log.write('debug', `Sending SUBACK to ${connection.clientId}`);
    // The SUBACK goes first, then what is retained, filter by filter.
    for (const subscription of toSend) sendRetained(broker, connection, subscription);
  });
}

/** Subscribes one filter and returns its code; what is retained for it is to be sent when it is put into `toSend`. */
function subscribeOne(
  broker: Broker,
  connection: Connection,
  item: SubscribeItem,
  identifier: number,
  toSend: BrokerSubscription[],
): number {
  const { log } = broker;
  if (log.debug) log.write('debug', `\t${item.topicFilter} (QoS ${item.qos})`);
  const place = placeOf(broker, connection, item.topicFilter, item.noLocal, 'subscription');
  if (!maySubscribe(broker, connection, place.topicFilter)) return refusalCode(connection, item);
  const session = connection.session!;
  const existing = subscriptionAt(broker, session, item.topicFilter, place);
  const subscription = existing ?? subscribe(broker, session, item.topicFilter, place);
  subscription.qos = Math.min(item.qos, connection.peer.listener.maxQos) as 0 | 1 | 2;
  subscription.noLocal = item.noLocal || connection.bridge;
  subscription.retainAsPublished = item.retainAsPublished || connection.bridge;
  subscription.identifier = identifier;
  keepSubscription(broker, subscription);
  if (log.subscribe) log.write('subscribe', `${connection.clientId} ${subscription.qos} ${item.topicFilter}`);
  broker.hooks.events?.subscribed(connection.identity, item.topicFilter, subscription.qos);
  // [MQTT-3.3.1-9] to [MQTT-3.3.1-11]; a shared subscription gets none (4.8.2)
  const wanted = item.retainHandling === 0 || (item.retainHandling === 1 && existing === null);
  if (wanted && place.group === null && broker.settings.retainAvailable) toSend.push(subscription);
  return subscription.qos;
}

/** Nothing is routed to a topic outside the rules; whoever asked a service there may say that it waits for the answer. */
function maySubscribe(broker: Broker, connection: Connection, topicFilter: string): boolean {
  if (isOutsideRules(topicFilter) || broker.access.maySubscribe(connection.identity, topicFilter)) return true;
  noteRefused(broker, connection.identity, 'subscribe', topicFilter);
  return false;
}

/** The subscription of this filter. One of a listener with another mount point leads elsewhere, and ends here. */
function subscriptionAt(
  broker: Broker,
  session: BrokerSession,
  filter: string,
  place: Place,
): BrokerSubscription | null {
  const existing = session.subscriptions.get(filter) ?? null;
  if (existing === null || existing.topicFilter === place.topicFilter) return existing;
  unsubscribe(broker, existing);
  return null;
}

function refusalCode(connection: Connection, item: SubscribeItem): number {
  if (connection.version === 5) return reasonCodes.notAuthorized;
  // 3.1 has no code for failure: it is told what it asked for and gets nothing.
  return connection.version === 4 ? FAILURE_3_1_1 : item.qos;
}

interface Place {
  topicFilter: string;
  group: string | null;
}

/** Checks a filter and says where in the tree it belongs. Every invalid one ends the connection. */
function placeOf(
  broker: Broker,
  connection: Connection,
  filter: string,
  noLocal: boolean,
  what: 'subscription' | 'unsubscription',
): Place {
  const shared = parseSharedFilter(filter);
  if (shared === 'invalid') throw shareError(connection);
  if (shared === null && !isValidFilter(filter)) {
    const who = what === 'subscription' ? connection.peer.address : connection.clientId;
    const kind = filter === '' ? 'Empty' : 'Invalid';
    broker.log.write(
      'information',
      `${kind} ${what} string from ${who}, disconnecting.`,
      aboutConnection('client.protocol-error', connection),
    );
    throw malformed();
  }
  if (shared !== null && noLocal && connection.version === 5) {
    throw protocolError('$share subscription with no-local set.'); // [MQTT-3.8.3-4]
  }
  const mountPoint = connection.peer.listener.mountPoint;
  return { topicFilter: mountPoint + (shared?.topicFilter ?? filter), group: shared?.group ?? null };
}

function shareError(connection: Connection): PacketError {
  return connection.version === 5 ? protocolError() : malformed();
}

function subscribe(broker: Broker, session: BrokerSession, filter: string, place: Place): BrokerSubscription {
  const group = place.group === null ? null : groupFor(broker, place.group, place.topicFilter);
  const subscription = new Subscription(session, filter, place.topicFilter, group);
  session.subscriptions.add(subscription);
  if (group === null) broker.tree.add(place.topicFilter, subscription);
  else {
    join(broker, group, subscription);
    broker.sharedSubscriptions++;
  }
  return subscription;
}

/** Puts a kept subscription back into its session and the tree. */
export function restoreSubscription(broker: Broker, session: BrokerSession, stored: StoredSubscription): void {
  const shared = parseSharedFilter(stored.filter);
  if (shared === 'invalid') return;
  const place = {
    topicFilter: stored.mountPoint + (shared?.topicFilter ?? stored.filter),
    group: shared?.group ?? null,
  };
  const subscription = subscribe(broker, session, stored.filter, place);
  subscription.qos = stored.qos;
  subscription.noLocal = stored.noLocal;
  subscription.retainAsPublished = stored.retainAsPublished;
  subscription.identifier = stored.identifier;
}

/** Takes a subscription out of its session, the tree and its group. */
export function unsubscribe(broker: Broker, subscription: BrokerSubscription): void {
  const { session } = subscription;
  session.subscriptions.remove(subscription);
  if (session.stored && !session.ended) broker.store.removeSubscription(session.clientId, subscription.filter);
  const group = subscription.group;
  if (group === null) broker.tree.remove(subscription.topicFilter, subscription);
  else {
    leave(broker, group, subscription);
    broker.sharedSubscriptions--;
  }
}

export function onUnsubscribe(broker: Broker, connection: Connection, packet: Unsubscribe): void {
  const { log } = broker;
  if (log.debug) log.write('debug', `Received UNSUBSCRIBE from ${connection.clientId}`);
  const codes = packet.topicFilters.map(filter => unsubscribeOne(broker, connection, filter));
  recordUnsubscribed(connection, packet.topicFilters);
  whenSafe(broker, connection, () => {
    const unsuback = { packetId: packet.packetId, properties: NO_PROPERTIES, reasonCodes: codes };
    connection.send(encodeSuback('unsuback', unsuback, connection.version));
    if (log.debug) log.write('debug', `Sending UNSUBACK to ${connection.clientId}`);
  });
}

function mayUnsubscribe(broker: Broker, connection: Connection, topicFilter: string): boolean {
  if (isOutsideRules(topicFilter) || broker.access.mayUnsubscribe(connection.identity, topicFilter)) return true;
  noteRefused(broker, connection.identity, 'unsubscribe', topicFilter);
  return false;
}

function unsubscribeOne(broker: Broker, connection: Connection, filter: string): number {
  const { log } = broker;
  if (log.debug) log.write('debug', `\t${filter}`);
  const place = placeOf(broker, connection, filter, false, 'unsubscription');
  if (!mayUnsubscribe(broker, connection, place.topicFilter)) return reasonCodes.notAuthorized;
  const subscription = connection.session!.subscriptions.get(filter);
  if (log.unsubscribe) log.write('unsubscribe', `${connection.clientId} ${filter}`);
  if (subscription === undefined) return reasonCodes.noSubscriptionExisted; // [MQTT-3.11.3-2]
  unsubscribe(broker, subscription);
  broker.hooks.events?.unsubscribed(connection.identity, filter);
  return reasonCodes.success;
}
