/**
 * The only place that sends PUBACK, PUBREC and PUBCOMP, and it takes the store's word first: an acknowledgement is a
 * promise to the publisher that the message will not be lost. [MQTT-4.3.2-4], [MQTT-4.3.3-8]
 */
import { firstByteOf, writeAck } from '../codec/mod.ts';
import type { Broker } from './broker.ts';
import type { Connection } from './connection.ts';

type Acknowledgement = 'puback' | 'pubrec' | 'pubcomp';

const firstBytes = { puback: firstByteOf('puback'), pubrec: firstByteOf('pubrec'), pubcomp: firstByteOf('pubcomp') };

/** Sends the acknowledgement as soon as everything it promises is safe. 3.x has no reason codes. */
export function acknowledge(
  broker: Broker,
  connection: Connection,
  name: Acknowledgement,
  packetId: number,
  reasonCode: number,
): void {
  if (broker.store.settled) send(broker, connection, name, packetId, reasonCode);
  else broker.store.onSettled(() => send(broker, connection, name, packetId, reasonCode));
}

function send(
  broker: Broker,
  connection: Connection,
  name: Acknowledgement,
  packetId: number,
  reasonCode: number,
): void {
  if (connection.closed) return;
  const code = connection.version === 5 ? reasonCode : 0;
  connection.writeSmall(writeAck(connection.small(5), connection.smallStart, firstBytes[name], packetId, code));
  if (!broker.log.debug) return;
  const suffix = name === 'pubcomp' ? '' : `, rc${code}`;
  broker.log.write('debug', `Sending ${name.toUpperCase()} to ${connection.clientId} (m${packetId}${suffix})`);
}
