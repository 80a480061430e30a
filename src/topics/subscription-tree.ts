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
interface Node<T> {
  children: Map<string, Node<T>> | null;
  /** Subscriptions to exactly this filter, in the order they came. */
  values: T[] | null;
  /** Shared subscription groups of this filter. */
  shared: T[] | null;
}

export class SubscriptionTree<T> {
  private readonly root: Node<T> = emptyNode();
  generation = 0;
  /** Ordinary and shared values together. */
  size = 0;

  /** Adds a value under a filter; the same value twice is the caller's mistake. */
  add(filter: string, value: T): void {
    const node = this.nodeFor(filter);
    node.values = appended(node.values, value);
    this.size++;
    this.generation++;
  }

  addShared(filter: string, value: T): void {
    const node = this.nodeFor(filter);
    node.shared = appended(node.shared, value);
    this.size++;
    this.generation++;
  }

  remove(filter: string, value: T): boolean {
    return this.removeFrom(filter, 'values', value);
  }

  removeShared(filter: string, value: T): boolean {
    return this.removeFrom(filter, 'shared', value);
  }

  /** Collects, in order, everything whose filter matches the topic name. */
  match(topicName: string): T[] {
    const found: T[] = [];
    collect(this.root, topicName, 0, topicName.charCodeAt(0) === 0x24, found);
    return found;
  }

  /** Every filter in use with its number of values, for SIGUSR2 and tests. */
  *filters(): IterableIterator<{ filter: string; values: readonly T[]; shared: readonly T[] }> {
    yield* walk(this.root, []);
  }

  private nodeFor(filter: string): Node<T> {
    let node = this.root;
    for (const level of filter.split('/')) {
      node.children ??= new Map();
      let child = node.children.get(level);
      if (child === undefined) node.children.set(level, (child = emptyNode()));
      node = child;
    }
    return node;
  }

  private removeFrom(filter: string, kind: 'values' | 'shared', value: T): boolean {
    const levels = filter.split('/');
    const path: Node<T>[] = [this.root];
    for (const level of levels) {
      const child = path[path.length - 1]!.children?.get(level);
      if (child === undefined) return false;
      path.push(child);
    }
    const node = path[path.length - 1]!;
    const at = node[kind]?.indexOf(value) ?? -1;
    if (at === -1) return false;
    // A new array: routes that were resolved before keep iterating over the old one.
    const rest = node[kind]!.toSpliced(at, 1);
    node[kind] = rest.length === 0 ? null : rest;
    prune(path, levels);
    this.size--;
    this.generation++;
    return true;
  }
}

function emptyNode<T>(): Node<T> {
  return { children: null, values: null, shared: null };
}

function appended<T>(list: T[] | null, value: T): T[] {
  if (list === null) return [value];
  list.push(value);
  return list;
}

/** Removes the branch that no longer leads to anyone. */
function prune<T>(path: Node<T>[], levels: string[]): void {
  for (let depth = levels.length; depth > 0; depth--) {
    const node = path[depth]!;
    if (node.values !== null || node.shared !== null || node.children !== null) return;
    const parent = path[depth - 1]!;
    parent.children!.delete(levels[depth - 1]!);
    if (parent.children!.size > 0) return;
    parent.children = null;
  }
}

/** `from` is where the next level starts; past the end of the name only `#` can still match (4.7.1.2). */
function collect<T>(node: Node<T>, name: string, from: number, dollarRoot: boolean, found: T[]): void {
  const children = node.children;
  if (children === null) return;
  if (from <= name.length) {
    const slash = name.indexOf('/', from);
    const to = slash === -1 ? name.length : slash;
    // A literal level can never be `+` or `#`: a topic name has no wildcards.
    const literal = children.get(name.slice(from, to));
    if (literal !== undefined) descend(literal, name, to, found);
    const plus = dollarRoot ? undefined : children.get('+');
    if (plus !== undefined) descend(plus, name, to, found);
  }
  const hash = dollarRoot ? undefined : children.get('#');
  if (hash !== undefined) take(hash, found);
}

function descend<T>(child: Node<T>, name: string, levelEnd: number, found: T[]): void {
  collect(child, name, levelEnd + 1, false, found);
  if (levelEnd === name.length) take(child, found);
}

function take<T>(node: Node<T>, found: T[]): void {
  if (node.values !== null) for (const value of node.values) found.push(value);
  if (node.shared !== null) for (const value of node.shared) found.push(value);
}

function* walk<T>(
  node: Node<T>,
  path: string[],
): IterableIterator<{ filter: string; values: readonly T[]; shared: readonly T[] }> {
  if (node.values !== null || node.shared !== null) {
    yield { filter: path.join('/'), values: node.values ?? [], shared: node.shared ?? [] };
  }
  for (const [level, child] of node.children ?? []) yield* walk(child, [...path, level]);
}
