/**
 * Users in dynamic security's file.
 *
 *   from there   names and hashes; the rules stay with their roles and groups (`dynamic`)
 *   into it      from another such file: roles, groups and clients as they are
 *                from elsewhere: a role for each user that has rules, one for what is everybody's, one behind both
 *
 *   user-ana (2)        own denials before what is allowed
 *   everybody (1)       the same of what counts for everybody
 *   subscriptions (0)   everything may be subscribed to; nothing more is received, whatever the default access says
 */
import { readFileSync } from 'node:fs';
import { DENY, READ, WRITE } from '../acl-rules.ts';
import { passwordOf } from '../dynamic-security/command.ts';
import { readRules } from '../dynamic-security/file.ts';
import {
  type Acl,
  type AclType,
  byTurn,
  type Client,
  type Link,
  type Model,
  type Role,
} from '../dynamic-security/model.ts';
import { type Adapted, hashForFiles, type Problem } from './adapt.ts';
import { withName } from './flat-rules.ts';
import { UsersError } from './json-lines.ts';
import { emptySet, plainUser, type Rule, type User, type UserSet } from './user-set.ts';

export function readDynamic(file: string): UserSet {
  const model = readRules(readFileSync(file, 'utf8'));
  if (model === null) throw new UsersError(`Error: ${file} is no file of dynamic security: it is no JSON object.`);
  const set = emptySet();
  set.dynamic = model;
  for (const { username, encodedPassword, disabled, clientId } of model.clients.values()) {
    set.users.set(username, { ...plainUser(username, encodedPassword), disabled, clientId });
  }
  return set;
}

export interface DynamicPlan extends Adapted {
  /** Puts the users that are ready into the rules of the file. */
  put: (model: Model, users: readonly User[]) => void;
}

const EVERYBODY = 'everybody';
const SUBSCRIPTIONS = 'subscriptions';
const SUPERUSER = 'superuser';
const ownRole = (name: string): string => `user-${name}`;

/** `there`: what the file has by now. */
export function planDynamic(set: UserSet, there: Model, mayReplace: boolean): DynamicPlan {
  const checked = [...set.users.values()].map(user => [user, hashProblem(user)] as const);
  const problems: Problem[] = checked.flatMap(([{ name }, because]) => (because === null ? [] : [{ user: name, because }])); // prettier-ignore
  const good = checked.filter(([, because]) => because === null).map(([user]) => user);
  const { dynamic } = set;
  const roles = dynamic === null ? rolesOf(set) : null;
  const ready = good.filter(user => {
    const because = dynamic === null ? ruleProblem(user, set) : null;
    const clash = because ?? roleClash(user, dynamic, roles, there, mayReplace);
    if (clash !== null) problems.push({ user: user.name, because: clash });
    return clash === null;
  });
  const put = (model: Model, users: readonly User[]): void =>
    dynamic === null ? putFlat(model, set, users) : putDynamic(model, dynamic, users);
  return { ready: ready.map(withHash), problems, put };
}

function hashProblem({ hash }: User): string | null {
  const found = hash === null ? null : hashForFiles(hash);
  return found !== null && 'because' in found ? found.because : null;
}

function withHash(user: User): User {
  const found = user.hash === null ? null : hashForFiles(user.hash);
  return found !== null && 'hash' in found ? { ...user, hash: found.hash } : user;
}

/** There `%u` and `%c` are filled in where they are a whole level. */
function ruleProblem({ rules }: User, { everybody }: UserSet): string | null {
  const plain = rules.find(rule => rule.plain === true);
  if (plain !== undefined) return `%u and %c in ${plain.topic} are plain text here and stand for names there`;
  const partly = [...rules, ...everybody].find(({ topic }) => topic.split('/').some(isPartOfLevel));
  return partly === undefined ? null : `a name is part of a level in ${partly.topic}, which cannot be said there`;
}

const isPartOfLevel = (level: string): boolean => level.length > 2 && level.includes('%c');

/** A user's own role names the user itself. */
const named = ({ name, rules }: User): Rule[] =>
  rules.flatMap(rule => {
    const topic = withName(rule.topic, name);
    return topic === null ? [] : [{ ...rule, topic }];
  });

type Roles = ReadonlyMap<string, Role>;

/** A role of that name which says something else. */
function roleClash(
  user: User,
  dynamic: Model | null,
  roles: Roles | null,
  there: Model,
  mayReplace: boolean,
): string | null {
  // prettier-ignore
  if (mayReplace) return null;
  const wanted = dynamic === null ? linksFor(user, roles!).map(({ name }) => name) : rolesNamed(dynamic, user.name);
  const other = wanted.find(name => {
    const [now, then] = [there.roles.get(name), dynamic === null ? roles!.get(name) : dynamic.roles.get(name)];
    return now !== undefined && then !== undefined && JSON.stringify(now.acls) !== JSON.stringify(then.acls);
  });
  return other === undefined ? null : `there is a role '${other}' already that says something else; --replace takes its place`; // prettier-ignore
}

