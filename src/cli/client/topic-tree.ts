/** The topics seen so far as a tree with last values and rates, for `sub --tree`. Pure: what to draw, not when or where. */
interface Node {
  name: string;
  children: Map<string, Node>;
  /** Null where nothing was published to the node itself. */
  value: string | null;
  count: number;
  /** Messages since the last look, for the rate. */
  fresh: number;
}

/** Topics beyond this are counted and not shown: somebody may publish to a new one with every message. */
const nodesMax = 10_000;
const valueWidth = 60;

export class TopicTree {
  private readonly root = newNode('');
  private nodes = 0;
  private hidden = 0;

  add(topic: string, payload: Buffer): void {
    let node = this.root;
    for (const name of topic.split('/')) {
      const child = node.children.get(name) ?? this.grow(node, name);
      if (child === null) return void this.hidden++;
      node = child;
    }
    node.value = shown(payload);
    node.count++;
    node.fresh++;
  }

  /** Lines of at most `width` columns; `seconds` since the last call give the rates. */
  draw(width: number, seconds: number): string[] {
    const lines: string[] = [];
    this.drawChildren(this.root, '', lines, seconds);
    if (this.hidden > 0) lines.push(`(${this.hidden} messages to topics beyond the first ${nodesMax})`);
    return lines.map(line => (line.length > width ? `${line.slice(0, width - 1)}…` : line));
  }

  private grow(node: Node, name: string): Node | null {
    if (this.nodes >= nodesMax) return null;
    this.nodes++;
    const child = newNode(name);
    node.children.set(name, child);
    return child;
  }

  private drawChildren(node: Node, indent: string, lines: string[], seconds: number): void {
    const children = [...node.children.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    children.forEach((child, at) => {
      const last = at === children.length - 1;
      lines.push(`${indent}${last ? '└─ ' : '├─ '}${label(child, seconds)}`);
      this.drawChildren(child, `${indent}${last ? '   ' : '│  '}`, lines, seconds);
    });
  }
}

function newNode(name: string): Node {
  return { name, children: new Map(), value: null, count: 0, fresh: 0 };
}

function label(node: Node, seconds: number): string {
  if (node.value === null) return node.name;
  const rate = seconds > 0 ? node.fresh / seconds : 0;
  node.fresh = 0;
  return `${node.name} = ${node.value}  (${node.count}${rate > 0 ? `, ${rate.toFixed(1)}/s` : ''})`;
}

/** One line without control characters: a value must not draw on the screen by itself. */
function shown(payload: Buffer): string {
  if (payload.length === 0) return '(null)';
  const text = payload.toString('utf8', 0, 4 * valueWidth).replace(/[\u0000-\u001f\u007f-\u009f]/g, '·');
  return text.length > valueWidth ? `${text.slice(0, valueWidth)}…` : text;
}
