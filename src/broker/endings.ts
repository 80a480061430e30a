/**
 * How a connection ends, whoever ends it. Every end goes through endConnection: the peer is told what its version
 * allows, the log says why, the will is kept or dropped, and the session stays for as long as it was promised.
 */
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
  /** Our explanation for the operator, on a line of its own. */
  explanation?: string;
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
  };
}

export function endConnection(broker: Broker, connection: Connection, ending: Ending): void {
  if (connection.closed) return;
  const wasOpen = connection.state === 'open';
  connection.state = 'closed';
  broker.timers.cancel(connection.timer);
  broker.connections.delete(connection);
  logEnd(broker, connection, ending);
  recordEnd(connection, ending, wasOpen);
  if (connection.version === 5 && wasOpen && ending.disconnectCode !== null) {
    const { disconnectCode: reasonCode, reasonString } = ending;
    const properties = reasonString === undefined ? NO_PROPERTIES : { reasonString };
    const disconnect = encodeDisconnect({ reasonCode, properties }, 5);
    if (disconnect.length <= connection.maximumPacketSize) connection.sendLast(disconnect);
  }
  broker.traces.ended(connection, ending.reason);
  connection.link.end();
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
  }
  if (ending.will === 'publish') releaseWill(broker, session);
  else forgetWill(broker, session);
  startExpiry(broker, session);
}

function logEnd(broker: Broker, connection: Connection, ending: Ending): void {
  const { address, port, listener } = connection.peer;
  const isQuiet = listener.bridge !== undefined && ending.reason === null;
  if (broker.log.connections && !isQuiet) {
    const who = `Client ${connection.clientId} [${address}:${port}] disconnected`;
    broker.log.write('notice', ending.reason === null ? `${who}.` : `${who}: ${closedSentence(ending.reason)}`);
  }
  if (ending.explanation !== undefined) broker.log.write('notice', ending.explanation);
}

/** Library texts stand without a full stop (docs/compat/errors-logs.md, 3). */
function closedSentence(reason: string): string {
  return reason.startsWith('bad socket read/write') ? reason : `${reason}.`;
}