function rolesNamed(model: Model, username: string): string[] {
  const groups = model.groupsOf(username).flatMap(({ name }) => model.groups.get(name)?.roles ?? []);
  return [...(model.clients.get(username)?.roles ?? []), ...groups].map(({ name }) => name);
}

/** With the roles and groups they have; other members of a group that is there already stay in it. */
function putDynamic(model: Model, from: Model, users: readonly User[]): void {
  const names = new Set(users.map(({ name }) => name));
  const groups = [...from.groups.values()].filter(({ clients }) => [...clients.keys()].some(name => names.has(name)));
  const roles = new Set([...names].flatMap(name => rolesNamed(from, name)));
  for (const name of roles) model.putRole(from.roles.get(name)!);
  for (const name of names) model.leaveAllGroups(name);
  for (const { name, hash } of users) model.putClient({ ...from.clients.get(name)!, ...passwordOf(hash) });
  for (const group of groups) {
    const coming = [...group.clients].filter(([name]) => names.has(name));
    const present = model.groups.get(group.groupName)?.clients ?? new Map<string, number>();
    model.putGroup({ ...group, clients: new Map([...present, ...coming]) });
  }
}

function putFlat(model: Model, set: UserSet, users: readonly User[]): void {
  const roles = rolesOf(set);
  for (const user of users) {
    const links = linksFor(user, roles);
    for (const { name } of links) model.putRole(roles.get(name)!);
    model.leaveAllGroups(user.name);
    model.putClient(clientOf(user, links));
  }
}

function clientOf({ name, hash, disabled, clientId }: User, roles: readonly Link[]): Client {
  return {
    username: name,
    clientId,
    textName: null,
    textDescription: null,
    disabled,
    roles,
    ...passwordOf(hash),
  };
}

/** The first is asked first. */
function linksFor({ name, superuser, rules }: User, roles: Roles): Link[] {
  if (superuser) return [{ name: SUPERUSER, priority: 2 }];
  return [
    ...(rules.length > 0 ? [{ name: ownRole(name), priority: 2 }] : []),
    ...(roles.has(EVERYBODY) ? [{ name: EVERYBODY, priority: 1 }] : []),
    { name: SUBSCRIPTIONS, priority: 0 },
  ];
}

function rolesOf({ users, everybody }: UserSet): Map<string, Role> {
  const roles = [
    roleOf(SUBSCRIPTIONS, [
      acl('subscribePattern', '#', true),
      acl('unsubscribePattern', '#', true),
      acl('publishClientReceive', '#', false),
    ]),
    roleOf(
      SUPERUSER,
      ['#', '$SYS/#'].flatMap(topic => everyWay.map(type => acl(type, topic, true))),
    ),
    ...(everybody.length === 0 ? [] : [roleOf(EVERYBODY, aclsOf(everybody))]),
    ...[...users.values()].map(user => roleOf(ownRole(user.name), aclsOf(named(user)))),
  ];
  return new Map(roles.map(role => [role.roleName, role]));
}

const everyWay: readonly AclType[] = ['publishClientSend', 'publishClientReceive', 'subscribePattern', 'unsubscribePattern']; // prettier-ignore

function roleOf(roleName: string, acls: Acl[]): Role {
  return { roleName, textName: null, textDescription: null, allowWildcardSubs: true, acls: acls.sort(byTurn) };
}

const acl = (type: AclType, topic: string, allow: boolean, priority = 0): Acl => ({ type, topic, allow, priority });

function aclsOf(rules: readonly Rule[]): Acl[] {
  const acls = rules.flatMap(({ topic, bits }) => {
    const denied = (bits & DENY) !== 0;
    if (denied) return [acl('publishClientSend', topic, false, 1), acl('publishClientReceive', topic, false, 1)];
    return [
      ...((bits & WRITE) !== 0 ? [acl('publishClientSend', topic, true)] : []),
      ...((bits & READ) !== 0 ? [acl('publishClientReceive', topic, true)] : []),
      // A `#` covers no topic that begins with a dollar.
      ...((bits & READ) !== 0 && topic.startsWith('$') ? [acl('subscribePattern', topic, true)] : []),
    ];
  });
  // A filter that is denied is denied, whatever else was said of it: the file has one ACL for each kind and topic.
  const byKey = new Map<string, Acl>();
  for (const each of acls) {
    const key = `${each.type} ${each.topic}`;
    if (!each.allow || !byKey.has(key)) byKey.set(key, each);
  }
  return [...byKey.values()];
}
