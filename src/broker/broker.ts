/**
 * Broker is the heart: sessions, subscriptions, retained messages, and everyone who is connected.
 *
 *   listener ──accept(link, peer)──> Connection ──> publish / subscribe / connect ──> route ──> deliver ──> link
 *
 * It has no socket, no file, no clock and no log of its own: it is handed all of them (ports.ts), and tick() is called
 * several times a second by whoever owns the time. One process can run many brokers.
 */
import { SpareMemory, Timer, TimerWheel } from '../base/mod.ts';
import { NO_BYTES, type PublishParts, PublishView } from '../codec/mod.ts';
import { type Held, Message, type QueueTotals } from '../session/mod.ts';
import { SubscriptionTree } from '../topics/mod.ts';
import { Arena } from './arena.ts';
import { controlOf } from './administer.ts';
import { Referee } from './connect/referee.ts';
import { Connection } from './connection.ts';
import { recheckConnections } from './recheck.ts';
import { pump } from './deliver.ts';
import { DropLedger } from './drops.ts';
import { RefusalLedger } from './refusals.ts';
import { RefusalLines } from './refused.ts';
import { endConnection } from './endings.ts';
import { noHooks } from './hooks.ts';
import { type BrokerGauges, measure } from './gauges.ts';
import type {
  AccessControl,
  BrokerControl,
  Clock,
  Doorkeeper,
  DropFacts,
  Hooks,
  Identity,
  Link,
  ListenerRules,
  Log,
  MessageTrace,
  Meter,
  Peer,
  Recorder,
  Store,
  StoredState,
  Tracing,
} from './ports.ts';
import { Payloads } from './payloads.ts';
import { emptyParts, Publication } from './publication.ts';
import type { Pace } from './pace.ts';
import { publish } from './publish.ts';
import { nobodyRecords } from './recording.ts';
import { removeExpired } from './queue.ts';
import { Readers } from './readers.ts';
import { restore, type RestoreHelp } from './restore.ts';
import { RetainedMessages } from './retained-messages.ts';
import { sweepRetained } from './retained.ts';
import { Services } from './services.ts';
import { type BrokerSettings, frameLimits } from './settings.ts';
import { TopicCache } from './topic-cache.ts';
import { Traces } from './traces.ts';
import type { BrokerGroup, BrokerMessage, BrokerSession, Target } from './types.ts';
import { publishWill } from './wills.ts';

/** tick() should be called this often; every time-out is exact to this. */
export const TICK_MILLISECONDS = 250;

/** A peer that will be refused anyway has this long to send the CONNECT that we answer; with a tick, one second. */
const REFUSED_CONNECT_MILLISECONDS = 750;

/** How long a message that nobody need get any more may still take room. */
const EXPIRY_SWEEP_MILLISECONDS = 60_000;

const nobodyAtTheDoor: Doorkeeper = { entered: () => {}, left: () => {}, refused: () => 0 };

export interface BrokerPorts {
  clock: Clock;
  log: Log;
  meter: Meter;
  access: AccessControl;
  store: Store;
  /** Absent where nothing need be remembered. */
  recorder?: Recorder;
  /** Absent where nobody watches the door. */
  doorkeeper?: Doorkeeper;
  /** A random UUID, for client identifiers that we assign. */
  uuid: () => string;
}

export class Broker {
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  readonly recorder: Recorder;
  readonly store: Store;
  readonly uuid: () => string;
  /** Tells this process from other brokers on the way of a message through bridges. */
  readonly id: string;
  access: AccessControl;
  settings: BrokerSettings;
  frameLimits: number[];

