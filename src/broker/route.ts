/** Who gets a message: the topic's remembered route, the access rules of each reader, one turn of each shared group. */
import { mustWaitToRead } from './asking.ts';
import type { Broker } from './broker.ts';
import { deliver, holdBack } from './deliver.ts';
import type { Publication } from './publication.ts';
import { noteUnread } from './refused.ts';
import { deliverToGroup } from './shared-subscriptions.ts';
import type { TopicEntry } from './topic-cache.ts';
import { type BrokerSession, type BrokerSubscription, isGroup, type Target } from './types.ts';

const UNASKED = 0;
const YES = 1;
const NO = 2;

/** Delivers to everyone and returns how many filters matched, delivered or not (MQTT 5, reason code 0x10). */
export function route(broker: Broker, publication: Publication): number {
  const topic = publication.topic;
  if (topic.routed !== broker.tree.generation) {
    broker.topics.keepRoute(topic, broker.tree.match(topic.name), broker.tree.generation);
  }
  const targets = topic.targets;
  if (targets.length === 0) return 0;
  const asks = !broker.access.readsUnrestricted;
  // What would be remembered of a topic without a place in the cache would be forgotten at once.
  const readable = asks && topic.kept ? readers(broker, topic) : null;
  const best = broker.settings.allowDuplicateMessages ? null : bestTargets(targets);
  for (let i = 0; i < targets.length; i++) {
    const target = targets[i]!;
    if (isGroup(target)) deliverToGroup(broker, publication, target);
    else if (broker.access.asks === true && mustWaitToRead(broker, target.session, topic.name)) {
      holdBack(broker, publication, target);
    } else if (asks && !mayRead(broker, readable, i, topic, target.session)) {
      noteDenied(broker, target.session, publication);
    } else if (best === null || best.get(target.session) === target || target.session.version === 5) {
      deliver(broker, publication, target);
    }
  }
  return targets.length;
}

function noteDenied(broker: Broker, { clientId }: BrokerSession, { payloadLength }: Publication): void {
  broker.meter.publishDenied++;
  broker.drops.note(clientId, 'denied', payloadLength, broker.unixSecond);
}

/** The remembered answers of the access rules, one per target; forgotten when rules or route change. */
function readers(broker: Broker, topic: TopicEntry): Uint8Array {
  if (topic.readable === null || topic.asked !== broker.access.generation) {
    topic.readable = new Uint8Array(topic.targets.length);
    topic.asked = broker.access.generation;
  }
  return topic.readable;
}

function mayRead(
  broker: Broker,
  readable: Uint8Array | null,
  i: number,
  topic: TopicEntry,
  reader: BrokerSession,
): boolean {
  if (readable === null) return askAbout(broker, topic, reader);
  if (readable[i] === UNASKED) readable[i] = askAbout(broker, topic, reader) ? YES : NO;
  return readable[i] === YES;
}

function askAbout(broker: Broker, topic: TopicEntry, { owner }: BrokerSession): boolean {
  const may = broker.access.mayRead(owner!, topic.name);
  if (!may) noteUnread(broker, owner!, topic.name);
  return may;
}

/**
 * `allow_duplicate_messages false`: 3.x clients get one copy however many of their filters match, at the highest QoS of
 * these [MQTT-3.3.5-1].
 */
function bestTargets(targets: readonly Target[]): Map<BrokerSession, BrokerSubscription> {
  const best = new Map<BrokerSession, BrokerSubscription>();
  for (const target of targets) {
    if (isGroup(target)) continue;
    const before = best.get(target.session);
    if (before === undefined || before.qos < target.qos) best.set(target.session, target);
  }
  return best;
}
