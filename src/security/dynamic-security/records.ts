/**
 * Records as JSON: what the get and list commands answer, and what stands in the file. Members are in Mosquitto's order;
 * what is absent there is undefined here, which JSON leaves out.
 */
import type { JsonObject } from '../control-protocol.ts';
import { type Acl, type Client, type Group, type Link, NO_PRIORITY, type Role } from './model.ts';

export function priorityText(priority: number): number | undefined {
  return priority === NO_PRIORITY ? undefined : priority;
}

export function roleLinks(links: readonly Link[]): JsonObject[] {
  return links.map(({ name, priority }) => ({ rolename: name, priority: priorityText(priority) }));
}

export function groupLinks(links: readonly Link[]): JsonObject[] {
  return links.map(({ name, priority }) => ({ groupname: name, priority: priorityText(priority) }));
}

/** Without its password, and without what is not its own: its groups. */
export function clientRecord(client: Client): JsonObject {
  return {
    username: client.username,
    clientid: client.clientId ?? undefined,
    textname: client.textName ?? undefined,
    textdescription: client.textDescription ?? undefined,
    disabled: client.disabled || undefined,
    roles: roleLinks(client.roles),
  };
}

export function groupTexts(group: Group): JsonObject {
  return {
    groupname: group.groupName,
    textname: group.textName ?? undefined,
    textdescription: group.textDescription ?? undefined,
  };
}

export function roleRecord(role: Role): JsonObject {
  return {
    rolename: role.roleName,
    textname: role.textName ?? undefined,
    textdescription: role.textDescription ?? undefined,
    allowwildcardsubs: role.allowWildcardSubs,
    acls: role.acls.map(aclRecord),
  };
}

function aclRecord({ type, topic, priority, allow }: Acl): JsonObject {
  return { acltype: type, topic, priority, allow };
}
