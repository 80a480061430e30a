/** From the configuration's words to those of the heart and of the listeners. Nothing is decided here. */
import type { ListenerRules } from '../broker/ports.ts';
import { type BrokerSettings, defaultBrokerSettings } from '../broker/mod.ts';
import type { AuthBackendSettings, ListenerSettings, Settings } from '../conf/mod.ts';
import type { SecurityScope, UserBackendSettings } from '../security/mod.ts';
import type { CertificatePair, DoorLimits, ListenerLimits, ListenerOptions, TlsOptions } from '../listeners/mod.ts';

export function brokerSettings(settings: Settings): BrokerSettings {
  return {
    maxPacketSizeBytes: settings.maxPacketSizeBytes,
    messageSizeLimitBytes: settings.messageSizeLimitBytes,
    maxInflightMessages: settings.maxInflightMessages,
    maxInflightBytes: settings.maxInflightBytes,
    maxQueuedMessages: settings.maxQueuedMessages,
    maxQueuedBytes: settings.maxQueuedBytes,
    maxTotalQueuedBytes: settings.maxTotalQueuedBytes,
    queuePolicy: settings.queuePolicy === 'drop_oldest' ? 'drop-oldest' : 'drop-newest',
    windowMessages: defaultBrokerSettings.windowMessages,
    windowBytes: defaultBrokerSettings.windowBytes,
    allWindowsBytes: settings.queueMemoryBytes,
    maxRetainedMessages: settings.maxRetainedMessages,
    maxRetainedBytes: settings.maxRetainedBytes,
    queueQos0Messages: settings.queueQos0Messages,
    retainAvailable: settings.retainAvailable,
    checkRetainSource: settings.checkRetainSource,
    maxKeepaliveSeconds: settings.maxKeepaliveSeconds,
    allowDuplicateMessages: settings.allowDuplicateMessages,
    upgradeOutgoingQos: settings.upgradeOutgoingQos,
    persistentClientExpirationSeconds: settings.persistentClientExpirationSeconds,
    clientIdPrefix: settings.clientIdPrefix ?? '',
    globalMaxClients: settings.globalMaxClients,
    retainExpirySweepSeconds: settings.retainExpiryIntervalSeconds,
    maxLinkBufferBytes: settings.maxLinkBufferBytes,
    connectTimeoutSeconds: settings.connectTimeoutSeconds,
    maxPublishRate: settings.maxPublishRate,
    maxPublishByteRate: settings.maxPublishByteRate,
    publishRateExceeded: settings.publishRateExceeded,
    publishRateBy: settings.publishRateBy,
    takeoverRounds: settings.takeoverRounds,
    takeoverNewcomer: settings.takeoverNewcomer,
  };
}

export function doorLimits(settings: Settings): DoorLimits {
  return {
    banAfter: settings.banAfter,
    banSecondsMax: settings.banMaxSeconds,
    banExempt: settings.banExempt,
    connectionsPerSecond: settings.maxConnectionRate,
  };
}

export function listenerLimits(settings: Settings): ListenerLimits {
  return {
    globalMaxConnections: settings.globalMaxConnections,
    maxPendingConnections: settings.maxPendingConnections,
    handshakeTimeoutMs: settings.tlsHandshakeTimeoutSeconds * 1000,
    httpHeaderBytesMax: settings.packetBufferSizeBytes || 4096,
    noDelay: settings.setTcpNodelay,
  };
}

/** Looks up the key of a PSK identity under the listener's own scope. */
export type PskLookup = (listener: ListenerRules, identity: string) => Buffer | null;

export function listenerOptions(listener: ListenerSettings, rules: ListenerRules, psk: PskLookup): ListenerOptions {
  return {
    rules,
    socketDomain: listener.socketDomain,
    bindInterface: listener.bindInterface,
    tls: tlsOptions(listener, identity => psk(rules, identity)),
    proxyProtocol: listener.enableProxyProtocol,
    proxyRequiresTls: listener.proxyProtocolV2RequireTls,
    websocketOrigins: listener.websocketsOrigins,
    http: listener.enrolment === true,
  };
}

export function listenerRules(listener: ListenerSettings): ListenerRules {
  return {
    name: listener.unixPath === null ? `port ${listener.port}` : listener.unixPath,
    port: listener.port,
    host: listener.host,
    unixPath: listener.unixPath,
    protocol: listener.protocol,
    acceptProtocolVersions: listener.acceptProtocolVersions,
    allowAnonymous: listener.allowAnonymous,
    allowZeroLengthClientId: listener.allowZeroLengthClientId,
    autoIdPrefix: listener.autoIdPrefix,
    maxConnections: listener.maxConnections,
    maxQos: listener.maxQos,
    maxTopicAlias: listener.maxTopicAlias,
    maxTopicAliasBroker: listener.maxTopicAliasBroker,
    persistence: listener.persistence,
    mountPoint: listener.mountPoint,
    requireCertificate: listener.requireCertificate,
    requestCertificate: listener.requestCertificate,
    useIdentityAsUsername: listener.useIdentityAsUsername,
    useSubjectAsUsername: listener.useSubjectAsUsername,
    useUsernameAsClientId: listener.useUsernameAsClientId,
  };
}

/** The access rules of each listener, by the rules object that the heart hands to access control. */
export function securityScopes(
  listeners: readonly ListenerSettings[],
  rules: readonly ListenerRules[],
): Map<ListenerRules, SecurityScope> {
  return new Map(
    listeners.map(({ security }, i) => [rules[i]!, { ...security, backends: security.authBackends.map(userBackend) }]),
  );
}

/** Every backend that some listener asks. */
export function userBackends(settings: Settings): UserBackendSettings[] {
  return settings.listeners.flatMap(({ security }) => security.authBackends.map(userBackend));
}

function userBackend({ place, places: _, ...backend }: AuthBackendSettings): UserBackendSettings {
  return { ...backend, where: `${place.file}:${place.line}` };
}

function tlsOptions(listener: ListenerSettings, lookup: (identity: string) => Buffer | null): TlsOptions | null {
  const certificates = [
    ...pair(listener.certfile, listener.keyfile),
    ...pair(listener.certfileRsa, listener.keyfileRsa),
  ];
  if (certificates.length === 0 && listener.pskHint === null) return null;
  return {
    certificates,
    caFile: listener.cafile,
    caPath: listener.capath,
    crlFile: listener.crlfile,
    minVersion: minimumVersion(listener),
    ciphers: listener.ciphers,
    ciphersTls13: listener.ciphersTls13,
    groups: listener.tlsGroups,
    alpn: applicationProtocols(listener),
    forgiveDates: listener.disableClientCertDateChecks,
    psk: listener.pskHint === null ? null : { hint: listener.pskHint, lookup },
  };
}

/** Who asks for HTTP by its name, as curl and browsers do, would be refused in the handshake otherwise. */
function applicationProtocols({ protocol, enrolment }: ListenerSettings): string[] {
  if (protocol === 'http_api') return ['http/1.1'];
  return enrolment === true ? ['mqtt', 'http/1.1'] : ['mqtt'];
}

function pair(certFile: string | null, keyFile: string | null): CertificatePair[] {
  return certFile === null || keyFile === null ? [] : [{ certFile, keyFile }];
}

/** A text that nobody knows goes on to the listener, whose error names it. */
function minimumVersion({ tlsVersion, tlsVersionText }: ListenerSettings): string | null {
  if (tlsVersion === null) return tlsVersionText;
  return tlsVersion === 'TLSv1.3' ? 'tlsv1.3' : 'tlsv1.2';
}
