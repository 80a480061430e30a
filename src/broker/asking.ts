/**
 * Access rules that have to be asked for each topic: who waits for an answer, and how nobody else does.
 *
 *   PUBLISH, SUBSCRIBE   the packet is put back, its client is not read until the answer is there; so its order stays
 *   delivery             into the queue of its client, which goes on when the answer for its head is there
 *   no answer in time    is a no
 *
 * Only reached while AccessControl.asks is true.
 */
import { packetTypes, readPublish, readSubscribe } from '../codec/mod.ts';
import { parseSharedFilter } from '../topics/mod.ts';
import type { Broker } from './broker.ts';
import type { Connection } from './connection.ts';
import { dropDelivery } from './keep.ts';
import type { Identity } from './ports.ts';
import { waitForRules } from './reading.ts';
import { noteUnread } from './refused.ts';
import { isOutsideRules } from './services.ts';
import type { BrokerDelivery, BrokerSession } from './types.ts';

/** True when the packet at hand was put back: it comes again once the rules can answer, and then does not wait. */
export function mustWaitForRules(
  broker: Broker,
  connection: Connection,
  first: number,
  start: number,
  end: number,
): boolean {
  const { rulesAsked } = connection;
  connection.rulesAsked = false;
  if (rulesAsked || connection.pass !== null) return false;
  const type = first >> 4;
  if (type === packetTypes.publish) return waitToPublish(broker, connection, first, start, end);
  return type === packetTypes.subscribe && waitToSubscribe(broker, connection, first, start, end);
}

function waitToPublish(broker: Broker, connection: Connection, first: number, start: number, end: number): boolean {
  const { view } = broker;
  const { bytes } = connection.reader;
  readPublish(view, bytes, first, start, end, connection.version);
  const known = view.topicEnd === view.topicStart ? connection.incomingAliases.get(view.topicAlias)?.name : undefined;
  const topic = known ?? connection.peer.listener.mountPoint + bytes.toString('utf8', view.topicStart, view.topicEnd);
  const wait = topic === '' || isOutsideRules(topic) ? null : broker.access.ask!('write', connection.identity, topic);
  if (wait !== null) waitForRules(connection, wait);
  return wait !== null;
}

function waitToSubscribe(broker: Broker, connection: Connection, first: number, start: number, end: number): boolean {
  const { items } = readSubscribe(connection.reader.bytes, first, start, end, connection.version);
  const waits = items.flatMap(({ topicFilter }) => {
    const shared = parseSharedFilter(topicFilter);
    if (shared === 'invalid' || isOutsideRules(topicFilter)) return [];
    const filter = connection.peer.listener.mountPoint + (shared?.topicFilter ?? topicFilter);
    return broker.access.ask!('subscribe', connection.identity, filter) ?? [];
  });
  if (waits.length > 0) waitForRules(connection, Promise.all(waits));
  return waits.length > 0;
}

/** Whether it has to be asked first if this client may read the topic; its queue goes on by itself when it is known. */
export function mustWaitToRead(broker: Broker, session: BrokerSession, topicName: string): boolean {
  const wait = broker.access.ask!('read', session.owner!, topicName);
  if (wait !== null) void wait.then(() => broker.pumpSession(session));
  return wait !== null;
}

/** False when the head of the queue has to wait, or was taken away because its client may not read it. */
export function isReadable(broker: Broker, session: BrokerSession, head: BrokerDelivery): boolean {
  const { topicName, payloadLength } = head.message;
  if (mustWaitToRead(broker, session, topicName)) return false;
  if (broker.access.mayRead(session.owner!, topicName)) return true;
  session.queue.shift();
  dropDelivery(broker, session, head);
  broker.meter.publishDenied++;
  broker.drops.note(session.clientId, 'denied', payloadLength, broker.unixSecond);
  noteUnread(broker, session.owner!, topicName);
  return false;
}

/** Of a subscription that is there: only a no that is known ends it. */
export function mayStillSubscribe(broker: Broker, who: Identity, topicFilter: string): boolean {
  const { access } = broker;
  if (access.asks === true && access.ask!('subscribe', who, topicFilter) !== null) return true;
  return access.maySubscribe(who, topicFilter);
}

/** Of what waits already: only a no that is known takes it away. */
export function mayStillRead(broker: Broker, who: Identity, topicName: string): boolean {
  const { access } = broker;
  if (access.asks === true && access.ask!('read', who, topicName) !== null) return true;
  return access.mayRead(who, topicName);
}
