/**
 * Wills (MQTT 5, 3.1.2.5): what a client asked us to say when it is gone without a goodbye.
 *
 * A will is published when the connection ends badly, after its delay, or when the session ends, whichever is first
 * [MQTT-3.1.2-8]; a client that comes back before the delay is over takes it back [MQTT-3.1.3-9].
 */
import { Timer } from '../base/mod.ts';
import { Message, type SessionWill } from '../session/mod.ts';
import type { Broker } from './broker.ts';
import { askIncoming } from './hooks.ts';
import { keepSession } from './keep.ts';
import type { Identity } from './ports.ts';
import { Publication } from './publication.ts';
import { publish } from './publish.ts';
import { noteRefused } from './refused.ts';
import type { BrokerSession } from './types.ts';

const NO_EXPIRY = 0xffff_ffff;

/** The connection has ended without DISCONNECT: publishes the will now or sets its timer. */
export function releaseWill(broker: Broker, session: BrokerSession): void {
  const will = session.will;
  if (will === null) return;
  const delay = Math.min(will.will.delayInterval, session.expiryInterval);
  if (delay === 0) return publishWill(broker, session);
  session.willDueAt = broker.unixSecond + delay;
  session.willTimer = new Timer(() => publishWill(broker, session));
  broker.timers.set(session.willTimer, broker.clock.now() + delay * 1000);
}

/** Publishes what is pending, if anything. */
export function publishWill(broker: Broker, session: BrokerSession): void {
  const will = session.will;
  forgetWill(broker, session);
  if (will === null) return;
  send(broker, will);
  keepSession(broker, session);
}

export function forgetWill(broker: Broker, session: BrokerSession): void {
  session.will = null;
  session.willDueAt = 0;
  if (session.willTimer !== null) broker.timers.cancel(session.willTimer);
  session.willTimer = null;
}

function send(broker: Broker, left: SessionWill<Identity>): void {
  const topicName = left.publisher.listener.mountPoint + left.will.topicName;
  const wait = broker.access.asks === true ? broker.access.ask!('write', left.publisher, topicName) : null;
  if (wait === null) sendNow(broker, left, topicName);
  else void wait.then(() => sendNow(broker, left, topicName));
}

function sendNow(broker: Broker, { will, publisher }: SessionWill<Identity>, topicName: string): void {
  const topic = broker.topics.findText(topicName);
  // The write rule is asked now, not at CONNECT (docs/compat/password-acl.md, 2).
  if (topic === null) return;
  if (!broker.access.mayWrite(publisher, topicName)) return noteRefused(broker, publisher, 'write', topicName);
  const seconds = will.messageExpiryInterval;
  const expiresAt = seconds <= 0 || seconds === NO_EXPIRY ? 0 : broker.unixSecond + seconds;
  const message = new Message(
    topic.name,
    topic.bytes,
    will.payload,
    will.properties,
    will.qos,
    will.retain && broker.settings.retainAvailable,
    expiresAt,
    publisher,
  );
  if (publisher.listener.bridge === undefined) {
    broker.recorder.note('will.published', { client: publisher.clientId, topic: topicName });
  }
  const publication = new Publication(broker.payloads).fromMessage(message, topic);
  if (askIncoming(broker, publication) === null) publish(broker, publication);
}
