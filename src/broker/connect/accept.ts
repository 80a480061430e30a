/** The last stage: the client is in. CONNACK first, then what waited for it. */
import { aboutConnection } from '../about.ts';
import { encodeConnack, LARGEST_PACKET_BYTES, NO_PROPERTIES, type Properties, reasonCodes } from '../../codec/mod.ts';
import { IncomingAliases, OutgoingAliases } from '../../session/mod.ts';
import { CONFINED_SECONDS_MAX } from '../confined.ts';
import type { Connection } from '../connection.ts';
import { resumeDelivery } from '../deliver.ts';
import { endConnection, hasProved, phraseFor } from '../endings.ts';
import { keepSession } from '../keep.ts';
import { recordConnected } from '../recording.ts';
import type { ConnectAttempt } from './attempt.ts';

/** "No limit" of max_inflight_messages and of a receive maximum. */
const UNLIMITED = 65535;

/** The user property by which bridges of ours ask for the identity of a broker, and are told. */
const BRIDGE_PROPERTY = 'zancudo-bridge';

export function accept(attempt: ConnectAttempt): undefined {
  const { broker, connection, packet } = attempt;
  const session = attempt.session!;
  connection.clientId = attempt.clientId;
  connection.session = session;
  connection.attempt = null;
  session.connection = connection;
  const ordinary = connection.pass === null;
  const will = ordinary ? packet.will : null;
  session.will = will === null ? null : { will, publisher: connection.identity };
  keepSession(broker, session);
  applyClientLimits(attempt);
  if (ordinary) startKeepAlive(attempt);
  else startDeadline(connection);
  connection.state = 'open';
  if (ordinary) broker.connected++;
  else broker.confined++;
  if (ordinary && hasProved(connection.identity))
    broker.doorkeeper.entered(connection.peer, connection.identity.username);
  logAccepted(attempt);
  recordConnected(attempt);
  broker.traces.connected(connection);
  const { sessionPresent } = attempt;
  const told = packet.version === 5 ? properties(attempt) : NO_PROPERTIES;
  const connack = encodeConnack({ sessionPresent, reasonCode: reasonCodes.success, properties: told }, packet.version);
  if (connack.length > connection.maximumPacketSize) return endAsTooLarge(connection); // [MQTT-3.2.2-19]
  connection.send(connack);
  if (ordinary) broker.hooks.events?.connected(connection.identity);
  if (sessionPresent) resumeDelivery(broker, connection);
  return undefined;
}

function endAsTooLarge(connection: Connection): undefined {
  const reason = phraseFor(reasonCodes.packetTooLarge);
  endConnection(connection.broker, connection, { reason, disconnectCode: null, will: 'publish' });
  return undefined;
}

function applyClientLimits({ broker, connection, packet }: ConnectAttempt): void {
  const { listener } = connection.peer;
  const { receiveMaximum, maximumPacketSize, topicAliasMaximum } = packet.properties;
  connection.sendQuota = receiveMaximum ?? (broker.settings.maxInflightMessages || UNLIMITED);
  connection.maximumPacketSize = Math.min(maximumPacketSize ?? LARGEST_PACKET_BYTES, LARGEST_PACKET_BYTES);
  connection.receiveMaximum = listener.bridge === undefined ? broker.settings.maxInflightMessages : 0;
  connection.mountPoint = listener.mountPoint === '' ? null : Buffer.from(listener.mountPoint);
  const outgoing = Math.min(topicAliasMaximum ?? 0, listener.maxTopicAliasBroker);
  if (packet.version === 5) {
    connection.incomingAliases = new IncomingAliases(listener.maxTopicAlias);
    if (outgoing > 0) connection.outgoingAliases = new OutgoingAliases(outgoing); // [MQTT-3.3.2-9]
  }
  connection.takesSharedForms = connection.outgoingAliases === null && connection.mountPoint === null;
}

