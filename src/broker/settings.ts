/** What the operator may set about the heart. Units last; defaults are Mosquitto 2.1's (docs/compat/conf-options.tsv). */
export interface BrokerSettings {
  /** Largest packet a client may send, in whole bytes. 0 for the protocol's own 256 MB. */
  maxPacketSizeBytes: number;
  /** Largest payload passed on; 0 for none. */
  messageSizeLimitBytes: number;
  /** Outgoing QoS 1 and 2 in flight per client, and the receive maximum told to clients. 0 for no limit. */
  maxInflightMessages: number;
  maxInflightBytes: number;
  /** Messages kept for a client beyond those in flight. 0 for no limit. */
  maxQueuedMessages: number;
  maxQueuedBytes: number;
  /** Payload bytes of all queues together. 0 for no limit. */
  maxTotalQueuedBytes: number;
  /** Which message goes when a queue is full. */
  queuePolicy: 'drop-newest' | 'drop-oldest';
  /** What of one client's queue is in memory while it is connected, when a store keeps the rest. */
  windowMessages: number;
  windowBytes: number;
  /** What the windows of all clients may take together before each gets little. */
  allWindowsBytes: number;
  /** 0 for no limit. */
  maxRetainedMessages: number;
  maxRetainedBytes: number;
  queueQos0Messages: boolean;
  retainAvailable: boolean;
  checkRetainSource: boolean;
  /** 0 for any. */
  maxKeepaliveSeconds: number;
  allowDuplicateMessages: boolean;
  upgradeOutgoingQos: boolean;
  /** Null for never. */
  persistentClientExpirationSeconds: number | null;
  /** Empty for any. */
  clientIdPrefix: string;
  /** Sessions, connected or kept; -1 for no limit. */
  globalMaxClients: number;
  /** 0 for off. */
  retainExpirySweepSeconds: number;
  /** Bytes waiting for one peer that does not read: beyond it QoS 0 is dropped, and its own requests are not read. */
  maxLinkBufferBytes: number;
  connectTimeoutSeconds: number;
  /** Of one client, a second; 0 for any. */
  maxPublishRate: number;
  maxPublishByteRate: number;
  publishRateExceeded: 'slow' | 'refuse';
  /** Whose messages count together. */
  publishRateBy: 'client' | 'user' | 'address';
  /** Take-overs between different addresses within a minute that make a fight; 0 for no referee. */
  takeoverRounds: number;
  takeoverNewcomer: 'admit' | 'hold';
}

export const defaultBrokerSettings: BrokerSettings = {
  maxPacketSizeBytes: 2_000_000,
  messageSizeLimitBytes: 0,
  maxInflightMessages: 20,
  maxInflightBytes: 0,
  maxQueuedMessages: 1000,
  maxQueuedBytes: 0,
  maxTotalQueuedBytes: 0,
  queuePolicy: 'drop-newest',
  windowMessages: 1000,
  windowBytes: 1_048_576,
  allWindowsBytes: 67_108_864,
  maxRetainedMessages: 0,
  maxRetainedBytes: 0,
  queueQos0Messages: false,
  retainAvailable: true,
  checkRetainSource: false,
  maxKeepaliveSeconds: 0,
  allowDuplicateMessages: true,
  upgradeOutgoingQos: false,
  persistentClientExpirationSeconds: null,
  clientIdPrefix: '',
  globalMaxClients: -1,
  retainExpirySweepSeconds: 0,
  maxLinkBufferBytes: 8_388_608,
  connectTimeoutSeconds: 30,
  maxPublishRate: 0,
  maxPublishByteRate: 0,
  publishRateExceeded: 'slow',
  publishRateBy: 'client',
  takeoverRounds: 5,
  takeoverNewcomer: 'admit',
};

/** Caps other than max_packet_size (docs/compat/packets.md, 4), by packet type; index 0 is unused. */
export function frameLimits(settings: BrokerSettings): number[] {
  const packet = settings.maxPacketSizeBytes;
  const cap = (bytes: number): number => (packet === 0 ? bytes : Math.min(bytes, packet));
  const large = cap(100_000);
  const small = cap(10_000);
  //       -  CONNECT CONNACK PUBLISH PUBACK PUBREC PUBREL PUBCOMP SUBSCRIBE SUBACK UNSUB  UNSUBACK PING   PONG   DISC   AUTH
  return [
    small,
    large,
    small,
    packet,
    small,
    small,
    small,
    small,
    large,
    small,
    large,
    small,
    small,
    small,
    small,
    large,
  ];
}
