import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import type { Identity } from '../broker/ports.ts';
import { isValidFilter, matchesFilter } from '../topics/mod.ts';
import { AclFile, loadAclFile } from './acl-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'zancudo-'));
test.after(() => rmSync(folder, { recursive: true }));

function load(content: string | Buffer) {
  const path = join(folder, 'acl');
  writeFileSync(path, content, { mode: 0o600 });
  return { path, loaded: loadAclFile(path) };
}

function aclOf(content: string, warn: (text: string) => void = () => {}): AclFile {
  const { loaded } = load(content);
  assert.ok(loaded.ok, loaded.ok ? '' : loaded.failure.lines.join('\n'));
  return new AclFile(loaded.value, warn);
}

function who(username: string | null, clientId = 'c1'): Identity {
  return { username, clientId } as Identity;
}

/** `rw`, `r-`, `-w` or `--`. */
function rights(acl: AclFile, identity: Identity, topic: string): string {
  return (
    (acl.may('read', identity, topic) === 'allow' ? 'r' : '-') +
    (acl.may('write', identity, topic) === 'allow' ? 'w' : '-')
  );
}

function decides(content: string, rows: [Identity, string, string][]): void {
  const acl = aclOf(content);
  for (const [identity, topic, expected] of rows) {
    assert.equal(rights(acl, identity, topic), expected, `${identity.username} as ${identity.clientId} on ${topic}`);
  }
}

test('without an access word a rule is for reading and writing, and one word alone is always the filter', () => {
  decides('topic a/b\ntopic read\ntopic  read   with space\ntopic write w\ntopic readwrite rw\n', [
    [who(null), 'a/b', 'rw'],
    [who(null), 'read', 'rw'],
    [who(null), 'with space', 'r-'],
    [who(null), 'w', '-w'],
    [who(null), 'rw', 'rw'],
    [who(null), 'other', '--'],
  ]);
});

test('topic lines before the first user are for clients without a name only', () => {
  decides('topic open\nuser ana\ntopic mine\n', [
    [who(null), 'open', 'rw'],
    [who(null), 'mine', '--'],
    [who('ana'), 'open', '--'],
    [who('ana'), 'mine', 'rw'],
    [who('eve'), 'open', '--'],
  ]);
});

test('several blocks of one user add up, and a user name may hold spaces', () => {
  decides('user ana b\ntopic read x\nuser bob\ntopic y\nuser  ana b \ntopic write x\n', [
    [who('ana b'), 'x', 'rw'],
    [who('ana b'), 'y', '--'],
    [who('ana'), 'x', '--'],
  ]);
});

test('pattern lines are for everybody, wherever they stand', () => {
  decides('user ana\npattern read c/%c\npattern u/%u/#\npattern read all\n', [
    [who(null, 'dev'), 'c/dev', 'r-'],
    [who('eve', 'dev'), 'c/dev', 'r-'],
    [who('eve', 'dev'), 'c/other', '--'],
    [who('eve'), 'u/eve', 'rw'],
    [who('eve'), 'u/eve/deep/down', 'rw'],
    [who('eve'), 'u/ana/deep', '--'],
    [who(null), 'u/eve', '--'],
    [who(null), 'all', 'r-'],
  ]);
});

test('%c and %u fill a whole level and nothing less: no prefix, no part, no empty level, no slash', () => {
  decides('pattern a/%u/b\npattern read x%c/y\npattern z/%c\n', [
    [who('alice'), 'a/alice/b', 'rw'],
    [who('alice'), 'a/ali/b', '--'],
    [who('ali'), 'a/alice/b', '--'],
    [who(''), 'a//b', '--'],
    [who('p/q'), 'a/p/q/b', '--'],
    [who('ana', 'c1'), 'xc1/y', '--'],
    [who('ana', 'c1'), 'x%c/y', 'r-'],
    [who('ana', ''), 'z/', '--'],
  ]);
});

test('%c and %u are plain text in topic lines, and a pattern with %u says nothing about clients without a name', () => {
  decides('topic t/%c\npattern x%u\n', [
    [who(null, 'c1'), 't/%c', 'rw'],
    [who(null, 'c1'), 't/c1', '--'],
    [who('ana'), 'x%u', 'rw'],
    [who(null), 'x%u', '--'],
  ]);
});

