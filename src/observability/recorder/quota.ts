/**
 * One client that connects and is thrown out ten times a second must not push everybody else's events out of the
 * record: of each subject (a client, or an address that never became one) only so many events a minute are kept; the
 * rest is counted and told in one.
 */
const EVENTS_A_MINUTE = 60;
/** More subjects than this in one minute are not told apart any more, and all written. Some 5 MB. */
const SUBJECTS_MAX = 50_000;
const MINUTE_MS = 60_000;

export interface Folded {
  subject: string;
  events: number;
}

export class Quota {
  #counts = new Map<string, number>();
  #since = 0;

  /** Whether one more event of this subject is written. `ended` is told what the minute before has only counted. */
  take(subject: string, now: number, ended: (folded: Folded[]) => void): boolean {
    if (now - this.#since >= MINUTE_MS || now < this.#since) {
      this.#since = now;
      const folded = this.flush();
      if (folded.length > 0) ended(folded);
    }
    const count = (this.#counts.get(subject) ?? 0) + 1;
    if (count > 1 || this.#counts.size < SUBJECTS_MAX) this.#counts.set(subject, count);
    return count <= EVENTS_A_MINUTE;
  }

  /** What was only counted so far; the counts begin anew. */
  flush(): Folded[] {
    const folded: Folded[] = [];
    for (const [subject, count] of this.#counts) {
      if (count > EVENTS_A_MINUTE) folded.push({ subject, events: count - EVENTS_A_MINUTE });
    }
    this.#counts = new Map();
    return folded;
  }
}
