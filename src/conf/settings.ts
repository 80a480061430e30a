/**
 * Settings: what a mosquitto.conf says, as plain values with every default filled in.
 *
 *   Settings ── globals (queues, limits, persistence, process)
 *      ├── log        destinations, classes, timestamps
 *      ├── security   the scope every listener shares unless per_listener_settings is true
 *      ├── listeners  one per open port; each carries the security scope that counts for it
 *      └── bridges, plugins as written
 *
 * Every scope keeps `places`: the file and line an option was read from, by the option's name. Whoever finds a fault
 * later (a certificate that does not load, a port that is taken) can name the line. What is not in `places` is a default.
 * This file knows values only; how they are written in a file is the business of options/ and read.ts.
 */
import type { AuthBackendSettings } from './settings-backend.ts';
import type { BridgeSettings } from './settings-bridge.ts';

/** Where an option stood. */
export interface Place {
  file: string;
  line: number;
  /** The include_dir line that brought the file in. */
  includedFrom?: Place;
}

/** Option name to the place it was last read from. */
export type Places = Record<string, Place>;

export type LogClass =
  'error' | 'warning' | 'notice' | 'information' | 'debug' | 'subscribe' | 'unsubscribe' | 'internal' | 'websockets';

export type LogDestination = { kind: 'stderr' | 'stdout' | 'syslog' | 'topic' } | { kind: 'file'; path: string };

export interface LogSettings {
  /** Empty after `log_dest none`. */
  destinations: LogDestination[];
  classes: LogClass[];
  /** Syslog local0 to local7; null is the daemon facility. */
  facility: number | null;
  timestamp: boolean;
  /** strftime text; null is Unix seconds. */
  timestampFormat: string | null;
  format: 'text' | 'json';
  /** Lines of one kind from one address in a minute before the rest is only counted; 0 writes each. */
  foldAfter: number;
  /** Lines about connects and disconnects. */
  connectionMessages: boolean;
}

/** Who may come in and what they may touch: once for all listeners, or once per listener. */
export interface SecurityScope {
  /** Null when the file does not say: true in local-only mode, else false. Listeners carry the resolved value. */
  allowAnonymous: boolean | null;
  allowZeroLengthClientId: boolean;
  /** Null when the file does not say: `auto-`. Listeners carry the resolved value. */
  autoIdPrefix: string | null;
  passwordFile: string | null;
  aclFile: string | null;
  pskFile: string | null;
  /** In the order in which they are asked. */
  authBackends: AuthBackendSettings[];
  /** When dynamic security is asked; null where it is not. Listeners carry the resolved value. */
  dynamicSecurity: DynamicSecurityTurn | null;
  places: Places;
}

/** Who is asked first, and answers for good if it can: dynamic security or the file. */
export interface DynamicSecurityTurn {
  beforePasswords: boolean;
  beforeAcl: boolean;
}

export interface DynamicSecuritySettings {
  configFile: string;
  /** Its first line is the first password of `admin`; null for one from the environment or by chance. */
  passwordInitFile: string | null;
  place: Place;
}

export type MqttVersion = 3 | 4 | 5;

