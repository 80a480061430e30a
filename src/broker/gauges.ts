import type { Broker } from './broker.ts';

/** What is there now, counted when somebody asks. */
export interface BrokerGauges {
  sessionsTotal: number;
  sessionsConnected: number;
  sessionsDisconnected: number;
  subscriptions: number;
  sharedSubscriptions: number;
  retainedMessages: number;
  /**
   * Messages kept for somebody: retained, or queued or in flight, each once for however many. A retained one on its way to
   * a new subscriber is one more, as it is in memory; what is on the disk alone counts for each client that it waits for.
   */
  storedMessages: number;
  /** Their payload bytes. */
  storedBytes: number;
  /** Packets and bytes that wait for sockets. */
  packetsOutCount: number;
  packetsOutBytes: number;
  socketsOpen: number;
}

export function measure(broker: Broker): BrokerGauges {
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
    storedMessages: broker.retained.size + broker.held.messages,
    storedBytes: broker.retained.payloadBytes + broker.held.bytes,
    packetsOutCount,
    packetsOutBytes,
    socketsOpen: broker.connections.size,
  };
}
