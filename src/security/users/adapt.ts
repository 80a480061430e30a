/**
 * What of each user a place can keep, said before anything is written.
 *
 *   user ── its hash can be checked there? what it is can be said there? every rule can? ── ready
 *                                                                             └─ no: a problem, with the user's name
 *
 * Nothing is carried over half: a user with a problem does not go at all.
 */
import { DENY, READ, WRITE } from '../acl-rules.ts';
import { SUBSCRIBE } from '../database/rights.ts';
import { decodeStored } from '../database/stored-hash.ts';
import type { SaltEncoding } from '../database/settings.ts';
import { decode } from '../password-hash.ts';
import { userNameProblem } from '../password-file-edit.ts';
import { topicProblem } from './file-texts.ts';
import { flatRules, withName } from './flat-rules.ts';
import type { Rule, User, UserSet } from './user-set.ts';

export interface Problem {
  user: string;
  because: string;
}

export interface Adapted {
  ready: User[];
  problems: Problem[];
}

type Rules = { rules: readonly Rule[] } | { because: string };

/** How one kind of place keeps users. */
export interface Manner {
  /** Of the name, null when it can stand there. */
  name: (name: string) => string | null;
  hash: (hash: string) => { hash: string } | { because: string };
  needsPassword: boolean;
  superuser: boolean;
  rules: (user: User, set: UserSet) => Rules;
}

export function adapt(set: UserSet, manner: Manner): Adapted {
  const adapted: Adapted = { ready: [], problems: [] };
  for (const user of set.users.values()) {
    const one = adaptOne(user, set, manner);
    if (typeof one === 'string') adapted.problems.push({ user: user.name, because: one });
    else adapted.ready.push(one);
  }
  return adapted;
}

/** A text says why it cannot be kept there. */
function adaptOne(user: User, set: UserSet, manner: Manner): User | string {
  if (user.disabled) return 'it is disabled, which cannot be said there';
  if (user.clientId !== null) return `it may come as client '${user.clientId}' alone, which cannot be said there`;
  const problem = manner.name(user.name);
  if (problem !== null) return problem;
  if (user.hash === null && manner.needsPassword) return 'it has no password';
  const hash = user.hash === null ? { hash: null } : manner.hash(user.hash);
  if ('because' in hash) return hash.because;
  if (user.superuser && !manner.superuser) return 'there is no column for superusers';
  const found = manner.rules(user, set);
  return 'because' in found ? found.because : { ...user, hash: hash.hash, rules: found.rules };
}

/** Without patterns: the file has lines already, and what is said there for everybody would be said of others, too. */
export function filesManner(withPatterns: boolean): Manner {
  return {
    name: userNameProblem,
    hash: hashForFiles,
    needsPassword: false,
    superuser: true,
    rules: (user, set) => {
      const flat = withPatterns && set.dynamic === null ? { rules: user.rules } : flatRules(set, user);
      return 'because' in flat ? flat : rulesForFile(user, flat.rules);
    },
  };
}

/** What a superuser may, in the words of an access file. */
const everything: readonly Rule[] = [
  { topic: '#', bits: READ | WRITE },
  { topic: '$SYS/#', bits: READ },
];

function rulesForFile(user: User, rules: readonly Rule[]): Rules {
  if (user.superuser) return { rules: everything };
  const kept: Rule[] = [];
  for (const rule of rules) {
    const topic = rule.plain === true ? rule.topic : withName(rule.topic, user.name);
    if (topic === null) continue;
    if (rule.plain !== true && topic.includes('%c'))
      return { because: `${topic} goes by the client identifier, which an access file has for everybody alone (pattern)` }; // prettier-ignore
    const bits = rule.bits & (READ | WRITE | DENY);
    const problem = topicProblem({ topic, bits });
    if (problem !== null && problem !== 'nothing') return { because: problem };
    if (problem === null) kept.push({ topic, bits: (bits & DENY) !== 0 ? DENY : bits, plain: true });
  }
  return { rules: kept };
}

