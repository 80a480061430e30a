import type { Meter } from '../broker/ports.ts';

/** All counters at zero. One object with every field from the beginning, so that adding to it stays cheap. */
export function createMeter(): Meter {
  return {
    packetsReceived: 0,
    packetsSent: 0,
    bytesReceived: 0,
    bytesSent: 0,
    publishReceived: 0,
    publishSent: 0,
    publishBytesReceived: 0,
    publishBytesSent: 0,
    publishDropped: 0,
    publishDenied: 0,
    connectsReceived: 0,
    socketsAccepted: 0,
    connectionsRefusedByLimit: 0,
    connectsRefused: 0,
    tlsRefused: 0,
    connectTimeouts: 0,
    keepAliveTimeouts: 0,
    protocolErrors: 0,
    oversizePackets: 0,
    slowLinksPaused: 0,
    sessionsExpired: 0,
    messagesExpired: 0,
    drops: {
      'queue-messages': 0,
      'queue-bytes': 0,
      'total-bytes': 0,
      'slow-link': 0,
      'too-large': 0,
      denied: 0,
      expired: 0,
      'session-expired': 0,
      'not-retained': 0,
    },
    refusals: new Map(),
  };
}
