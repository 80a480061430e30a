/**
 * What `authorizeLater` of one plugin has said: the client waits for the first answer about a topic, and is not made to
 * wait again while that is fresh. Without an answer it may not.
 */
import type { Decision } from './access.ts';

/** How long an answer is not asked for again, unless the plugin says that its rules have changed. */
const FRESH_MS = 60_000;
/** What has been known longest is forgotten first, and asked for again. */
const KEPT_MAX = 50_000;

interface Kept {
  decision: Decision;
  freshUntil: number;
}

export class LaterAnswers {
  readonly #kept = new Map<string, Kept>();
  readonly #open = new Map<string, Promise<void>>();
  readonly #now: () => number;
  readonly #changed: () => void;
  /** Grows when the rules change. */
  #era = 0;

  /** `changed`: an answer is another one than it was. */
  constructor(now: () => number, changed: () => void) {
    this.#now = now;
    this.#changed = changed;
  }

  of(key: string): Decision | null {
    return this.#kept.get(key)?.decision ?? null;
  }

  /** Null when there is nothing to wait for. `decide` never rejects. */
  ask(key: string, decide: () => Promise<Decision>): Promise<void> | null {
    if ((this.#kept.get(key)?.freshUntil ?? 0) > this.#now()) return null;
    let asked = this.#open.get(key);
    if (asked === undefined) {
      const era = this.#era;
      asked = decide().then(decision => {
        this.#open.delete(key);
        // What was asked before the rules have changed answers who waits for it, and nobody else.
        this.#keep(key, decision, era === this.#era ? this.#now() + FRESH_MS : 0);
      });
      this.#open.set(key, asked);
    }
    return asked;
  }

  /** The rules have changed: everything is asked for anew. */
  expire(): void {
    this.#era++;
    for (const kept of this.#kept.values()) kept.freshUntil = 0;
  }

  #keep(key: string, decision: Decision, freshUntil: number): void {
    const before = this.#kept.get(key)?.decision;
    this.#kept.delete(key);
    this.#kept.set(key, { decision, freshUntil });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_MAX && oldest !== undefined) this.#kept.delete(oldest);
    if (before !== undefined && before.answer !== decision.answer) this.#changed();
  }
}
