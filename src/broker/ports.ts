/**
 * What the heart asks of the edges. Types only: nothing here runs, so any edge may import it.
 *
 *   Link           bytes to and from one peer          transport/
 *   Peer           what the listener knows of the peer  listeners/
 *   ListenerRules  what this listener allows            conf/ by way of server/
 *   AccessControl  who are you, and may you             security/
 *   Store          the word that something is safe      storage/
 *   Log, Meter     what to tell the operator            observability/
 *   Clock          what time it is                      base/
 *   Doorkeeper     who fails too often                  listeners/
 *   TopicService   answers to requests by PUBLISH       security/, admin/ by way of server/
 *
 * And what the edges may ask of the heart: BrokerControl.
 */

export interface Clock {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Unix time in milliseconds; may jump when somebody sets the clock. */
  wall(): number;
}

/** Why a link closed. `error` carries the system's or OpenSSL's own words. */
export interface LinkEnd {
  by: 'peer' | 'us' | 'error';
  /** strerror-like text such as `Connection reset by peer`, for `error` only. */
  text?: string;
}

/** What a link tells its owner. One handler per link, set by whoever owns the conversation. */
export interface LinkHandler {
  /** The chunk is the handler's to keep: the link never writes into it again. */
  onBytes(chunk: Buffer): void;
  /** The kernel has taken everything that was waiting. */
  onDrain(): void;
  /** Called exactly once, and nothing after it. */
  onClose(end: LinkEnd): void;
}

/**
 * Bytes to one peer. What is written within one turn of the event loop leaves in one system call.
 * A range given to write() must not change afterwards: it is not copied, and consecutive ranges of one buffer merge.
 */
export interface Link {
  handler: LinkHandler;
  write(bytes: Buffer, start: number, end: number): void;
  /** Bytes accepted by write() that the kernel has not taken yet. */
  readonly pendingBytes: number;
  /** Packets accepted by write() since the kernel last refused to take everything; 0 when it keeps up. */
  readonly pendingWrites: number;
  /** True from the moment the kernel took less than it was given until onDrain. */
  readonly blocked: boolean;
  /** Stops and continues reading from the peer. */
  pause(): void;
  resume(): void;
  /** Hands what was written in this turn to the kernel now instead of at the end of the turn. */
  flush(): void;
  /** Sends what is waiting, then closes. `closeCode` is used by WebSocket (1000 unless given). */
  end(closeCode?: number): void;
  /** Closes at once; what is waiting is lost. */
  destroy(): void;
}

/** What a certificate, PSK or PROXY header proved about the peer, and the verdict on it. */
export interface Peer {
  /** IP address without brackets, or the path of the Unix socket. */
  address: string;
  /** 0 for a Unix socket. */
  port: number;
  listener: ListenerRules;
  tls: { version: string; cipher: string } | null;
  certificate: PeerCertificate | null;
  pskIdentity: string | null;
  /** Common name that a PROXY v2 header vouched for (only with require_certificate). */
  proxiedCommonName: string | null;
  /** True when the address and what was proved come from a PROXY header. */
  proxied?: boolean;
  /** Set when this peer must not pass: CONNECT is answered with a refusal and nothing else is done. */
  refusal: PeerRefusal | null;
  /** Asked again after a reload: does the certificate still hold under the present CA, CRL and date? null = yes. */
  recheck?: () => PeerRefusal | null;
  /** Beside a refusal: what this peer may do all the same. Whoever does not know of passes refuses. */
  pass?: ServicePass;
  /** What is known of this TLS 1.3 connection at its two ends alone (RFC 9266); null when the link is gone. */
  channelBinding?: () => Buffer | null;
  /** The certificate itself, DER; null when it is no longer to be had because the link is gone. */
  certificateDer?: () => Buffer | null;
}

export interface PeerCertificate {
  /** First CN of the subject, null when there is none or it is not valid MQTT UTF-8. */
  commonName: string | null;
  /** Whole subject as RFC 2253 text, most specific part first: `CN=alice,O=Org`. */
  subject: string;
  /** Hexadecimal, upper case. */
  serialNumber: string;
  /** SHA-256, upper-case hexadecimal with colons. */
  fingerprint256: string;
}

export interface PeerRefusal {
  /** Stable code, for example `tls.client-certificate-expired`. */
  code: string;
  /** For the peer: goes into the reason string of an MQTT 5 CONNACK. */
  reason: string;
}