  readonly sessions = new Map<string, BrokerSession>();
  readonly connections = new Set<Connection>();
  /** Connections that are past their CONNACK. */
  connected = 0;
  /** Connections past their CONNACK that may only ask services; they hold no session and count in nothing else. */
  confined = 0;
  readonly tree = new SubscriptionTree<Target>();
  readonly groups = new Map<string, BrokerGroup>();
  sharedSubscriptions = 0;
  readonly retained = new RetainedMessages();
  /** Of the queues of all sessions. */
  readonly queued: QueueTotals = { messages: 0, payloadBytes: 0, windowBytes: 0 };
  /** What sessions hold, each message once. */
  readonly held: Held = { messages: 0, bytes: 0 };
  /** Who lost messages, and why. */
  readonly drops: DropLedger;
  /** How fast users or addresses publish, where they are counted together. */
  readonly paces = new Map<string, Pace>();
  readonly timers: TimerWheel;
  /** Who was refused what, and why. */
  readonly refusals = new RefusalLedger();
  /** The same of logins, apart: whoever tries many client identifiers must not push the others out. */
  readonly refusedLogins = new RefusalLedger();
  readonly refusalLines = new RefusalLines();
  /** Who throws whom out. */
  readonly referee = new Referee();
  readonly doorkeeper: Doorkeeper;
  /** Whose packets an operator follows. */
  readonly traces = new Traces();
  readonly topics = new TopicCache();
  /** Who answers on the broker's own topics; may change at any time. */
  readonly services = new Services();
  /** What plugins want to see and be told; may change at any time. */
  hooks: Hooks = noHooks;
  /** Who draws the ways of messages; null for nobody. May change at any time. */
  tracing: Tracing | null = null;
  /** Of the message at hand, if somebody draws it. */
  trace: MessageTrace | null = null;
  /** Listeners whose clients' birth certificates are kept (sparkplug.ts). */
  sparkplugAware: ReadonlySet<ListenerRules> = new Set();
  /** What services may do to connections. */
  readonly control: BrokerControl = controlOf(this);

  /** Scratch of the packet at hand: one routing thread needs one of each. */
  readonly view = new PublishView();
  readonly parts: PublishParts = emptyParts();
  /** Of messages that wait. */
  readonly payloads = new Payloads();
  readonly publication = new Publication(this.payloads);
  readonly arena = new Arena();
  readonly partials = new SpareMemory();
  readonly readers = new Readers(this.partials);
  /** Acks and pings apart from messages, so that runs of either merge into one write. */
  readonly smallPackets = new Arena();

  /** Milliseconds as of the last look, whole ones: V8 makes an object of each number that is none (16 bytes a client). */
  now: number;
  unixSecond: number;
  private readonly sweep: Timer;
  private readonly expirySweep: Timer;

  constructor(settings: BrokerSettings, ports: BrokerPorts) {
    this.settings = settings;
    this.frameLimits = frameLimits(settings);
    this.clock = ports.clock;
    this.log = ports.log;
    this.meter = ports.meter;
    this.recorder = ports.recorder ?? nobodyRecords;
    this.access = ports.access;
    this.store = ports.store;
    this.uuid = ports.uuid;
    this.id = ports.uuid();
    this.doorkeeper = ports.doorkeeper ?? nobodyAtTheDoor;
    this.now = Math.floor(this.clock.now());
    this.unixSecond = Math.floor(this.clock.wall() / 1000);
    this.timers = new TimerWheel(TICK_MILLISECONDS, this.now, error => this.logFault('in a timer', error));
    this.drops = new DropLedger(this.meter);
    this.sweep = new Timer(() => this.sweepAndGoOn());
    this.scheduleSweep();
    this.expirySweep = new Timer(() => this.removeExpired());
    this.timers.set(this.expirySweep, this.now + EXPIRY_SWEEP_MILLISECONDS);
  }

  /** Takes a new link over; the link's handler is ours from here on. */
  accept(link: Link, peer: Peer): Connection {
    this.lookAtTheClock();
    const connection = new Connection(this, link, peer);
    link.handler = connection;
    this.connections.add(connection);
    const mayPass = peer.refusal === null || peer.pass !== undefined;
    const patience = mayPass ? this.settings.connectTimeoutSeconds * 1000 : REFUSED_CONNECT_MILLISECONDS;
    this.timers.set(connection, this.now + patience);
    return connection;
  }

