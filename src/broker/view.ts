/**
 * The heart as an operator sees it: BrokerView of ports.ts. Facts are made one at a time, when the list is walked, and
 * nothing here is kept, so that a broker that nobody looks at pays nothing.
 */
import { reasonCodes } from '../codec/mod.ts';
import { Message, NEVER } from '../session/mod.ts';
import { isValidTopicName } from '../topics/mod.ts';
import type { Broker } from './broker.ts';
import type { Connection } from './connection.ts';
import { endConnection, phraseFor } from './endings.ts';
import { putBackRetained, removeRetained } from './retained.ts';
import { endSession } from './sessions.ts';
import type { TopicEntry } from './topic-cache.ts';
import type {
  BrokerView,
  ClientFacts,
  FilterFacts,
  Identity,
  ReceiverFacts,
  RefusalFacts,
  SeenUse,
  SessionDetail,
  SessionFacts,
  StoredMessage,
} from './ports.ts';
import { type BrokerGroup, type BrokerSession, type BrokerSubscription, isGroup } from './types.ts';

export function viewOf(broker: Broker): BrokerView {
  return {
    clients: () => clients(broker),
    sessions: () => sessions(broker),
    filters: () => filters(broker),
    retained: () => broker.retained.values(),
    client: clientId => openConnection(broker, clientId, factsOfClient),
    session: clientId => detailOf(broker.sessions.get(clientId) ?? null),
    refusals: clientId => [...broker.refusals.of(clientId), ...broker.refusedLogins.of(clientId)].sort(byTime),
    identity: clientId => broker.sessions.get(clientId)?.owner ?? null,
    seen: () => seenUses(broker),
    retainedOn: topicName => broker.retained.get(topicName) ?? null,
    receivers: topicName => broker.tree.match(topicName).flatMap(receiversOf),
    follow: (clientId, hear) =>
      broker.traces.follow(
        clientId,
        openConnection(broker, clientId, one => one),
        hear,
      ),
    disconnect: clientId => openConnection(broker, clientId, putOut) !== null,
    forget: clientId => forget(broker, clientId),
    removeRetained: topicName => removeRetained(broker, topicName),
    restoreRetained: message => restoreRetained(broker, message),
  };
}

function* clients(broker: Broker): Iterable<ClientFacts> {
  for (const connection of broker.connections) {
    if (connection.state === 'open' && connection.session !== null) yield factsOfClient(connection);
  }
}

function* sessions(broker: Broker): Iterable<SessionFacts> {
  for (const session of broker.sessions.values()) yield factsOfSession(session);
}

function* filters(broker: Broker): Iterable<FilterFacts> {
  for (const { filter, values, shared } of broker.tree.filters()) {
    const groups = shared.flatMap(target => (isGroup(target) ? [groupFacts(target, filter)] : []));
    yield { filter, subscribers: values.length, groups };
  }
}

function groupFacts({ key, members }: BrokerGroup, filter: string): { name: string; members: number } {
  return { name: key.slice(0, key.length - filter.length - 1), members: members.length };
}

function factsOfClient({ peer, session, identity, version, openedAt, link, clientId }: Connection): ClientFacts {
  return {
    clientId,
    username: identity.username,
    address: peer.address,
    port: peer.port,
    listener: peer.listener.name,
    version,
    tls: peer.tls?.version ?? null,
    certificate: peer.certificate?.commonName ?? null,
    connectedAt: openedAt,
    subscriptions: session!.subscriptions.size,
    inflight: session!.inflight.size,
    queued: session!.queue.size,
    waitingBytes: link.pendingBytes,
  };
}

function factsOfSession(session: BrokerSession): SessionFacts {
  const { clientId, owner, connection, subscriptions, inflight, queue, expiryInterval } = session;
  return {
    clientId,
    username: owner?.username ?? null,
    connected: connection !== null,
    subscriptions: subscriptions.size,
    inflight: inflight.size,
    queued: queue.size,
    queuedBytes: queue.payloadBytes,
    will: session.will !== null,
    expirySeconds: expiryInterval === NEVER ? null : expiryInterval,
    endsAt: session.endsAt,
  };
}