/** Every rule of one listener that the heart needs. The object is replaced in place on reload: never copy a field. */
export interface ListenerRules {
  /** How the listener is named in log lines: `port 8883`. */
  name: string;
  /** 0 for a Unix socket. */
  port: number;
  /** Null for every address. */
  host: string | null;
  unixPath: string | null;
  protocol: 'mqtt' | 'websockets' | 'http_api';
  acceptProtocolVersions: readonly (3 | 4 | 5)[];
  allowAnonymous: boolean;
  allowZeroLengthClientId: boolean;
  autoIdPrefix: string;
  /** Open sockets; -1 for no limit. */
  maxConnections: number;
  maxQos: 0 | 1 | 2;
  /** Aliases a client may use towards us; 0 to 65535. */
  maxTopicAlias: number;
  /** Aliases we may use towards a client; 0 to 65535. */
  maxTopicAliasBroker: number;
  /** False: sessions of clients that come in here are kept in memory alone, whatever there is for a store. */
  persistence: boolean;
  /** Empty for none. */
  mountPoint: string;
  requireCertificate: boolean;
  /** Asks for a certificate, and lets those who have none log in otherwise. */
  requestCertificate: boolean;
  useIdentityAsUsername: boolean;
  useSubjectAsUsername: boolean;
  useUsernameAsClientId: boolean;
  /** Set where no listener is: the end of a bridge that is in this process. */
  bridge?: LocalBridge;
}

/**
 * A bridge of this broker is its operator's own: nobody asks for its password, no access rule and no limit for clients
 * holds it (docs/compat/password-acl.md, 1), and what is under way is bounded by the window of the other broker.
 */
export interface LocalBridge {
  /** QoS 0 messages wait, too, while the bridge is away. */
  keepsQos0: boolean;
  /** The other broker has forgotten what was under way: both directions begin anew what they had not finished. */
  startsOver: boolean;
}

/** Who the access rules are asked about. */
export interface Identity {
  clientId: string;
  /** Null for an anonymous client. */
  username: string | null;
  listener: ListenerRules;
  /** Address of the peer, for rules and log lines. */
  address: string;
  /** Fingerprint of the certificate that it has shown and that held, as in PeerCertificate. */
  certificate?: string;
  /**
   * Its name where another one has seen the proof: a PROXY header, or this broker before it was started again. Absent
   * when the client only claims its name, and beside a certificate.
   */
  vouchedName?: string;
}

export interface AuthenticationRequest extends Identity {
  password: Buffer | null;
  peer: Peer;
}

export type Verdict =
  /** With a pass the client may talk to services and do nothing else. */
  | { allowed: true; pass?: ServicePass }
  /**
   * `because` is for the operator's log, never for the peer: "no such user", "wrong password". `undecided`: nobody had
   * time to look, so that whoever is in already is not put out for it.
   */
  | { allowed: false; because: string; undecided?: true };

/** One conversation of MQTT 5 enhanced authentication (MQTT 5, 4.12). */
export interface EnhancedAuthentication {
  /** Called with the data of CONNECT and of every AUTH that follows. */
  step(data: Buffer | null): EnhancedStep | Promise<EnhancedStep>;
  /** Asked after a reload: would what was proved still let it in? Absent where that cannot be said. */
  holds?(): boolean;
}
export type EnhancedStep =
  | { kind: 'continue'; data: Buffer | null }
  | { kind: 'success'; data: Buffer | null; username?: string }
  | { kind: 'failure'; because: string };

export interface AccessControl {
  /** Grows whenever an answer of the questions below may have changed; cached answers die with it. */
  readonly generation: number;
  /** True when mayRead says yes to everybody and everything, so that no delivery needs to ask. */
  readonly readsUnrestricted: boolean;
  /** Slow hashes and databases answer later; whatever can be answered at once is. Never rejects. */
  authenticate(request: AuthenticationRequest): Verdict | Promise<Verdict>;
  /**
   * Fetches what the questions below need to know of this identity, before the first is asked. Null when there is nothing
   * to wait for; resolves to why it cannot be had, null when it can. Never rejects.
   */
  prepare?(who: Identity): Promise<string | null> | null;
  /** Null when the method is not served (MQTT 5: reason code 0x8C). */
  enhanced(method: string, request: AuthenticationRequest): EnhancedAuthentication | null;
  /** Topic names are as the rules see them: with the mount point in front. */
  mayWrite(who: Identity, topicName: string): boolean;
  mayRead(who: Identity, topicName: string): boolean;
  maySubscribe(who: Identity, topicFilter: string): boolean;
  mayUnsubscribe(who: Identity, topicFilter: string): boolean;
  /** The same decision with the rules behind it; for refusals and for people, never in a message's way. */
  explain(access: AccessQuestion, who: Identity, topic: string): Explanation;
  /** Told of each attempt of a client that was refused; deliveries that it does not get are none. */
  refused?(access: AccessQuestion, who: Identity, topic: string): void;
}