test('a topic that starts with $ is matched only by a rule that starts with the same word', () => {
  decides('topic #\ntopic +/broker/x\ntopic read $SYS/broker/uptime\npattern %u/x\n', [
    [who(null), 'plain/x', 'rw'],
    [who(null), '$SYS/broker/x', '--'],
    [who(null), '$SYS/broker/uptime', 'r-'],
    [who('$me'), '$me/x', '--'],
  ]);
});

test('in one list a deny beats everything, however precise the allowing rule and whatever the order', () => {
  decides('topic read a/b/c\ntopic deny a/#\ntopic a/b\ntopic read d\n', [
    [who(null), 'a/b/c', '--'],
    [who(null), 'a/b', '--'],
    [who(null), 'a', '--'],
    [who(null), 'd', 'r-'],
  ]);
});

test('a rule with the other access is passed over, not a refusal', () => {
  decides('topic read a/#\ntopic write a/b\n', [[who(null), 'a/b', 'rw']]);
});

test("an allowing rule in a user's list beats a denying pattern, and a denying one beats every pattern", () => {
  decides('user ana\ntopic read p/x\ntopic deny p/y\npattern deny p/x\npattern p/y\npattern p/#\n', [
    [who('ana'), 'p/x', 'r-'],
    [who('ana'), 'p/y', '--'],
    [who('eve'), 'p/x', '--'],
    [who('eve'), 'p/y', 'rw'],
  ]);
});

test('an empty file denies everything', () => {
  decides('# nothing yet\n\n', [
    [who(null), 'a', '--'],
    [who('ana'), 'a', '--'],
  ]);
});

test('a subscription is always granted: the read rules are asked when messages come', () => {
  assert.equal(aclOf('topic deny #\n').may('subscribe', who(null), '#'), 'allow');
});

test('a name with a wildcard gets nothing from patterns and is logged once', () => {
  const logged: string[] = [];
  const acl = aclOf('user a+\ntopic own\npattern read %u/%c\npattern all\n', text => logged.push(text));
  assert.equal(rights(acl, who('a+'), 'own'), 'rw');
  assert.equal(rights(acl, who('a+'), 'all'), '--');
  assert.equal(rights(acl, who('ana', '#'), 'all'), '--');
  assert.equal(rights(acl, who('ana'), 'all'), 'rw');
  assert.deepEqual(logged, [
    'ACL denying access to client with dangerous username "a+"',
    'ACL denying access to client with dangerous client id "#"',
  ]);
});

test('a pattern without %c and %u is a rule for everybody and warned about', () => {
  const { loaded } = load('pattern read news\npattern x/%c\n');
  assert.ok(loaded.ok);
  assert.equal(loaded.warnings[0], "Warning: ACL pattern 'news' does not contain '%c' or '%u'.");
  assert.equal(loaded.warnings.length, 2);
});

test('a tab or a non-breaking space inside a topic is warned about', () => {
  const { loaded } = load('topic\u0020read\u0020a\u00a0b\n');
  assert.ok(loaded.ok);
  assert.match(loaded.warnings.join(), /non-breaking space/);
});

const refusals: [name: string, content: string, line: string, because: RegExp][] = [
  ['an indented comment', 'topic a\n  # no\n', 'Error: Invalid line in acl_file "%s":   #.', /Line 2: .*very start/],
  ['an unknown word', 'allow a\n', 'Error: Invalid line in acl_file "%s": allow.', /user, topic or pattern/],
  ['a word in capitals', 'Topic a\n', 'Error: Invalid line in acl_file "%s": Topic.', /user, topic or pattern/],
  ['a tab after the word', 'topic\ta\n', 'Error: Invalid line in acl_file "%s": topic\ta.', /tab/],
  ['a topic line without a topic', 'topic   \n', 'Error: Empty topic in acl_file "%s".', /topic read FILTER/],
  ['a pattern line without a pattern', 'pattern\n', 'Error: Empty topic in acl_file "%s".', /pattern read FILTER/],
  ['a user line without a name', 'user  \n', 'Error: Missing username in acl_file "%s".', /user NAME/],
  [
    'an unknown access word',
    'topic subscribe a/b\n',
    'Error: Invalid topic access type "subscribe" in acl_file "%s".',
    /deny/,
  ],
  [
    'a topic with a space and no access word',
    'topic my topic\n',
    'Error: Invalid topic access type "my" in acl_file "%s".',
    /spaces/,
  ],
  [
    'a wildcard inside a level',
    'topic read a/b+/c\n',
    'Error: Invalid ACL topic "a/b+/c" in acl_file "%s".',
    /whole level/,
  ],
  ['a # before the end', 'topic #/a\n', 'Error: Invalid ACL topic "#/a" in acl_file "%s".', /the last one/],
];
for (const [name, content, line, because] of refusals) {
  test(`${name} refuses the file with Mosquitto's line, exit code 3 and the place`, () => {
    const { path, loaded } = load(content);
    assert.ok(!loaded.ok);
    assert.deepEqual(loaded.failure.lines.slice(0, 2), [line.replace('%s', path), `Error opening acl file "${path}".`]);
    assert.match(loaded.failure.lines[2] ?? '', because);
    assert.equal(loaded.failure.exitCode, 3);
  });
}

