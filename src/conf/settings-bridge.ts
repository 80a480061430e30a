/** BridgeSettings: one `connection` section of a mosquitto.conf, as plain values with every default filled in. */
import type { Place, Places } from './settings.ts';

export interface BridgeTopic {
  /** Empty for a mapping of exactly one topic: localPrefix on this side, remotePrefix on the other. */
  pattern: string;
  direction: 'out' | 'in' | 'both';
  qos: 0 | 1 | 2;
  localPrefix: string;
  remotePrefix: string;
  place: Place;
}

export interface BridgeSettings {
  name: string;
  addresses: { host: string; port: number }[];
  topics: BridgeTopic[];
  protocolVersion: 'mqttv31' | 'mqttv311' | 'mqttv50';
  startType: 'automatic' | 'lazy' | 'once';
  reloadType: 'lazy' | 'immediate';
  /** Null for `<hostname>.<name>`. */
  remoteClientId: string | null;
  remoteUsername: string | null;
  remotePassword: string | null;
  /** Null for `local.<remote client id>`. */
  localClientId: string | null;
  localUsername: string | null;
  localPassword: string | null;
  cleanSession: boolean;
  /** Null for the value of cleanSession. */
  localCleanSession: boolean | null;
  keepaliveSeconds: number;
  idleTimeoutSeconds: number;
  /** Messages that start a lazy bridge. */
  threshold: number;
  restartTimeout: { baseSeconds: number; capSeconds: number; stableSeconds: number };
  roundRobin: boolean;
  tryPrivate: boolean;
  notifications: boolean;
  notificationsLocalOnly: boolean;
  notificationTopic: string | null;
  attemptUnsubscribe: boolean;
  outgoingRetain: boolean;
  bindAddress: string | null;
  /** 0 for none. */
  maxPacketSizeBytes: number;
  maxTopicAlias: number;
  /** Null for max_inflight_messages. */
  receiveMaximum: number | null;
  /** 4294967295 for never; null for what cleanSession says. */
  sessionExpirySeconds: number | null;
  tcpKeepalive: { idleSeconds: number; intervalSeconds: number; count: number } | null;
  tcpUserTimeoutMilliseconds: number | null;
  cafile: string | null;
  capath: string | null;
  certfile: string | null;
  keyfile: string | null;
  ciphers: string | null;
  ciphersTls13: string | null;
  tlsVersion: string | null;
  useOsCerts: boolean;
  insecure: boolean;
  requireOcsp: boolean;
  alpn: string | null;
  identity: string | null;
  psk: string | null;
  place: Place;
  places: Places;
}

export function newBridge(name: string, place: Place): BridgeSettings {
  return {
    name,
    addresses: [],
    topics: [],
    protocolVersion: 'mqttv311',
    startType: 'automatic',
    reloadType: 'lazy',
    remoteClientId: null,
    remoteUsername: null,
    remotePassword: null,
    localClientId: null,
    localUsername: null,
    localPassword: null,
    cleanSession: false,
    localCleanSession: null,
    keepaliveSeconds: 60,
    idleTimeoutSeconds: 60,
    threshold: 10,
    restartTimeout: { baseSeconds: 5, capSeconds: 30, stableSeconds: 0 },
    roundRobin: false,
    tryPrivate: true,
    notifications: true,
    notificationsLocalOnly: false,
    notificationTopic: null,
    attemptUnsubscribe: true,
    outgoingRetain: true,
    bindAddress: null,
    maxPacketSizeBytes: 0,
    maxTopicAlias: 10,
    receiveMaximum: null,
    sessionExpirySeconds: null,
    tcpKeepalive: null,
    tcpUserTimeoutMilliseconds: null,
    cafile: null,
    capath: null,
    certfile: null,
    keyfile: null,
    ciphers: null,
    ciphersTls13: null,
    tlsVersion: null,
    useOsCerts: false,
    insecure: false,
    requireOcsp: false,
    alpn: null,
    identity: null,
    psk: null,
    place,
    places: {},
  };
}
