/**
 * One client that connects and is thrown out ten times a second must not push everybody else's events out of the
 * record: of each subject (a client, or an address that never became one) only so many events a minute are kept; the
 * rest is counted and told in one.
 *
 * Nearly everybody has two events a minute, so nobody's name is kept for counting: subjects count in one of 65,536 places,
 * by a hash, and have a name only when theirs is full. A map of names took 100 bytes for each of 10,000 clients. Who
 * shares the place of a noisy one is counted with it for that minute.
 */
const EVENTS_A_MINUTE = 60;
const PLACES = 65_536;
/** Names of those that were only counted; beyond it nobody's more are counted. */
const NAMES_MAX = 10_000;
const MINUTE_MS = 60_000;

export interface Folded {
  subject: string;
  events: number;
}

export class Quota {
  readonly #counts = new Uint8Array(PLACES);
  #beyond = new Map<string, number>();
  #since = 0;

  /** Whether one more event of this subject is written. `ended` is told what the minute before has only counted. */
  take(subject: string, now: number, ended: (folded: Folded[]) => void): boolean {
    if (now - this.#since >= MINUTE_MS || now < this.#since) {
      this.#since = now;
      const folded = this.flush();
      if (folded.length > 0) ended(folded);
    }
    const place = placeOf(subject);
    if (this.#counts[place]! < EVENTS_A_MINUTE) {
      this.#counts[place]!++;
      return true;
    }
    const beyond = this.#beyond.get(subject) ?? 0;
    if (beyond > 0 || this.#beyond.size < NAMES_MAX) this.#beyond.set(subject, beyond + 1);
    return false;
  }

  /** What was only counted so far; the counts begin anew. */
  flush(): Folded[] {
    const folded = [...this.#beyond].map(([subject, events]) => ({ subject, events }));
    this.#counts.fill(0);
    this.#beyond = new Map();
    return folded;
  }
}

/** FNV-1a. */
function placeOf(subject: string): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < subject.length; i++) hash = Math.imul(hash ^ subject.charCodeAt(i), 0x0100_0193);
  return (hash ^ (hash >>> 16)) & (PLACES - 1);
}
