/**
 * Which packet goes where. What may come depends on the state: CONNECT first, then AUTH at most until the CONNACK is out,
 * then everything that a client may send. [MQTT-3.1.0-1]
 */
import {
  ackNames,
  checkPing,
  type FrameReader,
  frameStatus,
  PacketError,
  packetTypes,
  PINGRESP,
  protocolError,
  readAck,
  readAuth,
  readConnect,
  readDisconnect,
  readSubscribe,
  readUnsubscribe,
  reasonCodes,
  shortAckId,
} from '../codec/mod.ts';
import { NEVER } from '../session/mod.ts';
import { mustWaitForRules } from './asking.ts';
import { onAuth } from './auth.ts';
import { handleConfined } from './confined.ts';
import { beginConnect } from './connect/connect.ts';
import { looksLikeTls } from './connect/first-bytes.ts';
import type { Connection } from './connection.ts';
import { endConnection } from './endings.ts';
import { onPuback, onPubcomp, onPubrec } from './exchanges.ts';
import { onPublish, onPubrel } from './publish.ts';
import { onSubscribe, onUnsubscribe } from './subscribe.ts';

/** Packets that only a server sends. */
const unexpected: Readonly<Record<number, string>> = {
  [packetTypes.connack]: 'CONNACK when not a bridge.',
  [packetTypes.suback]: 'SUBACK when not a bridge.',
  [packetTypes.unsuback]: 'UNSUBACK when not a bridge.',
  [packetTypes.pingresp]: 'PINGRESP when not a bridge.',
};

type AckType = keyof typeof ackNames;

const CONNECT = packetTypes.connect << 4;

/** The packet that the connection's reader has cut. */
export function onPacket(connection: Connection): void {
  const { first, bytes, start, end } = connection.reader;
  if (connection.state === 'open') return onOpenPacket(connection, first, start, end);
  if (connection.state === 'connecting') return onConnectingPacket(connection, first);
  connection.broker.meter.connectsReceived++;
  beginConnect(connection, readConnect(bytes, first, start, end, connection.peer.listener.acceptProtocolVersions));
}

/** [MQTT-3.1.0-1] Nearly everybody's is that of a CONNECT, which needs no second look. */
export function checkFirstByte(reader: FrameReader): void {
  if (reader.pendingFirst === CONNECT) return;
  const { unread } = reader;
  if (unread.length === 0 || (unread[0]! >> 4 === packetTypes.connect && !looksLikeTls(unread))) return;
  throw new PacketError(reasonCodes.protocolError, notConnect(unread[0]!), { kind: 'close' });
}

function notConnect(first: number): string {
  return `First packet not CONNECT (${first.toString(16).toUpperCase().padStart(2, '0')}).`;
}

/** What did not become a packet. */
export function frameError({ broker, reader }: Connection, status: number): PacketError {
  if (status === frameStatus.malformedLength) {
    return new PacketError(reasonCodes.malformedPacket, '', { kind: 'close' });
  }
  broker.meter.oversizePackets++;
  // Only max_packet_size is told; the caps of other packets close the link (docs/compat/packets.md, 4).
  const told = reader.pendingFirst >> 4 === packetTypes.publish;
  return new PacketError(reasonCodes.packetTooLarge, '', { kind: told ? 'disconnect' : 'close' });
}

/** Between CONNECT and CONNACK only AUTH has a place (MQTT 5, 4.12). */
function onConnectingPacket(connection: Connection, first: number): void {
  const { bytes, start, end } = connection.reader;
  if (first >> 4 !== packetTypes.auth) throw protocolError();
  onAuth(connection, readAuth(bytes, first, start, end));
}

