/**
 * The one way to a backend: so many calls at a time, so many in waiting, so long and no longer; and none at all while it
 * is known to be out of order.
 *
 *   closed ── failuresMax outages in a row ──> open: every call is refused at once
 *      ^                                         │ a probe of our own, after 0.25, 0.5 ... 5 s
 *      └──────────── the probe succeeds ─────────┘
 *
 * No client is the guinea pig: while the gate is open nobody waits for a time-out.
 */
import { RingQueue } from '../../base/mod.ts';

/** The backend did not answer: gone, too slow, or too many are waiting. Nobody knows whether the client may come in. */
export class Outage extends Error {}

export interface GateLimits {
  timeoutMs: number;
  atOnceMax: number;
  waitingMax: number;
}

export interface GateCounts {
  calls: number;
  failures: number;
  timeouts: number;
  /** Refused because the gate was open or too many were waiting. */
  refused: number;
  seconds: number;
}

export interface GateWatch {
  /** Once, when it stops answering. */
  lost(because: string): void;
  /** Once, when it answers again. */
  found(afterMs: number): void;
}

const FAILURES_MAX = 3;
const PROBE_FIRST_MS = 250;
const PROBE_LONGEST_MS = 5000;

export class Gate {
  readonly counts: GateCounts = { calls: 0, failures: 0, timeouts: 0, refused: 0, seconds: 0 };
  private readonly limits: GateLimits;
  private readonly probe: () => Promise<void>;
  private readonly watch: GateWatch;
  private readonly waiting = new RingQueue<() => void>();
  private atOnce = 0;
  private failuresInARow = 0;
  private openSince: number | null = null;
  private timer: NodeJS.Timeout | null = null;
  private ended = false;

  constructor(limits: GateLimits, probe: () => Promise<void>, watch: GateWatch) {
    this.limits = limits;
    this.probe = probe;
    this.watch = watch;
  }

  /** False while every call is refused. */
  get answers(): boolean {
    return this.openSince === null;
  }

  /** Rejects with an Outage when the backend could not be asked, and with its own error when it answered with one. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.openSince !== null) throw this.refuse('it is out of order');
    const deadline = performance.now() + this.limits.timeoutMs;
    await this.turn(deadline);
    this.counts.calls++;
    const began = performance.now();
    try {
      const result = await within(deadline - began, work());
      this.failuresInARow = 0;
      return result;
    } catch (error) {
      throw this.failed(error);
    } finally {
      this.counts.seconds += (performance.now() - began) / 1000;
      this.leave();
    }
  }

  stop(): void {
    this.ended = true;
    if (this.timer !== null) clearTimeout(this.timer);
  }

  private async turn(deadline: number): Promise<void> {
    if (this.atOnce < this.limits.atOnceMax) {
      this.atOnce++;
      return;
    }
    if (this.waiting.size >= this.limits.waitingMax) throw this.refuse('too many are waiting for it');
    // Whoever leaves hands its place on, so that nobody slips in between.
    await new Promise<void>(resolve => this.waiting.push(resolve));
    if (this.openSince === null && performance.now() < deadline) return;
    this.leave();
    throw this.refuse(this.openSince === null ? 'the time was up before its turn came' : 'it is out of order');
  }

  private leave(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.atOnce--;
    else next();
  }

  private refuse(because: string): Outage {
    this.counts.refused++;
    return new Outage(because);
  }

  private failed(error: unknown): unknown {
    this.counts.failures++;
    if (error instanceof TimeUp) this.counts.timeouts++;
    if (!isOutage(error)) {
      this.failuresInARow = 0;
      return error;
    }
    const because = error instanceof TimeUp ? `no answer within ${this.limits.timeoutMs / 1000} s` : whatItSays(error);
    if (++this.failuresInARow >= FAILURES_MAX) this.open(because);
    return new Outage(because);
  }

  private open(because: string): void {
    if (this.openSince !== null || this.ended) return;
    this.openSince = performance.now();
    this.watch.lost(because);
    this.probeLater(PROBE_FIRST_MS);
  }

  private probeLater(delayMs: number): void {
    if (this.ended) return;
    const jittered = delayMs * (0.75 + Math.random() / 2);
    this.timer = setTimeout(() => void this.tryAgain(delayMs), jittered);
    this.timer.unref();
  }

  private async tryAgain(delayMs: number): Promise<void> {
    try {
      await within(this.limits.timeoutMs, this.probe());
    } catch {
      return this.probeLater(Math.min(delayMs * 2, PROBE_LONGEST_MS));
    }
    const since = this.openSince ?? performance.now();
    this.openSince = null;
    this.failuresInARow = 0;
    if (!this.ended) this.watch.found(performance.now() - since);
  }
}

class TimeUp extends Error {}

/** The work goes on unheard when its time is up; its driver has a limit of its own. */
function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new TimeUp('time is up')), milliseconds);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** A backend that answers with an error of its own is in order; what it dislikes is the query, or the value in it. */
export class Answered extends Error {}

function isOutage(error: unknown): boolean {
  return !(error instanceof Answered);
}

/** Several attempts of one connect come as one error without a text of its own. */
export function whatItSays(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(whatItSays).join('; ');
  return error instanceof Error ? error.message : String(error);
}
