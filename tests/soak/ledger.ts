/**
 * One numbered stream: a publisher that paces itself, and a subscriber with a lasting session that leaves now and then.
 *
 *   publisher ── QoS 1 or 2, 0 1 2 ... ──> broker (──> bridge ──> other broker) ──> subscriber
 *
 * What was acknowledged to the publisher must have come at the end: at QoS 2 once, and in order.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Publisher } from '../crash/publisher.ts';
import { Subscriber } from '../crash/subscriber.ts';
import { until } from '../harness/mod.ts';
import { faultsOf, type Taking } from './verdict.ts';

/** Both sides try again so long after a broker was not there, or a packet did not come. */
const AGAIN_MS = 500;
/** A store that takes nothing (a full disk) and a broker that is started again take their time. */
const DRAIN_MS = 120_000;

export interface StreamOptions {
  name: string;
  qos: 1 | 2;
  perSecond: number;
  /** Where messages go in and come out. */
  publishAt: number;
  subscribeAt: number;
  /** How long the subscriber stays, and stays away; it never leaves unless given. */
  leaves?: { staysMs: number; awayMs: number };
}

export class Stream {
  readonly #options: StreamOptions;
  readonly #publisher: Publisher;
  readonly #subscriber: Subscriber;
  readonly #takings: Taking[] = [];
  #connection = 0;
  #beganAt = 0;
  #stop = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#publisher = new Publisher(`${options.name}-out`, `ledger/${options.name}`, options.qos);
    this.#subscriber = new Subscriber(`${options.name}-in`, number => this.#note(number));
  }

  get acknowledged(): number {
    return this.#publisher.acknowledged.size;
  }

  get name(): string {
    return this.#options.name;
  }

  /** The session exists from here on, so that nothing is published to nobody. */
  async begin(): Promise<void> {
    await this.#subscriber.connect(this.#options.subscribeAt);
    await this.#subscriber.subscribe(this.#publisher.topic);
    this.#subscriber.destroy();
  }

  run(): void {
    this.#beganAt = performance.now();
    const publishing = this.#keepOn(() => this.#publish());
    const taking = this.#keepOn(() => this.#take());
    this.#running = Promise.all([publishing, taking, this.#comeAndGo()]);
  }

  /** What was promised and not kept; empty when all is well. */
  async end(): Promise<string[]> {
    this.#enough = true;
    await until(`${this.name}: everything to be acknowledged`, () => this.#idle, DRAIN_MS).catch(() => null);
    await until(`${this.name}: everything to arrive`, () => this.#missing() === 0, DRAIN_MS).catch(() => null);
    this.#stop = true;
    this.#publisher.destroy();
    this.#subscriber.destroy();
    await this.#running;
    return this.#judge();
  }

  #enough = false;
  #idle = false;

  async #keepOn(work: () => Promise<void>): Promise<void> {
    while (!this.#stop) {
      // A broker that is not there, or does not answer in time, is what this is about.
      await work().catch(() => undefined);
      if (!this.#stop) await pause(AGAIN_MS);
    }
  }

  async #publish(): Promise<void> {
    const { publishAt, perSecond } = this.#options;
    this.#publisher.destroy();
    await this.#publisher.connect(publishAt);
    while (this.#publisher.online && !this.#stop) {
      let budget = this.#enough ? 0 : 1;
      await this.#publisher.run(() => budget-- <= 0);
      this.#idle = this.#enough && this.#publisher.online;
      await pause(1000 / perSecond);
    }
  }

  async #take(): Promise<void> {
    if (this.#away) return;
    this.#subscriber.destroy();
    this.#connection++;
    if (!(await this.#subscriber.connect(this.#options.subscribeAt))) this.#sessionsLost++;
    await this.#subscriber.run();
  }

  #away = false;
  #sessionsLost = 0;

  async #comeAndGo(): Promise<void> {
    const { leaves } = this.#options;
    while (leaves !== undefined && !this.#enough) {
      await pause(leaves.staysMs);
      if (this.#enough) break;
      this.#away = true;
      this.#subscriber.destroy();
      await pause(leaves.awayMs);
      this.#away = false;
    }
  }

  #note(number: number): void {
    const at = (performance.now() - this.#beganAt) / 1000;
    this.#takings.push({ number, at, connection: this.#connection });
  }

  #missing(): number {
    const taken = new Set(this.#takings.map(({ number }) => number));
    return [...this.#publisher.acknowledged].filter(number => !taken.has(number)).length;
  }

  #judge(): string[] {
    const faults = faultsOf(this.#takings, this.#publisher.acknowledged, this.#options.qos);
    if (this.#sessionsLost > 0) faults.push(`the session was gone ${this.#sessionsLost} times`);
    return faults.map(fault => `${this.name}: ${fault}`);
  }
}
