import type { HeldBack } from '../broker/ports.ts';

/** What has passed a bridge and what has not, since the start of the broker. */
export interface RuleCounters {
  out: number;
  in: number;
}

export class Counters {
  /** As the topic lines. */
  readonly rules: RuleCounters[];
  readonly heldBack: Record<HeldBack, number> = { loop: 0, 'too-large': 0, refused: 0, unmapped: 0 };
  connections = 0;

  constructor(rules: number) {
    this.rules = Array.from({ length: rules }, () => ({ out: 0, in: 0 }));
  }
}
