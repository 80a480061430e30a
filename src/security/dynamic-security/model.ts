/**
 * Clients, groups and roles of dynamic security (docs/compat/dynsec.md, 3 and 8).
 *
 *   Client ──roles──> Role ──acls──> Acl          each link with its priority
 *      ▲               ▲
 *      └──── Group ────┘                          a group knows its members; `groupsOf` is read off the groups
 *
 * Every record is frozen in time: a change puts a new one into the place of the old. So a command can look at
 * everything before it changes anything, and what is made from a record (its text in the file, its compiled rules) is
 * right for as long as that record is there.
 */
import type { PasswordEntry } from '../password-entry.ts';
import { byteOrder, Named } from './named.ts';

/** A role or a group by name, with the priority of the link. Kept in the order in which they are asked. */
export interface Link {
  readonly name: string;
  readonly priority: number;
}

/** Of a link that was given none. */
export const NO_PRIORITY = -1;

export interface Client {
  readonly username: string;
  /** The only one it may log in with; null for any. */
  readonly clientId: string | null;
  readonly textName: string | null;
  readonly textDescription: string | null;
  readonly disabled: boolean;
  readonly roles: readonly Link[];
  /** As it stands in the file; null for none. */
  readonly encodedPassword: string | null;
  /** Null: nobody can log in, because there is none or it cannot be read. */
  readonly password: PasswordEntry | null;
}

export interface Group {
  readonly groupName: string;
  readonly textName: string | null;
  readonly textDescription: string | null;
  readonly roles: readonly Link[];
  /** Members by user name, with the priority that this group has for them. */
  readonly clients: ReadonlyMap<string, number>;
}

export const aclTypes = [
  'publishClientSend',
  'publishClientReceive',
  'subscribeLiteral',
  'subscribePattern',
  'unsubscribeLiteral',
  'unsubscribePattern',
] as const;

export type AclType = (typeof aclTypes)[number];

export interface Acl {
  readonly type: AclType;
  readonly topic: string;
  readonly priority: number;
  readonly allow: boolean;
}

export interface Role {
  readonly roleName: string;
  readonly textName: string | null;
  readonly textDescription: string | null;
  readonly allowWildcardSubs: boolean;
  /** By type, then by priority from high to low, then as they were added. */
  readonly acls: readonly Acl[];
}

export const defaultAccessTypes = ['publishClientSend', 'publishClientReceive', 'subscribe', 'unsubscribe'] as const;

export type DefaultAccessType = (typeof defaultAccessTypes)[number];

export type DefaultAccess = Readonly<Record<DefaultAccessType, boolean>>;

const nothingAllowed: DefaultAccess = {
  publishClientSend: false,
  publishClientReceive: false,
  subscribe: false,
  unsubscribe: false,
};

export class Model {
  readonly clients = new Named<Client>();
  readonly groups = new Named<Group>();
  readonly roles = new Named<Role>();
  /** Counts changes over the whole life of the file. */
  changeIndex = 0;
  /** Whatever was decided before it grew may be wrong now. */
  generation = 0;
  private access = nothingAllowed;
  private anonymous: string | null = null;
  private readonly membership = new Map<string, readonly Link[]>();

  get defaultAccess(): DefaultAccess {
    return this.access;
  }

  set defaultAccess(access: DefaultAccess) {
    this.access = access;
    this.generation++;
  }

  /** The name of the group of those who have no user name. */
  get anonymousGroup(): string | null {
    return this.anonymous;
  }

  set anonymousGroup(groupName: string | null) {
    this.anonymous = groupName;
    this.generation++;
  }

  putClient(client: Client): void {
    this.clients.set(client.username, client);
    this.generation++;
  }

  removeClient(username: string): void {
    this.leaveAllGroups(username);
    this.clients.delete(username);
    this.generation++;
  }

  leaveAllGroups(username: string): void {
    for (const { name } of this.groupsOf(username)) {
      const group = this.groups.get(name)!;
      this.putGroup({ ...group, clients: without(group.clients, username) });
    }
  }

  putGroup(group: Group): void {
    const before = this.groups.get(group.groupName)?.clients ?? new Map<string, number>();
    this.groups.set(group.groupName, group);
    if (before !== group.clients) this.rememberMembers(group.groupName, before, group.clients);
    this.generation++;
  }

  removeGroup(groupName: string): void {
    const group = this.groups.get(groupName);
    if (group === undefined) return;
    this.rememberMembers(groupName, group.clients, new Map());
    this.groups.delete(groupName);
    this.generation++;
  }

  putRole(role: Role): void {
    this.roles.set(role.roleName, role);
    this.generation++;
  }

  removeRole(roleName: string): void {
    for (const client of this.clientsWith(roleName)) {
      this.putClient({ ...client, roles: withoutLink(client.roles, roleName) });
    }
    for (const group of this.groupsWith(roleName)) {
      this.putGroup({ ...group, roles: withoutLink(group.roles, roleName) });
    }
    this.roles.delete(roleName);
    this.generation++;
  }

  clientsWith(roleName: string): Client[] {
    return [...this.clients.values()].filter(({ roles }) => hasLink(roles, roleName));
  }

  groupsWith(roleName: string): Group[] {
    return [...this.groups.values()].filter(({ roles }) => hasLink(roles, roleName));
  }

  /** In the order in which they are asked. */
  groupsOf(username: string): readonly Link[] {
    return this.membership.get(username) ?? [];
  }

  private rememberMembers(
    groupName: string,
    before: ReadonlyMap<string, number>,
    after: ReadonlyMap<string, number>,
  ): void {
    for (const username of before.keys()) {
      if (after.has(username)) continue;
      this.setMembership(username, withoutLink(this.groupsOf(username), groupName));
    }
    for (const [username, priority] of after) {
      if (before.get(username) === priority) continue;
      this.setMembership(username, withLink(this.groupsOf(username), { name: groupName, priority }));
    }
  }

  private setMembership(username: string, links: readonly Link[]): void {
    if (links.length === 0) this.membership.delete(username);
    else this.membership.set(username, links);
  }
}

export function hasLink(links: readonly Link[], name: string): boolean {
  return links.some(link => link.name === name);
}

export function withoutLink(links: readonly Link[], name: string): readonly Link[] {
  return links.filter(link => link.name !== name);
}

/** Higher priorities are asked first, equal ones by name. */
export function withLink(links: readonly Link[], added: Link): readonly Link[] {
  return [...withoutLink(links, added.name), added].sort(
    (a, b) => b.priority - a.priority || byteOrder(a.name, b.name),
  );
}

export function without(members: ReadonlyMap<string, number>, username: string): ReadonlyMap<string, number> {
  const rest = new Map(members);
  rest.delete(username);
  return rest;
}

/** In the order in which ACLs are asked and shown; a stable sort keeps equal ones as they were added. */
export function byTurn(a: Acl, b: Acl): number {
  return aclTypes.indexOf(a.type) - aclTypes.indexOf(b.type) || b.priority - a.priority;
}

/** Behind those that have the same turn. */
export function withAcl(acls: readonly Acl[], added: Acl): readonly Acl[] {
  const at = acls.findIndex(acl => byTurn(acl, added) > 0);
  return acls.toSpliced(at === -1 ? acls.length : at, 0, added);
}

export function findAcl(acls: readonly Acl[], type: AclType, topic: string): Acl | undefined {
  return acls.find(acl => acl.type === type && acl.topic === topic);
}
