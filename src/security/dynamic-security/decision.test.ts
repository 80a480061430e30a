import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Identity } from '../../broker/ports.ts';
import { isValidFilter } from '../../topics/mod.ts';
import type { Access } from '../authenticator.ts';
import { DynamicRulesEngine } from './decision.ts';
import { readRules } from './file.ts';
import { aclTypes } from './model.ts';

interface Rules {
  roles: { rolename: string; allowwildcardsubs: boolean; acls: AclJson[] }[];
  clients: { username: string; roles: LinkJson[] }[];
  groups: { groupname: string; roles: LinkJson[]; clients: { username: string; priority: number }[] }[];
  anonymousGroup: string;
  defaultACLAccess: Record<string, boolean>;
}
interface AclJson {
  acltype: string;
  topic: string;
  priority: number;
  allow: boolean;
}
interface LinkJson {
  rolename: string;
  priority: number;
}

/** The decision as docs/compat/dynsec.md, 6 tells it: sorted lists, walked from the front. */
function naive(rules: Rules, access: Access, { username, clientId }: Who, topic: string): string {
  const byPriority = <T extends { priority: number }>(list: T[], name: (item: T) => string): T[] =>
    list.toSorted((a, b) => b.priority - a.priority || (name(a) < name(b) ? -1 : 1));
  const rolesOf = (links: LinkJson[]): LinkJson[] => byPriority(links, ({ rolename }) => rolename);
  const groupsOf = rules.groups.flatMap(group =>
    group.clients.filter(each => each.username === username).map(({ priority }) => ({ group, priority })),
  );
  const client = rules.clients.find(each => each.username === username);
  if (username !== null && client === undefined) return 'defer';
  const order =
    username === null
      ? rolesOf(rules.groups.find(({ groupname }) => groupname === rules.anonymousGroup)?.roles ?? [])
      : [
          ...rolesOf(client!.roles),
          ...byPriority(groupsOf, ({ group }) => group.groupname).flatMap(({ group }) => rolesOf(group.roles)),
        ];
  for (const { rolename } of order) {
    const role = rules.roles.find(each => each.rolename === rolename)!;
    if (access === 'subscribe' && !role.allowwildcardsubs && /[+#]/.test(topic)) return 'deny';
    for (const type of typesOf[access]) {
      const acls = role.acls.filter(({ acltype }) => acltype === type).toSorted((a, b) => b.priority - a.priority);
      const hit = acls.find(acl => covers(type, acl.topic, topic, username, clientId));
      if (hit !== undefined) return hit.allow ? 'allow' : 'deny';
    }
  }
  const allowed = rules.defaultACLAccess[fallbackOf[access]] === true && !topic.startsWith('$CONTROL');
  return allowed ? 'allow' : 'defer';
}

type Who = Pick<Identity, 'username' | 'clientId'>;

const typesOf: Record<Access, string[]> = {
  write: ['publishClientSend'],
  read: ['publishClientReceive'],
  subscribe: ['subscribeLiteral', 'subscribePattern'],
  unsubscribe: ['unsubscribeLiteral', 'unsubscribePattern'],
};
const fallbackOf: Record<Access, string> = { write: 'publishClientSend', read: 'publishClientReceive', subscribe: 'subscribe', unsubscribe: 'unsubscribe' }; // prettier-ignore

function covers(type: string, acl: string, topic: string, username: string | null, clientId: string): boolean {
  if (type.endsWith('Literal')) return acl === topic;
  if (topic.startsWith('$') && !acl.startsWith('$')) return false;
  const levels = acl.split('/').map(level => (level === '%c' ? clientId : level === '%u' ? username : level));
  return levelsCover(levels, topic.split('/'));
}

function levelsCover([level, ...others]: (string | null)[], [wanted, ...wantedOthers]: string[]): boolean {
  if (level === '#') return true;
  if (level === undefined || wanted === undefined) return level === wanted;
  if (wanted === '#' || (level !== '+' && level !== wanted)) return false;
  return levelsCover(others, wantedOthers);
}

const word = fc.constantFrom('a', 'b', '$x', '$CONTROL');
const aclLevel = fc.constantFrom('a', 'b', '+', '%c', '%u');
const filterOf = (level: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(fc.oneof({ weight: 4, arbitrary: level }, { weight: 1, arbitrary: word }), fc.array(level, { maxLength: 2 }), fc.boolean())
    .map(([first, rest, more]) => [first, ...rest, ...(more ? ['#'] : [])].join('/'))
    .filter(isValidFilter); // prettier-ignore
const aclTopic = fc.oneof(filterOf(aclLevel), fc.constant('#'));
const wantedFilter = fc.oneof(filterOf(fc.constantFrom('a', 'b', '+')), fc.constant('#'));
const topicName = fc.tuple(word, fc.array(fc.constantFrom('a', 'b'), { maxLength: 2 })).map(([first, rest]) => [first, ...rest].join('/')); // prettier-ignore
const priority = fc.constantFrom(-1, 0, 1);

const roleNames = ['r1', 'r2', 'r3'];
const acl = fc.record({ acltype: fc.constantFrom(...aclTypes), topic: aclTopic, priority, allow: fc.boolean() });
const acls = fc.uniqueArray(acl, { maxLength: 12, selector: ({ acltype, topic }) => `${acltype} ${topic}` });
const links = fc.uniqueArray(fc.record({ rolename: fc.constantFrom(...roleNames), priority }), { maxLength: 3, selector: ({ rolename }) => rolename }); // prettier-ignore
const members = fc.uniqueArray(fc.record({ username: fc.constantFrom('a', 'b'), priority }), { maxLength: 2, selector: ({ username }) => username }); // prettier-ignore
const yesOrNo = fc.boolean();
const rules: fc.Arbitrary<Rules> = fc.record({
  roles: fc.tuple(...roleNames.map(rolename => fc.record({ rolename: fc.constant(rolename), allowwildcardsubs: yesOrNo, acls }))), // prettier-ignore
  clients: fc.tuple(...['a', 'b'].map(username => fc.record({ username: fc.constant(username), roles: links }))),
  groups: fc.tuple(...['g1', 'g2'].map(groupname => fc.record({ groupname: fc.constant(groupname), roles: links, clients: members }))), // prettier-ignore
  anonymousGroup: fc.constantFrom('g1', 'g2', 'none'),
  defaultACLAccess: fc.record({ publishClientSend: yesOrNo, publishClientReceive: yesOrNo, subscribe: yesOrNo, unsubscribe: yesOrNo }), // prettier-ignore
});
const question = fc.oneof(
  fc.record({ access: fc.constantFrom<Access>('read', 'write'), topic: topicName }),
  fc.record({ access: fc.constantFrom<Access>('subscribe', 'unsubscribe'), topic: wantedFilter }),
);
const whoever = fc.record({
  username: fc.constantFrom('a', 'b', 'stranger', null),
  clientId: fc.constantFrom('a', 'c'),
});

test('decides as a walk down the sorted lists would, and says so when it is asked why', () => {
  fc.assert(
    fc.property(rules, fc.array(fc.tuple(question, whoever), { minLength: 1, maxLength: 20 }), (json, asked) => {
      const engine = new DynamicRulesEngine(readRules(JSON.stringify(json))!);
      for (const [{ access, topic }, who] of asked) {
        const expected = naive(json, access, who, topic);
        assert.equal(engine.may(access, who as Identity, topic), expected, `${access} ${topic} by ${String(who.username)}`); // prettier-ignore
        assert.equal(engine.explain(access, who as Identity, topic).answer, expected);
      }
    }),
    { numRuns: 400 },
  );
});

function engineOf(
  topics: string[],
  acltype: string,
): (access: Access, topic: string, who?: Partial<Identity>) => string {
  const list = topics.map(topic => ({ acltype, topic, allow: true }));
  const roles = [{ rolename: 'r', acls: list }];
  const model = readRules(JSON.stringify({ roles, clients: [{ username: 'ana', roles: [{ rolename: 'r' }] }] }))!;
  const engine = new DynamicRulesEngine(model);
  return (access, topic, who = {}) => engine.may(access, { username: 'ana', clientId: 'c', ...who } as Identity, topic);
}

test('%c and %u may fill several levels, and never with a wildcard or with nothing', () => {
  const may = engineOf(['dev/%c/state', '%u/#'], 'publishClientSend');
  assert.equal(may('write', 'dev/x/y/state', { clientId: 'x/y' }), 'allow');
  assert.equal(may('write', 'dev/x/state', { clientId: 'x/y' }), 'defer');
  assert.equal(may('write', 'ana/a/b'), 'allow');
  assert.equal(may('write', 'dev//state', { clientId: '' }), 'defer');
  const maySubscribe = engineOf(['dev/%c/state'], 'subscribePattern');
  assert.equal(maySubscribe('subscribe', 'dev/+/state', { clientId: '+' }), 'defer');
});

test('a filter is granted only where an ACL covers the whole of it', () => {
  const may = engineOf(['a/#', 'b/+', '$x/+'], 'subscribePattern');
  const granted = ['a/+/b', 'a/#', 'a', 'b/+', 'b/c', '$x/+'];
  const refused = ['b/#', 'b', '+/c', '#', '$x/#', '$y/a'];
  assert.deepEqual(granted.filter(topic => may('subscribe', topic) !== 'allow'), []); // prettier-ignore
  assert.deepEqual(
    refused.filter(topic => may('subscribe', topic) === 'allow'),
    [],
  );
});

test('what changes in the rules holds for the next question', () => {
  const model = readRules(JSON.stringify({ clients: [{ username: 'ana' }], roles: [{ rolename: 'r', acls: [{ acltype: 'publishClientSend', topic: 'a', allow: true }] }] }))!; // prettier-ignore
  const engine = new DynamicRulesEngine(model);
  const ana = { username: 'ana', clientId: 'c' } as Identity;
  assert.equal(engine.may('write', ana, 'a'), 'defer');
  model.putClient({ ...model.clients.get('ana')!, roles: [{ name: 'r', priority: -1 }] });
  assert.equal(engine.may('write', ana, 'a'), 'allow');
  model.removeRole('r');
  assert.equal(engine.may('write', ana, 'a'), 'defer');
});

test('the reasons name role, ACL, priority and group, in the order in which they were asked', () => {
  const acl = { acltype: 'publishClientSend', topic: 'a/#', priority: 4, allow: false };
  const model = readRules(JSON.stringify({
    roles: [{ rolename: 'own' }, { rolename: 'shared', acls: [acl] }],
    clients: [{ username: 'ana', roles: [{ rolename: 'own', priority: 9 }] }],
    groups: [{ groupname: 'g', roles: [{ rolename: 'shared' }], clients: [{ username: 'ana', priority: 2 }] }],
  }))!; // prettier-ignore
  const reasons = new DynamicRulesEngine(model).explain('write', { username: 'ana', clientId: 'c' } as Identity, 'a/b');
  const where = 'role shared (priority -1) of group g (priority 2)';
  const text = 'publishClientSend deny a/# (priority 4)';
  assert.equal(reasons.because, `"${text}" decides, ${where}`);
  assert.deepEqual(reasons.tried, [
    { where: 'role own (priority 9)', text: 'no ACL of this kind matches', says: 'nothing', decides: false },
    { where, text, says: 'deny', decides: true },
  ]);
});
