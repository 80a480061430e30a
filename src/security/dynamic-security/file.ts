/**
 * Dynamic security's JSON file, in and out (docs/compat/dynsec.md, 8).
 *
 *   2.1   "encoded_password": "$7$1000$salt$hash"
 *   2.0   "password": hash, "salt": salt, "iterations": 101
 *
 * Both are read. What is written has both wherever 2.0 could use it, so that either version starts with the file.
 * The text of each record is made once: a file of ten thousand clients costs what has changed in it.
 */
import { isObject, type JsonObject, member } from '../control-protocol.ts';
import { decode } from '../password-hash.ts';
import { addLink, passwordOf } from './command.ts';
import { priorityOf } from './fields.ts';
import { type Client, defaultAccessTypes, type Group, type Link, Model, NO_PRIORITY } from './model.ts';
import { byteOrder } from './named.ts';
import { clientRecord, groupTexts, priorityText, roleLinks, roleRecord } from './records.ts';
import { aclsOf } from './role-commands.ts';

/** Null when it is no JSON object. What has no name, or the name of another, is passed over. */
export function readRules(text: string): Model | null {
  const tree = parse(text);
  if (tree === null) return null;
  const model = new Model();
  const changeIndex = member(tree, 'changeIndex');
  model.changeIndex = typeof changeIndex === 'number' ? changeIndex : 0;
  readDefaultAccess(member(tree, 'defaultACLAccess'), model);
  for (const item of objects(tree, 'roles')) readRole(item, model);
  for (const item of objects(tree, 'clients')) readClient(item, model);
  for (const item of objects(tree, 'groups')) readGroup(item, model);
  const anonymousGroup = textIn(tree, 'anonymousGroup');
  if (anonymousGroup !== null && model.groups.get(anonymousGroup) !== undefined) model.anonymousGroup = anonymousGroup;
  return model;
}

/** An empty file is one without clients. */
function parse(text: string): JsonObject | null {
  if (text.trim() === '') return {};
  try {
    const tree: unknown = JSON.parse(text);
    return isObject(tree) ? tree : null;
  } catch {
    return null;
  }
}

function objects(tree: JsonObject, name: string): JsonObject[] {
  const list = member(tree, name);
  return Array.isArray(list) ? (list as unknown[]).filter(isObject) : [];
}

/** Null when it is absent, empty or something else. */
function textIn(object: JsonObject, name: string): string | null {
  const value = member(object, name);
  return typeof value === 'string' && value !== '' ? value : null;
}

function readDefaultAccess(value: unknown, model: Model): void {
  if (!isObject(value)) return;
  const access = { ...model.defaultAccess };
  for (const type of defaultAccessTypes) access[type] = member(value, type) === true;
  model.defaultAccess = access;
}

function readRole(item: JsonObject, model: Model): void {
  const roleName = textIn(item, 'rolename');
  if (roleName === null || model.roles.get(roleName) !== undefined) return;
  const allowWildcardSubs = member(item, 'allowwildcardsubs') !== false;
  model.putRole({ roleName, ...textsOf(item), allowWildcardSubs, acls: aclsOf(objects(item, 'acls')) });
}

function textsOf(item: JsonObject): { textName: string | null; textDescription: string | null } {
  return { textName: textIn(item, 'textname'), textDescription: textIn(item, 'textdescription') };
}

function readClient(item: JsonObject, model: Model): void {
  const username = textIn(item, 'username');
  if (username === null || model.clients.get(username) !== undefined) return;
  model.putClient({
    username,
    clientId: textIn(item, 'clientid'),
    ...textsOf(item),
    disabled: member(item, 'disabled') === true,
    roles: readRoleLinks(item, model),
    ...passwordOf(encodedPassword(item)),
  });
}

function encodedPassword(item: JsonObject): string | null {
  const encoded = textIn(item, 'encoded_password');
  if (encoded !== null) return encoded;
  const [hash, salt, iterations] = [textIn(item, 'password'), textIn(item, 'salt'), member(item, 'iterations')];
  return hash === null || salt === null || typeof iterations !== 'number' ? null : `$7$${iterations}$${salt}$${hash}`;
}

function readRoleLinks(item: JsonObject, model: Model): readonly Link[] {
  return objects(item, 'roles').reduce<readonly Link[]>((links, each) => {
    const name = textIn(each, 'rolename');
    if (name === null || model.roles.get(name) === undefined) return links;
    return addLink(links, name, priorityOf(each, NO_PRIORITY));
  }, []);
}

function readGroup(item: JsonObject, model: Model): void {
  const groupName = textIn(item, 'groupname');
  if (groupName === null || model.groups.get(groupName) !== undefined) return;
  const clients = new Map<string, number>();
  for (const each of objects(item, 'clients')) {
    const username = textIn(each, 'username');
    if (username === null || clients.has(username) || model.clients.get(username) === undefined) continue;
    clients.set(username, priorityOf(each, NO_PRIORITY));
  }
  model.putGroup({ groupName, ...textsOf(item), roles: readRoleLinks(item, model), clients });
}

export function writeRules(model: Model): string {
  const { changeIndex, defaultAccess, anonymousGroup } = model;
  const members = [
    `"changeIndex": ${changeIndex}`,
    `"defaultACLAccess": ${indented({ ...defaultAccess }, 1)}`,
    `"clients": ${list(model.clients.values(), clientMembers)}`,
    `"groups": ${list(model.groups.values(), groupMembers)}`,
    ...(anonymousGroup === null ? [] : [`"anonymousGroup": ${JSON.stringify(anonymousGroup)}`]),
    `"roles": ${list(model.roles.values(), roleRecord)}`,
  ];
  return `{\n\t${members.join(',\n\t')}\n}\n`;
}

/** Right for as long as the record is there, as records never change. */
const texts = new WeakMap<object, string>();

function list<T extends object>(records: Iterable<T>, membersOf: (record: T) => JsonObject): string {
  const items = [...records].map(record => {
    let text = texts.get(record);
    if (text === undefined) texts.set(record, (text = indented(membersOf(record), 2)));
    return `\n\t\t${text}`;
  });
  return items.length === 0 ? '[]' : `[${items.join(',')}\n\t]`;
}

function indented(value: JsonObject, depth: number): string {
  return JSON.stringify(value, null, '\t').replaceAll('\n', `\n${'\t'.repeat(depth)}`);
}

function clientMembers(client: Client): JsonObject {
  const { encodedPassword: encoded } = client;
  return { ...clientRecord(client), encoded_password: encoded ?? undefined, ...membersFor20(encoded) };
}

/** Mosquitto 2.0 reads PBKDF2 with a salt of 12 bytes, and nothing else. */
function membersFor20(encoded: string | null): JsonObject {
  const decoded = encoded === null ? null : decode(encoded);
  if (decoded?.ok !== true || decoded.hash.kind !== 'sha512-pbkdf2' || decoded.hash.salt.length !== 12) return {};
  const { digest, salt, iterations } = decoded.hash;
  return { password: digest.toString('base64'), salt: salt.toString('base64'), iterations };
}

function groupMembers(group: Group): JsonObject {
  const members = [...group.clients].sort(([a], [b]) => byteOrder(a, b));
  return {
    ...groupTexts(group),
    roles: roleLinks(group.roles),
    clients: members.map(([username, priority]) => ({ username, priority: priorityText(priority) })),
  };
}
