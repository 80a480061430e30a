/**
 * Who fails too often has to wait, by address:
 *
 *   failures   1 ... 5 free, then each one doubles the wait:  2 s, 4 s, 8 s ... 10 min
 *   forgotten  10 min after the last failure, or by a success
 *
 * An IPv6 host has a whole /64 to come from, so that is what counts as one address. The table is bounded: a full one
 * forgets the address whose last failure is the oldest, so a flood from many addresses costs memory for none.
 */
import { isIP } from 'node:net';
import { plainAddress } from './address-range.ts';

const freeFailures = 5;
const waitMsMax = 600_000;
const forgetMs = 600_000;
/** About 1 MB. */
const addressesMax = 10_000;

interface Failures {
  count: number;
  last: number;
}

export class AttemptLimit {
  /** In the order of their last failure. */
  readonly #failures = new Map<string, Failures>();

  /** Milliseconds until this address may try again; 0 when it may now. `now` in milliseconds, of any clock. */
  waitMs(address: string, now: number): number {
    const known = this.#failures.get(sourceOf(address));
    if (known === undefined || now - known.last >= forgetMs) return 0;
    return Math.max(0, known.last + waitAfter(known.count) - now);
  }

  failed(address: string, now: number): void {
    const source = sourceOf(address);
    const known = this.#failures.get(source);
    const count = known === undefined || now - known.last >= forgetMs ? 1 : known.count + 1;
    this.#failures.delete(source);
    this.#failures.set(source, { count, last: now });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > addressesMax && oldest !== undefined) this.#failures.delete(oldest);
  }

  succeeded(address: string): void {
    this.#failures.delete(sourceOf(address));
  }

  get size(): number {
    return this.#failures.size;
  }
}

function waitAfter(count: number): number {
  return count <= freeFailures ? 0 : Math.min(waitMsMax, 2000 * 2 ** Math.min(count - freeFailures - 1, 20));
}

function sourceOf(address: string): string {
  const plain = plainAddress(address);
  if (isIP(plain) !== 6) return plain;
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  return [...left, ...Array<string>(zeros).fill('0'), ...right].slice(0, 4).map(group => Number.parseInt(group, 16).toString(16)).join(':'); // prettier-ignore
}
