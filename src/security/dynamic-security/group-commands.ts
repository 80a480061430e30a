/** The commands about groups (docs/compat/dynsec.md, 3). */
import {
  addLink,
  clientOf,
  type Command,
  type CommandContext,
  groupOf,
  kickMembers,
  objectsIn,
  page,
  refuse,
  roleOf,
  rolesIn,
} from './command.ts';
import { type JsonObject, member } from '../control-protocol.ts';
import { type Fields, GROUP_NAME, priorityOf, ROLE_NAME, USERNAME } from './fields.ts';
import { type Group, hasLink, type Model, NO_PRIORITY, without, withoutLink } from './model.ts';
import { byteOrder } from './named.ts';
import { groupTexts, roleLinks } from './records.ts';

export const groupCommands: readonly Command[] = [
  { name: 'createGroup', logs: ['groupname'], changes: true, run: createGroup },
  { name: 'deleteGroup', logs: ['groupname'], changes: true, run: deleteGroup },
  { name: 'modifyGroup', logs: ['groupname'], changes: true, run: modifyGroup },
  { name: 'getGroup', logs: ['groupname'], changes: false, run: getGroup },
  { name: 'listGroups', logs: ['verbose=false', 'count=-1', 'offset=0'], changes: false, run: listGroups },
  { name: 'addGroupClient', logs: ['groupname', 'username', 'priority=-1'], changes: true, run: addGroupClient },
  { name: 'removeGroupClient', logs: ['groupname', 'username'], changes: true, run: removeGroupClient },
  { name: 'addGroupRole', logs: ['groupname', 'rolename', 'priority=-1'], changes: true, run: addGroupRole },
  { name: 'removeGroupRole', logs: ['groupname', 'rolename'], changes: true, run: removeGroupRole },
  { name: 'setAnonymousGroup', logs: ['groupname'], changes: true, run: setAnonymousGroup },
  { name: 'getAnonymousGroup', logs: [], changes: false, run: getAnonymousGroup },
];

function createGroup(fields: Fields, { model }: CommandContext): void {
  const groupName = fields.name(GROUP_NAME);
  const textName = fields.optionalText('textname') ?? null;
  const textDescription = fields.optionalText('textdescription') ?? null;
  if (model.groups.get(groupName) !== undefined) refuse('Group already exists');
  const roles = rolesIn(fields, model) ?? [];
  model.putGroup({ groupName, textName, textDescription, roles, clients: new Map() });
}

function deleteGroup(fields: Fields, context: CommandContext): void {
  const { model } = context;
  const group = groupOf(model, fields.name(GROUP_NAME));
  if (group.groupName === model.anonymousGroup) refuse('Deleting the anonymous group is forbidden');
  model.removeGroup(group.groupName);
  kickMembers(context, group);
}

function modifyGroup(fields: Fields, context: CommandContext): void {
  const { model } = context;
  const before = groupOf(model, fields.name(GROUP_NAME));
  const textName = fields.optionalText('textname');
  const textDescription = fields.optionalText('textdescription');
  const roles = rolesIn(fields, model);
  const clients = membersIn(fields, model);
  const after: Group = {
    ...before,
    textName: textName ?? before.textName,
    textDescription: textDescription ?? before.textDescription,
    roles: roles ?? before.roles,
    clients: clients ?? before.clients,
  };
  model.putGroup(after);
  kickMembers(context, before);
  kickMembers(context, after);
}

/** All are looked at before any is changed. */
function membersIn(fields: Fields, model: Model): Map<string, number> | undefined {
  const list = objectsIn(fields, 'clients');
  if (list === undefined) return undefined;
  const members = new Map<string, number>();
  for (const item of list) {
    const username = member(item, 'username');
    if (typeof username !== 'string') refuse("'clients' contains an object with an invalid 'username'");
    if (model.clients.get(username) === undefined) {
      refuse("'clients' contains an object with a 'username' that does not exist");
    }
    if (!members.has(username)) members.set(username, priorityOf(item, NO_PRIORITY));
  }
  return members;
}

function getGroup(fields: Fields, { model }: CommandContext): JsonObject {
  return { group: wholeGroup(groupOf(model, fields.name(GROUP_NAME))) };
}

function wholeGroup(group: Group): JsonObject {
  const members = [...group.clients.keys()].sort(byteOrder);
  return {
    ...groupTexts(group),
    clients: members.map(username => ({ username })),
    roles: roleLinks(group.roles),
  };
}

function listGroups(fields: Fields, { model }: CommandContext): JsonObject {
  const names = page(model.groups.sortedNames(), fields);
  const isVerbose = fields.flag('verbose') === true;
  return {
    totalCount: model.groups.size,
    groups: isVerbose ? names.map(name => wholeGroup(model.groups.get(name)!)) : names,
  };
}

/** The client is put out even if it stays where it was, as Mosquitto does. */
function addGroupClient(fields: Fields, { model, kick }: CommandContext): void {
  const username = fields.name(USERNAME);
  const groupName = fields.name(GROUP_NAME);
  const priority = fields.priority(NO_PRIORITY);
  kick(username);
  clientOf(model, username);
  const group = groupOf(model, groupName);
  if (group.clients.has(username)) refuse('Client is already in this group');
  model.putGroup({ ...group, clients: new Map([...group.clients, [username, priority]]) });
}

function removeGroupClient(fields: Fields, { model, kick }: CommandContext): void {
  const username = fields.name(USERNAME);
  const groupName = fields.name(GROUP_NAME);
  kick(username);
  clientOf(model, username);
  const group = groupOf(model, groupName);
  model.putGroup({ ...group, clients: without(group.clients, username) });
}

function addGroupRole(fields: Fields, context: CommandContext): void {
  const { model } = context;
  const groupName = fields.name(GROUP_NAME);
  const roleName = fields.name(ROLE_NAME);
  const priority = fields.priority(NO_PRIORITY);
  const group = groupOf(model, groupName);
  roleOf(model, roleName);
  if (hasLink(group.roles, roleName)) refuse('Group is already in this role');
  model.putGroup({ ...group, roles: addLink(group.roles, roleName, priority) });
  kickMembers(context, group);
}

function removeGroupRole(fields: Fields, context: CommandContext): void {
  const { model } = context;
  const groupName = fields.name(GROUP_NAME);
  const roleName = fields.name(ROLE_NAME);
  const group = groupOf(model, groupName);
  roleOf(model, roleName);
  model.putGroup({ ...group, roles: withoutLink(group.roles, roleName) });
  kickMembers(context, group);
}

function setAnonymousGroup(fields: Fields, { model, kick }: CommandContext): void {
  model.anonymousGroup = groupOf(model, fields.name(GROUP_NAME)).groupName;
  kick(null);
}

function getAnonymousGroup(_: Fields, { model }: CommandContext): JsonObject {
  return { group: { groupname: model.anonymousGroup ?? '' } };
}
