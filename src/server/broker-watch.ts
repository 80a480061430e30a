/** What has to be watched all the time to be told when somebody asks: rates, and how busy the routing thread is. */
import type { CounterName, Meter } from '../broker/ports.ts';
import { LoadAverage, LoopWatch } from '../observability/mod.ts';

const LOOK_EVERY_MS = 5000;
const WINDOW_SECONDS = 60;

export const ratedCounters = [
  'publishReceived',
  'publishSent',
  'bytesReceived',
  'bytesSent',
  'connectsReceived',
] as const satisfies readonly CounterName[];
export type RatedCounter = (typeof ratedCounters)[number];

export class BrokerWatch {
  /** Unix milliseconds. */
  readonly startedAt: number;
  readonly loop = new LoopWatch();
  readonly #meter: Readonly<Meter>;
  readonly #rates = new Map(
    ratedCounters.map(counter => [counter, { before: 0, load: new LoadAverage(WINDOW_SECONDS) }]),
  );
  readonly #busy = new LoadAverage(WINDOW_SECONDS);
  #busyBefore = 0;
  #lookedAt = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(meter: Readonly<Meter>, startedAt: number) {
    this.#meter = meter;
    this.startedAt = startedAt;
  }

  /** From the first call on; nobody pays for what nobody will ask. */
  start(): void {
    if (this.#timer !== null) return;
    this.loop.start();
    this.#lookedAt = performance.now();
    this.#busyBefore = this.loop.busySeconds;
    for (const [counter, rate] of this.#rates) rate.before = this.#meter[counter];
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  stop(): void {
    this.loop.stop();
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** A minute, averaged over the last one. */
  rate(counter: RatedCounter): number {
    return this.#rates.get(counter)!.load.value;
  }

  /** Share of the last minute that the routing thread was at work. */
  get busy(): number {
    return Math.min(1, this.#busy.value / WINDOW_SECONDS);
  }

  #look(): void {
    const now = performance.now();
    const seconds = (now - this.#lookedAt) / 1000;
    this.#lookedAt = now;
    for (const [counter, rate] of this.#rates) {
      rate.load.add(this.#meter[counter] - rate.before, seconds);
      rate.before = this.#meter[counter];
    }
    this.#busy.add(this.loop.busySeconds - this.#busyBefore, seconds);
    this.#busyBefore = this.loop.busySeconds;
  }
}