function detailOf(session: BrokerSession | null): SessionDetail | null {
  if (session === null) return null;
  const filters = session.subscriptions.all().map(({ filter, qos, noLocal, retainAsPublished, identifier }) => ({
    filter,
    qos,
    noLocal,
    retainAsPublished,
    identifier,
  }));
  return { ...factsOfSession(session), filters, willTopic: session.will?.will.topicName ?? null };
}

function receiversOf(target: BrokerSubscription | BrokerGroup): ReceiverFacts[] {
  if (isGroup(target)) return target.members.flatMap(receiversOf);
  const { session, filter, qos, group, topicFilter } = target;
  return [
    {
      clientId: session.clientId,
      filter,
      qos,
      group: group === null ? null : groupFacts(group, topicFilter).name,
      connected: session.connection !== null,
    },
  ];
}

const byTime = (a: RefusalFacts, b: RefusalFacts): number => b.lastAt - a.lastAt;

/** Who published last on each topic that is known, who is subscribed to it, and what was refused. */
function* seenUses(broker: Broker): Iterable<SeenUse> {
  const topicNames = new Set<string>();
  for (const { name, writer } of topicsInUse(broker)) {
    topicNames.add(name);
    if (writer !== null) yield { who: writer, access: 'write', topicName: name };
  }
  for (const { topicName, publisher } of broker.retained.values()) {
    topicNames.add(topicName);
    if (publisher !== null) yield { who: publisher, access: 'write', topicName };
  }
  for (const topicName of topicNames) {
    for (const who of readersOf(broker.tree.match(topicName))) yield { who, access: 'read', topicName };
  }
  for (const clientId of broker.refusals.clientIds()) {
    const who = broker.sessions.get(clientId)?.owner ?? null;
    for (const { action, topic } of who === null ? [] : broker.refusals.of(clientId)) {
      if (action === 'publish') yield { who: who!, access: 'write', topicName: topic };
    }
  }
}

function* topicsInUse(broker: Broker): Iterable<TopicEntry> {
  yield* broker.topics.entries();
  // Whoever publishes to one topic alone holds it itself, and the cache has never seen it twice.
  for (const { lastTopic } of broker.connections) if (lastTopic !== null && !lastTopic.kept) yield lastTopic;
}

function readersOf(targets: readonly (BrokerSubscription | BrokerGroup)[]): Identity[] {
  return targets.flatMap(target => (isGroup(target) ? readersOf(target.members) : (target.session.owner ?? [])));
}

function openConnection<T>(broker: Broker, clientId: string, look: (connection: Connection) => T): T | null {
  const connection = broker.sessions.get(clientId)?.connection ?? null;
  return connection === null ? null : look(connection);
}

function putOut(connection: Connection): void {
  const { broker } = connection;
  broker.lookAtTheClock();
  endConnection(broker, connection, {
    reason: phraseFor(reasonCodes.administrativeAction),
    disconnectCode: reasonCodes.administrativeAction,
    will: 'discard',
    explanation: `  ${connection.clientId} was disconnected by an operator.`,
  });
}

function forget(broker: Broker, clientId: string): boolean {
  const session = broker.sessions.get(clientId);
  if (session === undefined) return false;
  if (session.connection !== null) putOut(session.connection);
  broker.lookAtTheClock();
  endSession(broker, session);
  return true;
}

function restoreRetained(broker: Broker, kept: Omit<StoredMessage, 'publisher' | 'retain'>): boolean {
  const { topicName, payload, properties, qos, expiresAt } = kept;
  if (!isValidTopicName(topicName) || broker.retained.has(topicName)) return false;
  const topic = Buffer.from(topicName);
  if (topic.length > TOPIC_BYTES_MAX) return false;
  const message = new Message<Identity>(topicName, topic, payload, properties, qos, true, expiresAt, null);
  broker.lookAtTheClock();
  if (message.isExpired(broker.unixSecond)) return false;
  putBackRetained(broker, message);
  return true;
}

/** What the 16-bit length in front of a topic name can say. */
const TOPIC_BYTES_MAX = 65_535;
