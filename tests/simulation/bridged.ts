/**
 * Two brokers with a bridge between them, in simulated time: what is published there comes here.
 *
 *   writers ──> [broker there] ── HandWire ── Crossing ──> [broker here] ──> readers
 *                 HandStore                                  HandStore
 *
 * The bridge, the brokers and both halves of the stores are the real ones. Bytes, commits, cuts and falls are the test's.
 */
import { setImmediate as endOfTurn } from 'node:timers/promises';
import type { RestoreHelp } from '../../src/broker/mod.ts';
import type { Log } from '../../src/broker/ports.ts';
import { Counters } from '../../src/bridge/counters.ts';
import { Crossing, type CrossingParts } from '../../src/bridge/crossing.ts';
import { EchoGuard } from '../../src/bridge/passing.ts';
import type { BridgePlan, BridgePorts } from '../../src/bridge/plan.ts';
import type { Target } from '../../src/bridge/target.ts';
import { TopicMap } from '../../src/bridge/topic-map.ts';
import type { Wire, WireHandler } from '../../src/client/mod.ts';
import { HandStore } from './hand-store.ts';
import { type SimulatedLink, World } from './world.ts';

const NEVER = 0xffff_ffff;

/** A broker and its store. */
export class Side {
  readonly disk = new HandStore();
  readonly world: World;

  constructor(windowMessages: number) {
    this.world = new World({ settings: { maxQueuedMessages: 0, windowMessages }, store: this.disk.store });
  }

  /** The broker falls without a word, and comes back with what was committed. */
  fall(): void {
    const state = this.disk.fall();
    const { store } = this.disk;
    const adopt: RestoreHelp['adopt'] = (given, ours) => store.adopt(given, ours);
    this.world.fall(state, adopt, store);
    store.forgetUnadopted();
  }

  /** Nothing waits, is under way or half done. */
  get isIdle(): boolean {
    const { broker } = this.world;
    const isDone = [...broker.sessions.values()].every(({ inflight, incoming }) => inflight.size + incoming.size === 0);
    return isDone && broker.queued.messages === 0 && this.disk.store.settled;
  }
}

const deaf: WireHandler = { onBytes() {}, onDrain() {}, onClosed() {} };

/** The bridge's end of a line whose bytes the test moves. */
class HandWire implements Wire {
  handler = deaf;
  readonly blocked = false;
  readonly link: SimulatedLink;
  isOpen = true;

  constructor({ world }: Side) {
    this.link = world.dial();
  }

  write(bytes: Buffer): void {
    if (this.isOpen) this.link.send(bytes);
  }

  /** Up to so many bytes go each way. */
  move(there: number, here: number): void {
    if (!this.isOpen) return;
    const bytes = this.link.read(here);
    if (bytes.length > 0) this.handler.onBytes(bytes);
    if (this.isOpen) this.link.arrive(there);
    if (this.link.ended && this.link.pendingBytes === 0) this.cut();
  }

  /** Both sides are told, or only this one: the other takes the line for open until somebody comes under the same name. */
  cut(bothKnow = true): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    if (bothKnow) this.link.close();
    this.handler.onClosed(null);
  }

  /** The broker at this end has fallen. */
  vanish(): void {
    this.handler = deaf;
    this.cut();
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    process.nextTick(() => this.cut());
  }

  pause(): void {}

  resume(): void {}
}

/** Of the plan only what a crossing looks at. */
const plan = {
  name: 'up',
  topics: [{ pattern: 's/#', direction: 'in', qos: 2, localPrefix: '', remotePrefix: '' }],
  startType: 'automatic',
  cleanSession: false,
  localCleanSession: null,
  localUsername: null,
  notifications: false,
  attemptUnsubscribe: false,
  outgoingRetain: true,
  maxPacketSizeBytes: 0,
  maxTopicAlias: 10,
  keepaliveSeconds: 0,
} as unknown as BridgePlan;

const names = { remoteClientId: 'bridge', localClientId: 'local.bridge', notificationTopic: '$SYS/up' };

export class Bridged {
  readonly here: Side;
  readonly there: Side;
  readonly #parts: Omit<CrossingParts, 'onEnd'>;
  #wire: HandWire | null = null;
  /** Both ends of the present crossing are open. */
  isUp = false;
  /** Lines that the broker there takes for open. */
  readonly #halfOpen: HandWire[] = [];

  constructor(windowMessages: number, receiveMaximum: number) {
    this.here = new Side(windowMessages);
    this.there = new Side(windowMessages);
    const target = targetWith(receiveMaximum);
    const [map, counters, echoes] = [new TopicMap(plan.topics), new Counters(1), new EchoGuard()];
    this.#parts = {
      plan,
      names,
      map,
      counters,
      echoes,
      ports: portsOf(this.here),
      target,
      onUp: () => void (this.isUp = true),
    };
  }

  get sides(): readonly Side[] {
    return [this.here, this.there];
  }

  /** Unless there is a line. */
  connect(): void {
    if (this.#wire !== null) return;
    const wire = (this.#wire = new HandWire(this.there));
    const onEnd = (): void => {
      if (this.#wire === wire) this.#lose();
    };
    void new Crossing({ ...this.#parts, onEnd }, wire);
  }

  move(there = Infinity, here = Infinity): void {
    this.#wire?.move(there, here);
  }

  cut(bothKnow = true): void {
    if (!bothKnow && this.#wire !== null) this.#halfOpen.push(this.#wire);
    this.#wire?.cut(bothKnow);
  }

  /** The broker there finds out about the oldest line of which it was not told. */
  noticeCut(): void {
    this.#halfOpen.shift()?.link.close();
  }

  async fall(side: Side): Promise<void> {
    const wire = this.#wire;
    this.#lose();
    if (side === this.there) this.#halfOpen.length = 0;
    if (side === this.here) wire?.vanish();
    side.fall();
    wire?.cut();
    await endOfTurn();
  }

  #lose(): void {
    this.#wire = null;
    this.isUp = false;
  }

  discard(): void {
    for (const { disk } of this.sides) disk.discard();
  }
}

function targetWith(receiveMaximum: number): Target {
  const properties = { sessionExpiryInterval: NEVER, receiveMaximum, topicAliasMaximum: 10 };
  const options = { host: 'there', port: 1883, cleanStart: false, keepAliveSeconds: 0, properties };
  return { options, version: 5, place: 'there', retains: true, maximumQos: 2, echoes: false };
}

const quiet: Log = {
  debug: false,
  subscribe: false,
  unsubscribe: false,
  connections: false,
  write() {},
};

/** Of the ports only what a crossing asks for. */
function portsOf(side: Side): BridgePorts {
  return {
    log: quiet,
    brokerId: 'here',
    accept: (link, peer) => void side.world.broker.accept(link, peer),
    tracing: () => null,
    inflightMax: () => 20,
    packetBytesMax: () => Infinity,
  } satisfies Partial<BridgePorts> as BridgePorts;
}
