/**
 * One history of a broker that is killed again and again under load.
 *
 *   round:  broker started on the same file ── everyone back ── load ── SIGKILL at a random moment
 *   end:    broker started ── what is unacknowledged sent again ── all drained ── judged
 *
 * Judged is the promise: every acknowledged message is delivered to every lasting session, QoS 2 exactly once, and
 * each topic in its order.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, statSync, truncateSync, writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type Broker, BrokerEnded, startBroker, temporaryDirectory, until } from '../harness/mod.ts';
import type { OwnDisk } from './own-disk.ts';
import { Publisher } from './publisher.ts';
import { Subscriber } from './subscriber.ts';

/** The load lasts up to this long before the broker is killed; what is hit is a matter of chance. */
const LOAD_MS = 150;

/** So much of a file's end may be lost or changed. */
const TAIL_BYTES = 65_536;

export interface CrashReport {
  rounds: number;
  published: number;
  acknowledged: number;
  delivered: number;
  /** What was promised and not kept; empty when all is well. */
  faults: string[];
}

export class CrashHistory {
  readonly #directory: { path: string; remove(): void };
  readonly #publishers = [
    new Publisher('publisher-1', 'load/at-least-once', 1),
    new Publisher('publisher-2', 'load/exactly-once', 2),
    new Publisher('publisher-3', 'load/other', 2),
  ];
  /** One stays online, one is offline in most rounds and finds a queue. */
  readonly #online = new Subscriber('subscriber-online');
  readonly #seldom = new Subscriber('subscriber-seldom');
  readonly #faults: string[] = [];
  #rounds = 0;

  constructor(directory: { path: string; remove(): void } = temporaryDirectory()) {
    this.#directory = directory;
  }

  /** Lets everyone introduce themselves, so that the sessions exist. */
  async begin(): Promise<void> {
    const broker = await this.#start();
    for (const subscriber of this.#subscribers) {
      await subscriber.connect(broker.port);
      await subscriber.subscribe('load/#');
      subscriber.destroy();
    }
    await this.#kill(broker);
  }

  /** `disk` is filled in the middle of the load, and has room again when the broker is dead. */
  async round(disk: OwnDisk | null = null): Promise<void> {
    const broker = await this.#start();
    this.#rounds++;
    const running = [(await this.#welcome(this.#online, broker)).done];
    if (Math.random() < 0.25) running.push((await this.#welcome(this.#seldom, broker)).done);
    for (const publisher of this.#publishers) await publisher.connect(broker.port);
    let enough = false;
    running.push(...this.#publishers.map(publisher => publisher.run(() => enough)));
    await pause(Math.random() * LOAD_MS);
    if (disk !== null) {
      disk.fill();
      await pause(LOAD_MS);
    }
    await this.#kill(broker);
    disk?.relieve();
    enough = true;
    this.#disconnect();
    await Promise.all(running);
  }

  /** On a disk that nobody may write to the broker does not start, says why, and harms nothing. */
  async refusedRound(disk: OwnDisk): Promise<void> {
    disk.readOnly(true);
    try {
      const broker = await this.#start();
      this.#faults.push('the broker started on a read-only disk');
      await this.#kill(broker);
    } catch (error) {
      if (!(error instanceof BrokerEnded)) throw error;
      const said = error.lines.join('\n');
      if (!/read-?only/i.test(said)) this.#faults.push(`no word of the read-only disk:\n${said}`);
    } finally {
      disk.readOnly(false);
    }
  }

  /** Everything that is still owed is sent and taken; then the account is made up. */
  async end(): Promise<CrashReport> {
    const broker = await this.#start();
    const running = await Promise.all(this.#subscribers.map(subscriber => this.#welcome(subscriber, broker)));
    for (const publisher of this.#publishers) await publisher.connect(broker.port);
    await Promise.all(this.#publishers.map(publisher => publisher.run(() => true)));
    await this.#drained();
    this.#disconnect();
    await Promise.all(running.map(({ done }) => done));
    await broker.stop();
    for (const subscriber of this.#subscribers)
      for (const publisher of this.#publishers) this.#judge(subscriber, publisher);
    return this.#report();
  }

  /** Cuts the newest file short or changes some of its last bytes, as a power cut may. */
  damageTail(): void {
    const file = ['mosquitto.sqlite3-wal', 'mosquitto.sqlite3']
      .map(name => `${this.#directory.path}/${name}`)
      .find(name => (statSync(name, { throwIfNoEntry: false })?.size ?? 0) > 0);
    if (file === undefined) return;
    const { size } = statSync(file);
    const reach = Math.min(size, TAIL_BYTES);
    if (Math.random() < 0.5) return truncateSync(file, size - Math.floor(Math.random() * reach));
    const handle = openSync(file, 'r+');
    for (let n = 0; n < 8; n++) writeSync(handle, randomBytes(1), 0, 1, size - 1 - Math.floor(Math.random() * reach));
    closeSync(handle);
  }

  discard(): void {
    this.#disconnect();
    this.#directory.remove();
  }

  get #subscribers(): Subscriber[] {
    return [this.#online, this.#seldom];
  }

  #start(): Promise<Broker> {
    return startBroker({
      conf: at =>
        [
          `listener ${at.port()} 127.0.0.1`,
          'allow_anonymous true',
          'persistence true',
          `persistence_location ${this.#directory.path}/`,
          'max_queued_messages 0',
        ].join('\n'),
    });
  }

  async #kill(broker: Broker): Promise<void> {
    broker.signal('SIGKILL');
    await until('the broker to be gone', () => broker.hasEnded);
    await broker.stop();
  }

  /** Connects a subscriber and lets it run; its session must have survived. */
  async #welcome(subscriber: Subscriber, broker: Broker): Promise<{ done: Promise<void> }> {
    const present = await subscriber.connect(broker.port);
    if (!present) this.#faults.push(`round ${this.#rounds}: the session of ${subscriber.clientId} is gone`);
    return { done: subscriber.run() };
  }

  /** Until nothing is missing, or nothing more comes. */
  async #drained(): Promise<void> {
    const missing = (): number => this.#subscribers.reduce((sum, subscriber) => sum + this.#missing(subscriber), 0);
    await until('every acknowledged message to be delivered', () => missing() === 0).catch(() => null);
  }

  #missing(subscriber: Subscriber): number {
    return this.#publishers.reduce((sum, { topic, acknowledged }) => {
      const taken = new Set(subscriber.taken.get(topic));
      return sum + [...acknowledged].filter(number => !taken.has(number)).length;
    }, 0);
  }

  #disconnect(): void {
    for (const client of [...this.#publishers, ...this.#subscribers]) client.destroy();
  }

  #judge({ clientId, taken }: Subscriber, { topic, qos, acknowledged }: Publisher): void {
    const numbers = taken.get(topic) ?? [];
    const once = [...new Set(numbers)];
    const known = new Set(once);
    const lost = [...acknowledged].filter(number => !known.has(number));
    if (lost.length > 0)
      this.#faults.push(`${clientId} ${topic}: ${lost.length} acknowledged messages lost: ${some(lost)}`);
    const twice = numbers.filter((number, at) => numbers.indexOf(number) !== at);
    if (qos === 2 && twice.length > 0) this.#faults.push(`${clientId} ${topic}: came twice at QoS 2: ${some(twice)}`);
    const disorder = once.filter((number, at) => at > 0 && number < once[at - 1]!);
    if (disorder.length > 0) this.#faults.push(`${clientId} ${topic}: out of order: ${some(disorder)}`);
  }

  #report(): CrashReport {
    const sum = (of: number[]): number => of.reduce((total, n) => total + n, 0);
    return {
      rounds: this.#rounds,
      published: sum(this.#publishers.map(({ sent }) => sent)),
      acknowledged: sum(this.#publishers.map(({ acknowledged }) => acknowledged.size)),
      delivered: sum(this.#subscribers.flatMap(({ taken }) => [...taken.values()].map(({ length }) => length))),
      faults: this.#faults,
    };
  }
}

function some(numbers: readonly number[]): string {
  return numbers.slice(0, 10).join(' ') + (numbers.length > 10 ? ' …' : '');
}
