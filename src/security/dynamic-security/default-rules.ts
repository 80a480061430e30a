/** The rules of a file that was not there (docs/compat/dynsec.md, 8): who may begin, and roles to begin with. */
import { randomInt } from 'node:crypto';
import { hashPassword } from '../password-hash.ts';
import { passwordOf } from './command.ts';
import { type Acl, type AclType, byTurn, Model, NO_PRIORITY } from './model.ts';

const everyWay: readonly AclType[] = [
  'publishClientSend',
  'publishClientReceive',
  'subscribePattern',
  'unsubscribePattern',
];

const roles: readonly [roleName: string, description: string, topic: string, types: readonly AclType[]][] = [
  ['broker-admin', 'Grants access to administer general broker configuration.', '$CONTROL/broker/#', everyWay],
  ['client', 'Read/write access to the full application topic hierarchy.', '#', everyWay],
  ['dynsec-admin', 'Grants access to administer clients/groups/roles.', '$CONTROL/dynamic-security/#', everyWay],
  ['super-admin', 'Grants access to administer all kinds of broker controls.', '$CONTROL/#', everyWay],
  ['sys-notify', 'Allow bridges to publish connection state messages.', '$SYS/broker/connection/%c/state', ['publishClientSend']], // prettier-ignore
  ['sys-observe', 'Observe the $SYS topic hierarchy.', '$SYS/#', ['publishClientReceive', 'subscribePattern']],
  ['topic-observe', 'Read only access to the full application topic hierarchy.', '#', ['publishClientReceive', 'subscribePattern', 'unsubscribePattern']], // prettier-ignore
];

const clients = [
  { username: 'admin', textName: 'Admin user', roles: ['super-admin', 'sys-observe', 'topic-observe'] },
  { username: 'democlient', textName: 'Demonstration client with full read/write access to the topic hierarchy.', roles: ['client'] }, // prettier-ignore
];

/** By user name; whoever is not in it is not made. */
export type FirstPasswords = ReadonlyMap<string, string>;

export async function defaultRules(passwords: FirstPasswords): Promise<Model> {
  const model = new Model();
  model.defaultAccess = { publishClientSend: false, publishClientReceive: true, subscribe: false, unsubscribe: true };
  for (const [roleName, textDescription, topic, types] of roles) {
    const acls = types.map((type): Acl => ({ type, topic, priority: 0, allow: true })).sort(byTurn);
    model.putRole({ roleName, textName: null, textDescription, allowWildcardSubs: true, acls });
  }
  for (const client of clients) {
    const password = passwords.get(client.username);
    if (password === undefined) continue;
    const links = client.roles.map(name => ({ name, priority: NO_PRIORITY }));
    const hashed = await hashPassword(password, 'sha512-pbkdf2');
    const rest = { clientId: null, textDescription: null, disabled: false };
    model.putClient({ ...client, ...rest, roles: links, ...passwordOf(hashed) });
  }
  const nobody = { groupName: 'unauthenticated', textName: 'Unauthenticated group', textDescription: 'If unauthenticated access is allowed, this group can be used to define roles for clients that connect without a password.' }; // prettier-ignore
  model.putGroup({ ...nobody, roles: [], clients: new Map() });
  model.anonymousGroup = nobody.groupName;
  return model;
}

/** Without those that look like others. */
const characters = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789';
const PASSWORD_CHARACTERS = 20;

export function randomPassword(): string {
  return Array.from({ length: PASSWORD_CHARACTERS }, () => characters[randomInt(characters.length)]).join('');
}
