/**
 * Connections a second from one source, before a byte is read.
 *
 * A new source has ten seconds' worth at once, because many devices behind one address come back together after a power
 * cut. The table is bounded: a full one forgets who has been quiet longest, who starts anew with everything.
 */
import { sourceOf, TokenBucket } from '../base/mod.ts';

/** About 2 MB. */
const SOURCES_MAX = 10_000;
const BURST_SECONDS = 10;
/** A line for each connection of a flood would be another flood. */
const COMPLAINT_INTERVAL_MS = 60_000;

interface Source {
  bucket: TokenBucket;
  saidAt: number;
}

export type RateAnswer = 'enter' | 'too many' | 'too many, and it was said already';

export class ArrivalRate {
  /** Who came last stands last. */
  readonly #sources = new Map<string, Source>();

  /** `perSecond` above 0; `now` in milliseconds. */
  arrive(address: string, perSecond: number, now: number): RateAnswer {
    const burst = perSecond * BURST_SECONDS;
    const source = this.#sourceOf(sourceOf(address), burst, now);
    if (source.bucket.has(perSecond, now, burst)) {
      source.bucket.take(1, perSecond, now, burst);
      return 'enter';
    }
    if (now - source.saidAt < COMPLAINT_INTERVAL_MS) return 'too many, and it was said already';
    source.saidAt = now;
    return 'too many';
  }

  #sourceOf(key: string, burst: number, now: number): Source {
    const known = this.#sources.get(key) ?? { bucket: new TokenBucket(burst, now), saidAt: -Infinity };
    this.#sources.delete(key);
    this.#sources.set(key, known);
    const [oldest] = this.#sources.keys();
    if (this.#sources.size > SOURCES_MAX && oldest !== undefined) this.#sources.delete(oldest);
    return known;
  }
}
