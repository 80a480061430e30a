/** The commands about clients (docs/compat/dynsec.md, 3). */
import {
  addLink,
  clientOf,
  type Command,
  type CommandContext,
  groupOf,
  objectsIn,
  page,
  passwordOf,
  refuse,
  roleOf,
  rolesIn,
} from './command.ts';
import { type JsonObject, member } from '../control-protocol.ts';
import { type Fields, priorityOf, ROLE_NAME, USERNAME } from './fields.ts';
import { type Client, hasLink, type Link, type Model, NO_PRIORITY, withoutLink } from './model.ts';
import { clientRecord, groupLinks } from './records.ts';

export const clientCommands: readonly Command[] = [
  { name: 'createClient', logs: ['username', 'password=no password'], changes: true, run: createClient },
  { name: 'deleteClient', logs: ['username'], changes: true, run: deleteClient },
  { name: 'modifyClient', logs: ['username'], changes: true, run: modifyClient },
  { name: 'setClientPassword', logs: ['username', 'password=no password'], changes: true, run: setClientPassword },
  { name: 'setClientId', logs: ['username', 'clientid'], changes: true, run: setClientId },
  { name: 'enableClient', logs: ['username'], changes: true, run: enableClient },
  { name: 'disableClient', logs: ['username'], changes: true, run: disableClient },
  { name: 'getClient', logs: ['username'], changes: false, run: getClient },
  { name: 'listClients', logs: ['verbose=false', 'count=-1', 'offset=0'], changes: false, run: listClients },
  { name: 'addClientRole', logs: ['username', 'rolename', 'priority=-1'], changes: true, run: addClientRole },
  { name: 'removeClientRole', logs: ['username', 'rolename'], changes: true, run: removeClientRole },
];

function createClient(fields: Fields, { model, hashed }: CommandContext): void {
  const username = fields.name(USERNAME);
  fields.optionalText('password');
  const clientId = fields.clientId('client id');
  const textName = fields.optionalText('textname') ?? null;
  const textDescription = fields.optionalText('textdescription') ?? null;
  if (model.clients.get(username) !== undefined) refuse('Client already exists');
  const roles = rolesIn(fields, model) ?? [];
  const groups = groupsForNew(fields, model);
  const texts = { textName, textDescription };
  model.putClient({ username, clientId: clientId || null, ...texts, disabled: false, roles, ...passwordOf(hashed) });
  joinGroups(model, username, groups);
}

/** The same group twice is the one thing that only "Internal error" is said about. */
function groupsForNew(fields: Fields, model: Model): Link[] {
  const links: Link[] = [];
  for (const item of objectsIn(fields, 'groups') ?? []) {
    const name = member(item, 'groupname');
    if (typeof name !== 'string') continue;
    groupOf(model, name);
    if (hasLink(links, name)) refuse('Internal error');
    links.push({ name, priority: priorityOf(item, NO_PRIORITY) });
  }
  return links;
}

function joinGroups(model: Model, username: string, links: readonly Link[]): void {
  for (const { name, priority } of links) {
    const group = groupOf(model, name);
    model.putGroup({ ...group, clients: new Map([...group.clients, [username, priority]]) });
  }
}

function deleteClient(fields: Fields, { model, kick }: CommandContext): void {
  const { username } = clientOf(model, fields.name(USERNAME));
  model.removeClient(username);
  kick(username);
}

/** An empty password is passed over, an empty client id or text takes the old one away. */
function modifyClient(fields: Fields, { model, kick, hashed }: CommandContext): void {
  const before = clientOf(model, fields.name(USERNAME));
  const clientId = fields.clientId('client ID');
  fields.optionalText('password');
  const textName = fields.optionalText('textname');
  const textDescription = fields.optionalText('textdescription');
  const roles = rolesIn(fields, model);
  const groups = groupsForModified(fields, model);
  model.putClient({
    ...before,
    clientId: clientId === undefined ? before.clientId : clientId || null,
    textName: textName ?? before.textName,
    textDescription: textDescription ?? before.textDescription,
    roles: roles ?? before.roles,
    ...(hashed === null ? {} : passwordOf(hashed)),
  });
  if (groups !== undefined) {
    model.leaveAllGroups(before.username);
    joinGroups(model, before.username, groups);
  }
  kick(before.username);
}

/** All are looked at before any is changed. */
function groupsForModified(fields: Fields, model: Model): readonly Link[] | undefined {
  return objectsIn(fields, 'groups')?.reduce<readonly Link[]>((links, item) => {
    const name = member(item, 'groupname');
    if (typeof name !== 'string') refuse("'groups' contains an object with an invalid 'groupname'");
    if (model.groups.get(name) === undefined) {
      refuse("'groups' contains an object with a 'groupname' that does not exist");
    }
    return addLink(links, name, priorityOf(item, NO_PRIORITY));
  }, []);
}

function setClientPassword(fields: Fields, { model, kick, hashed }: CommandContext): void {
  const username = fields.name(USERNAME);
  if (fields.text('password') === '') refuse('Empty password is not allowed');
  const client = clientOf(model, username);
  model.putClient({ ...client, ...passwordOf(hashed) });
  kick(username);
}

function setClientId(fields: Fields, { model, kick }: CommandContext): void {
  const username = fields.name(USERNAME);
  const clientId = fields.clientId('client ID');
  model.putClient({ ...clientOf(model, username), clientId: clientId || null });
  kick(username);
}

function enableClient(fields: Fields, { model }: CommandContext): void {
  model.putClient({ ...clientOf(model, fields.name(USERNAME)), disabled: false });
}

function disableClient(fields: Fields, { model, kick }: CommandContext): void {
  const client = clientOf(model, fields.name(USERNAME));
  model.putClient({ ...client, disabled: true });
  kick(client.username);
}

function getClient(fields: Fields, context: CommandContext): JsonObject {
  return { client: wholeClient(clientOf(context.model, fields.name(USERNAME)), context) };
}

function wholeClient(client: Client, { model, connections }: CommandContext): JsonObject {
  const addresses = connections().get(client.username) ?? [];
  return {
    ...clientRecord(client),
    groups: groupLinks(model.groupsOf(client.username)),
    connections: addresses.map(address => ({ address })),
  };
}

function listClients(fields: Fields, context: CommandContext): JsonObject {
  const { clients } = context.model;
  const names = page(clients.sortedNames(), fields);
  const isVerbose = fields.flag('verbose') === true;
  return {
    totalCount: clients.size,
    clients: isVerbose ? names.map(name => wholeClient(clients.get(name)!, context)) : names,
  };
}

function addClientRole(fields: Fields, { model, kick }: CommandContext): void {
  const username = fields.name(USERNAME);
  const roleName = fields.name(ROLE_NAME);
  const priority = fields.priority(NO_PRIORITY);
  const client = clientOf(model, username);
  roleOf(model, roleName);
  // Mosquitto's words for a role that is there already.
  if (hasLink(client.roles, roleName)) refuse('Internal error');
  model.putClient({ ...client, roles: addLink(client.roles, roleName, priority) });
  kick(username);
}

function removeClientRole(fields: Fields, { model, kick }: CommandContext): void {
  const username = fields.name(USERNAME);
  const roleName = fields.name(ROLE_NAME);
  const client = clientOf(model, username);
  roleOf(model, roleName);
  model.putClient({ ...client, roles: withoutLink(client.roles, roleName) });
  kick(username);
}
