/** FilterLevels is the shape of a tree of filters, where a walk for a topic asks each node for `+` and `#`. */
import { COLUMNS, LevelTable, NONE, OWN } from './level-table.ts';
import { LEVEL_HASH, LEVEL_PLUS } from './level-names.ts';

const CHILDREN = OWN;
/** The children of these names. */
const PLUS = OWN + 1;
const HASH = OWN + 2;

export class FilterLevels extends LevelTable {
  plus(node: number): number {
    return this.rows[node * COLUMNS + PLUS]!;
  }

  hash(node: number): number {
    return this.rows[node * COLUMNS + HASH]!;
  }

  hasChildren(node: number): boolean {
    return this.rows[node * COLUMNS + CHILDREN] !== 0;
  }

  protected added(node: number, parent: number, level: number): void {
    const at = parent * COLUMNS;
    this.rows[at + CHILDREN]!++;
    this.noteWildcard(at, level, node);
  }

  protected removing(_node: number, parent: number, level: number): void {
    const at = parent * COLUMNS;
    this.rows[at + CHILDREN]!--;
    this.noteWildcard(at, level, NONE);
  }

  private noteWildcard(at: number, level: number, node: number): void {
    if (level === LEVEL_PLUS) this.rows[at + PLUS] = node;
    if (level === LEVEL_HASH) this.rows[at + HASH] = node;
  }
}
