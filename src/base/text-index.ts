/**
 * TextIndex finds the number of a text, for owners that keep texts under numbers of their own:
 *
 *   'kitchen' ── hash ── bucket ── 7 ── 12        chains of numbers; what each stands for, the owner says: text(7)
 *
 *   links   [ first of each bucket | behind each number ]        a link: [ rest of its text's hash | number ]
 *
 * A number needs no more bits than the bucket took of the hash, so that the rest of the hash has room beside it. Nearly
 * every text that is looked at is therefore the right one, and growing looks at none: each would be read from memory that
 * no cache holds (50,000 topics of three levels put in a tree: 470 nanoseconds each, now 310).
 *
 * It takes 8 to 16 bytes an entry, and frees at once what it has outgrown. A Map takes 37 to 56, and as much again until
 * the collector comes by. A text may be a part of a longer one, which need not be cut out to be looked for.
 */
import { giveBack } from './give-back.ts';

/** No number. */
const NONE = 0;
const FIRST_CAPACITY = 16;

/** Texts are the clients': without these they could choose ones that share a bucket. */
const SEED = secret();
const FACTOR = secret() | 1;

export abstract class TextIndex {
  /** How many numbers can be in it; a power of two. */
  private capacity = FIRST_CAPACITY;
  private links = new Int32Array(2 * FIRST_CAPACITY);

  /** The text of a number that is in the index, or is just being put there. */
  protected abstract text(number: number): string;

  /** The number of the text between two places of `within`, or 0. */
  protected indexed(within: string, from: number, to: number): number {
    const { links, capacity } = this;
    const hash = hashOf(within, from, to);
    let link = links[hash & (capacity - 1)]!;
    while (link !== NONE) {
      const number = link & (capacity - 1);
      if (((link ^ hash) & -capacity) === 0 && isPart(this.text(number), within, from, to)) return number;
      link = links[capacity + number]!;
    }
    return NONE;
  }

  /** A number from 1 on, whose text is in the index under no other. */
  protected index(number: number): void {
    while (number >= this.capacity) this.grow();
    this.link(number, this.hashOf(number));
  }

  protected unindex(number: number): void {
    const { links, capacity } = this;
    let at = this.hashOf(number) & (capacity - 1);
    for (let other = links[at]! & (capacity - 1); other !== number; other = links[at]! & (capacity - 1)) {
      at = capacity + other;
    }
    links[at] = links[capacity + number]!;
    links[capacity + number] = NONE;
  }

  private hashOf(number: number): number {
    const text = this.text(number);
    return hashOf(text, 0, text.length);
  }

  private link(number: number, hash: number): void {
    const { links, capacity } = this;
    const bucket = hash & (capacity - 1);
    links[capacity + number] = links[bucket]!;
    links[bucket] = (hash & -capacity) | number;
  }

  private grow(): void {
    const { links, capacity } = this;
    this.capacity = 2 * capacity;
    this.links = new Int32Array(2 * this.capacity);
    for (let bucket = 0; bucket < capacity; bucket++) {
      for (let link = links[bucket]!; link !== NONE;) {
        const number = link & (capacity - 1);
        this.link(number, (link & -capacity) | bucket);
        link = links[capacity + number]!;
      }
    }
    giveBack(links);
  }
}

function isPart(text: string, within: string, from: number, to: number): boolean {
  if (text.length !== to - from) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== within.charCodeAt(from + i)) return false;
  return true;
}

function hashOf(text: string, from: number, to: number): number {
  let hash = SEED;
  for (let i = from; i < to; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), FACTOR);
    hash ^= hash >>> 15;
  }
  return hash;
}

function secret(): number {
  return Math.trunc(Math.random() * 0x1_0000_0000) | 0;
}