/** Who stands at the door: told who logs in and who fails, by the address. */
export interface Doorkeeper {
  /** Past the CONNACK. */
  entered(peer: Peer): void;
  /** Each that has entered, once. */
  left(peer: Peer): void;
  /** A login was refused for what it showed. Milliseconds for which the answer had better wait. */
  refused(peer: Peer, username: string | null): number;
}

export type AccessQuestion = 'read' | 'write' | 'subscribe' | 'unsubscribe';

/** A rule that was looked at for one question. */
export interface RuleTried {
  /** Where it stands: `line 12 of /etc/mosquitto/acl`, `role devices`. */
  where: string;
  /** As it is written there: `topic read house/#`. */
  text: string;
  says: 'allow' | 'deny' | 'nothing';
  /** At most one of a decision. */
  decides: boolean;
}

export interface Explanation {
  allowed: boolean;
  /** One sentence without its full stop: which rule decided, or that none did. */
  because: string;
  /** In the order in which they were tried. */
  tried: readonly RuleTried[];
}

/**
 * Lets a client ask services and do nothing else: no session of its client identifier is touched or kept, no will, no
 * subscription, every other packet ends the connection, and time is short (broker/confined.ts).
 */
export interface ServicePass {
  /** Request topics it may publish to. */
  readonly topics: readonly string[];
  /** Goes on after "this connection "; for the log and for the peer: `may only renew its certificate`. */
  readonly limit: string;
  /** What the client has shown for it, such as a token; handed to the service with every request, never logged. */
  readonly shown: unknown;
}

/**
 * Answers requests that clients make by PUBLISH to a topic of the broker's own. They reach no subscriber, are never
 * retained and never stored.
 *
 *   `$CONTROL/<name>/v1`  the sender needs write access by the access rules; the answer goes to every subscriber of
 *                         `<topic>/response` who may read it (docs/compat/dynsec.md, 2)
 *   `$CA/...`             the service itself decides about the sender, who alone gets the answer, subscribed or not
 *
 * A sender of version 5 that named a response topic of its own gets the answer there, with its correlation data.
 */
export interface TopicService {
  /** Exact request topics. */
  readonly topics: readonly string[];
  /** A longer payload is answered with an error by the broker itself. */
  readonly payloadBytesMax: number;
  /** A throw costs the sender its connection and is logged as our fault. */
  handle(request: ServiceRequest): void;
}

export interface ServiceRequest {
  readonly topic: string;
  /** The handler's to keep. */
  readonly payload: Buffer;
  readonly who: Identity;
  readonly peer: Peer;
  /** `shown` of the sender's pass; undefined for an ordinary connection. */
  readonly shown: unknown;
  /** Now or later, once or never; for a sender who is gone by then it does nothing, other subscribers still get it. */
  reply(payload: Buffer): void;
}

/** What services and the operator's tools may do to connections. */
export interface BrokerControl {
  /** Everyone who is past the CONNACK and holds a session. */
  clients(): Iterable<Identity & { readonly port: number }>;
  /**
   * Administrative action: version 5 is told 0x98, no will is sent, the session stays. A reply that was given before
   * still goes out first. Returns how many.
   */
  disconnect(which: (who: Identity) => boolean, because: string): number;
  /** Takes from sessions, present or absent, the subscriptions that the access rules no longer allow. Returns how many. */
  dropForbiddenSubscriptions(whose: (who: Identity) => boolean): number;
  /** Asks of everyone whether they may still be here, as after SIGHUP. */
  recheck(): Promise<void>;
}

