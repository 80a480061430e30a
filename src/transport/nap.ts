/**
 * A nap lets messages that come one by one at a high rate come a few at a time.
 *
 *   awake     read flush  read flush  read flush  read flush     40,000 turns a second, each 60 % kernel
 *   napping   read read read flush ~~~~~ read read read flush ~~~~~
 *
 * 100 pairs of clients that send 40,000 messages a second in all, evenly, cost 8.6 and 10.1 microseconds of CPU a message
 * that way instead of 15.9 and 13.7, in turns on two busy cores (`npm run bench -- --only paced`), and each message is up
 * to a nap later. It is a bargain only while much comes in little pieces, so it is looked at anew every few milliseconds:
 * below the rate nothing waits, large turns are efficient already, and a nap that finds no more than one chunk behind it
 * (a client that waits for each answer) only costs time.
 */

export interface NapClock {
  /** Milliseconds, with fractions. */
  now(): number;
  /** Stands still for so long. */
  sleep(milliseconds: number): void;
}

/** Turns are judged together over this long. */
const WINDOW_MS = 5;
/**
 * Chunks a millisecond from which on it naps, and below which it stops. 10,000 messages a second are 20 with their
 * acknowledgements: they are never held up.
 */
const BEGIN_CHUNKS_PER_MS = 24;
const END_CHUNKS_PER_MS = 16;
/** Turns above this carry enough as it is. */
const CHUNKS_PER_TURN_MAX = 32;
const BYTES_PER_TURN_MAX = 16_384;
/** A nap has to gather this many chunks on average to be worth it. */
const CHUNKS_PER_NAP_MIN = 2;
/** After a nap in vain it stays awake for so many windows, twice as many each time. */
const WINDOWS_AWAKE_MIN = 16;
const WINDOWS_AWAKE_MAX = 1024;

export class Nap {
  napping = false;
  private readonly milliseconds: number;
  private readonly clock: NapClock;
  private windowStart = 0;
  private turns = 0;
  private chunks = 0;
  private bytes = 0;
  /** Windows for which it will not try again, and how many those were the last time. */
  private awakeFor = 0;
  private awakeBefore = WINDOWS_AWAKE_MIN / 2;

  constructor(microseconds: number, clock: NapClock = systemNap()) {
    this.milliseconds = microseconds / 1000;
    this.clock = clock;
  }

  heard(bytes: number): void {
    this.chunks++;
    this.bytes += bytes;
  }

  /** Everything of this turn has been written. */
  turnEnded(): void {
    this.turns++;
    const elapsed = this.clock.now() - this.windowStart;
    if (elapsed >= WINDOW_MS) this.judge(elapsed);
    if (this.napping) this.clock.sleep(this.milliseconds);
  }

  private judge(elapsed: number): void {
    const perMs = this.chunks / elapsed;
    const perTurn = this.chunks / this.turns;
    const isSmall = perTurn <= CHUNKS_PER_TURN_MAX && this.bytes / this.turns <= BYTES_PER_TURN_MAX;
    if (!this.napping) this.napping = perMs >= BEGIN_CHUNKS_PER_MS && isSmall && --this.awakeFor < 0;
    else if (perTurn < CHUNKS_PER_NAP_MIN) this.giveUp();
    else {
      this.awakeBefore = WINDOWS_AWAKE_MIN / 2;
      this.napping = perMs >= END_CHUNKS_PER_MS && isSmall;
    }
    this.windowStart += elapsed;
    this.turns = this.chunks = this.bytes = 0;
  }

  private giveUp(): void {
    this.napping = false;
    this.awakeBefore = Math.min(2 * this.awakeBefore, WINDOWS_AWAKE_MAX);
    this.awakeFor = this.awakeBefore;
  }
}

/** Blocks the thread: a timer of the loop is a millisecond at least, and would make a turn of its own. */
function systemNap(): NapClock {
  const nobodyWakes = new Int32Array(new SharedArrayBuffer(4));
  return {
    now: () => performance.now(),
    sleep: milliseconds => void Atomics.wait(nobodyWakes, 0, 0, milliseconds),
  };
}
