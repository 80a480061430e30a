/**
 * One turn of the loop: everything that came in is read, then publishers are refilled, then each connection is written
 * to once, then, if little came, the generator naps so that the next turn has more to do.
 *
 *   read, read, read ... -> [setImmediate] pump -> flush -> nap -> read ...
 *
 * Without the nap a fast generator would wake the broker for every message, and each broker would be measured under a
 * load of its own making: the nap is what makes runs comparable.
 */
import { writeFileSync } from 'node:fs';

export interface Flushed {
  flush(): void;
}

export interface Pumped {
  pump(): void;
}

/** A turn that read this much does not nap. */
const busyTurnBytes = 32_768;

export class Turn {
  bytesRead = 0;
  napMs = 0;
  /** Called at the end of each turn, and now and then when there is none. */
  onEnd: () => void = () => undefined;
  private refills: Pumped[] = [];
  private flushes: Flushed[] = [];
  private isScheduled = false;
  private readonly cell = new Int32Array(new SharedArrayBuffer(4));
  private readonly end = (): void => this.run();

  refill(publisher: Pumped): void {
    this.refills.push(publisher);
    this.schedule();
  }

  flush(member: Flushed): void {
    this.flushes.push(member);
    this.schedule();
  }

  schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(this.end);
  }

  private run(): void {
    this.isScheduled = false;
    const refills = this.refills;
    this.refills = [];
    for (const publisher of refills) publisher.pump();
    this.flushNow();
    this.onEnd();
    const isQuiet = this.bytesRead < busyTurnBytes && !this.isScheduled;
    this.bytesRead = 0;
    if (this.napMs > 0 && isQuiet) Atomics.wait(this.cell, 0, 0, this.napMs);
  }

  flushNow(): void {
    const flushes = this.flushes;
    this.flushes = [];
    for (const member of flushes) member.flush();
  }
}

/** Lets naps of microseconds be as short as they say: Linux rounds them up by 50 unless told otherwise. */
export function sharpenTimers(): void {
  try {
    writeFileSync('/proc/self/timerslack_ns', '1000');
  } catch {
    // Not Linux: naps are a little longer.
  }
}
