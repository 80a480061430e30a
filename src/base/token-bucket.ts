/** So many a second, and a second's worth at once. Taking is never refused; the answer says how long to wait for the next. */
export class TokenBucket {
  #tokens: number;
  #at: number;

  constructor(tokens: number, now: number) {
    this.#tokens = tokens;
    this.#at = now;
  }

  /** True while there is something to take. */
  has(rate: number, now: number, burst = rate): boolean {
    this.#fill(rate, now, burst);
    return this.#tokens > 0;
  }

  /** Milliseconds until what was taken too much has come in; 0 for at once. */
  take(count: number, rate: number, now: number, burst = rate): number {
    this.#fill(rate, now, burst);
    this.#tokens -= count;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / rate) * 1000;
  }

  #fill(rate: number, now: number, burst: number): void {
    this.#tokens = Math.min(burst, this.#tokens + (Math.max(0, now - this.#at) / 1000) * rate);
    this.#at = now;
  }
}
