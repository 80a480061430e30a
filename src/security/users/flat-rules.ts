/**
 * The rules of one user as rows that count together, from wherever they hang: its own, everybody's, or roles and groups
 * of dynamic security. What cannot be said in that way is refused in words, and never said more generously.
 *
 *   dynamic security   publish   what its ACLs allow to send
 *                      receive   what its ACLs allow to subscribe to, as far as they allow to receive it
 *                      a denial  is left out where nothing allowed lies behind it, and cannot be said otherwise
 */
import { DENY, READ, WRITE } from '../acl-rules.ts';
import { overlap } from '../database/rights.ts';
import type { Acl, AclType, Client, Model } from '../dynamic-security/model.ts';
import type { Rule, User, UserSet } from './user-set.ts';

export type Flat = { rules: readonly Rule[] } | { because: string };

export function flatRules({ dynamic, everybody }: UserSet, user: User): Flat {
  const client = dynamic?.clients.get(user.name);
  if (dynamic !== null && client !== undefined) return flatRoles(dynamic, client);
  const allowed = user.rules.filter(({ bits }) => (bits & DENY) === 0);
  for (const denial of everybody.filter(({ bits }) => (bits & DENY) !== 0)) {
    const given = allowed.find(rule => meets(rule, denial));
    if (given === undefined) continue;
    return {
      because: `its own rule for ${given.topic} goes before the denial of ${denial.topic} for everybody, and there every denial wins`,
    };
  }
  return { rules: [...user.rules, ...everybody] };
}

/** `%c` may turn out to be anything. */
const levelsOf = (topic: string): string[] => topic.split('/').map(level => (/%[uc]/.test(level) ? '+' : level));

function meets(a: Pick<Rule, 'topic'>, b: Pick<Rule, 'topic'>): boolean {
  return overlap(levelsOf(a.topic), levelsOf(b.topic));
}

type Granted = { topics: readonly string[] } | { because: string };

function flatRoles(model: Model, client: Client): Flat {
  const acls = aclsOf(model, client);
  const { publishClientSend, publishClientReceive, subscribe } = model.defaultAccess;
  const of = (...types: AclType[]): Acl[] => acls.filter(({ type }) => types.includes(type));
  const sent = granted(of('publishClientSend'), publishClientSend);
  const received = granted(of('publishClientReceive'), publishClientReceive);
  const wanted = granted(of('subscribeLiteral', 'subscribePattern'), subscribe);
  for (const each of [sent, received, wanted]) if ('because' in each) return each;
  const [write, receive, want] = [topicsOf(sent), topicsOf(received), topicsOf(wanted)];
  const read = new Set(receive.flatMap(a => want.map(b => meetOf(a, b)).filter(both => both !== null)));
  return { rules: merged(write, read) };
}

/** In the order in which they are asked. */
function aclsOf(model: Model, { username, roles }: Client): Acl[] {
  const groups = model.groupsOf(username).flatMap(({ name }) => model.groups.get(name)?.roles ?? []);
  const acls = [...roles, ...groups].flatMap(({ name }) => model.roles.get(name)?.acls ?? []);
  return acls.flatMap(acl => {
    const topic = acl.type.endsWith('Literal') ? acl.topic : withNameAsLevel(acl.topic, username);
    return topic === null ? [] : [{ ...acl, topic }];
  });
}

/** Dynamic security fills in whole levels alone. */
function withNameAsLevel(topic: string, username: string): string | null {
  const levels = topic.split('/');
  if (!levels.includes('%u')) return topic;
  return withName('%u', username) === null ? null : levels.map(each => (each === '%u' ? username : each)).join('/');
}

/** A name with a wildcard or a slash in it stands for nothing. */
export function withName(topic: string, username: string): string | null {
  if (!topic.includes('%u')) return topic;
  return username === '' || /[+#/]/.test(username) ? null : topic.replaceAll('%u', username);
}

function granted(acls: readonly Acl[], byDefault: boolean): Granted {
  for (const [i, denial] of acls.entries()) {
    if (denial.allow) continue;
    const taken = byDefault ? denial : acls.slice(i + 1).find(acl => acl.allow && meets(acl, denial));
    if (taken === undefined) continue;
    const from = byDefault ? 'what is allowed by default' : `${taken.type} allow ${taken.topic}`;
    return { because: `${denial.type} deny ${denial.topic} takes something away from ${from}, which rows cannot say` };
  }
  const allowed = acls.filter(({ allow }) => allow).map(({ topic }) => topic);
  return { topics: byDefault ? [...allowed, '#', '$SYS/#'] : allowed };
}

const topicsOf = (result: Granted): readonly string[] => ('topics' in result ? result.topics : []);

function merged(write: readonly string[], read: ReadonlySet<string>): Rule[] {
  const bits = new Map<string, number>([...write].map(topic => [topic, WRITE]));
  for (const topic of read) bits.set(topic, (bits.get(topic) ?? 0) | READ);
  return [...bits].map(([topic, each]) => ({ topic, bits: each, ...(isPlain(topic) ? { plain: true } : {}) }));
}

const isPlain = (topic: string): boolean => topic.split('/').some(level => level !== '%c' && /%[uc]/.test(level));

/** The filter of the topics that both filters match; null for none. */
export function meetOf(a: string, b: string): string | null {
  const [x, y] = [a.split('/'), b.split('/')];
  if (isWild(x[0]) !== isWild(y[0]) && (a.startsWith('$') || b.startsWith('$'))) return null;
  const both: string[] = [];
  for (let i = 0; ; i++) {
    const [one, other] = [x[i], y[i]];
    if (one === '#') return [...both, ...y.slice(i)].join('/');
    if (other === '#') return [...both, ...x.slice(i)].join('/');
    if (one === undefined || other === undefined) return one === other ? both.join('/') : null;
    if (one !== '+' && other !== '+' && one !== other) return null;
    both.push(one === '+' ? other : one);
  }
}

const isWild = (level: string | undefined): boolean => level === '+' || level === '#';
