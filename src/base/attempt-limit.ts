/**
 * Who fails too often has to wait:
 *
 *   failures   1 ... free, then each one doubles the wait:  first, 2 first, 4 first ... longest
 *   forgotten  after a while without a failure, or by a success
 *
 * Whom it counts (an address, a name) is the caller's word. The table is bounded: a full one forgets whose last failure
 * is the oldest, so a flood from many addresses costs memory for none.
 */
export interface AttemptRules {
  freeFailures: number;
  firstWaitMs: number;
  waitMsMax: number;
  /** Without a failure. */
  forgetMs: number;
}

/** About 1 MB. */
const KEYS_MAX = 10_000;

interface Failures {
  count: number;
  last: number;
}

export class AttemptLimit {
  /** May be changed in place at any time. */
  readonly rules: AttemptRules;
  /** In the order of their last failure. */
  readonly #failures = new Map<string, Failures>();

  constructor(rules: AttemptRules) {
    this.rules = rules;
  }

  /** Milliseconds until this one may try again; 0 when it may now. `now` in milliseconds, of any clock. */
  waitMs(key: string, now: number): number {
    const known = this.#known(key, now);
    return known === undefined ? 0 : Math.max(0, known.last + this.#waitAfter(known.count) - now);
  }

  /** Returns how many there are now. */
  failed(key: string, now: number): number {
    const count = (this.#known(key, now)?.count ?? 0) + 1;
    this.#failures.delete(key);
    this.#failures.set(key, { count, last: now });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > KEYS_MAX && oldest !== undefined) this.#failures.delete(oldest);
    return count;
  }

  succeeded(key: string): void {
    this.#failures.delete(key);
  }

  get size(): number {
    return this.#failures.size;
  }

  #known(key: string, now: number): Failures | undefined {
    const known = this.#failures.get(key);
    return known === undefined || now - known.last >= this.rules.forgetMs ? undefined : known;
  }

  #waitAfter(count: number): number {
    const { freeFailures, firstWaitMs, waitMsMax } = this.rules;
    return count <= freeFailures ? 0 : Math.min(waitMsMax, firstWaitMs * 2 ** Math.min(count - freeFailures - 1, 20));
  }
}
