/**
 * TimerWheel keeps hundreds of thousands of coarse timers without one timer of Node's for each.
 *
 *   due time / tick length -> slot -> doubly linked list of timers
 *
 * Setting and cancelling cost the same at any number; a timer fires at the first advance() at or after its due time,
 * never before, and at most one tick late when advance() is called every tick. It has no clock of its own. A timer that
 * throws is told to `onFault`, and those behind it fire.
 */
export abstract class Timed {
  slot = -1;
  previous: Timed | null = null;
  next: Timed | null = null;

  /** Called once when due; set it again from inside for the next round. */
  abstract fire(): void;

  get isSet(): boolean {
    return this.slot !== -1;
  }
}

/** Of what there are thousands extends Timed itself: an object and a closure less, which are 150 bytes. */
export class Timer extends Timed {
  private readonly action: () => void;

  constructor(action: () => void) {
    super();
    this.action = action;
  }

  override fire(): void {
    this.action();
  }
}

export class TimerWheel {
  private readonly slots = new Map<number, Timed>();
  private readonly tickMilliseconds: number;
  private readonly onFault: (error: unknown) => void;
  private reached: number;

  constructor(tickMilliseconds: number, now: number, onFault: (error: unknown) => void) {
    this.tickMilliseconds = tickMilliseconds;
    this.onFault = onFault;
    this.reached = Math.floor(now / tickMilliseconds);
  }

  /** Sets or moves a timer to `due` (milliseconds of the caller's clock). */
  set(timer: Timed, due: number): void {
    this.cancel(timer);
    const slot = Math.max(Math.ceil(due / this.tickMilliseconds), this.reached + 1);
    const first = this.slots.get(slot) ?? null;
    timer.slot = slot;
    timer.next = first;
    if (first !== null) first.previous = timer;
    this.slots.set(slot, timer);
  }

  cancel(timer: Timed): void {
    if (timer.slot === -1) return;
    if (timer.next !== null) timer.next.previous = timer.previous;
    if (timer.previous !== null) timer.previous.next = timer.next;
    else if (timer.next !== null) this.slots.set(timer.slot, timer.next);
    else this.slots.delete(timer.slot);
    timer.slot = -1;
    timer.previous = timer.next = null;
  }

  /** Fires what is due at `now`, oldest tick first. */
  advance(now: number): void {
    const target = Math.floor(now / this.tickMilliseconds);
    if (target - this.reached > this.slots.size) this.skipEmptySlots(target);
    while (this.reached < target) {
      this.reached++;
      for (let timer = this.slots.get(this.reached); timer !== undefined; timer = this.slots.get(this.reached)) {
        this.cancel(timer);
        this.fire(timer);
      }
    }
  }

  private fire(timer: Timed): void {
    try {
      timer.fire();
    } catch (error) {
      this.onFault(error);
    }
  }

  /** After a long sleep, walking every tick would cost more than looking at every slot in use. */
  private skipEmptySlots(target: number): void {
    let earliest = target;
    for (const slot of this.slots.keys()) if (slot < earliest) earliest = slot;
    this.reached = Math.max(this.reached, Math.min(earliest, target) - 1);
  }
}