/**
 * What is to survive the process, told change by change, and the store's word that it does.
 *
 *   change ─┐
 *   change ─┼─ one batch ── committed ──> onSettled callbacks, in order
 *   change ─┘
 *
 * Every call returns at once. A change that another one undoes before its batch is handed to the disk need not reach
 * it. `settled` answers for everything that was told so far; the memory store is always settled and keeps nothing.
 * PUBACK, PUBREC and PUBCOMP are sent by broker/acknowledge.ts alone, and only with the store's word.
 */
export interface Store {
  /** False: nothing told here survives, so that nobody needs to tell. */
  readonly keeps: boolean;
  readonly settled: boolean;
  /** Grows with every change that was told; whoever caused none need not wait for the others. */
  readonly changes: number;
  /** More waits for the disk than memory should hold: whoever can make others wait had better do so. */
  readonly overloaded: boolean;
  /** Calls back, in the order of the calls, once everything told before is safe. Never synchronously when it has to wait. */
  onSettled(then: () => void): void;

  /** Inserts or replaces the session itself, its will included, but not what belongs to it. */
  putSession(session: StoredSession): void;
  /** Removes a session with its will, subscriptions, deliveries and exchanges. Unknown ones are no error, here and below. */
  removeSession(clientId: string): void;
  putSubscription(clientId: string, subscription: StoredSubscription): void;
  removeSubscription(clientId: string, filter: string): void;
  /** Inserts a delivery, or updates its state and packet identifier; the object is its identity. */
  putDelivery(clientId: string, delivery: StoredDelivery): void;
  removeDelivery(clientId: string, delivery: StoredDelivery): void;

  /**
   * The tail of a session's queue is in the store alone: appended behind everything that waits, and taken back from its
   * head. Only a store that keeps is asked for it.
   */
  appendDelivery(clientId: string, delivery: StoredDelivery): void;
  /** Puts deliveries that wait unsent, in their order, back in front of the tail; what was being fetched stays there. */
  stow(clientId: string, deliveries: readonly StoredDelivery[]): void;
  /** Fetches the head of the tail. One page at a time for each client; a page of a session that ends never comes. */
  fetchPage(clientId: string, page: Page): void;
  /** Removes from every tail what expired before this Unix second, when there is time, and says whose and how much. */
  removeExpired(unixSecond: number, removed: (clientId: string, messages: number, bytes: number) => void): void;

  /** A QoS 2 message that came in and waits for PUBREL. */
  putExchange(clientId: string, packetId: number, message: StoredMessage, deliver: boolean): void;
  removeExchange(clientId: string, packetId: number): void;
  /** Replaces the retained message of its topic. */
  putRetained(message: StoredMessage): void;
  removeRetained(topicName: string): void;
}

/** A message as the store sees it; one object is one message, however many wait for it. */
export interface StoredMessage {
  readonly topicName: string;
  readonly payload: Buffer;
  /** Forwardable MQTT 5 properties as raw bytes. */
  readonly properties: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** Unix second; 0 for never. */
  readonly expiresAt: number;
  readonly publisher: StoredPublisher | null;
}

export interface StoredPublisher {
  readonly clientId: string;
  readonly username: string | null;
  readonly listener: { readonly port: number };
}

export interface StoredSession {
  clientId: string;
  username: string | null;
  /** Of the listener it came in by; 0 for a Unix socket. */
  listenerPort: number;
  version: 3 | 4 | 5;
  /** Seconds; 0xFFFFFFFF for never, 0 when only the will is to be kept. */
  expiryInterval: number;
  /** Unix second at which the session ends; 0 while connected, and for never. */
  endsAt: number;
  will: StoredWill | null;
}

export interface StoredWill {
  topicName: string;
  payload: Buffer;
  properties: Buffer;
  qos: 0 | 1 | 2;
  retain: boolean;
  /** Seconds. */
  delayInterval: number;
  /** Seconds; -1 when absent. */
  messageExpiryInterval: number;
  /** Unix second at which the will is due; 0 while the client is connected. */
  dueAt: number;
}

export interface StoredSubscription {
  /** As the client wrote it, `$share/...` included and without the mount point. */
  readonly filter: string;
  /** In front of the filter's topic part; empty for none. */
  readonly mountPoint: string;
  readonly qos: 0 | 1 | 2;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** 0 for none. */
  readonly identifier: number;
}

