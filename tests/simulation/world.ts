/**
 * World runs one broker in this process, in simulated time, on simulated links.
 *
 *   client ── sent ──► [bytes on the way] ── arrive(n) ──► Broker
 *   client ◄─ read(n) ─ [bytes on the way] ◄── write() ─── Broker
 *
 * Nothing moves by itself: a test decides how many bytes arrive, when the clock goes on, when the store has settled and
 * where a link breaks; what was on the way then is lost, as on a real network.
 */
import { Broker, defaultBrokerSettings } from '../../src/broker/mod.ts';
import { createMeter } from '../../src/observability/mod.ts';
import { MemoryStore } from '../../src/storage/mod.ts';
import type { BrokerPorts, BrokerSettings, RestoreHelp } from '../../src/broker/mod.ts';
import type {
  AccessControl,
  Clock,
  Link,
  LinkEnd,
  LinkHandler,
  ListenerRules,
  Log,
  Peer,
  Store,
  StoredState,
} from '../../src/broker/ports.ts';

export const openRules: ListenerRules = {
  name: 'simulated',
  port: 1883,
  host: null,
  unixPath: null,
  protocol: 'mqtt',
  acceptProtocolVersions: [3, 4, 5],
  allowAnonymous: true,
  allowZeroLengthClientId: true,
  autoIdPrefix: 'auto-',
  maxConnections: -1,
  maxQos: 2,
  maxTopicAlias: 10,
  maxTopicAliasBroker: 10,
  persistence: true,
  mountPoint: '',
  requireCertificate: false,
  requestCertificate: false,
  useIdentityAsUsername: false,
  useSubjectAsUsername: false,
  useUsernameAsClientId: false,
};

/** Everything is allowed, and nobody speaks enhanced authentication. */
export const openAccess: AccessControl = {
  generation: 1,
  readsUnrestricted: true,
  authenticate: () => ({ allowed: true }),
  enhanced: () => null,
  mayWrite: () => true,
  mayRead: () => true,
  maySubscribe: () => true,
  mayUnsubscribe: () => true,
  explain: () => ({ allowed: true, because: 'everybody may', tried: [] }),
};

/** Keeps what the broker says at warning level and above; anything there is for the test to judge. */
class CollectingLog implements Log {
  readonly debug = false;
  readonly subscribe = false;
  readonly unsubscribe = false;
  readonly connections = false;
  readonly errors: string[] = [];

  write(as: string, text: string): void {
    if (as === 'error') this.errors.push(text);
  }
}

/** A store that settles when the test says so. */
class LateStore extends MemoryStore {
  #changes = 0;
  #waiting: (() => void)[] = [];
  late = false;

  override get settled(): boolean {
    return this.#waiting.length === 0 && !this.late;
  }

  /** As if whatever is asked about had changed something. */
  override get changes(): number {
    return this.late ? ++this.#changes : this.#changes;
  }

  override onSettled(then: () => void): void {
    if (this.settled) then();
    else this.#waiting.push(then);
  }

  settle(): void {
    const due = this.#waiting;
    this.#waiting = [];
    for (const then of due) then();
  }
}

/** Both ends of one simulated link: the broker holds it as a Link, the test moves its bytes. */
export class SimulatedLink implements Link {
  handler!: LinkHandler;
  paused = false;
  /** The broker has said its last word, or the link is broken. */
  ended = false;
  /** The broker has been told of the end. */
  closed = false;
  pendingBytes = 0;
  pendingWrites = 0;
  blocked = false;
  readonly #blocksAt: number;
  #fromBroker: Buffer[] = [];
  #toBroker: Buffer = Buffer.alloc(0);

  constructor(blocksAt: number) {
    this.#blocksAt = blocksAt;
  }