test('a rule that is not UTF-8 refuses the file, a comment that is not does not', () => {
  assert.equal(load(Buffer.from('# \xfcber\ntopic a\n', 'latin1')).loaded.ok, true);
  const { loaded } = load(Buffer.from('topic \xfcber\n', 'latin1'));
  assert.ok(!loaded.ok);
  assert.match(loaded.failure.lines[2] ?? '', /not UTF-8/);
});

test("a missing file gives Mosquitto's two lines and exit code 13", () => {
  const loaded = loadAclFile('/nowhere/acl');
  assert.ok(!loaded.ok);
  assert.deepEqual(loaded.failure.lines.slice(0, 2), [
    'Error: Unable to open acl_file "/nowhere/acl".',
    'Error opening acl file "/nowhere/acl".',
  ]);
  assert.equal(loaded.failure.exitCode, 13);
});

interface Line {
  /** Null for a pattern line, '' for the list of clients without a name. */
  list: string | null;
  access: string;
  filter: string;
}

/** The decision as the specification words it: list by list, deny first, rule by rule. */
function slowDecision(lines: Line[], identity: Identity, wanted: 'read' | 'write', topic: string): boolean {
  const own = lines.filter(line => line.list === (identity.username ?? ''));
  const verdict = slowList(own, rule => rule.filter, wanted, topic);
  if (verdict !== null) return verdict;
  const patterns = lines.filter(line => line.list === null);
  if (patterns.length > 0 && /[+#]/.test(identity.clientId + (identity.username ?? ''))) return false;
  return slowList(patterns, rule => substituted(rule.filter, identity), wanted, topic) ?? false;
}

function slowList(
  rules: Line[],
  filterOf: (rule: Line) => string | null,
  wanted: string,
  topic: string,
): boolean | null {
  const matching = rules.filter(rule => {
    const filter = filterOf(rule);
    if (filter === null || (topic.startsWith('$') && !rule.filter.startsWith('$'))) return false;
    return matchesFilter(filter, topic);
  });
  if (matching.some(rule => rule.access === 'deny')) return false;
  return matching.some(rule => rule.access === wanted || rule.access === 'readwrite') ? true : null;
}

/** Null when the pattern says nothing about this client. */
function substituted(pattern: string, { clientId, username }: Identity): string | null {
  if (pattern.includes('%u') && username === null) return null;
  const names = new Map([
    ['%c', clientId],
    ['%u', username ?? ''],
  ]);
  const levels = pattern.split('/').map(level => names.get(level) ?? level);
  return pattern.split('/').some(level => ['', undefined].includes(names.get(level)) && names.has(level))
    ? null
    : levels.join('/');
}

test('the compiled rules decide as the rules read one by one do', () => {
  const level = fc.constantFrom('a', 'b', '', '+', '%c', '%u', 'x%u', '$SYS', 'ana');
  const filter = fc
    .tuple(fc.array(level, { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([levels, more]) => [...levels, ...(more ? ['#'] : [])].join('/'))
    .filter(isValidFilter);
  const line: fc.Arbitrary<Line> = fc.record({
    list: fc.constantFrom(null, '', 'ana', 'bob'),
    access: fc.constantFrom('read', 'write', 'readwrite', 'deny'),
    filter,
  });
  const identity = fc.record({
    username: fc.constantFrom(null, 'ana', 'bob', 'eve', 'a+', '$SYS'),
    clientId: fc.constantFrom('a', 'b', 'c#', '', 'ana'),
  });
  const topic = fc
    .array(fc.constantFrom('a', 'b', '', 'ana', '%u', '%c', 'x%u', '$SYS', 'eve'), { minLength: 1, maxLength: 4 })
    .map(levels => levels.join('/'))
    .filter(name => name !== '');
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 8 }),
      identity,
      fc.array(topic, { minLength: 1 }),
      (lines, names, topics) => {
        const acl = aclOf(asFile(lines));
        for (const name of topics) {
          for (const wanted of ['read', 'write'] as const) {
            const expected = slowDecision(lines, names as Identity, wanted, name);
            assert.equal(acl.may(wanted, names as Identity, name), expected ? 'allow' : 'deny', `${wanted} ${name}`);
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});

/** Anonymous rules have to come first; patterns may stand anywhere. */
function asFile(lines: Line[]): string {
  const named = lines.filter(line => line.list !== '' && line.list !== null);
  return [
    ...lines.filter(line => line.list === '').map(line => `topic ${line.access} ${line.filter}`),
    ...named.flatMap(line => [`user ${line.list}`, `topic ${line.access} ${line.filter}`]),
    ...lines.filter(line => line.list === null).map(line => `pattern ${line.access} ${line.filter}`),
  ].join('\n');
}

test('an explanation names the lines that match, own list before patterns, and the one that decides', () => {
  const { path, loaded } = load(
    'pattern read %u/#\nuser ana\ntopic read a/+\n# why\ntopic deny a/secret\ntopic write ana/x\n',
  );
  assert.ok(loaded.ok);
  const acl = new AclFile(loaded.value, () => {});
  const told = (access: 'read' | 'write', topic: string): string[] => {
    const { answer, because, tried } = acl.explain(access, who('ana'), topic);
    return [
      `${answer}: ${because.replaceAll(path, 'FILE')}`,
      ...tried.map(({ where, text, says, decides }) => {
        return `${where.replace(path, 'FILE')} ${text} -> ${says}${decides ? ' *' : ''}`;
      }),
    ];
  };
  assert.deepEqual(told('read', 'a/secret'), [
    'deny: "topic deny a/secret" decides, line 5 of FILE',
    'line 3 of FILE topic read a/+ -> allow',
    'line 5 of FILE topic deny a/secret -> deny *',
  ]);
  assert.deepEqual(told('read', 'ana/x'), [
    'allow: "pattern read %u/#" decides, line 1 of FILE',
    'line 6 of FILE topic write ana/x -> nothing',
    'line 1 of FILE pattern read %u/# -> allow *',
  ]);
  assert.deepEqual(told('write', 'b'), ["deny: no line of FILE allows it to user 'ana'"]);
});

test('whoever explains decides: explanation and answer never differ', () => {
  const level = fc.constantFrom('a', 'b', '+', '%u', '%c', 'ana');
  const filter = fc
    .tuple(fc.array(level, { minLength: 1, maxLength: 3 }), fc.boolean())
    .map(([levels, more]) => [...levels, ...(more ? ['#'] : [])].join('/'));
  const line = fc
    .tuple(fc.constantFrom('topic', 'pattern'), fc.constantFrom('read', 'write', 'readwrite', 'deny'), filter)
    .map(words => words.join(' '));
  const file = fc.array(fc.oneof(line, line, fc.constantFrom('user ana', 'user bob')), { maxLength: 12 });
  const topic = fc
    .array(fc.constantFrom('a', 'b', 'ana', 'c1'), { minLength: 1, maxLength: 3 })
    .map(it => it.join('/'));
  const name = fc.constantFrom(null, 'ana', 'bob', 'a+b');
  fc.assert(
    fc.property(file, topic, name, fc.constantFrom('read', 'write', 'subscribe'), (lines, topicName, user, access) => {
      const acl = aclOf(lines.join('\n'));
      const { answer, tried } = acl.explain(access, who(user), topicName);
      assert.equal(answer, acl.may(access, who(user), topicName));
      const decisive = tried.filter(rule => rule.decides);
      assert.ok(decisive.length <= 1 && decisive.every(rule => rule.says === answer));
      assert.ok(answer === 'deny' || access === 'subscribe' || decisive.length === 1, 'what is allowed has its rule');
    }),
  );
});
