/**
 * SysTopics publishes the rows of sys-topics.ts: all of them when it starts, then at every tick what each row's rule
 * says. A tick is due when unix time reaches a multiple of sys_interval. The owner keeps the timer:
 *
 *   millisecondsToTick() ──wait──► tickIfDue() ──► millisecondsToTick() ...
 */
import type { Clock, Meter } from '../broker/ports.ts';
import { LoadAverage, loadWindows } from './load-average.ts';
import { sysTopicRows, type Gauges, type SysFacts, type SysTopicRow } from './sys-topics.ts';

export interface SysTopicsOptions {
  /** Publishes retained, QoS 2, without expiry. */
  publish: (topic: string, payload: string) => void;
  meter: Readonly<Meter>;
  gauges: () => Gauges;
  clock: Clock;
  version: string;
  /** 0 for no $SYS topics. */
  intervalSeconds: number;
}

/** Published as text with its unit. */
const UPTIME = '$SYS/broker/uptime';

/** What moves less is not published again. */
const loadStep = 0.01;

interface LoadState {
  topic: string;
  average: LoadAverage;
  published: number;
}

export class SysTopics {
  #options: SysTopicsOptions;
  #intervalSeconds = 0;
  #startedAt: number;
  #tickedAt: number;
  /** Number of the last tick since 1970; the clock may jump, so it is only compared for being another one. */
  #slot = 0;
  #published = new Map<string, number | string>();
  #counted = new Map<string, number>();
  #loads = new Map<string, LoadState[]>();

  constructor(options: SysTopicsOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    this.#tickedAt = this.#startedAt;
    this.setInterval(options.intervalSeconds);
  }

  /** Also for a reload. Turned on, everything is published once. */
  setInterval(seconds: number): void {
    const wasOff = this.#intervalSeconds === 0;
    this.#intervalSeconds = seconds;
    if (seconds === 0) return;
    this.#slot = this.#slotNow();
    if (wasOff) this.#publishEverything();
  }

  /** Null while sys_interval is 0. */
  millisecondsToTick(): number | null {
    if (this.#intervalSeconds === 0) return null;
    const period = this.#intervalSeconds * 1000;
    return period - (this.#options.clock.wall() % period);
  }

  /** A timer that fires early does no harm. */
  tickIfDue(): boolean {
    if (this.#intervalSeconds === 0 || this.#slotNow() === this.#slot) return false;
    this.#slot = this.#slotNow();
    this.#tick();
    return true;
  }

  /** Every topic that is a number, now: without aliases and loads, as Mosquitto's HTTP interface tells them. */
  tree(): Record<string, number> {
    const facts = this.#facts();
    const numbers = sysTopicRows.flatMap(row => {
      if (row.rule === 'load') return [];
      const value = row.topic === UPTIME ? facts.uptimeSeconds : row.value(facts);
      if (typeof value !== 'number') return [];
      const before = this.#published.get(row.topic);
      return [
        [row.topic, row.rule === 'upward' && typeof before === 'number' ? Math.max(before, value) : value] as const,
      ];
    });
    return Object.fromEntries(numbers);
  }

  #slotNow(): number {
    return Math.floor(this.#options.clock.wall() / 1000 / this.#intervalSeconds);
  }

  #publishEverything(): void {
    const facts = this.#facts();
    this.#tickedAt = this.#options.clock.now();
    this.#published.clear();
    for (const row of sysTopicRows) {
      if (row.rule === 'load') this.#startLoad(row, facts);
      else this.#publishRow(row, facts);
    }
  }

  #tick(): void {
    const facts = this.#facts();
    const now = this.#options.clock.now();
    const seconds = (now - this.#tickedAt) / 1000;
    this.#tickedAt = now;
    for (const row of sysTopicRows) {
      if (row.rule === 'load') this.#moveLoad(row, facts, seconds);
      else if (row.rule !== 'once') this.#publishRow(row, facts);
    }
  }

  #facts(): SysFacts {
    const { meter, gauges, version, clock } = this.#options;
    return {
      meter,
      gauges: gauges(),
      version,
      uptimeSeconds: Math.floor((clock.now() - this.#startedAt) / 1000),
      heapUsedBytes: process.memoryUsage().heapUsed,
    };
  }

  #publishRow(row: SysTopicRow, facts: SysFacts): void {
    const value = row.value(facts);
    const before = this.#published.get(row.topic);
    if (row.rule === 'changed' && value === before) return;
    if (row.rule === 'upward' && value <= (before ?? row.above ?? -1)) return;
    this.#published.set(row.topic, value);
    this.#options.publish(row.topic, String(value));
    if (row.alias !== undefined) this.#options.publish(row.alias, String(value));
  }

  #startLoad(row: SysTopicRow, facts: SysFacts): void {
    this.#counted.set(row.topic, Number(row.value(facts)));
    const states = loadWindows.map(({ name, seconds }) => {
      return { topic: `${row.topic}/${name}`, average: new LoadAverage(seconds), published: 0 };
    });
    this.#loads.set(row.topic, states);
    for (const state of states) this.#options.publish(state.topic, '0.00');
  }

  /** Compared with what was published last, not with the last tick: a slow decline does not stop half-way. */
  #moveLoad(row: SysTopicRow, facts: SysFacts, seconds: number): void {
    const count = Number(row.value(facts));
    const events = count - (this.#counted.get(row.topic) ?? 0);
    this.#counted.set(row.topic, count);
    if (seconds <= 0) return;
    for (const state of this.#loads.get(row.topic) ?? []) {
      state.average.add(events, seconds);
      if (Math.abs(state.average.value - state.published) < loadStep) continue;
      state.published = state.average.value;
      this.#options.publish(state.topic, state.average.value.toFixed(2));
    }
  }
}