  write(bytes: Buffer, start: number, end: number): void {
    if (this.ended) return;
    // Not copied before it is read: whoever changes a range that was written is found out.
    this.#fromBroker.push(bytes.subarray(start, end));
    this.pendingBytes += end - start;
    this.pendingWrites += 1;
    if (this.pendingBytes > this.#blocksAt) this.blocked = true;
  }

  flush(): void {}

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  end(): void {
    this.ended = true;
  }

  destroy(): void {
    this.ended = true;
    this.#fromBroker = [];
  }

  /** The client sends; nothing arrives yet. */
  send(bytes: Buffer): void {
    if (!this.closed) this.#toBroker = Buffer.concat([this.#toBroker, bytes]);
  }

  get sentBytes(): number {
    return this.#toBroker.length;
  }

  /** Up to so many bytes of what was sent reach the broker; they are returned. */
  arrive(count: number): Buffer {
    if (this.ended || this.closed || this.paused) return Buffer.alloc(0);
    const chunk = Buffer.from(this.#toBroker.subarray(0, count));
    this.#toBroker = this.#toBroker.subarray(count);
    if (chunk.length === 0) return chunk;
    const lent = Buffer.from(chunk);
    this.handler.onBytes(lent);
    lent.fill(0xa5);
    return chunk;
  }

  /** The client reads up to so many bytes of what the broker wrote. */
  read(count: number): Buffer {
    const all = Buffer.concat(this.#fromBroker);
    const chunk = Buffer.from(all.subarray(0, count));
    this.#fromBroker = all.length > count ? [all.subarray(count)] : [];
    this.pendingBytes = all.length - chunk.length;
    if (this.blocked && this.pendingBytes === 0) this.drained();
    return chunk;
  }

  private drained(): void {
    this.blocked = false;
    this.pendingWrites = 0;
    if (!this.closed) this.handler.onDrain();
  }

  /** The other side is no more: nobody is told of the end, and nothing that was on the way arrives. */
  vanish(): void {
    this.handler = { onBytes() {}, onDrain() {}, onClose() {} };
    this.ended = true;
    this.#fromBroker = [];
    this.close();
  }

  /** The connection is gone: what was on the way is lost. */
  close(end: LinkEnd = { by: 'peer' }): void {
    if (this.closed) return;
    this.closed = true;
    this.#toBroker = Buffer.alloc(0);
    this.handler.onClose(this.ended ? { by: 'us' } : end);
    this.ended = true;
  }
}

export interface WorldOptions {
  settings?: Partial<BrokerSettings>;
  access?: AccessControl;
  rules?: Partial<ListenerRules>;
  /** Instead of the late store. */
  store?: Store;
}

export class World {
  /** Milliseconds since the world began. */
  time = 0;
  readonly log = new CollectingLog();
  readonly meter = createMeter();
  readonly store = new LateStore();
  broker: Broker;
  readonly #ports: BrokerPorts;
  readonly #settings: BrokerSettings;
  readonly #links = new Set<SimulatedLink>();
  readonly #rules: ListenerRules;
  #ids = 0;
  #port = 10_000;

  constructor(options: WorldOptions = {}) {
    const clock: Clock = { now: () => this.time, wall: () => 1_700_000_000_000 + this.time };
    const ports: BrokerPorts = {
      clock,
      log: this.log,
      meter: this.meter,
      store: options.store ?? this.store,
      access: options.access ?? openAccess,
      uuid: () => `simulated-${(this.#ids += 1)}`,
    };
    this.#rules = { ...openRules, ...options.rules };
    this.#ports = ports;
    this.#settings = { ...defaultBrokerSettings, ...options.settings };
    this.broker = forgetful(new Broker(this.#settings, ports));
  }

  /** A new link to the broker; it counts as blocked when more than so many bytes are unread. */
  dial(blocksAt = Infinity, special: { peer?: Partial<Peer>; rules?: Partial<ListenerRules> } = {}): SimulatedLink {
    const link = new SimulatedLink(blocksAt);
    this.#port += 1;
    const peer: Peer = {
      address: '192.0.2.1',
      port: this.#port,
      listener: special.rules === undefined ? this.#rules : { ...this.#rules, ...special.rules },
      tls: null,
      certificate: null,
      pskIdentity: null,
      proxiedCommonName: null,
      refusal: null,
      ...special.peer,
    };
    this.#links.add(link);
    this.broker.accept(link, peer);
    return link;
  }

  /** The broker falls without a word, and another one takes its place with what the store, or the next one, has kept. */
  fall(state: StoredState, adopt: RestoreHelp['adopt'], store = this.#ports.store): void {
    for (const link of this.#links) link.vanish();
    this.#links.clear();
    this.broker = forgetful(new Broker(this.#settings, { ...this.#ports, store }));
    this.broker.restore(state, { listenerOf: () => this.#rules, adopt });
  }

  /** Time goes on, tick by tick as in a real process. */
  advance(milliseconds: number): void {
    const end = this.time + milliseconds;
    while (this.time < end) {
      this.time = Math.min(end, this.time + 250);
      this.broker.tick();
    }
  }
}

/** What was put together of several chunks is written over as soon as it has been read: nobody may hold it. */
function forgetful(broker: Broker): Broker {
  const { partials } = broker;
  const giveBack = partials.giveBack.bind(partials);
  partials.giveBack = memory => giveBack(memory.fill(0xa5));
  return broker;
}
