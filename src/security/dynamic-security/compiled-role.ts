/**
 * The ACLs of one role, compiled so that a decision walks the levels of the topic and not the list of ACLs.
 *
 *   rank  ACL of publishClientSend        root -a-> node { below: 1 }
 *   0     deny  a/b                            └─a─> node -b-> node { here: 0 }
 *   1     allow a/#                       a/b: 0 and 1 match, the lower rank is the first hit: deny
 *
 * There is one tree for each type that knows wildcards, and a map for each that does not. A walk finds the lowest rank
 * of all ACLs that match, which is the one that a walk down the list would have met first.
 */
import type { Identity } from '../../broker/ports.ts';
import { isValidFilter } from '../../topics/mod.ts';
import { type Acl, type AclType, aclTypes, type Role } from './model.ts';

interface AclNode {
  levels: Map<string, AclNode> | null;
  anyLevel: AclNode | null;
  clientIdLevel: AclNode | null;
  usernameLevel: AclNode | null;
  /** Rank of the first ACL whose filter ends with this level, and of the first that goes on with `#`. */
  here: number;
  below: number;
}

const NONE = Infinity;
const SLASH = 0x2f;
const DOLLAR = 0x24;

function newNode(): AclNode {
  return { levels: null, anyLevel: null, clientIdLevel: null, usernameLevel: null, here: NONE, below: NONE };
}

/** The names that stand for %c and %u. */
type Names = Pick<Identity, 'clientId' | 'username'>;

class AclTree {
  private readonly root = newNode();
  private readonly ranked: Acl[] = [];

  /** In the order in which they are to be asked. */
  add(acl: Acl): void {
    const rank = this.ranked.push(acl) - 1;
    let node = this.root;
    for (const level of acl.topic.split('/')) {
      if (level === '#') {
        node.below = Math.min(node.below, rank);
        return;
      }
      node = nextNode(node, level);
    }
    node.here = Math.min(node.here, rank);
  }

  /** The first ACL whose filter matches a topic name, or covers the whole of a filter. */
  first(topic: string, who: Names): Acl | undefined {
    const rank = topic.charCodeAt(0) === DOLLAR ? this.firstReserved(topic, who) : walk(this.root, topic, 0, who);
    return this.ranked[rank];
  }

  /** Only an ACL that names the first level answers for a topic that starts with `$`. [MQTT-4.7.2-1] */
  private firstReserved(topic: string, who: Names): number {
    const end = levelEnd(topic, 0);
    const child = this.root.levels?.get(topic.slice(0, end));
    return child === undefined ? NONE : goOn(child, topic, end, who);
  }
}

function nextNode(node: AclNode, level: string): AclNode {
  if (level === '+') return (node.anyLevel ??= newNode());
  if (level === '%c') return (node.clientIdLevel ??= newNode());
  if (level === '%u') return (node.usernameLevel ??= newNode());
  const levels = (node.levels ??= new Map<string, AclNode>());
  let child = levels.get(level);
  if (child === undefined) levels.set(level, (child = newNode()));
  return child;
}

function levelEnd(topic: string, start: number): number {
  const slash = topic.indexOf('/', start);
  return slash === -1 ? topic.length : slash;
}

/** `topic` from `start` on, below `node`. A `#` there is part of a filter, and only a `#` covers it. */
function walk(node: AclNode, topic: string, start: number, who: Names): number {
  let rank = node.below;
  const end = levelEnd(topic, start);
  const level = topic.slice(start, end);
  if (level === '#') return rank;
  if (node.anyLevel !== null) rank = Math.min(rank, goOn(node.anyLevel, topic, end, who));
  const child = node.levels?.get(level);
  if (child !== undefined) rank = Math.min(rank, goOn(child, topic, end, who));
  if (node.clientIdLevel !== null) rank = Math.min(rank, named(node.clientIdLevel, who.clientId, topic, start, who));
  if (node.usernameLevel !== null) rank = Math.min(rank, named(node.usernameLevel, who.username, topic, start, who));
  return rank;
}

/** `end` is where the level of `node` ends: at a slash, or at the end of the topic. */
function goOn(node: AclNode, topic: string, end: number, who: Names): number {
  if (end === topic.length) return Math.min(node.here, node.below);
  return walk(node, topic, end + 1, who);
}

/**
 * A name may fill several levels. An empty one would turn `%c/x` into a rule for everybody's `/x`, and a wildcard in one
 * would ask for what belongs to others: neither matches anything.
 */
function named(node: AclNode, name: string | null, topic: string, start: number, who: Names): number {
  if (name === null || name === '' || name.includes('+') || name.includes('#')) return NONE;
  if (!topic.startsWith(name, start)) return NONE;
  const end = start + name.length;
  return end === topic.length || topic.charCodeAt(end) === SLASH ? goOn(node, topic, end, who) : NONE;
}

const literalTypes: readonly AclType[] = ['subscribeLiteral', 'unsubscribeLiteral'];

export class CompiledRole {
  readonly role: Role;
  private readonly trees = new Map<AclType, AclTree>();
  private readonly literals = new Map<AclType, Map<string, Acl>>();

  constructor(role: Role) {
    this.role = role;
    for (const type of aclTypes) {
      const acls = role.acls.filter(acl => acl.type === type);
      if (acls.length === 0) continue;
      if (literalTypes.includes(type)) this.literals.set(type, new Map(acls.map(acl => [acl.topic, acl])));
      // A role made in one command may have filters that are none; they match nothing.
      else this.trees.set(type, treeOf(acls.filter(({ topic }) => isValidFilter(topic))));
    }
  }

  /** The ACL that decides, if any does. */
  first(type: AclType, topic: string, who: Names): Acl | undefined {
    return this.literals.get(type)?.get(topic) ?? this.trees.get(type)?.first(topic, who);
  }
}

function treeOf(acls: readonly Acl[]): AclTree {
  const tree = new AclTree();
  for (const acl of acls) tree.add(acl);
  return tree;
}

const compiled = new WeakMap<Role, CompiledRole>();

/** Once for each record of a role, however many have it. */
export function compile(role: Role): CompiledRole {
  let rules = compiled.get(role);
  if (rules === undefined) compiled.set(role, (rules = new CompiledRole(role)));
  return rules;
}
