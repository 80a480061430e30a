/**
 * Which deliveries are due, and which came: the generator's conscience.
 *
 *   in order   each subscriber gets the numbers of one publisher 0, 1, 2, ... with nothing between
 *   counted    any subscriber of a group may get a message (`shared`, `tree`, `retained`): each message must come as
 *              often as it is due
 *
 * A publisher's window moves on when its messages have come to all: `done` says up to which number.
 */
export interface Publishing {
  sent: number;
  /** Every message below this came to all its receivers. */
  done: number;
  /** How often each message that is on its way has come; null where one delivery settles it. */
  ring: Uint32Array | null;
  /** There may be room for more. */
  settled(): void;
}

export interface LedgerRules {
  inOrder: boolean;
  /** Deliveries due for each message. */
  due: number;
  cap: number;
}

export class Ledger {
  delivered = 0;
  /** Deliveries of another run or of a stranger. */
  foreign = 0;
  private readonly rules: LedgerRules;
  private readonly publishers: readonly Publishing[];
  private skipped = 0;
  private late = 0;
  private repeats = 0;
  private shuffled = 0;

  constructor(rules: LedgerRules, publishers: readonly Publishing[]) {
    this.rules = rules;
    this.publishers = publishers;
  }

  /**
   * `expected[slot]` is the number that this subscriber waits for next. Returns what is wrong beyond counting: a number
   * that was never sent.
   */
  take(expected: Uint32Array, slot: number, publisher: number, number: number): string | null {
    const from = this.publishers[publisher];
    if (from === undefined || number >= from.sent) return 'a delivery of what was never sent';
    this.delivered++;
    const next = expected[slot]!;
    if (number === next) {
      expected[slot] = number + 1;
      this.credit(from, number);
    } else if (this.rules.inOrder) this.outOfStep(expected, slot, from, number);
    else this.anyOrder(expected, slot, from, number);
    return null;
  }

  private outOfStep(expected: Uint32Array, slot: number, from: Publishing, number: number): void {
    const next = expected[slot]!;
    if (number < next) {
      this.late++;
      return;
    }
    this.skipped += number - next;
    // What is missing must not hold up the window: it is counted, and the run goes on.
    for (let missing = next; missing <= number; missing++) this.credit(from, missing);
    expected[slot] = number + 1;
  }

  private anyOrder(expected: Uint32Array, slot: number, from: Publishing, number: number): void {
    const before = this.repeats;
    this.credit(from, number);
    if (number > expected[slot]!) expected[slot] = number + 1;
    else if (this.repeats === before) this.shuffled++;
  }

  private credit(from: Publishing, number: number): void {
    const { ring } = from;
    if (ring === null) from.done = number + 1;
    else if (!this.count(from, ring, number)) return;
    from.settled();
  }

  private count(from: Publishing, ring: Uint32Array, number: number): boolean {
    const { cap, due } = this.rules;
    if (number < from.done || ring[number % cap]! >= due) {
      this.repeats++;
      return false;
    }
    ring[number % cap]!++;
    while (from.done < from.sent && ring[from.done % cap] === due) ring[from.done++ % cap] = 0;
    return true;
  }

  due(sent: number): number {
    return sent * this.rules.due;
  }

  /** Deliveries that came or will not come any more. */
  get accountedFor(): number {
    return this.delivered + this.skipped;
  }

  /** A late number is disorder if it had been missed before, and a repeat otherwise. */
  verdict(sent: number): { expected: number; lost: number; repeated: number; disordered: number } {
    const expected = this.due(sent);
    const disordered = this.rules.inOrder ? Math.min(this.skipped, this.late) : this.shuffled;
    const repeated = this.repeats + (this.rules.inOrder ? this.late - disordered : 0);
    return { expected, lost: expected - (this.delivered - repeated), repeated, disordered };
  }
}
