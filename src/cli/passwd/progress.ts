/** How far a long file is, on one line of the terminal that is rewritten. */
import type { Context } from '../context.ts';

/** More often cannot be read anyway. */
const intervalMs = 200;

export class Progress {
  private readonly total: number;
  private readonly context: Context;
  private readonly isShown: boolean;
  private shownMs = 0;

  constructor(total: number, { context, progress }: { context: Context; progress: boolean }) {
    this.total = total;
    this.context = context;
    this.isShown = progress && total > 1;
  }

  show(done: number): void {
    const now = this.context.wall();
    if (!this.isShown || now - this.shownMs < intervalMs) return;
    this.shownMs = now;
    this.context.complain(`\r${done} of ${this.total} passwords hashed (${Math.floor((100 * done) / this.total)} %)`);
  }

  clear(): void {
    if (this.shownMs > 0) this.context.complain('\r\u001b[K');
  }
}
