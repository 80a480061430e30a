/**
 * Puts back what a store has kept, before any listener is open: retained messages, sessions with their subscriptions,
 * what waits for them and what was in flight, wills. Time that passed while the broker was down counts.
 */
import { Delivery, Message } from '../session/mod.ts';
import type { Broker } from './broker.ts';
import type { Identity, ListenerRules, StoredDelivery, StoredMessage, StoredPublisher, StoredState } from './ports.ts';
import { placeRetained } from './retained.ts';
import { expireRestored, createSession } from './sessions.ts';
import { restoreSubscription } from './subscribe.ts';
import type { BrokerDelivery, BrokerMessage, BrokerSession } from './types.ts';
import { releaseWill } from './wills.ts';

export interface RestoreHelp {
  /** The listener a client had come in by, or another one when that is gone. */
  listenerOf: (port: number) => ListenerRules;
  /** Tells the store which object of ours stands for one that it gave back. */
  adopt: (given: StoredMessage | StoredDelivery, ours: BrokerMessage | BrokerDelivery) => void;
}

type StoredSessionState = StoredState['sessions'][number];

export function restore(broker: Broker, state: StoredState, help: RestoreHelp): void {
  const messages = new Map<StoredMessage, BrokerMessage>();
  const messageOf = (given: StoredMessage): BrokerMessage => {
    let ours = messages.get(given);
    if (ours === undefined) {
      messages.set(given, (ours = ourMessage(given, help)));
      help.adopt(given, ours);
    }
    return ours;
  };
  for (const given of state.retained) placeRetained(broker, messageOf(given));
  for (const given of state.sessions) restoreSession(broker, given, messageOf, help);
  // Wills and expiries last: whoever subscribed to a will is there to get it.
  for (const given of state.sessions) {
    const session = broker.sessions.get(given.clientId)!;
    restoreWill(broker, session, given);
    expireRestored(broker, session, given.endsAt);
  }
}

function ourMessage(given: StoredMessage, { listenerOf }: RestoreHelp): BrokerMessage {
  const { publisher } = given;
  return messageFromStore(given, publisher === null ? null : ourPublisher(publisher, listenerOf));
}

export function messageFromStore(given: StoredMessage, publisher: Identity | null): BrokerMessage {
  const { topicName, payload, properties, qos, retain, expiresAt } = given;
  return new Message(topicName, Buffer.from(topicName), payload, properties, qos, retain, expiresAt, publisher);
}

function ourPublisher(
  { clientId, username, listener }: StoredPublisher,
  listenerOf: RestoreHelp['listenerOf'],
): Identity {
  return asBefore(clientId, username, listenerOf(listener.port));
}

/**
 * Which certificate it was is not kept. Where a listener takes the name from the certificate, and from a password else,
 * the name was proved; elsewhere a client may have claimed it.
 */
function asBefore(clientId: string, username: string | null, listener: ListenerRules): Identity {
  const proved = listener.useIdentityAsUsername && (listener.requireCertificate || !listener.allowAnonymous);
  const vouched = proved && username !== null ? { vouchedName: username } : {};
  return { clientId, username, listener, address: '', ...vouched };
}

function restoreSession(
  broker: Broker,
  given: StoredSessionState,
  messageOf: (given: StoredMessage) => BrokerMessage,
  { listenerOf, adopt }: RestoreHelp,
): void {
  const { clientId, username } = given;
  const listener = listenerOf(given.listenerPort);
  const session = createSession(broker, clientId, listener);
  session.owner = asBefore(clientId, username, listener);
  session.version = given.version;
  session.expiryInterval = given.expiryInterval;
  session.rowKept = true;
  session.stored = given.expiryInterval > 0;
  for (const subscription of given.subscriptions) restoreSubscription(broker, session, subscription);
  for (const stored of given.deliveries) {
    const delivery = ourDelivery(stored, messageOf(stored.message));
    adopt(stored, delivery);
    session.ownInflight.restore(delivery);
  }
  if (given.waiting.messages > 0) session.ownQueue.append(given.waiting.messages, given.waiting.payloadBytes);
  for (const { packetId, message, deliver } of given.exchanges) {
    session.ownIncoming.open(packetId, messageOf(message), deliver);
  }
}

function ourDelivery(stored: StoredDelivery, message: BrokerMessage): BrokerDelivery {
  const delivery: BrokerDelivery = new Delivery(message, stored.qos, stored.retain, stored.subscriptionIdentifier);
  delivery.packetId = stored.packetId;
  delivery.state = stored.state;
  // What was in flight may have been sent, whatever the last word on the disk says. [MQTT-3.3.1-1]
  delivery.dup = stored.dup || stored.packetId !== 0;
  return delivery;
}

/** The connection ended with the broker: its will is due after what is left of the delay. */
function restoreWill(broker: Broker, session: BrokerSession, { will }: StoredSessionState): void {
  if (will === null) return;
  const { topicName, payload, properties, qos, retain, delayInterval, messageExpiryInterval, dueAt } = will;
  const left = dueAt === 0 ? delayInterval : Math.max(0, dueAt - broker.unixSecond);
  const whole = { topicName, payload, properties, qos, retain, delayInterval: left, messageExpiryInterval };
  session.will = { will: whole, publisher: session.owner! };
  releaseWill(broker, session);
}
