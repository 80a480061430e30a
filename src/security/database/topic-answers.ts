/**
 * What a source has said of single topics: for one whose rules cannot be listed, such as a service that is asked "may ana
 * read home/door?".
 *
 *   ask ── fresh answer? nothing to wait for
 *       └─ one question under way for all who wait for it ── yes | no, kept for a while
 *                                                          └ no answer: the one before, as long as it may be used; else no
 *   may ── the last answer, if it may still be used
 *
 * Bounded: the answer that was given longest ago is forgotten first, and asked for again.
 */
export interface TopicAnswerLimits {
  sizeMax: number;
  /** How long an answer is not asked for again. */
  freshMs: number;
  refusalMs: number;
  /** How long it may be used on top of that while nobody answers. */
  staleMs: number;
}

interface Answer {
  allowed: boolean;
  /** Of a monotonic clock. */
  freshUntil: number;
  usableUntil: number;
}

/** After a question without an answer; a source that is gone is not asked for each message. */
const SILENCE_MS = 1000;

export class TopicAnswers {
  private readonly limits: TopicAnswerLimits;
  private readonly changed: () => void;
  private readonly kept = new Map<string, Answer>();
  private readonly open = new Map<string, Promise<void>>();

  /** `changed`: an answer is another one than before. */
  constructor(limits: TopicAnswerLimits, changed: () => void) {
    this.limits = limits;
    this.changed = changed;
  }

  get size(): number {
    return this.kept.size;
  }

  may(key: string, now: number): boolean {
    const answer = this.kept.get(key);
    return answer !== undefined && answer.allowed && now < answer.usableUntil;
  }

  /** Null when there is nothing to wait for. Never rejects. */
  ask(key: string, now: number, source: () => Promise<boolean>): Promise<void> | null {
    const known = this.kept.get(key);
    if (known !== undefined && now < known.freshUntil) return null;
    let asked = this.open.get(key);
    if (asked === undefined) {
      asked = this.fetch(key, source).finally(() => this.open.delete(key));
      this.open.set(key, asked);
    }
    return asked;
  }

  /** Everything is asked for anew; until then the answers of before hold. */
  flush(): void {
    for (const answer of this.kept.values()) answer.freshUntil = 0;
  }

  private async fetch(key: string, source: () => Promise<boolean>): Promise<void> {
    const { freshMs, refusalMs, staleMs } = this.limits;
    const before = this.kept.get(key);
    try {
      const allowed = await source();
      const now = performance.now();
      const freshUntil = now + (allowed ? freshMs : Math.max(refusalMs, SILENCE_MS));
      this.keep(key, { allowed, freshUntil, usableUntil: freshUntil + staleMs });
    } catch {
      const now = performance.now();
      const usableUntil = before?.usableUntil ?? 0;
      const allowed = before?.allowed === true && now < usableUntil;
      this.keep(key, { allowed, freshUntil: now + SILENCE_MS, usableUntil: allowed ? usableUntil : now + SILENCE_MS });
    }
    // The heart remembers what it was told of the last topic.
    if (before !== undefined && before.allowed !== this.kept.get(key)?.allowed) this.changed();
  }

  private keep(key: string, answer: Answer): void {
    this.kept.delete(key);
    this.kept.set(key, answer);
    const [oldest] = this.kept.keys();
    if (this.kept.size > this.limits.sizeMax && oldest !== undefined) this.kept.delete(oldest);
  }
}
