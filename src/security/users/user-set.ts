/**
 * Users with all that belongs to them, between one place that keeps them and another.
 *
 *   files, database, Redis, JSON lines   each user has rules of its own, which count together; a denial wins
 *   dynamic security                     rules hang on roles, and the first hit decides: `dynamic` has all of it
 */
import { DENY, READ, WRITE } from '../acl-rules.ts';
import { accessBits, SUBSCRIBE } from '../database/rights.ts';
import type { Model } from '../dynamic-security/model.ts';

export interface Rule {
  topic: string;
  /** READ, WRITE, SUBSCRIBE, DENY. */
  bits: number;
  /** `%u` and `%c` in it are plain text. */
  plain?: true;
}

export interface User {
  name: string;
  /** As it is stored; null for nobody can log in by a password. */
  hash: string | null;
  superuser: boolean;
  disabled: boolean;
  /** The only one it may come with. */
  clientId: string | null;
  rules: readonly Rule[];
}

export interface UserSet {
  users: Map<string, User>;
  /** For everybody, with `%u` and `%c` filled in. */
  everybody: readonly Rule[];
  /** For clients without a user name. */
  anonymous: readonly Rule[];
  dynamic: Model | null;
  /** What was passed over when it was read. */
  remarks: string[];
}

export function emptySet(): UserSet {
  return { users: new Map(), everybody: [], anonymous: [], dynamic: null, remarks: [] };
}

export function plainUser(name: string, hash: string | null, rules: readonly Rule[] = []): User {
  return { name, hash, superuser: false, disabled: false, clientId: null, rules };
}

const words = [
  { bits: DENY, word: 'deny' },
  { bits: READ | WRITE, word: 'readwrite' },
  { bits: READ, word: 'read' },
  { bits: WRITE, word: 'write' },
  { bits: SUBSCRIBE, word: 'subscribe' },
] as const;

/** `readwrite subscribe`; the reading of it is bitsOf. */
export function accessWords(bits: number): string {
  let rest = bits;
  const said: string[] = [];
  for (const { bits: each, word } of words) {
    if ((rest & each) !== each) continue;
    said.push(word);
    rest &= ~each;
  }
  return said.join(' ');
}

/** Null when a word of it is none. */
export function bitsOf(text: string): number | null {
  const bits = text.split(' ').map(accessBits);
  return bits.includes(null) ? null : bits.reduce<number>((all, each) => all | (each ?? 0), 0);
}

/** The same text for the same user, however its rules are put into rows. */
export function fingerprintOf({ hash, superuser, disabled, clientId, rules }: User): string {
  const byTopic = new Map<string, number>();
  for (const { topic, bits, plain } of rules) {
    const key = `${plain === true} ${topic}`;
    byTopic.set(key, (byTopic.get(key) ?? 0) | bits);
  }
  return JSON.stringify([hash, superuser, disabled, clientId, [...byTopic].map(pair => pair.join(' ')).sort()]);
}
