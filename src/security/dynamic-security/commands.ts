/** Every command of `$CONTROL/dynamic-security/v1`, by name. */
import { clientCommands } from './client-commands.ts';
import { type Command, type CommandContext, objectsIn, refuse } from './command.ts';
import { type JsonObject, member } from '../control-protocol.ts';
import type { Fields } from './fields.ts';
import { groupCommands } from './group-commands.ts';
import { type DefaultAccessType, defaultAccessTypes } from './model.ts';
import { roleCommands } from './role-commands.ts';

const generalCommands: readonly Command[] = [
  { name: 'setDefaultACLAccess', logs: ['acls'], changes: true, run: setDefaultAccess },
  { name: 'getDefaultACLAccess', logs: [], changes: false, run: getDefaultAccess },
  { name: 'getDetails', logs: [], changes: false, run: getDetails },
];

export const commands: readonly Command[] = [...generalCommands, ...clientCommands, ...groupCommands, ...roleCommands];

/** What is no pair of a known type and a yes or no is passed over. */
function setDefaultAccess(fields: Fields, { model }: CommandContext): void {
  const list = objectsIn(fields, 'acls') ?? refuse('Missing/invalid actions array');
  const access = { ...model.defaultAccess };
  for (const item of list) {
    const type = defaultAccessType(member(item, 'acltype'));
    const allow = member(item, 'allow');
    if (type !== undefined && typeof allow === 'boolean') access[type] = allow;
  }
  model.defaultAccess = access;
}

function defaultAccessType(written: unknown): DefaultAccessType | undefined {
  if (typeof written !== 'string') return undefined;
  return defaultAccessTypes.find(type => type.toLowerCase() === written.toLowerCase());
}

function getDefaultAccess(_: Fields, { model }: CommandContext): JsonObject {
  return { acls: defaultAccessTypes.map(type => ({ acltype: type, allow: model.defaultAccess[type] })) };
}

function getDetails(_: Fields, { model }: CommandContext): JsonObject {
  return {
    clientCount: model.clients.size,
    groupCount: model.groups.size,
    roleCount: model.roles.size,
    changeIndex: model.changeIndex,
  };
}
