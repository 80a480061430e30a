/** Members of one `$share` group on one filter; the rules are in broker/shared-subscriptions.ts. */
export interface SharedGroup<S> {
  readonly key: string;
  /** What is in the tree: without `$share/group/`, with the mount point. */
  readonly topicFilter: string;
  members: Subscription<S>[];
  /** Whose turn it is. */
  next: number;
}

type Qos = 0 | 1 | 2;

/**
 * One filter of one session with its options (MQTT 5, 3.8.3.1). A new SUBSCRIBE replaces the options in place.
 *
 *   options   [ identifier: 28 bits | retain as published | no local | QoS: 2 bits ]
 *
 * Of these there are hundreds of thousands: 56 bytes each, 88 with a field for each option.
 */
export class Subscription<S> {
  readonly session: S;
  /** As the client wrote it, `$share/...` included and without the mount point. */
  readonly filter: string;
  /** Where it is in the tree, if not under `filter`: by its group, or under another text because of a mount point. */
  private readonly place: SharedGroup<S> | string | null;
  private options = 0;

  constructor(session: S, filter: string, topicFilter: string, group: SharedGroup<S> | null) {
    this.session = session;
    this.filter = filter;
    this.place = group ?? (topicFilter === filter ? null : topicFilter);
  }

  get group(): SharedGroup<S> | null {
    return typeof this.place === 'string' ? null : this.place;
  }

  /** What is in the tree: without `$share/group/`, with the mount point. */
  get topicFilter(): string {
    const { place } = this;
    if (place === null) return this.filter;
    return typeof place === 'string' ? place : place.topicFilter;
  }

  get qos(): Qos {
    return (this.options & 3) as Qos;
  }

  set qos(qos: Qos) {
    this.options = (this.options & ~3) | qos;
  }

  get noLocal(): boolean {
    return (this.options & 4) !== 0;
  }

  set noLocal(on: boolean) {
    this.options = on ? this.options | 4 : this.options & ~4;
  }

  get retainAsPublished(): boolean {
    return (this.options & 8) !== 0;
  }

  set retainAsPublished(on: boolean) {
    this.options = on ? this.options | 8 : this.options & ~8;
  }

  /** 0 for none, 268,435,455 at most. */
  get identifier(): number {
    return this.options >>> 4;
  }

  set identifier(identifier: number) {
    this.options = (this.options & 15) | (identifier << 4);
  }
}
