/** What an operator may see of the heart, and do to it. The heart's own answer, by view.ts. */
import type { Identity } from './access.ts';
import type { StoredMessage } from './store.ts';
import type { DropCause } from './telling.ts';

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

  /**
   * Tells of every packet of this client, connected now or later, until the returned function is called. Null when too
   * many follow it already.
   */
  follow(clientId: string, hear: TraceHearer): (() => void) | null;
  /** Ends the connection, MQTT 5 clients are told 0x98; the will is not said. False when it is not connected. */
  disconnect(clientId: string): boolean;
  /** Ends the connection and forgets the session with all that waits in it. False when there is none. */
  forget(clientId: string): boolean;
  /** Quietly: whoever is subscribed hears nothing. False when there is none. */
  removeRetained(topicName: string): boolean;
  /** Puts one back that was removed, unless there is a newer one or the topic name is no valid one. */
  restoreRetained(message: Omit<StoredMessage, 'publisher' | 'retain'>): boolean;
}

export type TraceHearer = (packet: TracedPacket) => void;

export interface TracedPacket {
  /** As the debug log has it. */
  text: string;
  /** Of a PUBLISH; to be copied by whoever keeps it. */
  payload?: Buffer;
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
