/**
 * A rate per minute, averaged like the load of a Unix machine. At each tick, dt seconds after the last one:
 *
 *   x   = events since the last tick * 60 / dt
 *   new = x + e^(-dt/T) * (old - x)
 */
export class LoadAverage {
  value = 0;
  #windowSeconds: number;

  constructor(windowSeconds: number) {
    this.#windowSeconds = windowSeconds;
  }

  add(events: number, seconds: number): void {
    const perMinute = (events * 60) / seconds;
    this.value = perMinute + Math.exp(-seconds / this.#windowSeconds) * (this.value - perMinute);
  }
}

export const loadWindows = [
  { name: '1min', seconds: 60 },
  { name: '5min', seconds: 300 },
  { name: '15min', seconds: 900 },
] as const;
