/**
 * How a connection ends, whoever ends it. Every end goes through endConnection: the peer is told what its version
 * allows, the log says why, the will is kept or dropped, and the session stays for as long as it was promised.
 */
import type { About, LogCode } from '../base/mod.ts';
import { aboutConnection, aboutPeer } from './about.ts';
import { encodeDisconnect, NO_PROPERTIES, type PacketError, reasonCodes } from '../codec/mod.ts';
import type { Broker } from './broker.ts';
import type { Connection } from './connection.ts';
import type { Identity } from './ports.ts';
import { recordEnd } from './recording.ts';
import { keepBacklog } from './retained.ts';
import { stow } from './queue.ts';
import { startExpiry } from './sessions.ts';
import { forgetWill, releaseWill } from './wills.ts';

export interface Ending {
  /** What stands behind `disconnected: `; null after a DISCONNECT of the client. */
  reason: string | null;
  /** MQTT 5: DISCONNECT with this code goes out first. Null for none. */
  disconnectCode: number | null;
  /** Why, in words for the peer; goes with the code. */
  reasonString?: string;
  will: 'publish' | 'discard';
  /** What the log calls it; by the reason if absent. */
  code?: LogCode;
  /** Our explanation for the operator, on a line of its own. */
  explanation?: string;
  /** What a stranger began with, escaped. */
  bytes?: string;
  /** The same for the record alone, where the log has no line for it. */
  forRecord?: string;
  /** The record has it already. */
  recorded?: true;
}

/** Mosquitto's phrase for each reason code that ends a connection (docs/compat/errors-logs.md, 3). */
const phrases: Readonly<Record<number, string>> = {
  [reasonCodes.malformedPacket]: 'malformed packet',
  [reasonCodes.protocolError]: 'protocol error',
  [reasonCodes.implementationSpecificError]: 'implementation specific error',
  [reasonCodes.unsupportedProtocolVersion]:
    'used disallowed feature (QoS too high, retain not supported, or bad AUTH method)',
  [reasonCodes.clientIdentifierNotValid]: 'client identifier not valid',
  [reasonCodes.badUserNameOrPassword]: 'bad username or password',
  [reasonCodes.notAuthorized]: 'not authorised',
  [reasonCodes.serverUnavailable]: 'server unavailable',
  [reasonCodes.serverBusy]: 'server busy',
  [reasonCodes.banned]: 'client banned',
  [reasonCodes.badAuthenticationMethod]:
    'used disallowed feature (QoS too high, retain not supported, or bad AUTH method)',
  [reasonCodes.keepAliveTimeout]: 'exceeded timeout',
  [reasonCodes.sessionTakenOver]: 'session taken over',
  [reasonCodes.receiveMaximumExceeded]: 'receive maximum exceeded',
  [reasonCodes.topicAliasInvalid]: 'topic alias invalid',
  [reasonCodes.packetTooLarge]: 'oversize packet',
  [reasonCodes.quotaExceeded]: 'quota exceeded',
  [reasonCodes.administrativeAction]: 'administrative action',
  [reasonCodes.retainNotSupported]: 'used disallowed feature (QoS too high, retain not supported, or bad AUTH method)',
  [reasonCodes.qosNotSupported]: 'used disallowed feature (QoS too high, retain not supported, or bad AUTH method)',
};

export function phraseFor(code: number): string {
  return phrases[code] ?? 'protocol error';
}

/** The end that a bad packet on an open connection leads to. */
export function endingOf(error: PacketError): Ending {
  return {
    reason: error.ending ?? phraseFor(error.reasonCode),
    disconnectCode: error.answer.kind === 'disconnect' ? error.reasonCode : null,
    will: 'publish',
    code: 'client.protocol-error',
  };
}

export function endConnection(broker: Broker, connection: Connection, ending: Ending): void {
  if (connection.closed) return;
  const wasOpen = connection.state === 'open';
  connection.state = 'closed';
  broker.timers.cancel(connection);
  broker.connections.delete(connection);
  logEnd(broker, connection, ending, wasOpen);
  recordEnd(connection, ending, wasOpen);
  if (connection.version === 5 && wasOpen && ending.disconnectCode !== null) {
    const { disconnectCode: reasonCode, reasonString } = ending;
    const properties = reasonString === undefined ? NO_PROPERTIES : { reasonString };
    const disconnect = encodeDisconnect({ reasonCode, properties }, 5);
    if (disconnect.length <= connection.maximumPacketSize) connection.sendLast(disconnect);
  }
  broker.traces.ended(connection, ending.reason);
  connection.link.end(undefined, ending.reason === null);
  if (wasOpen) leaveSession(broker, connection, ending);
  connection.onEnded();
}

/** Whoever has shown nothing at all is no reason to trust those who come from the same address. */
export function hasProved({ username, certificate }: Identity): boolean {
  return username !== null || certificate !== undefined;
}

function leaveSession(broker: Broker, connection: Connection, ending: Ending): void {
  if (connection.pass !== null) return void broker.confined--;
  const session = connection.session!;
  broker.connected--;
  if (hasProved(connection.identity)) broker.doorkeeper.left(connection.peer);
  session.connection = null;
  broker.hooks.events?.disconnected(connection.identity, ending.reason);
  if (session.expiryInterval > 0) {
    stow(broker, session);
    keepBacklog(broker, connection);
    session.settle();
  }
  if (ending.will === 'publish') releaseWill(broker, session);
  else forgetWill(broker, session);
  startExpiry(broker, session);
}

/** Codes of ends that are not the client's own wish. */
const codes: Readonly<Record<string, LogCode>> = {
  'exceeded timeout': 'client.timed-out',
  'session taken over': 'client.taken-over',
  'administrative action': 'client.kicked',
  'implementation specific error': 'client.fault',
};

function aboutEnd(connection: Connection, { code, reason, bytes }: Ending, wasOpen: boolean): About {
  const usual = wasOpen ? 'client.disconnected' : 'connection.bad-packet';
  const known = code ?? codes[reason ?? ''] ?? usual;
  if (wasOpen) return { ...aboutConnection(known, connection), reason: reason ?? 'it said goodbye' };
  const { attempt, peer } = connection;
  const who = attempt === null ? {} : { client: connection.clientId, user: attempt.username };
  return { ...aboutPeer(known, peer), ...who, phase: 'CONNECT', bytes, reason: reason ?? undefined };
}

function logEnd(broker: Broker, connection: Connection, ending: Ending, wasOpen: boolean): void {
  const { address, port, listener } = connection.peer;
  const about = aboutEnd(connection, ending, wasOpen);
  const isQuiet = listener.bridge !== undefined && ending.reason === null;
  if (broker.log.connections && !isQuiet) {
    const who = `Client ${connection.clientId} [${address}:${port}] disconnected`;
    broker.log.write('notice', ending.reason === null ? `${who}.` : `${who}: ${closedSentence(ending.reason)}`, about);
  }
  if (ending.explanation !== undefined) broker.log.write('notice', ending.explanation, about);
}

/** Library texts stand without a full stop (docs/compat/errors-logs.md, 3). */
function closedSentence(reason: string): string {
  return reason.startsWith('bad socket read/write') ? reason : `${reason}.`;
}
