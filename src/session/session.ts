/**
 * Session is what the broker remembers of one client identifier (MQTT 5, 4.1): subscriptions, what is in flight in both
 * directions, what waits, the will, and how long all of it is kept once the client is gone.
 * `Connection` is the present conversation, null while the client is away; the session never looks inside it.
 */
import type { Timer } from '../base/mod.ts';
import type { ProtocolVersion, Will } from '../codec/mod.ts';
import type { Delivery } from './delivery.ts';
import { deliveryStates } from './delivery.ts';
import type { Held } from './held.ts';
import { IncomingExchanges } from './incoming-exchanges.ts';
import { Inflight } from './inflight.ts';
import { OutgoingQueue, type QueueTotals } from './outgoing-queue.ts';
import { Subscriptions } from './subscriptions.ts';

/** Session expiry interval 0xFFFFFFFF, and MQTT 3.x without clean session: the session does not expire. */
export const NEVER = 0xffff_ffff;

/**
 * What all sessions show that have nothing under way. Most of 10,000 idle clients never have: their own three, which are
 * 280 bytes, are made when the first message is put in. Nobody is given these in a form that takes one.
 */
const NOTHING: Held = { messages: 0, bytes: 0 };
const NOTHING_IN_FLIGHT = new Inflight(NOTHING);
const NOTHING_WAITS = new OutgoingQueue({ messages: 0, payloadBytes: 0, windowBytes: 0 }, NOTHING);
const NOTHING_OPEN = new IncomingExchanges();

/** The will of the present or last connection and who it speaks for. */
export interface SessionWill<P> {
  will: Will;
  publisher: P;
}

export class Session<Connection = unknown, Publisher = unknown> {
  readonly clientId: string;
  connection: Connection | null = null;
  /** Whose session it is: the identity of the present or last connection. Access rules are asked about it. */
  owner: Publisher | null = null;
  /** Protocol version of the present or last connection. */
  version: ProtocolVersion = 4;
  /** Seconds after the connection ends; 0 ends with it, NEVER stays. */
  expiryInterval = 0;
  /** By filter, as the client wrote it. */
  readonly subscriptions: Subscriptions<this> = new Subscriptions();
  /** Deliveries in flight that the present connection has not sent yet (after a reconnect, beyond its quota). */
  unsentInflight = 0;
  will: SessionWill<Publisher> | null = null;
  /** Unix second at which the session ends; 0 while connected, and for never. */
  endsAt = 0;
  /** Unix second at which a delayed will is due; 0 while connected. */
  willDueAt = 0;
  /** Fires when the will's delay is over. */
  willTimer: Timer | null = null;
  /** Fires when the session expires. */
  expiryTimer: Timer | null = null;
  /** Said once per connection, not once per message. */
  dropsReported = false;
  /** True when the store is told what happens to this session. */
  stored = false;
  /** True when the store is never told, however long the session lasts. */
  readonly inMemoryOnly: boolean;
  /** True when the store holds a row of the session itself (for a lasting session, or for the sake of its will). */
  rowKept = false;
  /** True once the session is no longer the one of its client identifier. */
  ended = false;
  private readonly totals: QueueTotals;
  private readonly held: Held;
  private madeInflight: Inflight<Publisher> | null = null;
  private madeQueue: OutgoingQueue<Publisher> | null = null;
  private madeIncoming: IncomingExchanges<Publisher> | null = null;

  constructor(clientId: string, totals: QueueTotals, held: Held, inMemoryOnly = false) {
    this.clientId = clientId;
    this.totals = totals;
    this.held = held;
    this.inMemoryOnly = inMemoryOnly;
  }

  /** What is in flight to the client. To put something in, ask for `ownInflight`. */
  get inflight(): Omit<Inflight<Publisher>, 'add' | 'restore'> {
    return this.madeInflight ?? (NOTHING_IN_FLIGHT as Inflight<Publisher>);
  }

  get ownInflight(): Inflight<Publisher> {
    return (this.madeInflight ??= new Inflight(this.held));
  }

  /** What waits. To put something in, ask for `ownQueue`. */
  get queue(): Omit<OutgoingQueue<Publisher>, 'push' | 'append' | 'arrive' | 'fetching'> & {
    readonly fetching: boolean;
  } {
    return this.madeQueue ?? (NOTHING_WAITS as OutgoingQueue<Publisher>);
  }

  get ownQueue(): OutgoingQueue<Publisher> {
    return (this.madeQueue ??= new OutgoingQueue(this.totals, this.held));
  }

  /** What the client has begun at QoS 2. To put something in, ask for `ownIncoming`. */
  get incoming(): Omit<IncomingExchanges<Publisher>, 'open'> {
    return this.madeIncoming ?? (NOTHING_OPEN as IncomingExchanges<Publisher>);
  }

  get ownIncoming(): IncomingExchanges<Publisher> {
    return (this.madeIncoming ??= new IncomingExchanges());
  }

  get hasExactlyOnceInFlight(): boolean {
    for (const { qos } of this.inflight) if (qos === 2) return true;
    return false;
  }

  /**
   * The client is gone and its session stays: what is half done may be so for weeks, each message of another minute. What
   * waits in the queue came together, and lies well where it does.
   */
  settle(): void {
    for (const message of this.incoming.messages()) message.settle();
    for (const { message } of this.inflight) message.settle();
  }

  /** For good. Routes that are remembered may name the session for a while, but not what was in it. */
  clear(): void {
    this.madeQueue?.clear();
    this.madeInflight?.clear();
    this.madeQueue = null;
    this.madeInflight = null;
    this.madeIncoming = null;
    this.will = null;
  }

  /** The subscriber has answered something that the present connection has not sent again yet: it need not be. */
  noteAnswer(delivery: Delivery<Publisher>): void {
    const { state } = delivery;
    if (state === deliveryStates.unsent || state === deliveryStates.releaseUnsent) this.unsentInflight--;
  }

  /**
   * After a reconnect everything in flight is to be sent again, in its old order. [MQTT-4.4.0-1], [MQTT-4.6.0-1]
   * From the beginning when the receiver is known to have forgotten: a PUBREL would be of a message it does not have.
   */
  rewind(fromTheBeginning = false): void {
    this.unsentInflight = 0;
    for (const delivery of this.inflight) {
      const hadArrived = delivery.state === deliveryStates.released || delivery.state === deliveryStates.releaseUnsent;
      const released = hadArrived && !fromTheBeginning;
      delivery.state = released ? deliveryStates.releaseUnsent : deliveryStates.unsent;
      this.unsentInflight++;
    }
  }
}
