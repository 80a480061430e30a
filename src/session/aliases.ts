/** Topic aliases (MQTT 5, 3.3.2.3.4) belong to one connection and die with it. [MQTT-3.3.2-7] */

/** Aliases the client set towards us. `Topic` is whatever the broker resolved the name to. */
export class IncomingAliases<Topic> {
  private readonly topics: (Topic | undefined)[] = [];
  readonly maximum: number;

  constructor(maximum: number) {
    this.maximum = maximum;
  }

  set(alias: number, topic: Topic): void {
    this.topics[alias] = topic;
  }

  get(alias: number): Topic | undefined {
    return this.topics[alias];
  }
}

/**
 * Aliases we set towards the client: first come, first served until the maximum is used up, never reassigned
 * (docs/compat/packets.md, 5). An alias counts as set only once the packet that sets it was really sent.
 */
export class OutgoingAliases {
  private readonly aliases = new Map<string, number>();
  readonly maximum: number;

  constructor(maximum: number) {
    this.maximum = maximum;
  }

  /** The alias of a topic the client already knows, 0 if it knows none. */
  known(topicName: string): number {
    return this.aliases.get(topicName) ?? 0;
  }

  /** The alias the topic would get if it were sent now, 0 when all are taken. */
  get nextFree(): number {
    return this.aliases.size < this.maximum ? this.aliases.size + 1 : 0;
  }

  set(topicName: string, alias: number): void {
    this.aliases.set(topicName, alias);
  }
}
