import type { Broker } from './broker.ts';

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

/** Queues are short nearly always; only sessions that hold something are walked. */
function storedMessages(broker: Broker): { count: number; bytes: number } {
  const seen = new Set<object>();
  let bytes = 0;
  const add = (message: { payload: Buffer }): void => {
    if (seen.has(message)) return;
    seen.add(message);
    bytes += message.payload.length;
  };
  for (const message of broker.retained.values()) add(message);
  for (const session of broker.sessions.values()) {
    if (session.queue.size > 0) for (const { message } of session.queue) add(message);
    if (session.inflight.size > 0) for (const { message } of session.inflight) add(message);
  }
  return { count: seen.size, bytes };
}
