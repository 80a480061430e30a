/**
 * RefusalLedger remembers what was refused to whom, so that "why was I refused?" has an answer afterwards.
 *
 *   refused ──> folded with the same question ── 20 a client, the oldest goes ── 1000 clients, the quietest goes
 *
 * A flood of refusals costs a look into two maps each: reasons are asked for when a question is new, and for so many a
 * second at most.
 */
import type { RefusalFacts, RefusedAction } from './ports.ts';

const CLIENTS_MAX = 1000;
const QUESTIONS_MAX = 20;
/** Asking the rules why takes microseconds with a few rules and a hundred with very many. */
const REASONS_A_SECOND = 100;
const TEXT_MAX = 1000;

/** `recorded`: how many of them the record has. */
type Entry = RefusalFacts & { recorded: number };

export interface Questions {
  byText: Map<string, Entry>;
  latest: Entry | null;
  /** For the log (refusal-log.ts): when this client was last spoken of, and how often it was refused since. */
  toldAt: number;
  untold: number;
}

export class RefusalLedger {
  /** Whoever was refused last stands last. */
  readonly #clients = new Map<string, Questions>();
  #latest: Questions | null = null;
  #latestId = '';
  #hasNews = false;
  #second = 0;
  #reasonsLeft = REASONS_A_SECOND;

  /** `because` is called when the question is new. `now` is the Unix second. */
  note(clientId: string, action: RefusedAction, topic: string, now: number, because: () => string): Questions {
    const questions = this.#questionsOf(clientId);
    questions.untold++;
    const shown = shortened(topic);
    const key = `${action} ${shown}`;
    const known = questions.byText.get(key);
    const entry = known ?? { action, topic: shown, because: null, count: 0, firstAt: now, lastAt: now, recorded: 0 };
    this.#hasNews = true;
    entry.because ??= this.#reason(now, because);
    entry.count++;
    entry.lastAt = now;
    questions.latest = entry;
    questions.byText.delete(key);
    questions.byText.set(key, entry);
    if (questions.byText.size > QUESTIONS_MAX) removeFirst(questions.byText);
    return questions;
  }

  /** The last one first. */
  of(clientId: string): RefusalFacts[] {
    return [...(this.#clients.get(clientId)?.byText.values() ?? [])].map(factsOf).reverse();
  }

  /** What was refused since this was asked last, each with its count since then. */
  *news(): Iterable<{ clientId: string; refusal: RefusalFacts }> {
    if (!this.#hasNews) return;
    this.#hasNews = false;
    for (const [clientId, { byText }] of this.#clients) {
      for (const entry of byText.values()) {
        const count = entry.count - entry.recorded;
        if (count === 0) continue;
        entry.recorded = entry.count;
        yield { clientId, refusal: { ...factsOf(entry), count } };
      }
    }
  }

  /** The last one last. */
  clientIds(): Iterable<string> {
    return this.#clients.keys();
  }

  #questionsOf(clientId: string): Questions {
    if (this.#latest !== null && this.#latestId === clientId) return this.#latest;
    const questions = this.#clients.get(clientId) ?? { byText: new Map(), latest: null, toldAt: -Infinity, untold: 0 };
    this.#clients.delete(clientId);
    this.#clients.set(clientId, questions);
    if (this.#clients.size > CLIENTS_MAX) removeFirst(this.#clients);
    [this.#latest, this.#latestId] = [questions, clientId];
    return questions;
  }

  #reason(now: number, because: () => string): string | null {
    if (now !== this.#second) [this.#second, this.#reasonsLeft] = [now, REASONS_A_SECOND];
    if (this.#reasonsLeft === 0) return null;
    this.#reasonsLeft--;
    return shortened(because());
  }
}

function factsOf({ action, topic, because, count, firstAt, lastAt }: Entry): RefusalFacts {
  return { action, topic, because, count, firstAt, lastAt };
}

/** Topics and names are the clients' own, and 64 kB long if they like. */
function shortened(text: string): string {
  return text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX)}...`;
}

function removeFirst(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}
