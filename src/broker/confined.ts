/**
 * A connection with a service pass (ports.ts): it may ask the services that the pass names, and nothing else.
 *
 *   PUBLISH to a topic of the pass     served as anybody's
 *   SUBSCRIBE to the answer's topic    granted; the answer would come without it
 *   PINGREQ, PUBREL, DISCONNECT        as ever
 *   everything else                    the connection ends, and is told why
 *
 * Its session is one that nobody can find: the real one of the same client identifier stays as it is.
 */
import { encodeSuback, NO_PROPERTIES, packetTypes, reasonCodes, readSubscribe, readUnsubscribe } from '../codec/mod.ts';
import { Session } from '../session/mod.ts';
import { matchesFilter } from '../topics/mod.ts';
import type { ConnectAttempt, Stage, StageOutcome } from './connect/attempt.ts';
import type { Connection } from './connection.ts';
import { endConnection, phraseFor } from './endings.ts';
import type { Identity, ServicePass } from './ports.ts';

/** From the CONNACK on; issuing a certificate takes milliseconds, a device on a slow network some seconds. */
export const CONFINED_SECONDS_MAX = 60;
/** At once; the next one is told that the server is busy. */
const CONFINED_MAX = 200;

const FAILURE_3_1_1 = 0x80;

/** The stage of CONNECT behind authentication. */
export function confine(attempt: ConnectAttempt): StageOutcome {
  const { broker, connection, clientId, packet } = attempt;
  if (connection.pass === null) return undefined;
  if (broker.confined >= CONFINED_MAX) {
    const reason = phraseFor(reasonCodes.serverBusy);
    const because = `${CONFINED_MAX} connections that may only enrol or renew are open already.`;
    return { v3: null, v5: reasonCodes.serverBusy, reason, because };
  }
  const session = new Session<Connection, Identity>(clientId, broker.queued, broker.held);
  session.owner = connection.identity;
  session.version = packet.version;
  session.ended = true;
  attempt.session = session;
  return undefined;
}

/** A stage that only those go through who hold the session of their client identifier. */
export function unlessConfined(stage: Stage): Stage {
  return attempt => (attempt.connection.pass === null ? stage(attempt) : undefined);
}

const served: readonly number[] = [
  packetTypes.publish,
  packetTypes.pubrel,
  packetTypes.pingreq,
  packetTypes.disconnect,
];

/** True when the packet is not for the ordinary handlers: it was answered here, or has ended the connection. */
export function handleConfined(connection: Connection, pass: ServicePass, first: number): boolean {
  const type = first >> 4;
  if (served.includes(type)) return false;
  if (type === packetTypes.subscribe) answerSubscribe(connection, pass, first);
  else if (type === packetTypes.unsubscribe) answerUnsubscribe(connection, first);
  else endConfined(connection, pass, 'it sent another packet');
  return true;
}

function answerSubscribe(connection: Connection, pass: ServicePass, first: number): void {
  const { reader, version } = connection;
  const { packetId, items } = readSubscribe(reader.bytes, first, reader.start, reader.end, version);
  const answers = pass.topics.map(topic => `${topic}/response`);
  const refusal = version === 5 ? reasonCodes.notAuthorized : FAILURE_3_1_1;
  const codes = items.map(({ topicFilter }) =>
    answers.some(answer => matchesFilter(topicFilter, answer)) ? 0 : refusal,
  );
  connection.send(encodeSuback('suback', { packetId, properties: NO_PROPERTIES, reasonCodes: codes }, version));
}

function answerUnsubscribe(connection: Connection, first: number): void {
  const { reader, version } = connection;
  const { packetId, topicFilters } = readUnsubscribe(reader.bytes, first, reader.start, reader.end, version);
  const codes = topicFilters.map(() => reasonCodes.noSubscriptionExisted);
  connection.send(encodeSuback('unsuback', { packetId, properties: NO_PROPERTIES, reasonCodes: codes }, version));
}

/** False: the connection has ended, because it wanted to publish elsewhere. */
export function mayPublishConfined(connection: Connection, pass: ServicePass, topicName: string): boolean {
  if (pass.topics.includes(topicName)) return true;
  connection.broker.meter.publishDenied++;
  endConfined(connection, pass, `it published to ${topicName}`);
  return false;
}

function endConfined(connection: Connection, pass: ServicePass, because: string): void {
  endConnection(connection.broker, connection, {
    reason: phraseFor(reasonCodes.notAuthorized),
    disconnectCode: reasonCodes.notAuthorized,
    reasonString: `this connection ${pass.limit}`,
    will: 'discard',
    explanation: `  The connection of ${connection.clientId} ${pass.limit}: ${because}.`,
  });
}

export function endAtDeadline(connection: Connection, pass: ServicePass): void {
  endConnection(connection.broker, connection, {
    reason: 'exceeded timeout',
    disconnectCode: reasonCodes.maximumConnectTime,
    reasonString: `this connection ${pass.limit}, within ${CONFINED_SECONDS_MAX} s`,
    will: 'discard',
  });
}
