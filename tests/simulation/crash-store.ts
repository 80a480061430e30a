/**
 * A store that commits when the test says so, and forgets at a crash what it had not committed. It is what the durable
 * store promises, without a disk: everything told in one turn is committed together or not at all, and what is in a tail
 * comes back in pages, some time after it was asked for.
 */
import type {
  Page,
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
  /** What waits behind them and is in nobody's memory. */
  tail: StoredDelivery[];
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
  readonly #pages = new Map<string, Page>();
  readonly overloaded = false;

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
    this.#servePages();
  }

  /** True when nobody waits for anything that a commit would bring. */
  get idle(): boolean {
    return this.settled && this.#pages.size === 0;
  }

  /** What a new broker finds after the old one fell. */
  crash(): StoredState {
    this.#pending = [];
    this.#waiting = [];
    this.#pages.clear();
    const sessions = [...this.#sessions.values()].map(kept => {
      const { session, subscriptions, deliveries, exchanges } = kept;
      const [unsent, sent] = [new Map<object, StoredDelivery>(), new Map<object, StoredDelivery>()];
      for (const [key, delivery] of deliveries) (delivery.packetId === 0 ? unsent : sent).set(key, delivery);
      kept.deliveries = sent;
      kept.tail = [...unsent.values(), ...kept.tail];
      return {
        ...session,
        subscriptions: [...subscriptions.values()],
        deliveries: [...sent.values()],
        waiting: { messages: kept.tail.length, payloadBytes: bytesOf(kept.tail) },
        exchanges: [...exchanges.values()],
      };
    });
    return { sessions, retained: [...this.#retained.values()] };
  }

  appendDelivery(clientId: string, delivery: StoredDelivery): void {
    const copy = { ...delivery };
    this.#tell(() => void this.#of(clientId).tail.push(copy));
  }

  stow(clientId: string, deliveries: readonly StoredDelivery[]): void {
    this.#pages.delete(clientId);
    this.#pending.push(() => {
      const kept = this.#of(clientId);
      const stowed = deliveries.flatMap(delivery => kept.deliveries.get(delivery) ?? []);
      for (const delivery of deliveries) kept.deliveries.delete(delivery);
      kept.tail.unshift(...stowed);
    });
  }

  fetchPage(clientId: string, page: Page): void {
    this.#pages.set(clientId, page);
  }

  removeExpired(unixSecond: number, removed: (clientId: string, messages: number, bytes: number) => void): void {
    for (const [clientId, kept] of this.#sessions) {
      if (this.#pages.has(clientId)) continue;
      const isOver = ({ message: { expiresAt } }: StoredDelivery): boolean => expiresAt > 0 && expiresAt < unixSecond;
      const over = kept.tail.filter(isOver);
      kept.tail = kept.tail.filter(delivery => !isOver(delivery));
      if (over.length > 0) removed(clientId, over.length, bytesOf(over));
    }
  }

  #servePages(): void {
    const pages = [...this.#pages];
    this.#pages.clear();
    for (const [clientId, page] of pages) {
      const kept = this.#sessions.get(clientId);
      if (kept === undefined) continue;
      for (const given of kept.tail.splice(0, page.messages)) {
        const ours = page.take(given);
        if (ours !== null) kept.deliveries.set(ours, given);
      }
      page.done(kept.tail.length === 0 && this.#pending.length === 0);
    }
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
        const empty = { subscriptions: new Map(), deliveries: new Map(), tail: [], exchanges: new Map() };
        this.#sessions.set(session.clientId, { session: copy, ...empty });
      }
    });
  }

  removeSession(clientId: string): void {
    this.#pages.delete(clientId);
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

function bytesOf(deliveries: readonly StoredDelivery[]): number {
  return deliveries.reduce((sum, { message }) => sum + message.payload.length, 0);
}

function structuredCloneOf(session: StoredSession): StoredSession {
  return { ...session, will: session.will === null ? null : { ...session.will } };
}
