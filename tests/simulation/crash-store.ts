/**
 * A store that commits when the test says so, and forgets at a crash what it had not committed. It is what the durable
 * store promises, without a disk: everything told in one turn is committed together or not at all.
 */
import type {
  Store,
  StoredDelivery,
  StoredMessage,
  StoredSession,
  StoredState,
  StoredSubscription,
} from '../../src/broker/ports.ts';

interface Kept {
  session: StoredSession;
  subscriptions: Map<string, StoredSubscription>;
  /** By the heart's own object, in the order in which they were told. */
  deliveries: Map<object, StoredDelivery>;
  exchanges: Map<number, { packetId: number; message: StoredMessage; deliver: boolean }>;
}

type Change = () => void;

export class CrashStore implements Store {
  readonly keeps = true;
  changes = 0;
  readonly #sessions = new Map<string, Kept>();
  readonly #retained = new Map<string, StoredMessage>();
  #pending: Change[] = [];
  #waiting: (() => void)[] = [];

  get settled(): boolean {
    return this.#pending.length === 0 && this.#waiting.length === 0;
  }

  onSettled(then: () => void): void {
    if (this.settled) then();
    else this.#waiting.push(then);
  }

  /** Everything told so far is safe from now on, and whoever waited for that is called. */
  commit(): void {
    for (const change of this.#pending) change();
    this.#pending = [];
    const due = this.#waiting;
    this.#waiting = [];
    for (const then of due) then();
  }

  /** What a new broker finds after the old one fell. */
  crash(): StoredState {
    this.#pending = [];
    this.#waiting = [];
    const sessions = [...this.#sessions.values()].map(({ session, subscriptions, deliveries, exchanges }) => ({
      ...session,
      subscriptions: [...subscriptions.values()],
      deliveries: [...deliveries.values()],
      exchanges: [...exchanges.values()],
    }));
    return { sessions, retained: [...this.#retained.values()] };
  }

  adopt(given: StoredMessage | StoredDelivery, ours: object): void {
    for (const kept of this.#sessions.values()) {
      const entries = [...kept.deliveries].map(([key, value]): [object, StoredDelivery] => [
        value === given ? ours : key,
        value,
      ]);
      kept.deliveries = new Map(entries);
    }
  }

  putSession(session: StoredSession): void {
    const copy = structuredCloneOf(session);
    this.#tell(() => {
      const kept = this.#sessions.get(session.clientId);
      if (kept !== undefined) kept.session = copy;
      else {
        const empty = { subscriptions: new Map(), deliveries: new Map(), exchanges: new Map() };
        this.#sessions.set(session.clientId, { session: copy, ...empty });
      }
    });
  }

  removeSession(clientId: string): void {
    this.#tell(() => void this.#sessions.delete(clientId));
  }

  putSubscription(clientId: string, subscription: StoredSubscription): void {
    const copy = { ...subscription };
    this.#tell(() => void this.#of(clientId).subscriptions.set(copy.filter, copy));
  }

  removeSubscription(clientId: string, filter: string): void {
    this.#tell(() => void this.#of(clientId).subscriptions.delete(filter));
  }

  putDelivery(clientId: string, delivery: StoredDelivery): void {
    const { message, qos, retain, subscriptionIdentifier, packetId, state, dup } = delivery;
    const copy = { message, qos, retain, subscriptionIdentifier, packetId, state, dup };
    this.#tell(() => void this.#of(clientId).deliveries.set(delivery, copy));
  }

  removeDelivery(clientId: string, delivery: StoredDelivery): void {
    this.#tell(() => void this.#of(clientId).deliveries.delete(delivery));
  }

  putExchange(clientId: string, packetId: number, message: StoredMessage, deliver: boolean): void {
    this.#tell(() => void this.#of(clientId).exchanges.set(packetId, { packetId, message, deliver }));
  }

  removeExchange(clientId: string, packetId: number): void {
    this.#tell(() => void this.#of(clientId).exchanges.delete(packetId));
  }

  putRetained(message: StoredMessage): void {
    this.#tell(() => void this.#retained.set(message.topicName, message));
  }

  removeRetained(topicName: string): void {
    this.#tell(() => void this.#retained.delete(topicName));
  }

  #tell(change: Change): void {
    this.changes += 1;
    this.#pending.push(change);
  }

  /** A change of something the store was never told of is a mistake of the heart's. */
  #of(clientId: string): Kept {
    const kept = this.#sessions.get(clientId);
    if (kept === undefined) throw new Error(`the store was told of something of ${clientId} before its session`);
    return kept;
  }
}

function structuredCloneOf(session: StoredSession): StoredSession {
  return { ...session, will: session.will === null ? null : { ...session.will } };
}