export interface ListenerSettings {
  /** 0 for a Unix socket. */
  port: number;
  /** As written; null for every address. */
  host: string | null;
  unixPath: string | null;
  /** The listener that options before any `listener` line, `port` or `bind_address` made. */
  isDefault: boolean;
  bindInterface: string | null;
  socketDomain: 'ipv4' | 'ipv6' | null;
  protocol: 'mqtt' | 'websockets' | 'http_api';
  acceptProtocolVersions: MqttVersion[];
  /** Resolved: listener_allow_anonymous, else the security scope, else the default of the mode. */
  allowAnonymous: boolean;
  allowZeroLengthClientId: boolean;
  autoIdPrefix: string;
  /** -1 for no limit. */
  maxConnections: number;
  maxQos: 0 | 1 | 2;
  /** Of this listener's clients: whether a store may keep their sessions. */
  persistence: boolean;
  maxTopicAlias: number;
  maxTopicAliasBroker: number;
  /** Empty for none. */
  mountPoint: string;
  requireCertificate: boolean;
  requestCertificate: boolean;
  useIdentityAsUsername: boolean;
  useSubjectAsUsername: boolean;
  useUsernameAsClientId: boolean;
  disableClientCertDateChecks: boolean;
  cafile: string | null;
  capath: string | null;
  certfile: string | null;
  keyfile: string | null;
  /** A second chain on the same port, for devices that cannot do ECDSA. */
  certfileRsa: string | null;
  keyfileRsa: string | null;
  crlfile: string | null;
  /** OpenSSL list for TLS 1.2. */
  ciphers: string | null;
  /** OpenSSL list of TLS 1.3 suites. */
  ciphersTls13: string | null;
  /** Groups (curves) by OpenSSL name, most wanted first; null for the library's own. */
  tlsGroups: string[] | null;
  /** The minimum that counts. Null when tlsVersionText is a text nobody knows: Mosquitto's error, exit 1. */
  tlsVersion: 'TLSv1.2' | 'TLSv1.3' | null;
  /** As written, null when the file does not say. */
  tlsVersionText: string | null;
  /** Not null makes this a TLS-PSK listener. */
  pskHint: string | null;
  /** 0 for none. */
  enableProxyProtocol: 0 | 1 | 2;
  proxyProtocolV2RequireTls: boolean;
  /** Empty for any. */
  websocketsOrigins: string[];
  httpDir: string | null;
  /** Whether devices may get their certificates here; as written until the whole file is read, null when it does not say. */
  enrolment: boolean | null;
  /** What the file says for this listener alone; null when it does not say. Part of allowAnonymous already. */
  listenerAllowAnonymous: boolean | null;
  listenerAutoIdPrefix: string | null;
  /** Birth certificates of Sparkplug that are published here are kept as retained copies. */
  sparkplugAware: boolean;
  /** Plugins in JavaScript that are asked about its clients, in the order of asking. */
  scripts: PluginSettings[];
  /** Names of plugin_use lines. */
  pluginsUsed: string[];
  /** The scope that counts here, plugins resolved; the same object for all listeners that share one. */
  security: SecurityScope;
  /** The line that opened it; null for local-only mode and -p. */
  place: Place | null;
  places: Places;
}

/** Which of Mosquitto's plugins a file name stands for. */
export type PluginKind =
  'password-file' | 'acl-file' | 'sparkplug-aware' | 'persist-sqlite' | 'dynamic-security' | 'javascript' | 'foreign';

export interface PluginSettings {
  kind: PluginKind;
  /** As written. */
  path: string;
  /** Name given by plugin_load, else null. */
  name: string | null;
  attached: 'everywhere' | 'security-scope' | 'by-use';
  options: { key: string; value: string; place: Place }[];
  /** Of plugins in JavaScript; what the file does not say is absent. */
  limits: Partial<PluginLimits>;
  place: Place;
}

export interface PluginLimits {
  /** What a hook may take that answers later. */
  timeoutSeconds: number;
  /** In one minute; 0 for any number. */
  faultsMax: number;
  whenFaulty: 'refuse' | 'switch_off';
}

export interface Settings {
  /** Null without a configuration file. */
  path: string | null;
  /**
   * No listener was configured: `listeners` holds 127.0.0.1 and ::1, twice for each -p. One of a pair may fail to open
   * (a machine without IPv6) as long as one listener does open.
   */
  localOnly: boolean;
  perListenerSettings: boolean;
  log: LogSettings;
  security: SecurityScope;
  listeners: ListenerSettings[];
  bridges: BridgeSettings[];
  plugins: PluginSettings[];
  /** Null without the plugin, or without its file. */
  dynamicSecurity: DynamicSecuritySettings | null;

  // Process
  /** The user to become when started as root. */
  user: string;
  pidFile: string | null;
  /** Of the operators' socket; null for that of the home, if the broker has one. */
  adminSocket: string | null;

