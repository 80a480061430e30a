/**
 * CONNECT from the first byte to the CONNACK, on one screen.
 *
 * A stage returns nothing to let the attempt pass, a refusal to end it, or a promise of either; only
 * authentication and the fetching of rules ever wait. Every refusal leaves by refuse().
 */
import type { PacketError } from '../../codec/mod.ts';
import { encodeConnack, type Connect, NO_PROPERTIES, type Properties } from '../../codec/mod.ts';
import { aboutPeer } from '../about.ts';
import { confine, unlessConfined } from '../confined.ts';
import type { Broker } from '../broker.ts';
import { type Connection, type Credentials, NO_CREDENTIALS } from '../connection.ts';
import { type Ending, endConnection, phraseFor } from '../endings.ts';
import { recordRefused } from '../recording.ts';
import { accept } from './accept.ts';
import type { ConnectAttempt, ConnectRefusal, Stage, StageOutcome } from './attempt.ts';
import { authenticate } from './authenticate.ts';
import { explainStrange } from './first-bytes.ts';
import { applyKeepAlive, checkClientId, checkPeer, checkPrefix, checkWill, nameClient } from './checks.ts';
import { prepareRules } from './prepare-rules.ts';
import { makeRoom, resumeSession, takeOver } from './resume.ts';

const stages: readonly Stage[] = [
  checkPeer,
  checkClientId,
  nameClient,
  checkPrefix,
  checkWill,
  applyKeepAlive,
  authenticate,
  confine,
  unlessConfined(prepareRules),
  unlessConfined(takeOver),
  unlessConfined(makeRoom),
  unlessConfined(resumeSession),
  accept,
];

export function beginConnect(connection: Connection, packet: Connect): void {
  connection.state = 'connecting';
  connection.version = packet.version;
  connection.bridge = packet.bridge;
  connection.credentials = credentialsOf(packet);
  const attempt: ConnectAttempt = {
    broker: connection.broker,
    connection,
    packet,
    clientId: packet.clientId,
    assigned: false,
    username: packet.username,
    password: packet.password,
    proved: false,
    keepAlive: packet.keepAlive,
    authenticationData: null,
    sessionPresent: false,
    tookOver: false,
    session: null,
  };
  connection.attempt = attempt;
  runStages(attempt, 0);
}

/** Anonymous clients share theirs. */
function credentialsOf({ username, password, properties }: Connect): Credentials {
  const { authenticationMethod = null } = properties;
  if (username === null && password === null && authenticationMethod === null) return NO_CREDENTIALS;
  return { username, password, authenticationMethod };
}

function runStages(attempt: ConnectAttempt, from: number): void {
  for (let i = from; i < stages.length; i++) {
    const outcome = stages[i]!(attempt);
    if (outcome instanceof Promise) return waitFor(attempt, outcome, i + 1);
    if (outcome !== undefined) return refuse(attempt, outcome);
  }
}

/** Holds everything behind CONNECT back until the answer is there. */
function waitFor(attempt: ConnectAttempt, outcome: Promise<StageOutcome>, next: number): void {
  const { connection } = attempt;
  connection.waiting = true;
  connection.link.pause();
  const goOn = (refusal: StageOutcome): void => {
    if (connection.closed) return;
    connection.waiting = false;
    connection.broker.lookAtTheClock();
    try {
      if (refusal !== undefined) refuse(attempt, refusal);
      else runStages(attempt, next);
    } catch (error) {
      connection.fail(error);
    }
    if (connection.closed) return;
    connection.link.resume();
    connection.readPackets();
  };
  outcome.then(goOn, (error: unknown) => connection.fail(error));
}

/** The only door for a CONNECT that is refused. */
export function refuse(attempt: ConnectAttempt, refusal: ConnectRefusal): void {
  const { connection, broker } = attempt;
  countRefusal(broker, refusal.reason);
  if (refusal.protocolText !== undefined) connection.logProtocolError(refusal.protocolText);
  const code = connection.version === 5 ? refusal.v5 : refusal.v3;
  if (code !== null) sendRefusal(connection, connection.version === 5, code, refusal.reasonString);
  const ending: Ending = { reason: refusal.reason, disconnectCode: null, will: 'discard', recorded: true };
  ending.code = refusal.code ?? 'client.refused';
  connection.clientId = attempt.clientId === '' ? connection.peer.address : attempt.clientId;
  const { because = refusal.reason } = refusal;
  broker.refusedLogins.note(connection.clientId, 'connect', '', broker.unixSecond, () => because);
  recordRefused(attempt, refusal.reason, because);
  if (refusal.because !== undefined) ending.explanation = explanation(attempt, refusal.because);
  endConnection(broker, connection, ending);
}

/** By the phrases of the log, which are a fixed few. */
function countRefusal({ meter }: Broker, cause: string): void {
  meter.connectsRefused++;
  meter.refusals.set(cause, (meter.refusals.get(cause) ?? 0) + 1);
}

/** A line that can be read alone: who, from where, as whom, and why. */
function explanation({ connection, username }: ConnectAttempt, because: string): string {
  const { address, port, listener } = connection.peer;
  const user = username === null ? '' : `, user '${username}'`;
  return `  ${connection.clientId} (${address}:${port} on ${listener.name}${user}) was refused: ${because}`;
}

/** Error CONNACKs carry no properties but the maximum QoS of a limited listener (docs/compat/packets.md, 1). */
function sendRefusal(connection: Connection, v5: boolean, reasonCode: number, reasonString?: string): void {
  const properties: Properties = {};
  const { maxQos } = connection.peer.listener;
  if (reasonString !== undefined) properties.reasonString = reasonString;
  if (maxQos < 2) properties.maximumQos = maxQos;
  const connack = { sessionPresent: false, reasonCode, properties: v5 ? properties : NO_PROPERTIES };
  connection.sendLast(encodeConnack(connack, v5 ? 5 : 4));
  const { log } = connection.broker;
  if (log.debug) log.write('debug', `Sending CONNACK to ${connection.clientId} (0, ${reasonCode})`);
}

/** The end of a connection whose first packets could not be read. */
export function refuseUnreadable(connection: Connection, error: PacketError): void {
  const { broker, peer } = connection;
  const { answer } = error;
  countRefusal(broker, error.ending ?? phraseFor(error.reasonCode));
  const stranger = connection.state === 'awaiting-connect' ? explainStrange(connection) : {};
  if (stranger.code === 'connection.tls-on-plain-port') {
    const text = `Client from ${peer.address}:${peer.port} appears to be using TLS to connect to a non-TLS listener.`;
    broker.log.write('notice', text, aboutPeer(stranger.code, peer));
  } else if (error.text !== '') connection.logProtocolError(error.text);
  if (answer.kind === 'connack-v3') sendRefusal(connection, false, answer.returnCode);
  else if (answer.kind === 'connack-v5') sendRefusal(connection, true, error.reasonCode);
  const reason = error.ending ?? phraseFor(error.reasonCode);
  endConnection(broker, connection, { reason, disconnectCode: null, will: 'discard', ...stranger });
}
