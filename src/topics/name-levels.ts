/** NameLevels is the shape of a tree of topic names, where a walk for a filter goes through all children of a node. */
import { COLUMNS, LevelTable, NONE, OWN } from './level-table.ts';

const FIRST_CHILD = OWN;
const NEXT_SIBLING = OWN + 1;
/** The last of the siblings, for the first of them. */
const PREVIOUS_SIBLING = OWN + 2;

export class NameLevels extends LevelTable {
  hasChildren(node: number): boolean {
    return this.firstChild(node) !== NONE;
  }

  /** For going through children in the order in which they came; NONE at the end. */
  firstChild(node: number): number {
    return this.rows[node * COLUMNS + FIRST_CHILD]!;
  }

  nextSibling(node: number): number {
    return this.rows[node * COLUMNS + NEXT_SIBLING]!;
  }

  protected added(node: number, parent: number): void {
    const { rows } = this;
    const first = rows[parent * COLUMNS + FIRST_CHILD]!;
    if (first === NONE) {
      rows[parent * COLUMNS + FIRST_CHILD] = node;
      rows[node * COLUMNS + PREVIOUS_SIBLING] = node;
      return;
    }
    const last = rows[first * COLUMNS + PREVIOUS_SIBLING]!;
    rows[last * COLUMNS + NEXT_SIBLING] = node;
    rows[node * COLUMNS + PREVIOUS_SIBLING] = last;
    rows[first * COLUMNS + PREVIOUS_SIBLING] = node;
  }

  protected removing(node: number, parentNode: number): void {
    const { rows } = this;
    const parent = parentNode * COLUMNS;
    const next = rows[node * COLUMNS + NEXT_SIBLING]!;
    const previous = rows[node * COLUMNS + PREVIOUS_SIBLING]!;
    const first = rows[parent + FIRST_CHILD]!;
    if (first === node) rows[parent + FIRST_CHILD] = next;
    else rows[previous * COLUMNS + NEXT_SIBLING] = next;
    // The first sibling knows the last one.
    const follower = next !== NONE ? next : rows[parent + FIRST_CHILD]!;
    if (follower !== NONE) rows[follower * COLUMNS + PREVIOUS_SIBLING] = previous;
  }
}
