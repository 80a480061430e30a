/** The stages of CONNECT that touch other connections and the session. Nothing before them has any effect. */
import { reasonCodes } from '../../codec/mod.ts';
import { deliveryStates, NEVER } from '../../session/mod.ts';
import type { Broker } from '../broker.ts';
import { endConnection, phraseFor } from '../endings.ts';
import { dropDelivery } from '../keep.ts';
import type { Identity } from '../ports.ts';
import { cappedExpiry, createSession, endSession, stopExpiry } from '../sessions.ts';
import type { BrokerSession } from '../types.ts';
import { mayStillRead } from '../asking.ts';
import { passOnUnreleased } from '../publish.ts';
import { forgetWill } from '../wills.ts';
import type { ConnectAttempt, StageOutcome } from './attempt.ts';
import { judgeTakeOver } from './referee.ts';

/** [MQTT-3.1.4-3]: the old connection of this client identifier goes, with reason code 0x8E. */
export function takeOver(attempt: ConnectAttempt): StageOutcome | Promise<StageOutcome> {
  const { broker, clientId, packet } = attempt;
  const session = broker.sessions.get(clientId);
  const old = session?.connection;
  if (session === undefined || old === null || old === undefined) return undefined;
  const held = judgeTakeOver(attempt, old);
  if (held !== undefined) return held;
  // The will speaks only if the session ends here, and not if it was to wait: the client is back
  // before its delay is over [MQTT-3.1.2-8] (docs/compat/packets.md, 3).
  const ends = session.expiryInterval === 0 || packet.cleanStart;
  const delayed = (session.will?.will.delayInterval ?? 0) > 0;
  const will = ends && !delayed ? 'publish' : 'discard';
  attempt.tookOver = true;
  const { address, port } = attempt.connection.peer;
  endConnection(broker, old, {
    reason: 'session taken over',
    disconnectCode: reasonCodes.sessionTakenOver,
    will,
    forRecord: `another connection came with this client identifier, from ${address}:${port}`,
  });
  return undefined;
}

/** `global_max_clients` counts sessions; whoever has one already gets in. */
export function makeRoom({ broker, clientId, connection }: ConnectAttempt): StageOutcome {
  const maximum = broker.settings.globalMaxClients;
  if (connection.peer.listener.bridge !== undefined) return undefined;
  if (maximum < 0 || broker.sessions.has(clientId) || broker.sessions.size < maximum) return undefined;
  return {
    v3: null,
    v5: reasonCodes.serverBusy,
    reason: phraseFor(reasonCodes.serverBusy),
    because: `global_max_clients ${maximum} is reached.`,
  };
}

/** Finds or makes the session. [MQTT-3.1.2-4] to [MQTT-3.1.2-6] */
export function resumeSession(attempt: ConnectAttempt): StageOutcome {
  const { broker, clientId, packet } = attempt;
  const existing = broker.sessions.get(clientId);
  const isBridge = attempt.connection.peer.listener.bridge !== undefined;
  if (existing !== undefined && !attempt.tookOver && !isBridge && broker.log.connections) {
    broker.log.write('notice', `Client ${clientId} [(null):0] disconnected: session taken over.`, {
      code: 'client.taken-over',
      client: clientId,
    });
  }
  if (existing !== undefined && packet.cleanStart) {
    forgetWill(broker, existing); // [MQTT-3.1.3-9]: the client is back before the delay is over
    endSession(broker, existing);
  }
  const resumed = existing !== undefined && !packet.cleanStart;
  attempt.sessionPresent = resumed;
  attempt.session = resumed ? existing : createSession(broker, clientId, attempt.connection.peer.listener);
  if (resumed) resume(attempt, existing);
  attempt.session.owner = attempt.connection.identity;
  attempt.session.version = packet.version;
  attempt.session.expiryInterval = expiryOf(attempt);
  return undefined;
}

function resume({ broker, connection }: ConnectAttempt, session: BrokerSession): void {
  const startsOver = connection.peer.listener.bridge?.startsOver === true;
  stopExpiry(broker, session);
  forgetWill(broker, session);
  session.rewind(startsOver);
  if (startsOver) passOnUnreleased(broker, connection, session);
  session.dropsReported = false;
  // Remembered routes hold answers about the one who was here before.
  if (!isSameIdentity(session.owner, connection.identity)) {
    broker.tree.generation++;
    forgetUnreadable(broker, session, connection.identity);
  }
  // Rights may have shrunk since the messages were queued.
  session.queue.sift(delivery => {
    const readable = mayStillRead(broker, connection.identity, delivery.message.topicName);
    if (!readable) dropDelivery(broker, session, delivery);
    return readable;
  });
}

/** What was under way to another holder of this client identifier, and not for whoever has it now. */
function forgetUnreadable(broker: Broker, session: BrokerSession, who: Identity): void {
  for (const delivery of [...session.inflight]) {
    const { state, message } = delivery;
    if (state !== deliveryStates.unsent || mayStillRead(broker, who, message.topicName)) continue;
    session.inflight.remove(delivery);
    session.unsentInflight--;
    dropDelivery(broker, session, delivery);
    broker.meter.publishDenied++;
    broker.drops.note(session.clientId, 'denied', message.payloadLength, broker.unixSecond);
  }
}

function isSameIdentity(a: Identity | null, b: Identity): boolean {
  if (a === null || a.username !== b.username || a.listener !== b.listener) return false;
  return a.certificate === b.certificate && a.vouchedName === b.vouchedName;
}

function expiryOf({ broker, packet, connection }: ConnectAttempt): number {
  if (connection.peer.listener.bridge !== undefined) return packet.properties.sessionExpiryInterval ?? 0;
  if (packet.version !== 5) return packet.cleanStart ? 0 : cappedExpiry(broker, NEVER);
  return cappedExpiry(broker, packet.properties.sessionExpiryInterval ?? 0); // [MQTT-3.1.2-23]
}
