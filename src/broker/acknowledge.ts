/**
 * The only place that sends PUBACK, PUBREC and PUBCOMP, and it takes the store's word first: an acknowledgement is a
 * promise to the publisher that the message will not be lost. [MQTT-4.3.2-4], [MQTT-4.3.3-8]
 *
 * Whoever changed nothing in the store need not wait for the changes of others, unless an earlier answer on the same
 * connection is still waiting: acknowledgements go out in the order of what they answer. [MQTT-4.6.0-2]
 */
import { firstByteOf, writeAck } from '../codec/mod.ts';
import type { Broker } from './broker.ts';
import type { Connection } from './connection.ts';
import { storeAnswered } from './reading.ts';

type Acknowledgement = 'puback' | 'pubrec' | 'pubcomp';

const [PUBACK, PUBREC, PUBCOMP] = [firstByteOf('puback'), firstByteOf('pubrec'), firstByteOf('pubcomp')];

/**
 * Sends the acknowledgement as soon as everything it promises is safe. `changesBefore` is the store's count before the
 * packet was acted on; without it the answer waits for everything. 3.x has no reason codes.
 */
export function acknowledge(
  broker: Broker,
  connection: Connection,
  name: Acknowledgement,
  packetId: number,
  reasonCode: number,
  changesBefore = -1,
): void {
  const { store, trace } = broker;
  const nothingToWaitFor = store.settled || (store.changes === changesBefore && connection.answersWaiting === 0);
  if (nothingToWaitFor) {
    trace?.acknowledged(reasonCode);
    return send(broker, connection, name, packetId, reasonCode);
  }
  trace?.waitsForStore();
  whenSafe(broker, connection, () => {
    send(broker, connection, name, packetId, reasonCode);
    trace?.acknowledged(reasonCode);
  });
}

/** Does something for a connection once everything told to the store is safe; not at all if it has closed meanwhile. */
export function whenSafe(broker: Broker, connection: Connection, then: () => void): void {
  if (broker.store.settled) return then();
  connection.answersWaiting++;
  broker.store.onSettled(() => {
    storeAnswered(connection);
    if (connection.closed) return;
    try {
      then();
    } catch (error) {
      connection.fail(error);
    }
  });
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
  const first = name === 'puback' ? PUBACK : name === 'pubrec' ? PUBREC : PUBCOMP;
  connection.writeSmall(writeAck(connection.small(5), connection.smallStart, first, packetId, code));
  if (!broker.log.debug) return;
  const suffix = name === 'pubcomp' ? '' : `, rc${code}`;
  broker.log.write('debug', `Sending ${name.toUpperCase()} to ${connection.clientId} (m${packetId}${suffix})`);
}
