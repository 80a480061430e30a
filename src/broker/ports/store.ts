/** What is to survive the process, and the word that it does. Served by storage/. */

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
