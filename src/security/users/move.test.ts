/** Whoever is carried over may do there what he might do here: decided by the engines themselves. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Identity } from '../../broker/ports.ts';
import { plannedAclFile } from '../acl-file.ts';
import { DENY, READ, WRITE } from '../acl-rules.ts';
import { Rights, SUBSCRIBE } from '../database/rights.ts';
import { DynamicRulesEngine } from '../dynamic-security/decision.ts';
import { readRules, writeRules } from '../dynamic-security/file.ts';
import { adapt, filesManner, hashForFiles, rowsManner } from './adapt.ts';
import { planDynamic } from './dynamic.ts';
import { putPasswords, putRules } from './file-texts.ts';
import { meetOf } from './flat-rules.ts';
import { linesOf, readLines } from './json-lines.ts';
import { emptySet, fingerprintOf, plainUser, type Rule, type UserSet } from './user-set.ts';

const identity = (username: string): Identity =>
  ({ username, clientId: 'phone', address: '127.0.0.1', listener: {} }) as unknown as Identity;

const topics = ['a', 'b', 'a/b', 'a/ana', 'b/ana', 'ana', 'a/phone', 'a/b/c', '$SYS/x'];
const level = fc.constantFrom('a', 'b', '+', '%u', '%c', '$SYS');
const filter = fc
  .tuple(fc.array(level, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([levels, isOpen]) => [...levels, ...(isOpen ? ['#'] : [])].join('/'));
const rule = fc.record({ topic: filter, bits: fc.constantFrom(READ, WRITE, READ | WRITE, DENY) });

function setOf(own: readonly Rule[], everybody: readonly Rule[]): UserSet {
  const set = emptySet();
  set.users.set('ana', plainUser('ana', null, own));
  set.everybody = everybody;
  return set;
}

type Decide = (access: 'read' | 'write', topic: string) => boolean;

const answersOf = (decide: Decide): string[] =>
  (['read', 'write'] as const).flatMap(access => topics.filter(topic => decide(access, topic)).map(topic => `${access} ${topic}`)); // prettier-ignore

function byFile(set: UserSet): Decide {
  const text = putRules('', { users: [...set.users.values()], everybody: set.everybody, anonymous: [] });
  const loaded = plannedAclFile('acl', text.split('\n'));
  assert.ok(loaded.ok);
  return (access, topic) => loaded.value.may(access, identity('ana'), topic) === 'allow';
}

function byRows(rules: readonly Rule[]): Decide {
  const rows = rules.map(({ topic, bits }) => ({ filter: topic, bits }));
  const rights = new Rights('db', { superuser: false, rules: rows }, identity('ana'));
  return (access, topic) => rights.may(access, identity('ana'), topic) === 'allow';
}

/** A message comes when it may be received and its topic could be subscribed to, as it is or by `#`. */
function byRoles(set: UserSet): Decide {
  const model = readRules('{"defaultACLAccess":{"publishClientReceive":true}}')!;
  const { ready, problems, put } = planDynamic(set, model, false);
  assert.deepEqual(problems, []);
  put(model, ready);
  const engine = new DynamicRulesEngine(readRules(writeRules(model))!);
  return (access, topic) => {
    const may = engine.may(access, identity('ana'), topic) === 'allow';
    if (access === 'write') return may;
    const filters = topic.startsWith('$') ? [topic] : [topic, '#'];
    return may && filters.some(each => engine.may('subscribe', identity('ana'), each) === 'allow');
  };
}

/** In an access file `%u` of a topic line is plain text, so it is left to the patterns. */
const plainly = (rules: readonly Rule[]): Rule[] => rules.filter(({ topic }) => !topic.includes('%'));

describe('what a user may stays what it is', () => {
  test('from an access file to rows, or it is said that it cannot', () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 5 }), fc.array(rule, { maxLength: 3 }), (own, everybody) => {
        const set = setOf(plainly(own), everybody);
        set.users.set('ana', { ...set.users.get('ana')!, hash: '$6$MTIzNDU2Nzg5MDEy$' + Buffer.alloc(64).toString('base64') }); // prettier-ignore
        const [user] = adapt(set, rowsManner({ saltEncoding: 'base64', superuser: true, denials: true })).ready;
        if (user === undefined) return;
        assert.deepEqual(answersOf(byRows(user.rules)), answersOf(byFile(set)));
      }),
    );
  });

  test('from an access file to dynamic security', () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 5 }), fc.array(rule, { maxLength: 3 }), (own, everybody) => {
        const set = setOf(plainly(own), everybody);
        assert.deepEqual(answersOf(byRoles(set)), answersOf(byFile(set)));
      }),
    );
  });

  test('from rows to an access file and to dynamic security, or it is said that it cannot', () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 5 }), own => {
        const set = setOf(own, []);
        const before = answersOf(byRows(own));
        assert.deepEqual(answersOf(byRoles(set)), before);
        const [user] = adapt(set, filesManner(true)).ready;
        const { ready } = adapt(set, filesManner(false));
        if (ready[0] !== undefined) assert.deepEqual(answersOf(byFile(setOf(ready[0].rules, []))), before);
        assert.ok(user === undefined || ready[0] !== undefined || own.some(({ topic }) => topic.includes('%c')));
      }),
    );
  });

  test('from dynamic security to rows, or it is said that it cannot; never more', () => {
    const acl = fc.record({
      acltype: fc.constantFrom('publishClientSend', 'publishClientReceive', 'subscribePattern'),
      topic: filter,
      allow: fc.boolean(),
      priority: fc.integer({ min: 0, max: 2 }),
    });
    fc.assert(
      fc.property(fc.array(acl, { maxLength: 6 }), fc.array(acl, { maxLength: 3 }), fc.boolean(), (own, ofGroup, receive) => {
        const tree = {
          defaultACLAccess: { publishClientReceive: receive },
          roles: [{ rolename: 'r', acls: own }, { rolename: 'g', acls: ofGroup }],
          clients: [{ username: 'ana', roles: [{ rolename: 'r' }] }],
          groups: [{ groupname: 'g', roles: [{ rolename: 'g' }], clients: [{ username: 'ana' }] }],
        };
        const model = readRules(JSON.stringify(tree))!;
        const set = { ...setOf([], []), dynamic: model };
        const [user] = adapt(set, { ...rowsManner({ saltEncoding: 'base64', superuser: true, denials: true }), needsPassword: false }).ready; // prettier-ignore
        if (user === undefined) return;
        const engine = new DynamicRulesEngine(model);
        const rows = byRows(user.rules);
        for (const topic of topics) {
          assert.equal(rows('write', topic), engine.may('write', identity('ana'), topic) === 'allow', topic);
          if (rows('read', topic)) assert.equal(engine.may('read', identity('ana'), topic), 'allow', topic);
          const asked = engine.may('subscribe', identity('ana'), topic) === 'allow' && engine.may('read', identity('ana'), topic) === 'allow'; // prettier-ignore
          if (asked) assert.ok(rows('read', topic), topic);
        }
      }),
    );
  }); // prettier-ignore
});