  lookAtTheClock(): void {
    this.now = Math.floor(this.clock.now());
    this.unixSecond = Math.floor(this.clock.wall() / 1000);
  }

  /** The links have been given all that was written in this turn; `heldSince`: the first of which they hold something. */
  turnEnded(turn: number, isHeld: boolean, heldSince: number): void {
    for (const arena of [this.arena, this.smallPackets]) {
      if (isHeld) arena.keep(turn);
      else arena.rewind();
      arena.release(heldSince);
    }
  }

  /** Lets everything happen whose time has come. */
  tick(): void {
    this.lookAtTheClock();
    this.timers.advance(this.now);
  }

  /** Publishes on the broker's own behalf: no access rule is asked. */
  publish(topicName: string, payload: Buffer, options: InternalPublish = {}): void {
    const topic = this.topics.findText(topicName);
    if (topic === null) return;
    const { qos = 0, retain = false, messageExpirySeconds = 0 } = options;
    const expiresAt = messageExpirySeconds === 0 ? 0 : this.unixSecond + messageExpirySeconds;
    const message: BrokerMessage = new Message<Identity>(
      topic.name,
      topic.bytes,
      payload,
      NO_BYTES,
      qos,
      retain,
      expiresAt,
      null,
    );
    publish(this, new Publication(this.payloads).fromMessage(message, topic));
  }

  /** New settings hold for every packet from now on; limits told in a CONNACK stay as they were told. */
  reconfigure(settings: BrokerSettings): void {
    this.settings = settings;
    this.frameLimits = frameLimits(settings);
    this.scheduleSweep();
  }

  /** After a reload: whoever may no longer be here is disconnected, and named to `onCutOff`. */
  recheck(onCutOff: (clientId: string) => void = () => {}): Promise<void> {
    return recheckConnections(this, onCutOff);
  }

  /** Takes over what the store has kept; before any listener is open. */
  restore(state: StoredState, help: RestoreHelp): void {
    this.lookAtTheClock();
    restore(this, state, help);
  }

  /** What was dropped, by client and cause, the heaviest first. */
  dropped(): DropFacts[] {
    return this.drops.facts();
  }

  gauges(): BrokerGauges {
    return measure(this);
  }

  /** Says every will, waiting ones too, and closes every link without a DISCONNECT, as Mosquitto does. */
  stop(): void {
    this.lookAtTheClock();
    for (const session of [...this.sessions.values()]) publishWill(this, session);
    for (const connection of [...this.connections]) {
      // Thousands of ends in one moment that say what one event says: the broker was stopped.
      const ending = { reason: 'server shutting down', disconnectCode: null, will: 'discard', recorded: true } as const;
      endConnection(this, connection, ending);
    }
  }

  /** A mistake of ours: it is said, and costs nobody else anything. */
  logFault(where: string, error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.log.write('error', `Error: internal fault ${where}. Please report: ${text}`, 'broker.fault');
  }

  private scheduleSweep(): void {
    const seconds = this.settings.retainExpirySweepSeconds;
    if (seconds > 0) this.timers.set(this.sweep, this.now + seconds * 1000);
    else this.timers.cancel(this.sweep);
  }

  /** More of a session's queue has come into memory. */
  pumpSession({ connection }: BrokerSession): void {
    if (connection === null || connection.closed) return;
    this.lookAtTheClock();
    try {
      pump(this, connection);
    } catch (error) {
      connection.fail(error);
    }
  }

  private removeExpired(): void {
    removeExpired(this);
    for (const memory of [this.partials, this.arena, this.smallPackets]) memory.letIdleGo();
    this.timers.set(this.expirySweep, this.now + EXPIRY_SWEEP_MILLISECONDS);
  }

  private sweepAndGoOn(): void {
    sweepRetained(this);
    this.scheduleSweep();
  }
}

export interface InternalPublish {
  qos?: 0 | 1 | 2;
  retain?: boolean;
  messageExpirySeconds?: number;
}
