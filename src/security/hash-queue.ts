/**
 * Keeps the checking of passwords from taking the machine.
 *
 *   login -> [ waiting, at most waitingMax ] -> [ inFlight, at most inFlightMax ] -> answer
 *              full: run() says null, `refused` counts it
 */
import { RingQueue } from '../base/mod.ts';

/** Half of libuv's four threads: reading files and looking up names never wait behind passwords. */
const IN_FLIGHT_MAX = 2;
/** As many as there can be connections that have not finished CONNECT. Each holds one password. */
const WAITING_MAX = 10_000;

export class HashQueue {
  /** Logins turned away because too many were waiting. */
  refused = 0;
  private inFlight = 0;
  private readonly waiting = new RingQueue<() => void>();
  private readonly inFlightMax: number;
  private readonly waitingMax: number;

  constructor(waitingMax = WAITING_MAX, inFlightMax = IN_FLIGHT_MAX) {
    this.inFlightMax = inFlightMax;
    this.waitingMax = waitingMax;
  }

  /** Null when it is full. `work` starts now or when its turn comes. */
  run<T>(work: () => T | Promise<T>): Promise<T> | null {
    if (this.inFlight < this.inFlightMax) {
      this.inFlight++;
      return this.start(work);
    }
    if (this.waiting.size >= this.waitingMax) {
      this.refused++;
      return null;
    }
    return new Promise<void>(turn => this.waiting.push(turn)).then(() => this.start(work));
  }

  /** Whoever finishes hands its place to the next in line, so that nobody can slip in between. */
  private async start<T>(work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.inFlight--;
      else next();
    }
  }
}
