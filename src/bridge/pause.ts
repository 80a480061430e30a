/**
 * How long a bridge waits before it tries again (`restart_timeout`).
 *
 *   N               always N seconds
 *   base cap        5 to 10, then something between base and three times the last one, never above cap: bridges that
 *                   lost their broker together come back one by one
 */
import type { RestartTimeout } from './plan.ts';

export class Pause {
  private lastSeconds = 0;

  /** After a connection that held. */
  reset(): void {
    this.lastSeconds = 0;
  }

  nextMs({ baseSeconds, capSeconds }: RestartTimeout, random: () => number = Math.random): number {
    if (capSeconds <= baseSeconds) return baseSeconds * 1000;
    const most = this.lastSeconds === 0 ? baseSeconds * 2 : this.lastSeconds * 3;
    this.lastSeconds = Math.min(capSeconds, baseSeconds + random() * (most - baseSeconds));
    return Math.round(this.lastSeconds * 1000);
  }
}
