/** What has passed a bridge and what has not, since the start of the broker. */
export interface RuleCounters {
  out: number;
  in: number;
}

/** Why a message did not pass. */
export type HeldBack =
  /** Came back to where it had been. */
  | 'loop'
  /** Larger than bridge_max_packet_size, the other broker's limit, or ours. */
  | 'too-large'
  /** The other broker said no (MQTT 5). */
  | 'refused'
  /** No topic line fits any more, or the name that results is not allowed. */
  | 'unmapped';

export class Counters {
  /** As the topic lines. */
  readonly rules: RuleCounters[];
  readonly heldBack: Record<HeldBack, number> = { loop: 0, 'too-large': 0, refused: 0, unmapped: 0 };
  connections = 0;

  constructor(rules: number) {
    this.rules = Array.from({ length: rules }, () => ({ out: 0, in: 0 }));
  }
}
