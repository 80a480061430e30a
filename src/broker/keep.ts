/**
 * What the store is told of sessions and what belongs to them. Only lasting sessions are kept, and of others the will,
 * so that a will is heard even when the broker itself falls.
 */
import type { Broker } from './broker.ts';
import type { BrokerDelivery, BrokerMessage, BrokerSession, BrokerSubscription } from './types.ts';

/** The session itself: who, for how long, and its will. Called when any of that changes. */
export function keepSession(broker: Broker, session: BrokerSession): void {
  if (!broker.store.keeps || session.ended || session.inMemoryOnly) return;
  if (session.expiryInterval > 0) session.stored = true;
  if (!session.stored && session.will === null && !session.rowKept) return;
  session.rowKept = true;
  const owner = session.owner!;
  broker.store.putSession({
    clientId: session.clientId,
    username: owner.username,
    listenerPort: owner.listener.port,
    version: session.version,
    expiryInterval: session.expiryInterval,
    endsAt: session.endsAt,
    will: storedWill(session),
  });
}

function storedWill(session: BrokerSession): Parameters<Broker['store']['putSession']>[0]['will'] {
  if (session.will === null) return null;
  const { topicName, payload, properties, qos, retain, delayInterval, messageExpiryInterval } = session.will.will;
  const dueAt = session.willDueAt;
  return { topicName, payload, properties, qos, retain, delayInterval, messageExpiryInterval, dueAt };
}

export function forgetSession(broker: Broker, session: BrokerSession): void {
  if (session.rowKept) broker.store.removeSession(session.clientId);
  session.rowKept = session.stored = false;
}

export function keepSubscription(broker: Broker, subscription: BrokerSubscription): void {
  const { session } = subscription;
  if (!session.stored) return;
  const { filter, qos, noLocal, retainAsPublished, identifier } = subscription;
  const mountPoint = session.owner!.listener.mountPoint;
  broker.store.putSubscription(session.clientId, { filter, mountPoint, qos, noLocal, retainAsPublished, identifier });
}

/** After a delivery was taken in, or its state or packet identifier has changed. */
export function keepDelivery(broker: Broker, session: BrokerSession, delivery: BrokerDelivery): void {
  if (session.stored) broker.store.putDelivery(session.clientId, delivery);
}

export function dropDelivery(broker: Broker, session: BrokerSession, delivery: BrokerDelivery): void {
  if (session.stored) broker.store.removeDelivery(session.clientId, delivery);
}

/** Whether the store is told of what is retained on this topic. On `$` topics it is the broker's own, made anew at each start. */
export function isKept(broker: Broker, topicName: string): boolean {
  return broker.store.keeps && !topicName.startsWith('$');
}

export function keepRetained(broker: Broker, message: BrokerMessage): void {
  if (isKept(broker, message.topicName)) broker.store.putRetained(message);
}

export function dropRetained(broker: Broker, topicName: string): void {
  if (isKept(broker, topicName)) broker.store.removeRetained(topicName);
}
