/**
 * Rules as JSON, from an HTTP service or out of a token:
 *
 *   [{ "topic": "a/#", "acc": 3 }, { "topic": "b", "access": "read" }]
 *   { "pub": ["a/#"], "sub": ["b"], "all": ["c"], "deny": ["d"] }
 */
import { DENY, READ, WRITE } from '../acl-rules.ts';
import { accessBits, type RuleRow } from './rights.ts';

const lists: Readonly<Record<string, number>> = {
  pub: WRITE,
  publish: WRITE,
  sub: READ,
  subscribe: READ,
  all: READ | WRITE,
  deny: DENY,
};

/** Null when it is neither of the two forms. */
export function rulesOf(value: unknown): RuleRow[] | null {
  if (Array.isArray(value)) return allOrNothing(value.map(ruleOf));
  if (typeof value !== 'object' || value === null) return null;
  const rows = Object.entries(value).flatMap(([name, filters]): (RuleRow | null)[] => {
    const bits = Object.hasOwn(lists, name) ? lists[name] : undefined;
    if (bits === undefined || !Array.isArray(filters)) return [null];
    return filters.map(filter => (typeof filter === 'string' ? { filter, bits } : null));
  });
  return allOrNothing(rows);
}

/** Half of the rules would be other rules. */
function allOrNothing(rows: (RuleRow | null)[]): RuleRow[] | null {
  const good = rows.filter(row => row !== null);
  return good.length === rows.length ? good : null;
}

function ruleOf(value: unknown): RuleRow | null {
  if (typeof value !== 'object' || value === null) return null;
  const { topic, acc, access } = value as Record<string, unknown>;
  const bits = accessBits(acc ?? access);
  return typeof topic === 'string' && bits !== null ? { filter: topic, bits } : null;
}
