/**
 * Users in a password file and an access file: read, and put into the texts of both.
 *
 *   ana:$7$..                  user ana              pattern readwrite all/%u
 *                              topic read news/#
 *
 * Lines of others, comments and what `zancudo device` keeps between its marks stay as they are; a user that is put in
 * leaves its old lines and has its new ones in front of the marks, or at the end.
 */
import { isValidFilter } from '../../topics/mod.ts';
import { type AclRules, loadAclFile } from '../acl-file.ts';
import { DENY, READ, type RuleTree, WRITE } from '../acl-rules.ts';
import { devicesBegin, devicesEnd } from '../certificate-identity.ts';
import { loadPasswordFile } from '../password-file.ts';
import { setUser } from '../password-file-edit.ts';
import { type Loaded, trimBlanks } from '../secret-file.ts';
import { UsersError } from './json-lines.ts';
import { accessWords, emptySet, plainUser, type Rule, type User, type UserSet } from './user-set.ts';

/** Null for a file that is not there. */
export function readFiles(passwordFile: string | null, aclFile: string | null): UserSet {
  const set = emptySet();
  if (passwordFile !== null) {
    for (const [name, { encoded }] of opened(loadPasswordFile(passwordFile))) {
      set.users.set(name, plainUser(name, encoded));
    }
  }
  if (aclFile !== null) takeRules(opened(loadAclFile(aclFile)), set);
  return set;
}

function opened<T>(loaded: Loaded<T>): T {
  if (!loaded.ok) throw new UsersError(...loaded.failure.lines);
  return loaded.value;
}

function takeRules({ anonymous, users, devices, patterns, patternsWithUser }: AclRules, set: UserSet): void {
  for (const [name, tree] of users) {
    // Who comes with a certificate has no password.
    const user = set.users.get(name) ?? plainUser(name, null);
    set.users.set(name, { ...user, rules: plainRules(tree) });
  }
  set.anonymous = plainRules(anonymous);
  set.everybody = [patterns, patternsWithUser].flatMap(tree => (tree === null ? [] : [...rulesOf(tree)]));
  const bound = [...devices.all()].length;
  if (bound > 0) set.remarks.push(`${bound} devices with rules bound to their certificates stay where they are; 'zancudo device' looks after them`); // prettier-ignore
}

function* rulesOf(tree: RuleTree): Iterable<Rule> {
  for (const [topic, bits] of tree.entries()) yield { topic, bits };
}

function plainRules(tree: RuleTree): Rule[] {
  return [...rulesOf(tree)].map(rule => (/%[uc]/.test(rule.topic) ? { ...rule, plain: true } : rule));
}

export function putPasswords(text: string, users: readonly User[]): string {
  const known = new Map<string, number>();
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  for (const [i, line] of lines.entries()) {
    if (!line.startsWith('#') && line.includes(':')) known.set(trimBlanks(line.slice(0, line.indexOf(':'))), i);
  }
  for (const { name, hash } of users) {
    if (hash === null) continue;
    const line = setUser('', latin1(name), hash).trimEnd();
    const at = known.get(latin1(name));
    if (at === undefined) lines.push(line);
    else lines[at] = line;
  }
  return lines.map(line => `${line}\n`).join('');
}

/** Texts of these files are handled as Latin-1, so that every byte of other lines survives. */
function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}

export interface AclLines {
  users: readonly User[];
  /** For a file that has none yet. */
  everybody: readonly Rule[];
  anonymous: readonly Rule[];
}

export function putRules(text: string, { users, everybody, anonymous }: AclLines): string {
  const names = new Set(users.map(({ name }) => latin1(name)));
  const kept = withoutUsers(text === '' ? [] : text.replace(/\n$/, '').split('\n'), names);
  const added = users.flatMap(({ name, rules }) => [`user ${name}`, ...rules.map(rule => line('topic', rule)), '']);
  const [before, after] = atMarks(kept);
  const all = [
    ...anonymous.map(rule => latin1(line('topic', rule))),
    ...before,
    ...everybody.map(rule => latin1(line('pattern', rule))),
    ...(before.length > 0 && before.at(-1) !== '' ? [''] : []),
    ...added.map(latin1),
    ...after,
  ];
  return all.map(each => `${each}\n`).join('');
}

/** Lines behind the marks go on with the section in front of them, and must not get another one. */
function atMarks(lines: readonly string[]): [before: readonly string[], after: readonly string[]] {
  const [begin, end] = [lines.indexOf(devicesBegin), lines.indexOf(devicesEnd)];
  const isLast = begin !== -1 && lines.slice(end + 1).every(each => each.trim() === '');
  return isLast ? [lines.slice(0, begin), lines.slice(begin)] : [lines, []];
}

const line = (kind: 'topic' | 'pattern', { topic, bits }: Rule): string => `${kind} ${accessWords(bits)} ${topic}`;

/** `user` and `topic` lines of these users; `pattern` lines are everybody's, wherever they stand. */
function withoutUsers(lines: readonly string[], names: ReadonlySet<string>): string[] {
  let [isTheirs, isOfDevices] = [false, false];
  return lines.filter(each => {
    if (each === devicesBegin) [isOfDevices, isTheirs] = [true, false];
    if (each === devicesEnd) isOfDevices = false;
    const [word = '', ...rest] = each.trim().split(/ +/);
    if (isOfDevices) return true;
    if (word === 'user') isTheirs = names.has(trimBlanks(each.slice(each.indexOf('user') + 5)));
    return !(isTheirs && (word === 'user' || (word === 'topic' && rest.length > 0)));
  });
}

/** Why a rule cannot stand in an access file, null when it can. */
export function topicProblem({ topic, bits }: Rule): string | null {
  if (trimBlanks(topic) !== topic) return `the blanks around '${topic}' would be lost in an access file`;
  if (/[\u0000-\u001f\u007f]/.test(topic)) return 'a topic with a control character cannot stand in an access file';
  if (!isValidFilter(topic)) return `'${topic}' is no topic filter`;
  return (bits & (READ | WRITE | DENY)) === 0 ? 'nothing' : null;
}