test('JSON lines give back what was written, roles and groups of dynamic security among it', () => {
  const model = readRules(
    JSON.stringify({
      roles: [{ rolename: 'r', acls: [{ acltype: 'publishClientSend', topic: 'a/#', priority: 3, allow: true }] }],
      clients: [{ username: 'ana', textname: 'Ana', encoded_password: '$7$1$x$y', disabled: true, roles: [{ rolename: 'r', priority: 4 }] }],
      groups: [{ groupname: 'g', roles: [], clients: [{ username: 'ana', priority: 2 }] }],
      anonymousGroup: 'g',
    }),
  )!; // prettier-ignore
  const set = emptySet();
  set.dynamic = model;
  set.users.set('ana', { ...plainUser('ana', '$7$1$x$y'), disabled: true });
  set.everybody = [{ topic: 'all', bits: READ | SUBSCRIBE }];
  set.anonymous = [{ topic: '%u', bits: DENY, plain: true }];
  const again = readLines([...linesOf(set)], 'here');
  assert.equal(writeRules(again.dynamic!), writeRules(model));
  assert.deepEqual([again.everybody, again.anonymous], [set.everybody, set.anonymous]);
  assert.equal(fingerprintOf(again.users.get('ana')!), fingerprintOf(set.users.get('ana')!));
});

test('a line that is none of ours is named by its number, and nothing is taken', () => {
  const header = '{"zancudo":"users","version":1}';
  for (const [line, says] of [
    ['{"user":"ana","rules":[{"topic":"a","access":"all"}]}', /Line 2 of here: a rule has a topic/],
    ['{"user":""}', /user is no name/],
    ['ana:hash', /no JSON object/],
    ['{"zancudo":1}', /none of user/],
  ] as const) {
    assert.throws(() => readLines([header, line], 'here'), says);
  }
  assert.throws(() => readLines(['{"zancudo":"users","version":2}'], 'here'), /version 2 is not known/);
  assert.throws(() => readLines([], 'here'), /no list of users/);
});

test('a user put into the files leaves its old lines; others, comments and devices stay', () => {
  const marks = [
    "# --- devices: kept by 'zancudo device', changes between these marks are lost ---",
    'user ana',
    '# --- end of devices ---',
  ];
  const before = ['topic read all', '# of ana', 'user ana', 'topic write old', 'pattern read p/%u', 'user bob', 'topic b', ...marks]; // prettier-ignore
  const ana = plainUser('ana', 'new', [{ topic: 'x y/#', bits: READ }]);
  const text = putRules(before.map(line => `${line}\n`).join(''), { users: [ana], everybody: [], anonymous: [] });
  assert.deepEqual(text.split('\n').slice(0, -1), ['topic read all', '# of ana', 'pattern read p/%u', 'user bob', 'topic b', '', 'user ana', 'topic read x y/#', '', ...marks]); // prettier-ignore
  assert.equal(putPasswords('#c\nana:old\nbob:b\n', [ana, plainUser('eva', 'e')]), '#c\nana:new\nbob:b\neva:e\n');
});

test('a hash that would not be checked there is refused; PBKDF2 under another name is given its own', () => {
  const [salt, digest] = [Buffer.alloc(12, 1).toString('base64'), Buffer.alloc(64, 2).toString('base64')];
  assert.deepEqual(hashForFiles(`PBKDF2$sha512$1000$${salt}$${digest}`), { hash: `$7$1000$${salt}$${digest}` });
  for (const hash of [`PBKDF2$sha512$1000$AAAA$${digest}`, `$2b$10$${'x'.repeat(53)}`, 'plain']) {
    assert.ok('because' in hashForFiles(hash), hash);
  }
});

test('the meet of two filters matches what both match', () => {
  for (const [a, b, both] of [
    ['a/#', '+/b', 'a/b'],
    ['a/#', 'a', 'a'],
    ['a/#', '#', 'a/#'],
    ['+/b/#', 'a/+', 'a/b'],
    ['a', 'b', null],
    ['#', '$SYS/x', null],
    ['a/b', 'a', null],
  ] as const) {
    assert.equal(meetOf(a, b), both, `${a} ${b}`);
    assert.equal(meetOf(b, a), both, `${b} ${a}`);
  }
});
