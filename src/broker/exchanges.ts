/** The subscriber's side of QoS 1 and 2: PUBACK, PUBREC and PUBCOMP that come back for what we sent (MQTT 5, 4.3). */
import { aboutConnection } from './about.ts';
import { firstByteOf, PacketError, reasonCodes, writeAck } from '../codec/mod.ts';
import { deliveryStates } from '../session/mod.ts';
import type { Broker } from './broker.ts';
import type { Connection } from './connection.ts';
import { whenSafe } from './acknowledge.ts';
import { pump } from './deliver.ts';
import { dropDelivery, keepDelivery } from './keep.ts';

const PUBREL = firstByteOf('pubrel');

/** An acknowledgement of the other QoS, or out of turn, is a protocol error (docs/compat/packets.md, 6). */
function mismatch(text: string): PacketError {
  return new PacketError(reasonCodes.protocolError, text);
}

export function onPuback(broker: Broker, connection: Connection, packetId: number, reasonCode: number): void {
  const session = connection.session!;
  if (broker.log.debug) traceAck(broker, connection, 'PUBACK', packetId, reasonCode);
  const delivery = session.inflight.get(packetId);
  if (delivery === undefined) return;
  if (delivery.qos !== 1) throw mismatch('Mismatched QoS (2:1) when deleting outgoing message.');
  session.noteAnswer(delivery);
  session.inflight.remove(delivery);
  dropDelivery(broker, session, delivery);
  continueAfter(broker, connection);
}

export function onPubrec(broker: Broker, connection: Connection, packetId: number, reasonCode: number): void {
  const session = connection.session!;
  if (broker.log.debug) traceAck(broker, connection, 'PUBREC', packetId, reasonCode);
  const delivery = session.inflight.get(packetId);
  if (delivery === undefined) {
    const text = `Warning: Received PUBREC from ${connection.clientId} for an unknown packet identifier ${packetId}.`;
    broker.log.write('warning', text, aboutConnection('message.id-unknown', connection));
    return sendRelease(broker, connection, packetId);
  }
  if (delivery.qos !== 2) throw mismatch('Mismatched QoS (1:2) when updating outgoing message.');
  session.noteAnswer(delivery);
  if (reasonCode >= 0x80) {
    session.inflight.remove(delivery); // [MQTT-4.3.3-4]: the exchange ends here
    dropDelivery(broker, session, delivery);
    return continueAfter(broker, connection);
  }
  delivery.state = deliveryStates.released;
  keepDelivery(broker, session, delivery);
  // After a PUBREL the client may forget the identifier, so that we must not send the PUBLISH again, crash or not.
  if (!session.stored) sendRelease(broker, connection, packetId);
  else releaseWhenSafe(broker, connection, packetId);
}

function releaseWhenSafe(broker: Broker, connection: Connection, packetId: number): void {
  whenSafe(broker, connection, () => sendRelease(broker, connection, packetId));
}

export function onPubcomp(broker: Broker, connection: Connection, packetId: number, reasonCode: number): void {
  const session = connection.session!;
  if (broker.log.debug) traceAck(broker, connection, 'PUBCOMP', packetId, reasonCode);
  const delivery = session.inflight.get(packetId);
  if (delivery === undefined) return;
  if (delivery.qos !== 2) throw mismatch('Mismatched QoS (1:2) when deleting outgoing message.');
  const { released, releaseUnsent } = deliveryStates;
  if (delivery.state !== released && delivery.state !== releaseUnsent) {
    throw mismatch('Mismatched state (5:9) when deleting outgoing message.');
  }
  session.noteAnswer(delivery);
  session.inflight.remove(delivery);
  dropDelivery(broker, session, delivery);
  continueAfter(broker, connection);
}

function continueAfter(broker: Broker, connection: Connection): void {
  const session = connection.session!;
  if (session.queue.size > 0 || session.unsentInflight > 0 || connection.retainedBacklog.length > 0) {
    pump(broker, connection);
  }
}

export function sendRelease(broker: Broker, connection: Connection, packetId: number): void {
  connection.writeSmall(writeAck(connection.small(5), connection.smallStart, PUBREL, packetId, 0));
  if (broker.log.debug) broker.log.write('debug', `Sending PUBREL to ${connection.clientId} (m${packetId})`);
}

function traceAck(broker: Broker, connection: Connection, name: string, packetId: number, reasonCode: number): void {
  const code = name === 'PUBREC' ? '' : `, RC:${reasonCode}`;
  broker.log.write('debug', `Received ${name} from ${connection.clientId} (Mid: ${packetId}${code})`);
}
