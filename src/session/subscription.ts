/** Members of one `$share` group on one filter; the rules are in broker/shared-subscriptions.ts. */
export interface SharedGroup<S> {
  readonly key: string;
  members: Subscription<S>[];
  /** Whose turn it is. */
  next: number;
}

/** One filter of one session with its options (MQTT 5, 3.8.3.1). A new SUBSCRIBE replaces the options in place. */
export class Subscription<S> {
  readonly session: S;
  /** As the client wrote it, `$share/...` included and without the mount point. */
  readonly filter: string;
  /** What is in the tree: without `$share/group/`, with the mount point. */
  readonly topicFilter: string;
  readonly group: SharedGroup<S> | null;
  qos: 0 | 1 | 2 = 0;
  noLocal = false;
  retainAsPublished = false;
  /** 0 for none. */
  identifier = 0;

  constructor(session: S, filter: string, topicFilter: string, group: SharedGroup<S> | null) {
    this.session = session;
    this.filter = filter;
    this.topicFilter = topicFilter;
    this.group = group;
  }
}