export interface StoredDelivery {
  readonly message: StoredMessage;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly subscriptionIdentifier: number;
  /** 0 until it is in flight. */
  readonly packetId: number;
  /** 0 unsent, 1 PUBLISH sent, 2 PUBREL sent, 3 PUBREL to be sent. */
  readonly state: 0 | 1 | 2 | 3;
  /** Sent at least once. */
  readonly dup: boolean;
}

/** What is wanted of a tail, and what becomes of it. Never called before fetchPage has returned. */
export interface Page {
  /** Not more than so many, and not more once so many payload bytes are reached. */
  readonly messages: number;
  readonly bytes: number;
  /** In their order. Returns the object that stands for it from now on; null when it is not wanted, and so removed. */
  take(given: StoredDelivery): StoredDelivery | null;
  /** After the last; `end` when nothing is left behind it. */
  done(end: boolean): void;
}

/** What waits in a tail. */
export interface Waiting {
  messages: number;
  payloadBytes: number;
}

/** What a store gives back at the start, before any listener is open. */
export interface StoredState {
  sessions: (StoredSession & {
    subscriptions: StoredSubscription[];
    /** What was in flight, in the order in which it was sent. */
    deliveries: StoredDelivery[];
    /** Everything else is in the tail, to be fetched. */
    waiting: Waiting;
    exchanges: { packetId: number; message: StoredMessage; deliver: boolean }[];
  })[];
  retained: StoredMessage[];
}

export type LogClass =
  'error' | 'warning' | 'notice' | 'information' | 'debug' | 'subscribe' | 'unsubscribe' | 'internal' | 'websockets';

export interface Log {
  /** False spares the caller the making of the text. */
  readonly debug: boolean;
  readonly subscribe: boolean;
  readonly unsubscribe: boolean;
  /** Whether connects and disconnects are wanted (`connection_messages`). */
  readonly connections: boolean;
  write(as: LogClass, text: string): void;
}

/** Counters since the start, plain numbers that are only ever added to; gauges are asked of the broker itself. */
export interface Meter {
  /** MQTT packets of every type. */
  packetsReceived: number;
  packetsSent: number;
  bytesReceived: number;
  bytesSent: number;
  publishReceived: number;
  publishSent: number;
  publishBytesReceived: number;
  publishBytesSent: number;
  /** Dropped at a queue or link limit. */
  publishDropped: number;
  /** Publishes and deliveries that the access rules refused. */
  publishDenied: number;
  connectsReceived: number;
  socketsAccepted: number;
  /** Closed by a connection limit before any MQTT. */
  connectionsRefusedByLimit: number;
  /** Closed before any MQTT because their address was banned. */
  connectionsRefusedByBan: number;
  bansImposed: number;
  /** Times that a client was not read because it published faster than it may. */
  publishersSlowed: number;
  /** Two clients that throw each other out under one client identifier. */
  takeoverFights: number;
  /** Newcomers of such a pair that were held off. */
  takeoversHeldOff: number;
  /** CONNECTs refused, for whatever reason. */
  connectsRefused: number;
  /** Peers whose TLS handshake failed or whose certificate did not hold. */
  tlsRefused: number;
  connectTimeouts: number;
  keepAliveTimeouts: number;
  protocolErrors: number;
  oversizePackets: number;
  /** Times that a peer's requests were left unread because it did not read the answers. */
  slowLinksPaused: number;
  sessionsExpired: number;
  messagesExpired: number;
  /** Messages that somebody did not get, by cause. */
  drops: Record<DropCause, number>;
  /** CONNECTs, handshakes and certificates refused, by cause: fixed texts of ours, a few dozen, never a peer's own. */
  readonly refusals: Map<string, number>;
}

/** The counters that are plain numbers. */
export type CounterName = { [K in keyof Meter]: Meter[K] extends number ? K : never }[keyof Meter];

/**
 * What an operator may see of the heart, and do to it. Lists are iterators over the living state: whoever walks a long
 * one stops now and then so that messages go on, and what comes or goes meanwhile may or may not be in the list.
 */
