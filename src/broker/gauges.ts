import type { Broker } from './broker.ts';
import type { BrokerDelivery } from './types.ts';

/** What is there now, counted when somebody asks. */
export interface BrokerGauges {
  sessionsTotal: number;
  sessionsConnected: number;
  sessionsDisconnected: number;
  subscriptions: number;
  sharedSubscriptions: number;
  retainedMessages: number;
  /** Distinct messages kept for somebody: retained, queued or in flight. */
  storedMessages: number;
  /** Their payload bytes. */
  storedBytes: number;
  /** Packets and bytes that wait for sockets. */
  packetsOutCount: number;
  packetsOutBytes: number;
  socketsOpen: number;
}

export function measure(broker: Broker): BrokerGauges {
  const stored = storedMessages(broker);
  let packetsOutCount = 0;
  let packetsOutBytes = 0;
  for (const { link } of broker.connections) {
    packetsOutCount += link.pendingWrites;
    packetsOutBytes += link.pendingBytes;
  }
  const ordinary = broker.tree.size - broker.groups.size;
  return {
    sessionsTotal: broker.sessions.size,
    sessionsConnected: broker.connected,
    sessionsDisconnected: broker.sessions.size - broker.connected,
    subscriptions: ordinary,
    sharedSubscriptions: broker.sharedSubscriptions,
    retainedMessages: broker.retained.size,
    storedMessages: stored.count,
    storedBytes: stored.bytes,
    packetsOutCount,
    packetsOutBytes,
    socketsOpen: broker.connections.size,
  };
}

/**
 * Retained messages are counted as they come and go; only sessions that hold something are walked. What a session holds
 * of the retained ones themselves, on their way to a new subscriber, is not counted twice. What is on the disk alone is
 * counted for each client that it waits for.
 */
function storedMessages(broker: Broker): { count: number; bytes: number } {
  const seen = new Set<object>();
  let bytes = broker.retainedBytes;
  const add = ({ message, retain }: BrokerDelivery): void => {
    if (seen.has(message) || (retain && broker.retained.has(message.topicName))) return;
    seen.add(message);
    bytes += message.payloadLength;
  };
  let tails = 0;
  for (const { queue, inflight } of broker.sessions.values()) {
    tails += queue.tailMessages;
    bytes += queue.tailBytes;
    if (queue.windowSize > 0) for (const delivery of queue) add(delivery);
    if (inflight.size > 0) for (const delivery of inflight) add(delivery);
  }
  return { count: broker.retained.size + seen.size + tails, bytes };
}
