/** What a command of dynamic security is, and what several of them share. */
import { decode } from '../password-hash.ts';
import { isObject, type JsonObject, member } from '../control-protocol.ts';
import { CommandRefused, type Fields, priorityOf } from './fields.ts';
import { type Client, type Group, type Link, type Model, NO_PRIORITY, type Role, withLink } from './model.ts';

export interface Command {
  /** Matched without regard to case. */
  name: string;
  /** Members that its line in the log shows; behind `=` what it shows when there is none. */
  logs: readonly string[];
  /** Counted, and kept in the file. */
  changes: boolean;
  /** A refusal is thrown as CommandRefused. What comes back is the reply's `data`. */
  run(fields: Fields, context: CommandContext): JsonObject | void;
}

export interface CommandContext {
  readonly model: Model;
  /** The hash of the command's `password`; null when there is none, or an empty one. */
  readonly hashed: string | null;
  /** Addresses of those who are connected, by user name. */
  readonly connections: () => ReadonlyMap<string, readonly string[]>;
  /** Puts everybody out who is connected with this name, once the reply is sent; null for those without one. */
  readonly kick: (username: string | null) => void;
}

export function clientOf(model: Model, username: string): Client {
  return model.clients.get(username) ?? refuse('Client not found');
}

export function groupOf(model: Model, groupName: string): Group {
  return model.groups.get(groupName) ?? refuse('Group not found');
}

export function roleOf(model: Model, roleName: string): Role {
  return model.roles.get(roleName) ?? refuse('Role not found');
}

export function refuse(text: string): never {
  throw new CommandRefused(text);
}

/** The `roles` of a command as links; undefined when it has none. The first of two links to one role counts. */
export function rolesIn(fields: Fields, model: Model): readonly Link[] | undefined {
  const list = fields.get('roles');
  if (list === undefined) return undefined;
  const invalid = "'roles' not an array or missing/invalid rolename";
  if (!Array.isArray(list)) refuse(invalid);
  let links: readonly Link[] = [];
  for (const item of list as unknown[]) {
    const name = isObject(item) ? member(item, 'rolename') : undefined;
    if (typeof name !== 'string') refuse(invalid);
    roleOf(model, name);
    links = addLink(links, name, priorityOf(item as JsonObject, NO_PRIORITY));
  }
  return links;
}

export function addLink(links: readonly Link[], name: string, priority: number): readonly Link[] {
  return links.some(link => link.name === name) ? links : withLink(links, { name, priority });
}

/** The objects in a list of a command; whatever else stands in it is passed over. Undefined when it is no list. */
export function objectsIn(fields: Fields, name: string): JsonObject[] | undefined {
  const list = fields.get(name);
  return Array.isArray(list) ? (list as unknown[]).filter(isObject) : undefined;
}

/** Both forms of a password: as it is stored, and as it is checked. */
export function passwordOf(encodedPassword: string | null): Pick<Client, 'encodedPassword' | 'password'> {
  const decoded = encodedPassword === null ? null : decode(encodedPassword);
  const isGood = decoded?.ok === true && encodedPassword !== null;
  return { encodedPassword, password: isGood ? { encoded: encodedPassword, hash: decoded.hash, proof: null } : null };
}

export function kickMembers({ kick }: CommandContext, group: Group): void {
  for (const username of group.clients.keys()) kick(username);
}

/** Everybody whose rights depend on a role. */
export function kickHolders(context: CommandContext, roleName: string): void {
  const { model } = context;
  for (const { username } of model.clientsWith(roleName)) context.kick(username);
  for (const group of model.groupsWith(roleName)) kickMembers(context, group);
}

/** `count` entries of a sorted list from `offset` on: -1 is all of them, 0 is one as 1 is. */
export function page(names: readonly string[], fields: Fields): readonly string[] {
  const count = fields.count('count', -1);
  const offset = Math.max(0, fields.count('offset', 0));
  return count < 0 ? names.slice(offset) : names.slice(offset, offset + Math.max(1, count));
}