export interface BrokerView {
  clients(): Iterable<ClientFacts>;
  /** Of connected clients too. */
  sessions(): Iterable<SessionFacts>;
  filters(): Iterable<FilterFacts>;
  retained(): Iterable<StoredMessage>;
  /** Null when there is none, here and below. */
  client(clientId: string): ClientFacts | null;
  session(clientId: string): SessionDetail | null;
  retainedOn(topicName: string): StoredMessage | null;
  /** What was refused to this client of late, the last one first; a login that was refused, too. */
  refusals(clientId: string): RefusalFacts[];
  /** Who it is by the access rules, connected or away; null when it has no session. */
  identity(clientId: string): Identity | null;
  /** Who has published, wanted or tried what, of late: bounded, and never all of it. */
  seen(): Iterable<SeenUse>;
  /** Whose subscriptions a message on this topic would meet. Access rules are not asked. */
  receivers(topicName: string): ReceiverFacts[];

  /** Ends the connection, MQTT 5 clients are told 0x98; the will is not said. False when it is not connected. */
  disconnect(clientId: string): boolean;
  /** Ends the connection and forgets the session with all that waits in it. False when there is none. */
  forget(clientId: string): boolean;
  /** Quietly: whoever is subscribed hears nothing. False when there is none. */
  removeRetained(topicName: string): boolean;
  /** Puts one back that was removed, unless there is a newer one or the topic name is no valid one. */
  restoreRetained(message: Omit<StoredMessage, 'publisher' | 'retain'>): boolean;
}

export type RefusedAction = 'connect' | 'publish' | 'receive' | 'subscribe' | 'unsubscribe';

/** The same thing refused to the same client, once or often. */
export interface RefusalFacts {
  action: RefusedAction;
  /** With the mount point in front; empty for `connect`. */
  topic: string;
  /** Which rule decided, the first time; null when too much was refused in that second to look it up. */
  because: string | null;
  count: number;
  /** Unix seconds. */
  firstAt: number;
  lastAt: number;
}

export interface SeenUse {
  who: Identity;
  access: 'read' | 'write';
  topicName: string;
}

export interface ClientFacts {
  clientId: string;
  username: string | null;
  address: string;
  port: number;
  /** As log lines name it: `port 8883`. */
  listener: string;
  /** MQTT level: 3, 4 or 5. */
  version: number;
  /** Null without TLS. */
  tls: string | null;
  /** Common name of its certificate. */
  certificate: string | null;
  /** Unix second. */
  connectedAt: number;
  subscriptions: number;
  inflight: number;
  queued: number;
  /** Bytes that wait for its socket. */
  waitingBytes: number;
}

export interface SessionFacts {
  clientId: string;
  username: string | null;
  connected: boolean;
  subscriptions: number;
  inflight: number;
  queued: number;
  queuedBytes: number;
  will: boolean;
  /** Seconds that it outlives its connection; null for ever. */
  expirySeconds: number | null;
  /** Unix second at which it ends; 0 while connected, and for never. */
  endsAt: number;
}

export interface SessionDetail extends SessionFacts {
  filters: { filter: string; qos: number; noLocal: boolean; retainAsPublished: boolean; identifier: number }[];
  willTopic: string | null;
}

export interface FilterFacts {
  /** With the mount point in front, without `$share/group/`. */
  filter: string;
  subscribers: number;
  /** Shared subscriptions on this filter. */
  groups: { name: string; members: number }[];
}

export interface ReceiverFacts {
  clientId: string;
  /** As the client wrote it. */
  filter: string;
  qos: number;
  /** One member of the group gets each message. */
  group: string | null;
  connected: boolean;
}

/** Why a client did not get a message, or nobody got one of its own. */
export type DropCause =
  /** max_queued_messages, max_queued_bytes, and what all queues together may hold. */
  | 'queue-messages'
  | 'queue-bytes'
  | 'total-bytes'
  /** QoS 0 for a client that does not read fast enough. */
  | 'slow-link'
  /** For the client's maximum packet size, or for message_size_limit. */
  | 'too-large'
  /** Published faster than max_publish_rate or max_publish_byte_rate, where such are refused. */
  | 'over-rate'
  /** The access rules said no, to its publish or to a delivery. */
  | 'denied'
  | 'expired'
  /** Still waiting when the session expired. */
  | 'session-expired'
  /** Delivered, but not retained: max_retained_messages or max_retained_bytes. */
  | 'not-retained';

/** One line of the account of what was dropped. */
export interface DropFacts {
  /** Empty for all those whose names were forgotten. */
  clientId: string;
  cause: DropCause;
  count: number;
  /** Of payload. */
  bytes: number;
  /** Unix second. */
  lastAt: number;
}