function onOpenPacket(connection: Connection, first: number, start: number, end: number): void {
  const { broker, version } = connection;
  const { bytes } = connection.reader;
  if (connection.pass !== null && handleConfined(connection, connection.pass, first)) return;
  if (broker.access.asks === true && mustWaitForRules(broker, connection, first, start, end)) return;
  const type = first >> 4;
  switch (type) {
    case packetTypes.publish:
      return onPublish(broker, connection, first, start, end);
    case packetTypes.puback:
    case packetTypes.pubrec:
    case packetTypes.pubrel:
    case packetTypes.pubcomp:
      return onAck(connection, type, first, start, end);
    case packetTypes.subscribe:
      return onSubscribe(broker, connection, readSubscribe(bytes, first, start, end, version));
    case packetTypes.unsubscribe:
      return onUnsubscribe(broker, connection, readUnsubscribe(bytes, first, start, end, version));
    case packetTypes.pingreq:
      return onPing(connection, first, start, end);
    case packetTypes.disconnect:
      return onDisconnect(connection);
    case packetTypes.auth:
      if (version !== 5) throw protocolError('AUTH packet when session not MQTT v5.0.');
      return onAuth(connection, readAuth(bytes, first, start, end));
    case packetTypes.connect:
      return onSecondConnect(connection);
    default:
      throw protocolError(unexpected[type] ?? 'RESERVED packet.');
  }
}

function onAck(connection: Connection, type: AckType, first: number, start: number, end: number): void {
  const { broker, version } = connection;
  const { bytes } = connection.reader;
  let packetId = shortAckId(bytes, first, start, end);
  let reasonCode = 0;
  if (packetId === 0) ({ packetId, reasonCode } = readAck(ackNames[type], bytes, first, start, end, version));
  if (type === packetTypes.puback) onPuback(broker, connection, packetId, reasonCode);
  else if (type === packetTypes.pubrec) onPubrec(broker, connection, packetId, reasonCode);
  else if (type === packetTypes.pubrel) onPubrel(broker, connection, packetId);
  else onPubcomp(broker, connection, packetId, reasonCode);
}

function onPing(connection: Connection, first: number, start: number, end: number): void {
  checkPing(first, start, end, connection.version);
  const { log } = connection.broker;
  if (log.debug) log.write('debug', `Received PINGREQ from ${connection.clientId}`);
  const out = connection.small(2);
  out[connection.smallStart] = PINGRESP[0]!;
  out[connection.smallStart + 1] = 0;
  connection.writeSmall(connection.smallStart + 2);
  if (log.debug) log.write('debug', `Sending PINGRESP to ${connection.clientId}`);
}

/** [MQTT-3.14.4-3]: after a normal DISCONNECT the will is never published; every other code keeps it. */
function onDisconnect(connection: Connection): void {
  const { broker, reader } = connection;
  const { bytes, first, start, end } = reader;
  const { reasonCode, properties } = readDisconnect(bytes, first, start, end, connection.version);
  if (broker.log.debug) broker.log.write('debug', `Received DISCONNECT from ${connection.clientId}`);
  const expiry = properties.sessionExpiryInterval;
  if (expiry !== undefined) changeExpiry(connection, expiry);
  const will = reasonCode === reasonCodes.success ? 'discard' : 'publish';
  endConnection(broker, connection, { reason: null, disconnectCode: null, will });
}

function changeExpiry({ broker, session }: Connection, seconds: number): void {
  if (session!.expiryInterval === 0 && seconds !== 0) {
    throw protocolError(`DISCONNECT packet with mismatched session-expiry-interval (0:${seconds}).`); // 3.14.2.2.2
  }
  const cap = broker.settings.persistentClientExpirationSeconds;
  session!.expiryInterval = Math.min(seconds, cap ?? NEVER);
}

/** [MQTT-3.1.0-2] */
function onSecondConnect(connection: Connection): void {
  const { address, port } = connection.peer;
  const text = `Bad client ${address}:${port} sending multiple CONNECT messages.`;
  connection.broker.log.write('information', text, connection.about());
  throw new PacketError(reasonCodes.protocolError, '', { kind: 'close' });
}
