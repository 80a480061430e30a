/** Sessions come and go: the one of a client identifier, its expiry, its end. */
import { Timer } from '../base/mod.ts';
import { NEVER, Session } from '../session/mod.ts';
import type { Broker } from './broker.ts';
import type { Connection } from './connection.ts';
import { forgetSession, keepSession } from './keep.ts';
import type { Identity, ListenerRules } from './ports.ts';
import { unsubscribe } from './subscribe.ts';
import type { BrokerSession } from './types.ts';
import { publishWill } from './wills.ts';

/** `persistent_client_expiration` shortens what the client asked for. */
export function cappedExpiry(broker: Broker, seconds: number): number {
  const cap = broker.settings.persistentClientExpirationSeconds;
  return cap === null ? seconds : Math.min(seconds, cap);
}

/** A session belongs to the listener that its client first came in by: there it is decided whether a store keeps it. */
export function createSession(broker: Broker, clientId: string, listener: ListenerRules): BrokerSession {
  const { queued, held } = broker;
  const session: BrokerSession = new Session<Connection, Identity>(clientId, queued, held, !listener.persistence);
  broker.sessions.set(clientId, session);
  return session;
}

/** The connection is gone: the session stays for its expiry interval. [MQTT-3.1.2-23] */
export function startExpiry(broker: Broker, session: BrokerSession): void {
  if (session.expiryInterval === 0) return endSession(broker, session);
  session.endsAt = session.expiryInterval === NEVER ? 0 : broker.unixSecond + session.expiryInterval;
  keepSession(broker, session);
  if (session.expiryInterval === NEVER) return;
  session.expiryTimer = new Timer(() => expire(broker, session));
  broker.timers.set(session.expiryTimer, broker.clock.now() + session.expiryInterval * 1000);
}

export function stopExpiry(broker: Broker, session: BrokerSession): void {
  if (session.expiryTimer !== null) broker.timers.cancel(session.expiryTimer);
  session.expiryTimer = null;
  session.endsAt = 0;
}

/** As startExpiry, for a session that was kept over a restart: the time that the broker was down counts. */
export function expireRestored(broker: Broker, session: BrokerSession, endsAt: number): void {
  if (endsAt === 0) return startExpiry(broker, session);
  const left = endsAt - broker.unixSecond;
  if (left <= 0) return expire(broker, session);
  session.endsAt = endsAt;
  session.expiryTimer = new Timer(() => expire(broker, session));
  broker.timers.set(session.expiryTimer, broker.clock.now() + left * 1000);
}

function expire(broker: Broker, session: BrokerSession): void {
  broker.meter.sessionsExpired++;
  broker.log.write('notice', `Expiring client ${session.clientId} due to timeout.`, {
    code: 'client.expired',
    client: session.clientId,
  });
  const { size, payloadBytes } = session.queue;
  if (size > 0) broker.drops.note(session.clientId, 'session-expired', payloadBytes, broker.unixSecond, size);
  broker.recorder.note('session.expired', { client: session.clientId, messages: size });
  endSession(broker, session);
}

/** Forgets everything about a client; a will that was waiting is published with it. [MQTT-3.1.2-8] */
export function endSession(broker: Broker, session: BrokerSession): void {
  if (session.ended) return;
  session.ended = true;
  stopExpiry(broker, session);
  for (const subscription of session.subscriptions.all()) unsubscribe(broker, subscription);
  if (broker.sessions.get(session.clientId) === session) broker.sessions.delete(session.clientId);
  publishWill(broker, session);
  forgetSession(broker, session);
  session.clear();
}
