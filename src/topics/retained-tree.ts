/**
 * RetainedTree is the mirror image of the subscription tree: values live under topic names, and a filter asks for them.
 * A filter without wildcards costs one look-up; `+` and `#` walk only the branches they can match.
 */
import { LongList } from '../base/mod.ts';
import { NONE, ROOT } from './level-table.ts';
import { NameLevels } from './name-levels.ts';

export class RetainedTree<T> {
  size = 0;
  private readonly table = new NameLevels();
  /** By node. */
  private readonly byNode = new LongList<T | undefined>();

  get(topicName: string): T | undefined {
    return this.byNode.at(this.table.find(topicName));
  }

  /** Returns the value that the topic had. */
  set(topicName: string, value: T): T | undefined {
    const node = this.table.reach(topicName);
    const { byNode } = this;
    while (byNode.length <= node) byNode.push(undefined);
    const before = byNode.at(node);
    if (before === undefined) this.size++;
    byNode.set(node, value);
    return before;
  }

  /** The same. */
  delete(topicName: string): T | undefined {
    const node = this.table.find(topicName);
    const value = this.byNode.at(node);
    if (value === undefined) return undefined;
    this.byNode.set(node, undefined);
    this.size--;
    this.table.prune(node, it => this.byNode.at(it) !== undefined);
    return value;
  }

  /** Every value whose topic name the filter matches, in the order the topics first appeared at each level. */
  match(filter: string): T[] {
    const found: T[] = [];
    this.collect(ROOT, filter.split('/'), 0, found);
    return found;
  }

  /** Whoever walks slowly sees what comes and goes meanwhile, or not. */
  *values(): IterableIterator<T> {
    for (const value of this.byNode) if (value !== undefined) yield value;
  }

  private collect(node: number, levels: readonly string[], depth: number, found: T[]): void {
    if (depth === levels.length) return this.take(node, found);
    const level = levels[depth]!;
    if (level === '#') return this.collectAll(node, depth === 0, found);
    if (level !== '+') {
      const child = this.table.child(node, level);
      if (child !== NONE) this.collect(child, levels, depth + 1, found);
      return;
    }
    for (let child = this.table.firstChild(node); child !== NONE; child = this.table.nextSibling(child)) {
      if (depth > 0 || !this.isReserved(child)) this.collect(child, levels, depth + 1, found);
    }
  }

  /** `#` takes its parent level too (4.7.1.2), and at the root leaves out `$` topics. [MQTT-4.7.2-1] */
  private collectAll(node: number, atRoot: boolean, found: T[]): void {
    this.take(node, found);
    for (let child = this.table.firstChild(node); child !== NONE; child = this.table.nextSibling(child)) {
      if (!atRoot || !this.isReserved(child)) this.collectAll(child, false, found);
    }
  }

  private take(node: number, found: T[]): void {
    const value = this.byNode.at(node);
    if (value !== undefined) found.push(value);
  }

  private isReserved(node: number): boolean {
    return this.table.levelOf(node).startsWith('$');
  }
}
