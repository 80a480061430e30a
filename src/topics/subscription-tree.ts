/**
 * SubscriptionTree finds everyone who subscribed to a topic name.
 *
 *   root ─ home ─ kitchen ─ temp      values: those of `home/kitchen/temp`
 *            ├─ (+) ── temp           `home/+/temp`
 *            └─ (#)                   `home/#`
 *
 * match() visits in Mosquitto's order: the deepest level first; at each level the literal branch, then `+`, then `#`;
 * inside one filter in the order of subscription, ordinary before shared (docs/compat/packets.md, 5).
 * `generation` grows with every change, so that whoever remembers a result knows when it is stale.
 */
import { LongList } from '../base/mod.ts';
import { FilterLevels } from './filter-levels.ts';
import { NONE, ROOT } from './level-table.ts';

export class SubscriptionTree<T> {
  generation = 0;
  /** Ordinary and shared values together. */
  size = 0;
  private readonly table = new FilterLevels();
  /** By node: who subscribed to exactly its filter, in the order they came. */
  private readonly values = new ListsByNode<T>();
  /** The same for groups of shared subscriptions. */
  private readonly shared = new ListsByNode<T>();

  /** Adds a value under a filter; the same value twice is the caller's mistake. */
  add(filter: string, value: T): void {
    this.addTo(this.values, filter, value);
  }

  addShared(filter: string, value: T): void {
    this.addTo(this.shared, filter, value);
  }

  remove(filter: string, value: T): boolean {
    return this.removeFrom(this.values, filter, value);
  }

  removeShared(filter: string, value: T): boolean {
    return this.removeFrom(this.shared, filter, value);
  }

  /** Collects, in order, everything whose filter matches the topic name. */
  match(topicName: string): T[] {
    const found: T[] = [];
    const levels = this.table.numbersOf(topicName);
    // A wildcard at the start matches no `$` topic. [MQTT-4.7.2-1]
    if (topicName.charCodeAt(0) !== DOLLAR) this.collect(ROOT, levels, 0, found);
    else {
      const first = this.table.childOfLevel(ROOT, levels[0]!);
      if (first !== NONE) this.descend(first, levels, 0, found);
    }
    return found;
  }

  /** Every filter in use with its values, for SIGUSR2, operators and tests. */
  *filters(): IterableIterator<{ filter: string; values: readonly T[]; shared: readonly T[] }> {
    for (let node = 0; node < Math.max(this.values.end, this.shared.end); node++) {
      const values = this.values.at(node);
      const shared = this.shared.at(node);
      if (values.length + shared.length > 0) yield { filter: this.table.pathOf(node), values, shared };
    }
  }

  private addTo(lists: ListsByNode<T>, filter: string, value: T): void {
    lists.add(this.table.reach(filter), value);
    this.size++;
    this.generation++;
  }

  private removeFrom(lists: ListsByNode<T>, filter: string, value: T): boolean {
    const node = this.table.find(filter);
    if (node === NONE || !lists.remove(node, value)) return false;
    this.table.prune(node, it => this.values.has(it) || this.shared.has(it));
    this.size--;
    this.generation++;
    return true;
  }

  /** `depth` is the level that the children of `node` stand for; past the last one only `#` can match (4.7.1.2). */
  private collect(node: number, levels: readonly number[], depth: number, found: T[]): void {
    const { table } = this;
    if (!table.hasChildren(node)) return;
    if (depth < levels.length) {
      // A literal level can never be `+` or `#`: a topic name has no wildcards.
      const literal = table.childOfLevel(node, levels[depth]!);
      if (literal !== NONE) this.descend(literal, levels, depth, found);
      const plus = table.plus(node);
      if (plus !== NONE) this.descend(plus, levels, depth, found);
    }
    const hash = table.hash(node);
    if (hash !== NONE) this.take(hash, found);
  }

  private descend(child: number, levels: readonly number[], depth: number, found: T[]): void {
    this.collect(child, levels, depth + 1, found);
    if (depth === levels.length - 1) this.take(child, found);
  }

  private take(node: number, found: T[]): void {
    this.values.pushInto(node, found);
    this.shared.pushInto(node, found);
  }
}

const DOLLAR = 0x24;

/** A list of values for each node; nearly all have none or one, which then needs no array. No value is an array itself. */
class ListsByNode<T> {
  private readonly lists = new LongList<T | T[] | undefined>();

  /** Past the last node that may have a value. */
  get end(): number {
    return this.lists.length;
  }

  has(node: number): boolean {
    return this.lists.at(node) !== undefined;
  }

  at(node: number): readonly T[] {
    const found: T[] = [];
    this.pushInto(node, found);
    return found;
  }

  pushInto(node: number, found: T[]): void {
    const list = this.lists.at(node);
    if (list === undefined) return;
    if (!Array.isArray(list)) found.push(list);
    else for (const value of list) found.push(value);
  }

  add(node: number, value: T): void {
    const { lists } = this;
    while (lists.length <= node) lists.push(undefined);
    const list = lists.at(node);
    if (list === undefined) lists.set(node, value);
    else if (Array.isArray(list)) list.push(value);
    else lists.set(node, [list, value]);
  }

  remove(node: number, value: T): boolean {
    const list = this.lists.at(node);
    if (list === value) {
      this.lists.set(node, undefined);
      return true;
    }
    const at = Array.isArray(list) ? list.indexOf(value) : -1;
    if (!Array.isArray(list) || at === -1) return false;
    if (list.length === 2) this.lists.set(node, list[1 - at]);
    else list.splice(at, 1);
    return true;
  }
}
