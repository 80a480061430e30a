/** Members of one `$share` group on one filter; the rules are in broker/shared-subscriptions.ts. */
export interface SharedGroup<S> {
  readonly key: string;
  /** What is in the tree: without `$share/group/`, with the mount point. */
  readonly topicFilter: string;
  members: Subscription<S>[];
  /** Whose turn it is. */
  next: number;
}

/** Where a subscription is in the tree, if not under its filter: in a group, or behind a mount point. */
interface Place<S> {
  readonly filter: string;
  readonly topicFilter: string;
  readonly group: SharedGroup<S> | null;
}

type Qos = 0 | 1 | 2;

/**
 * One filter of one session with its options (MQTT 5, 3.8.3.1). A new SUBSCRIBE replaces the options in place.
 *
 *   options   [ identifier: 28 bits | retain as published | no local | QoS: 2 bits ]
 *
 * Of these there are hundreds of thousands: 48 bytes each, 88 with a field for each option and place.
 */
export class Subscription<S> {
  readonly session: S;
  /** The filter alone, if it is in the tree under just that. */
  private readonly where: string | Place<S>;
  private options = 0;

  constructor(session: S, filter: string, topicFilter: string, group: SharedGroup<S> | null) {
    this.session = session;
    this.where = group === null && topicFilter === filter ? filter : { filter, topicFilter, group };
  }

  /** As the client wrote it, `$share/...` included and without the mount point. */
  get filter(): string {
    return typeof this.where === 'string' ? this.where : this.where.filter;
  }

  get group(): SharedGroup<S> | null {
    return typeof this.where === 'string' ? null : this.where.group;
  }

  /** What is in the tree: without `$share/group/`, with the mount point. */
  get topicFilter(): string {
    return typeof this.where === 'string' ? this.where : this.where.topicFilter;
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
