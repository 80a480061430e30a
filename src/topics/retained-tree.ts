/**
 * RetainedTree is the mirror image of the subscription tree: values live under topic names, and a filter asks for them.
 * A filter without wildcards costs one look-up; `+` and `#` walk only the branches they can match.
 */
interface Node<T> {
  children: Map<string, Node<T>> | null;
  value: T | undefined;
}

export class RetainedTree<T> {
  private readonly root: Node<T> = { children: null, value: undefined };
  size = 0;

  get(topicName: string): T | undefined {
    let node: Node<T> | undefined = this.root;
    for (const level of topicName.split('/')) node = node?.children?.get(level);
    return node?.value;
  }

  /** Returns what was there before. */
  set(topicName: string, value: T): T | undefined {
    let node = this.root;
    for (const level of topicName.split('/')) {
      node.children ??= new Map();
      let child = node.children.get(level);
      if (child === undefined) node.children.set(level, (child = { children: null, value: undefined }));
      node = child;
    }
    const before = node.value;
    if (before === undefined) this.size++;
    node.value = value;
    return before;
  }

  /** Returns what was there. */
  delete(topicName: string): T | undefined {
    const levels = topicName.split('/');
    const path: Node<T>[] = [this.root];
    for (const level of levels) {
      const child = path[path.length - 1]!.children?.get(level);
      if (child === undefined) return undefined;
      path.push(child);
    }
    const before = path[levels.length]!.value;
    if (before === undefined) return undefined;
    path[levels.length]!.value = undefined;
    this.size--;
    for (let depth = levels.length; depth > 0; depth--) {
      const node = path[depth]!;
      if (node.value !== undefined || node.children !== null) break;
      const parent = path[depth - 1]!;
      parent.children!.delete(levels[depth - 1]!);
      if (parent.children!.size > 0) break;
      parent.children = null;
    }
    return before;
  }

  /** Every value whose topic name the filter matches, in the order the topics first appeared at each level. */
  match(filter: string): T[] {
    const found: T[] = [];
    collect(this.root, filter.split('/'), 0, found);
    return found;
  }

  /** Level by level, never a whole level at once: one may have a million names. */
  *values(): IterableIterator<T> {
    const open: Iterator<Node<T>>[] = [[this.root].values()];
    for (let level = open.at(-1); level !== undefined; level = open.at(-1)) {
      const next = level.next();
      if (next.done === true) open.pop();
      else {
        const { value, children } = next.value;
        if (value !== undefined) yield value;
        if (children !== null) open.push(children.values());
      }
    }
  }
}

function collect<T>(node: Node<T>, levels: string[], depth: number, found: T[]): void {
  if (depth === levels.length) {
    if (node.value !== undefined) found.push(node.value);
    return;
  }
  const level = levels[depth]!;
  if (level === '#') return collectAll(node, depth === 0, found);
  if (level !== '+') {
    const child = node.children?.get(level);
    if (child !== undefined) collect(child, levels, depth + 1, found);
    return;
  }
  for (const [name, child] of node.children ?? []) {
    if (depth === 0 && name.startsWith('$')) continue;
    collect(child, levels, depth + 1, found);
  }
}

/** `#` takes its parent level too (4.7.1.2), and at the root leaves out `$` topics. [MQTT-4.7.2-1] */
function collectAll<T>(node: Node<T>, atRoot: boolean, found: T[]): void {
  if (node.value !== undefined) found.push(node.value);
  for (const [name, child] of node.children ?? []) {
    if (atRoot && name.startsWith('$')) continue;
    collectAll(child, false, found);
  }
}
