/**
 * DropLedger remembers who lost messages and why: one line for each client and cause.
 *
 *   dropped ──> line of the client and cause ── beyond 1000 clients ──> the one that has been quiet longest
 *                                                                       goes into OTHERS, with its sums
 *
 * Nothing is ever lost from the sums. What it forgets is only the name of a client that lost something long ago.
 */
import type { DropCause, DropFacts, Meter } from './ports.ts';

const CLIENTS_MAX = 1000;

/** Stands for clients whose names were forgotten; no client can be called so. */
export const OTHERS = '';

/** Of `recorded` and `recordedBytes` the record knows. */
interface Line {
  count: number;
  bytes: number;
  lastAt: number;
  recorded: number;
  recordedBytes: number;
}

type Lines = Map<DropCause, Line>;

export class DropLedger {
  /** Whoever lost something last stands last. */
  readonly #clients = new Map<string, Lines>();
  readonly #others: Lines = new Map();
  readonly #meter: Meter;
  #latest = OTHERS;
  #hasNews = false;

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  /** `bytes` of payload; `now` is the Unix second. */
  note(clientId: string, cause: DropCause, bytes: number, now: number, count = 1): void {
    this.#meter.drops[cause] += count;
    this.#hasNews = true;
    const lines = this.#linesOf(clientId);
    add(lines, cause, count, bytes, now);
  }

  /** Heaviest first. */
  facts(): DropFacts[] {
    const all: [string, Lines][] = [...this.#clients, [OTHERS, this.#others]];
    const rows = all.flatMap(([clientId, lines]) =>
      [...lines].map(([cause, line]) => ({ clientId, cause, ...factsOf(line) })),
    );
    return rows.sort((a, b) => b.count - a.count);
  }

  /** What was dropped since this was asked last, by those whose names are known. */
  *news(): Iterable<DropFacts> {
    if (!this.#hasNews) return;
    this.#hasNews = false;
    for (const [clientId, lines] of this.#clients) {
      for (const [cause, line] of lines) {
        if (line.count === line.recorded) continue;
        const { recorded, recordedBytes, lastAt } = line;
        [line.recorded, line.recordedBytes] = [line.count, line.bytes];
        yield { clientId, cause, count: line.count - recorded, bytes: line.bytes - recordedBytes, lastAt };
      }
    }
  }

  #linesOf(clientId: string): Lines {
    const known = this.#clients.get(clientId);
    if (known !== undefined && clientId === this.#latest) return known;
    this.#latest = clientId;
    const fresh: Lines = new Map();
    const lines = known ?? fresh;
    this.#clients.delete(clientId);
    this.#clients.set(clientId, lines);
    if (this.#clients.size > CLIENTS_MAX) this.#forgetQuietest();
    return lines;
  }

  #forgetQuietest(): void {
    for (const [clientId, lines] of this.#clients) {
      this.#clients.delete(clientId);
      for (const [cause, { count, bytes, lastAt }] of lines) add(this.#others, cause, count, bytes, lastAt);
      return;
    }
  }
}

const factsOf = ({ count, bytes, lastAt }: Line): Omit<DropFacts, 'clientId' | 'cause'> => ({ count, bytes, lastAt });

function add(lines: Lines, cause: DropCause, count: number, bytes: number, lastAt: number): void {
  const line = lines.get(cause);
  if (line === undefined) {
    lines.set(cause, { count, bytes, lastAt, recorded: 0, recordedBytes: 0 });
    return;
  }
  line.count += count;
  line.bytes += bytes;
  line.lastAt = Math.max(line.lastAt, lastAt);
}