  // Connections
  /** Open sockets over all listeners; -1 for no limit. */
  globalMaxConnections: number;
  /** Sessions, connected or stored; -1 for no limit. */
  globalMaxClients: number;
  /** Links that have not finished CONNECT. */
  maxPendingConnections: number;
  connectTimeoutSeconds: number;
  tlsHandshakeTimeoutSeconds: number;
  /** Failed logins of one address; 0 for no bans. */
  banAfter: number;
  banMaxSeconds: number;
  /** Addresses, ranges and the word `private`. */
  banExempt: string[];
  /** A second, of one address; 0 for any, as below. */
  maxConnectionRate: number;
  /** A second, of one client. */
  maxPublishRate: number;
  maxPublishByteRate: number;
  publishRateExceeded: 'slow' | 'refuse';
  publishRateBy: 'client' | 'user' | 'address';
  /** Within a minute; 0 for no referee. */
  takeoverRounds: number;
  takeoverNewcomer: 'admit' | 'hold';
  /** Bytes waiting for one peer that does not read. */
  maxLinkBufferBytes: number;
  /** 0 for never. */
  napMicroseconds: number;
  /** 0 for any. */
  maxKeepaliveSeconds: number;
  setTcpNodelay: boolean;
  /** Bytes of the HTTP header block of a WebSocket upgrade; 0 for the default. */
  packetBufferSizeBytes: number;
  /** Accept only client ids that start with this. */
  clientIdPrefix: string | null;

  // Messages
  /** Largest incoming MQTT packet. */
  maxPacketSizeBytes: number;
  /** Largest payload of a publish; 0 for no limit. */
  messageSizeLimitBytes: number;
  /** Outgoing QoS 1 and 2 in flight per client, also sent as receive-maximum; 0 or 65535 for no limit. */
  maxInflightMessages: number;
  /** 0 for no limit. */
  maxInflightBytes: number;
  /** Kept per client beyond those in flight; 0 for no limit. */
  maxQueuedMessages: number;
  /** 0 for no limit. */
  maxQueuedBytes: number;
  /** Of all queues together; 0 for no limit. */
  maxTotalQueuedBytes: number;
  queuePolicy: 'drop_newest' | 'drop_oldest';
  /** What queues may take in memory when they are on the disk, too. */
  queueMemoryBytes: number;
  /** 0 for no limit. */
  maxRetainedMessages: number;
  maxRetainedBytes: number;
  queueQos0Messages: boolean;
  upgradeOutgoingQos: boolean;
  allowDuplicateMessages: boolean;
  retainAvailable: boolean;
  checkRetainSource: boolean;
  /** How often expired retained messages are swept; 0 for never (they go when touched). */
  retainExpiryIntervalSeconds: number;
  /** Stored sessions of clients that stay away longer are dropped; null for never. */
  persistentClientExpirationSeconds: number | null;

  // Persistence
  flightRecorder: boolean;
  /** Null for the place that follows from the others, see recordFolder. */
  flightRecorderLocation: string | null;
  flightRecorderMegabytes: number;
  persistence: boolean;
  persistenceLocation: string;
  persistenceFile: string;
  /** The store's file when a plugin line names it; null for mosquitto.sqlite3 in persistenceLocation. */
  storeFile: string | null;
  /** Of a store that is made anew; null for SQLite's own. */
  storePageSize: number | null;
  /** What an acknowledgement at QoS 1 and 2 promises. */
  durability: 'commit' | 'interval' | 'none';
  durabilityIntervalSeconds: number;
  /** In seconds, or in changes with autosaveOnChanges; 0 for at exit only. */
  autosaveInterval: number;
  autosaveOnChanges: boolean;

  // Certificates for devices
  /** The folder of the CA that issues them; null for none. */
  caHome: string | null;
  enrolmentGraceDays: number;
  devicePolicy: 'refuse' | 'quarantine';

  // Telling
  /** 0 for no $SYS topics. */
  sysIntervalSeconds: number;
  enableControlApi: boolean;

  // Traces for OpenTelemetry
  /** Null for none. */
  otelEndpoint: string | null;
  /** 0 for those alone whose publisher traces them. */
  otelSampleOneIn: number;
  otelTracesPerSecond: number;
  otelServiceName: string;
  otelHeadersFile: string | null;
  otelCafile: string | null;

  places: Places;
}

export function newSecurityScope(): SecurityScope {
  return {
    allowAnonymous: null,
    allowZeroLengthClientId: true,
    autoIdPrefix: null,
    passwordFile: null,
    aclFile: null,
    pskFile: null,
    authBackends: [],
    dynamicSecurity: null,
    places: {},
  };
}

export function newLogSettings(): LogSettings {
  return {
    destinations: [{ kind: 'stderr' }],
    classes: ['error', 'warning', 'notice', 'information'],
    facility: null,
    timestamp: true,
    timestampFormat: null,
    format: 'text',
    foldAfter: 10,
    connectionMessages: true,
  };
}