/** Password files and dynamic security: Mosquitto's own hashes, and what is one of them under another name. */
export function hashForFiles(hash: string): { hash: string } | { because: string } {
  for (const each of [hash, renamed(hash)]) if (each !== null && decode(each).ok) return { hash: each };
  const kind = hashKind(hash);
  return { because: `a password stored as ${kind} cannot be checked there (it takes argon2id, $7$ and $6$); it needs a new one` }; // prettier-ignore
}

/** PBKDF2 of mosquitto-go-auth with a salt as long as Mosquitto's own. */
function renamed(hash: string): string | null {
  const [, rounds, salt, digest] = /^PBKDF2\$sha512\$(\d+)\$([^$]+)\$([^$]+)$/.exec(hash) ?? [];
  return rounds === undefined ? null : `$7$${rounds}$${salt}$${digest}`;
}

export function hashKind(hash: string | null): string {
  if (hash === null) return '-';
  if (/^\$2[aby]\$/.test(hash)) return 'bcrypt';
  const [, word] = /^\$?([A-Za-z0-9-]+)\$/.exec(hash) ?? [];
  const known: Readonly<Record<string, string>> = { '6': '$6$ (SHA-512)', '7': '$7$ (PBKDF2)' };
  return word === undefined ? 'something unknown' : (known[word] ?? word);
}

export interface RowsManner {
  saltEncoding: SaltEncoding;
  superuser: boolean;
  denials: boolean;
  /** Why a name cannot be one there. */
  name?: (name: string) => string | null;
}

/** Tables and Redis: rows that count together. */
export function rowsManner({ saltEncoding, superuser, denials, name }: RowsManner): Manner {
  return {
    name: each => (each.includes('\0') ? 'a name with a NUL cannot be kept there' : (name?.(each) ?? null)),
    hash: hash => hashForRows(hash, saltEncoding),
    needsPassword: true,
    superuser,
    rules: (user, set) => {
      const flat = flatRules(set, user);
      return 'because' in flat ? flat : rulesForRows(flat.rules, denials);
    },
  };
}

function hashForRows(hash: string, salts: SaltEncoding): { hash: string } | { because: string } {
  const decoded = decodeStored(hash, 'base64', () => Promise.resolve(false));
  if (!decoded.ok) return { because: `its password cannot be checked there: ${decoded.because}` };
  const written = salts === 'base64' ? hash : withSalt(hash, saltAsText);
  return written === null ? { because: 'its salt is no text, as auth_backend_salt_encoding utf-8 wants it' } : { hash: written }; // prettier-ignore
}

/** Between the places salts are base64; tables may have them as text. Null when that cannot be. */
export function withSalt(hash: string, change: (salt: string) => string | null): string | null {
  const parts = hash.split('$');
  if (!/^(?:PBKDF2|\$pbkdf2-sha\d+)\$/.test(hash) || parts.length !== 5) return hash;
  const salt = change(parts[3] ?? '');
  return salt === null ? null : parts.with(3, salt).join('$');
}

export const saltAsBase64 = (salt: string): string => Buffer.from(salt).toString('base64');

function saltAsText(salt: string): string | null {
  const bytes = Buffer.from(salt, 'base64');
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) && !text.includes('$') ? text : null;
}

function rulesForRows(rules: readonly Rule[], denials: boolean): Rules {
  for (const { topic, bits, plain } of rules) {
    if (plain === true) return { because: `%u and %c in ${topic} are plain text here and stand for names there` };
    if ((bits & DENY) !== 0 && !denials) return { because: `the denial of ${topic} cannot be said there, where rows only allow` }; // prettier-ignore
  }
  return {
    rules: rules.flatMap(({ topic, bits }) => {
      if ((bits & DENY) !== 0) return [{ topic, bits: DENY }];
      return [bits & (READ | WRITE), bits & SUBSCRIBE].filter(Boolean).map(each => ({ topic, bits: each }));
    }),
  };
}