/** One and a half times the keep alive, in whole seconds. [MQTT-3.1.2-22] */
function startKeepAlive({ broker, connection, keepAlive }: ConnectAttempt): void {
  broker.timers.cancel(connection);
  connection.timeoutSeconds = Math.floor(keepAlive * 1.5);
  if (keepAlive > 0) broker.timers.set(connection, broker.now + connection.timeoutSeconds * 1000);
}

/** However often it pings, time is short for a client that may only ask services. */
function startDeadline(connection: Connection): void {
  const { broker } = connection;
  broker.timers.cancel(connection);
  broker.timers.set(connection, broker.now + CONFINED_SECONDS_MAX * 1000);
}

/** In Mosquitto's order (docs/compat/packets.md, 1); each only when it says something. */
function properties(attempt: ConnectAttempt): Properties {
  const { broker, packet, connection } = attempt;
  const { settings } = broker;
  const { listener } = connection.peer;
  const result: Properties = {};
  // A client with a pass leaves no session behind, whatever it asked for (MQTT 5, 3.2.2.3.2).
  const asked = packet.properties.sessionExpiryInterval ?? 0;
  if (connection.pass !== null && asked > 0) result.sessionExpiryInterval = 0;
  if (attempt.keepAlive !== packet.keepAlive) result.serverKeepAlive = attempt.keepAlive;
  if (listener.maxTopicAlias > 0) result.topicAliasMaximum = listener.maxTopicAlias;
  if (attempt.assigned) result.assignedClientIdentifier = attempt.clientId;
  const method = packet.properties.authenticationMethod;
  if (method !== undefined) result.authenticationMethod = method;
  if (attempt.authenticationData !== null) result.authenticationData = attempt.authenticationData;
  if (!settings.retainAvailable) result.retainAvailable = 0;
  if (settings.maxPacketSizeBytes > 0) result.maximumPacketSize = settings.maxPacketSizeBytes;
  const receive = settings.maxInflightMessages;
  if (receive > 0 && receive < UNLIMITED) result.receiveMaximum = receive;
  if (listener.maxQos < 2) result.maximumQos = listener.maxQos;
  // A bridge that asks whom it has reached does not send back what has been here.
  const asks = packet.properties.userProperties?.some(([name]) => name === BRIDGE_PROPERTY) ?? false;
  if (asks) result.userProperties = [[BRIDGE_PROPERTY, broker.id]];
  return result;
}

function logAccepted({ broker, connection, packet, clientId, sessionPresent }: ConnectAttempt): void {
  const { log } = broker;
  const { peer } = connection;
  if (log.connections && peer.listener.bridge === undefined) {
    const kind = packet.bridge ? 'bridge' : 'client';
    const user = connection.identity.username === null ? '' : `, u'${connection.identity.username}'`;
    const details = `p${packet.version}, c${packet.cleanStart ? 1 : 0}, k${packet.keepAlive}${user}`;
    const about = aboutConnection('client.connected', connection);
    log.write('notice', `New ${kind} connected from ${peer.address}:${peer.port} as ${clientId} (${details}).`, about);
    if (connection.pass !== null)
      log.write(
        'notice',
        `  The connection of ${clientId} ${connection.pass.limit}.`,
        aboutConnection('client.confined', connection),
      );
  }
  if (log.debug) logWill(log, packet);
  if (peer.tls !== null && log.connections) {
    log.write(
      'notice',
      `Client ${clientId} negotiated ${peer.tls.version} cipher ${peer.tls.cipher}`,
      aboutConnection('client.connected', connection),
    );
  }
  if (log.debug) log.write('debug', `Sending CONNACK to ${clientId} (${sessionPresent ? 1 : 0}, 0)`);
}

function logWill(log: ConnectAttempt['broker']['log'], { will }: ConnectAttempt['packet']): void {
  if (will === null) return log.write('debug', 'No will message specified.');
  const flags = `(r${will.retain ? 1 : 0}, q${will.qos})`;
  log.write('debug', `Will message specified (${will.payload.length} bytes) ${flags}.`);
  log.write('debug', `\t${will.topicName}`);
}
