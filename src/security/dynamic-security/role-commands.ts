/** The commands about roles and their ACLs (docs/compat/dynsec.md, 3). */
import { isValidFilter } from '../../topics/mod.ts';
import { type Command, type CommandContext, kickHolders, objectsIn, page, refuse, roleOf } from './command.ts';
import { type JsonObject, member } from '../control-protocol.ts';
import { aclTypeOf, type Fields, priorityOf, ROLE_NAME } from './fields.ts';
import { type Acl, byTurn, findAcl, withAcl } from './model.ts';
import { roleRecord } from './records.ts';

export const roleCommands: readonly Command[] = [
  { name: 'createRole', logs: ['rolename'], changes: true, run: createRole },
  { name: 'deleteRole', logs: ['rolename'], changes: true, run: deleteRole },
  { name: 'modifyRole', logs: ['rolename'], changes: true, run: modifyRole },
  { name: 'getRole', logs: ['rolename'], changes: false, run: getRole },
  { name: 'listRoles', logs: ['verbose=false', 'count=-1', 'offset=0'], changes: false, run: listRoles },
  {
    name: 'addRoleACL',
    logs: ['rolename', 'acltype', 'topic', 'priority=0', 'allow=false'],
    changes: true,
    run: addRoleAcl,
  },
  { name: 'removeRoleACL', logs: ['rolename', 'acltype', 'topic'], changes: true, run: removeRoleAcl },
];

/** Of an ACL that says none. */
const ACL_PRIORITY = 0;

function createRole(fields: Fields, { model }: CommandContext): void {
  const roleName = fields.name(ROLE_NAME);
  const textName = fields.optionalText('textname') ?? null;
  const textDescription = fields.optionalText('textdescription') ?? null;
  const allowWildcardSubs = wildcardFlag(fields) ?? true;
  if (model.roles.get(roleName) !== undefined) refuse('Role already exists');
  model.putRole({ roleName, textName, textDescription, allowWildcardSubs, acls: aclsIn(fields) ?? [] });
}

function wildcardFlag(fields: Fields): boolean | undefined {
  const value = fields.get('allowwildcardsubs');
  if (value === undefined || typeof value === 'boolean') return value;
  refuse('Invalid allowwildcardsubs');
}

/** Undefined when the command has none. */
function aclsIn(fields: Fields): readonly Acl[] | undefined {
  const list = objectsIn(fields, 'acls');
  return list === undefined ? undefined : aclsOf(list);
}

/** What is no ACL, or there already, is passed over without a word, as in Mosquitto. */
export function aclsOf(list: readonly JsonObject[]): readonly Acl[] {
  const acls = new Map<string, Acl>();
  for (const item of list) {
    const written = member(item, 'acltype');
    const topic = member(item, 'topic');
    const type = typeof written === 'string' ? aclTypeOf(written) : undefined;
    if (type === undefined || typeof topic !== 'string' || topic === '') continue;
    const key = `${type} ${topic}`;
    const allow = member(item, 'allow') === true;
    if (!acls.has(key)) acls.set(key, { type, topic, priority: priorityOf(item, ACL_PRIORITY), allow });
  }
  return [...acls.values()].sort(byTurn);
}

function deleteRole(fields: Fields, context: CommandContext): void {
  const { roleName } = roleOf(context.model, fields.name(ROLE_NAME));
  kickHolders(context, roleName);
  context.model.removeRole(roleName);
}

function modifyRole(fields: Fields, context: CommandContext): void {
  const { model } = context;
  const roleName = fields.name(ROLE_NAME);
  const before = model.roles.get(roleName) ?? refuse('Role does not exist');
  const textName = fields.optionalText('textname') ?? before.textName;
  const textDescription = fields.optionalText('textdescription') ?? before.textDescription;
  const allowWildcardSubs = wildcardFlag(fields) ?? before.allowWildcardSubs;
  const acls = aclsIn(fields);
  model.putRole({ roleName, textName, textDescription, allowWildcardSubs, acls: acls ?? before.acls });
  if (acls !== undefined || allowWildcardSubs !== before.allowWildcardSubs) kickHolders(context, roleName);
}

function getRole(fields: Fields, { model }: CommandContext): JsonObject {
  return { role: roleRecord(roleOf(model, fields.name(ROLE_NAME))) };
}

function listRoles(fields: Fields, { model }: CommandContext): JsonObject {
  const names = page(model.roles.sortedNames(), fields);
  const isVerbose = fields.flag('verbose') === true;
  return {
    totalCount: model.roles.size,
    roles: isVerbose ? names.map(name => roleRecord(model.roles.get(name)!)) : names,
  };
}

function addRoleAcl(fields: Fields, context: CommandContext): void {
  const role = roleOf(context.model, fields.name(ROLE_NAME));
  const type = fields.aclType();
  const topic = validTopic(fields);
  if (findAcl(role.acls, type, topic) !== undefined) refuse('ACL with this topic already exists');
  const acl = { type, topic, priority: fields.priority(ACL_PRIORITY), allow: fields.flag('allow') ?? false };
  context.model.putRole({ ...role, acls: withAcl(role.acls, acl) });
  kickHolders(context, role.roleName);
}

function validTopic(fields: Fields): string {
  const topic = fields.topic();
  return isValidFilter(topic) ? topic : refuse('Invalid ACL topic');
}

function removeRoleAcl(fields: Fields, context: CommandContext): void {
  const role = roleOf(context.model, fields.name(ROLE_NAME));
  const type = fields.aclType();
  const topic = validTopic(fields);
  const gone = findAcl(role.acls, type, topic) ?? refuse('ACL not found');
  context.model.putRole({ ...role, acls: role.acls.filter(acl => acl !== gone) });
  kickHolders(context, role.roleName);
}