export function newListener(port: number, security: SecurityScope): ListenerSettings {
  return {
    port,
    host: null,
    unixPath: null,
    isDefault: false,
    bindInterface: null,
    socketDomain: null,
    protocol: 'mqtt',
    acceptProtocolVersions: [3, 4, 5],
    allowAnonymous: false,
    allowZeroLengthClientId: true,
    autoIdPrefix: 'auto-',
    maxConnections: -1,
    maxQos: 2,
    persistence: true,
    maxTopicAlias: 10,
    maxTopicAliasBroker: 10,
    mountPoint: '',
    requireCertificate: false,
    requestCertificate: false,
    useIdentityAsUsername: false,
    useSubjectAsUsername: false,
    useUsernameAsClientId: false,
    disableClientCertDateChecks: false,
    cafile: null,
    capath: null,
    certfile: null,
    keyfile: null,
    certfileRsa: null,
    keyfileRsa: null,
    crlfile: null,
    ciphers: null,
    ciphersTls13: null,
    tlsGroups: null,
    tlsVersion: 'TLSv1.2',
    tlsVersionText: null,
    pskHint: null,
    enableProxyProtocol: 0,
    proxyProtocolV2RequireTls: false,
    websocketsOrigins: [],
    httpDir: null,
    enrolment: null,
    listenerAllowAnonymous: null,
    listenerAutoIdPrefix: null,
    sparkplugAware: false,
    scripts: [],
    pluginsUsed: [],
    security,
    place: null,
    places: {},
  };
}

export function newSettings(path: string | null): Settings {
  return {
    path,
    localOnly: true,
    perListenerSettings: false,
    log: newLogSettings(),
    security: newSecurityScope(),
    listeners: [],
    bridges: [],
    plugins: [],
    dynamicSecurity: null,
    user: 'mosquitto',
    pidFile: null,
    adminSocket: null,
    globalMaxConnections: -1,
    globalMaxClients: -1,
    maxPendingConnections: 10_000,
    connectTimeoutSeconds: 30,
    tlsHandshakeTimeoutSeconds: 10,
    maxLinkBufferBytes: 8_388_608,
    napMicroseconds: 100,
    banAfter: 10,
    banMaxSeconds: 3600,
    banExempt: ['private'],
    maxConnectionRate: 100,
    maxPublishRate: 0,
    maxPublishByteRate: 0,
    publishRateExceeded: 'slow',
    publishRateBy: 'client',
    takeoverRounds: 5,
    takeoverNewcomer: 'admit',
    maxKeepaliveSeconds: 0,
    setTcpNodelay: true,
    packetBufferSizeBytes: 4096,
    clientIdPrefix: null,
    maxPacketSizeBytes: 2_000_000,
    messageSizeLimitBytes: 0,
    maxInflightMessages: 20,
    maxInflightBytes: 0,
    maxQueuedMessages: 1000,
    maxQueuedBytes: 0,
    maxTotalQueuedBytes: 0,
    queuePolicy: 'drop_newest',
    queueMemoryBytes: 67_108_864,
    maxRetainedMessages: 0,
    maxRetainedBytes: 0,
    queueQos0Messages: false,
    upgradeOutgoingQos: false,
    allowDuplicateMessages: true,
    retainAvailable: true,
    checkRetainSource: false,
    retainExpiryIntervalSeconds: 0,
    persistentClientExpirationSeconds: null,
    flightRecorder: true,
    flightRecorderLocation: null,
    flightRecorderMegabytes: 64,
    persistence: false,
    persistenceLocation: '',
    persistenceFile: 'mosquitto.db',
    storeFile: null,
    storePageSize: null,
    durability: 'commit',
    durabilityIntervalSeconds: 1,
    autosaveInterval: 1800,
    autosaveOnChanges: false,
    caHome: null,
    enrolmentGraceDays: 30,
    devicePolicy: 'refuse',
    otelEndpoint: null,
    otelSampleOneIn: 1000,
    otelTracesPerSecond: 100,
    otelServiceName: 'zancudo',
    otelHeadersFile: null,
    otelCafile: null,
    sysIntervalSeconds: 10,
    enableControlApi: false,
    places: {},
  };
}

/** Listeners are the same when port and address, or the path, are written the same. */
export function listenerKey({ port, host, unixPath }: ListenerSettings): string {
  if (unixPath !== null) return unixPath;
  return host === null ? `port ${port}` : `port ${port} on ${host}`;
}
