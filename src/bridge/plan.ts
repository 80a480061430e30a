/** What one bridge is to do, as the configuration says it; server/ hands a `connection` section over as it is. */
import type { X509Certificate } from 'node:crypto';
import type { Log, Link, Peer, Tracing } from '../broker/ports.ts';

export interface TopicRule {
  /** Empty for a mapping of exactly one topic: localPrefix on this side, remotePrefix on the other. */
  pattern: string;
  direction: 'out' | 'in' | 'both';
  qos: 0 | 1 | 2;
  localPrefix: string;
  remotePrefix: string;
}

export interface Address {
  host: string;
  port: number;
}

export interface RestartTimeout {
  baseSeconds: number;
  /** The same as the base for a constant pause. */
  capSeconds: number;
  /** A connection that held so long lets the pauses begin anew. */
  stableSeconds: number;
}

export interface BridgePlan {
  readonly name: string;
  readonly addresses: readonly Address[];
  readonly topics: readonly TopicRule[];
  readonly protocolVersion: 'mqttv31' | 'mqttv311' | 'mqttv50';
  readonly startType: 'automatic' | 'lazy' | 'once';
  readonly reloadType: 'lazy' | 'immediate';
  /** Null for `<hostname>.<name>`. */
  readonly remoteClientId: string | null;
  readonly remoteUsername: string | null;
  readonly remotePassword: string | null;
  /** Null for `local.<remote client id>`. */
  readonly localClientId: string | null;
  readonly localUsername: string | null;
  readonly cleanSession: boolean;
  /** Null for the value of cleanSession. */
  readonly localCleanSession: boolean | null;
  readonly keepaliveSeconds: number;
  readonly idleTimeoutSeconds: number;
  readonly threshold: number;
  readonly restartTimeout: RestartTimeout;
  readonly roundRobin: boolean;
  readonly tryPrivate: boolean;
  readonly notifications: boolean;
  readonly notificationsLocalOnly: boolean;
  readonly notificationTopic: string | null;
  readonly attemptUnsubscribe: boolean;
  readonly outgoingRetain: boolean;
  readonly bindAddress: string | null;
  /** 0 for none. */
  readonly maxPacketSizeBytes: number;
  readonly maxTopicAlias: number;
  /** Null for max_inflight_messages. */
  readonly receiveMaximum: number | null;
  /** Null for as long as cleanSession says. */
  readonly sessionExpirySeconds: number | null;
  readonly tcpKeepalive: { idleSeconds: number; intervalSeconds: number; count: number } | null;
  readonly cafile: string | null;
  readonly capath: string | null;
  readonly certfile: string | null;
  readonly keyfile: string | null;
  readonly ciphers: string | null;
  readonly ciphersTls13: string | null;
  readonly tlsVersion: string | null;
  readonly useOsCerts: boolean;
  readonly insecure: boolean;
  readonly requireOcsp: boolean;
  readonly alpn: string | null;
  readonly identity: string | null;
  readonly psk: string | null;
}

/** Who is who on both sides. */
export interface BridgeNames {
  remoteClientId: string;
  localClientId: string;
  /** Where its state is told, on both sides. */
  notificationTopic: string;
}

export function namesOf(plan: BridgePlan, hostname: string): BridgeNames {
  const remoteClientId = plan.remoteClientId ?? `${hostname}.${plan.name}`;
  return {
    remoteClientId,
    localClientId: plan.localClientId ?? `local.${remoteClientId}`,
    notificationTopic: plan.notificationTopic ?? `$SYS/broker/connection/${remoteClientId}/state`,
  };
}

/** Whether this broker keeps what goes out while the bridge is down; what waits is what a lazy bridge connects for. */
export function keepsLocally({ cleanSession, localCleanSession, startType }: BridgePlan): boolean {
  return startType === 'lazy' || !(localCleanSession ?? cleanSession);
}

/** What bridges ask of the broker they belong to. */
export interface BridgePorts {
  readonly log: Log;
  readonly hostname: string;
  /** Ours on the way of a message through many brokers; another one for each process. */
  readonly brokerId: string;
  accept(link: Link, peer: Peer): void;
  /** Retained, at QoS 1. */
  publish(topicName: string, payload: string): void;
  /** Null when there is no such session. */
  session(clientId: string): { queued: number; inflight: number; filters: readonly string[] } | null;
  /** Ends the session and what waits in it. */
  forget(clientId: string): void;
  /** Null where nobody traces. */
  tracing(): Tracing | null;
  /** Messages under way at once; 0 for no limit. */
  inflightMax(): number;
  /** What is wrong with the word of a CA that the other broker has stapled to its certificate (OCSP); null when it is good. */
  judgeStaple(staple: Buffer, leaf: X509Certificate, issuer: X509Certificate): Promise<string | null>;
  /** Largest packet that this broker takes. */
  packetBytesMax(): number;
}
