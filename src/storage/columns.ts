/** How Mosquitto's columns spell what the heart calls by other names, in both directions. */
import type { StoredDelivery, StoredSubscription } from '../broker/ports.ts';

/**
 * client_msgs.state                      of the heart
 *    3 wait PUBACK, 5 wait PUBREC        1 PUBLISH sent
 *    9 wait PUBCOMP                      2 PUBREL sent
 *    6 resend PUBREL                     3 PUBREL to be sent
 *   11 queued                            0 unsent
 */
const QUEUED = 11;
const statesOfQos1 = [QUEUED, 3, 3, 3] as const;
const statesOfQos2 = [QUEUED, 5, 9, 6] as const;

/** 7: waits for PUBREL. */
export const exchangeState = 7;

/** What has a packet identifier is in flight, also while a new connection has not sent it again yet. */
export function deliveryState({ qos, state, packetId }: Pick<StoredDelivery, 'qos' | 'state' | 'packetId'>): number {
  const reached = state === 0 && packetId !== 0 ? 1 : state;
  return qos === 2 ? statesOfQos2[reached] : statesOfQos1[reached];
}

/**
 * Mosquitto writes the other states too, and those of one delivery on the row of another (docs/compat/persist-sqlite.md,
 * 4): whatever is not queued may have been sent, and only QoS 2 knows more than that.
 */
export function stateOfRow(qos: number, column: number): 0 | 1 | 2 | 3 {
  if (qos === 0 || column === QUEUED) return 0;
  if (qos === 2 && column === 9) return 2;
  if (qos === 2 && column === 6) return 3;
  return 1;
}

/**
 * Mosquitto sends what it finds under the packet identifier of the row, 0 included, so a queued delivery gets one that
 * no other of the last 65535 has. It means nothing to us: on a row that is queued it is not read.
 */
export function placeholderPacketId(row: number): number {
  return (row % 65535) + 1;
}

/** The option byte of SUBSCRIBE: bits 0-1 QoS, 2 no local, 3 retain as published. */
export function subscriptionOptions({ qos, noLocal, retainAsPublished }: StoredSubscription): number {
  return qos | (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0);
}

export function qosOf(column: unknown): 0 | 1 | 2 {
  return column === 1 || column === 2 ? column : 0;
}
