/**
 * What one client may do, as rows of a database say it, compiled for decisions without waiting.
 *
 *   rows (filter, access)  ── %u, %c filled in ──  RuleTree  ── allow | deny | defer
 *
 * A row that denies wins over everything. A subscription is granted where it could bring anything that may be read;
 * each message is asked about again.
 */
import type { Identity } from '../../broker/ports.ts';
import { isValidFilter } from '../../topics/mod.ts';
import { type AclRule, DENY, READ, RuleTree, WRITE } from '../acl-rules.ts';
import type { Access, Reasons } from '../authenticator.ts';

/** Beside READ, WRITE and DENY: the filter may be subscribed to (4 in the tables of Mosquitto's plugins). */
export const SUBSCRIBE = 8;

export interface RuleRow {
  filter: string;
  bits: number;
}

export interface RightsRows {
  superuser: boolean;
  rules: RuleRow[];
  /** Unix milliseconds after which they are void, such as the end of a token; null for never. */
  endsAt?: number | null;
}

const wordBits: Readonly<Record<string, number>> = {
  read: READ,
  r: READ,
  write: WRITE,
  w: WRITE,
  readwrite: READ | WRITE,
  rw: READ | WRITE,
  subscribe: SUBSCRIBE,
  s: SUBSCRIBE,
  deny: DENY,
};

/** A word, or Mosquitto's number: 1 read, 2 write, 4 subscribe, and sums. Null when it is neither. */
export function accessBits(access: unknown): number | null {
  const word = String(access).trim().toLowerCase();
  if (/^[0-7]$/.test(word)) return (Number(word) & 3) | (Number(word) & 4 ? SUBSCRIBE : 0);
  return Object.hasOwn(wordBits, word) ? (wordBits[word] ?? null) : null;
}

/** Rows of one user are few; who has more is cut off here and told of in the log. */
export const ROWS_MAX = 100_000;

export class Rights {
  /** The same text for the same rights. */
  readonly fingerprint: string;
  readonly superuser: boolean;
  readonly endsAt: number | null;
  /** Rows that make no sense or that would give a name a meaning of its own. */
  readonly passedOver: number;
  private readonly tree = new RuleTree(false);
  private readonly readable: string[][] = [];
  private readonly source: string;

  constructor(source: string, { superuser, rules, endsAt }: RightsRows, who: Pick<Identity, 'clientId' | 'username'>) {
    this.source = source;
    this.superuser = superuser;
    this.endsAt = endsAt ?? null;
    let passedOver = 0;
    const kept: string[] = [];
    for (const [i, { filter: written, bits }] of rules.slice(0, ROWS_MAX).entries()) {
      const filter = fillIn(written, who);
      if (filter === null || !isValidFilter(filter)) passedOver++;
      else {
        this.tree.add(filter, { line: i + 1, text: `${wordsOf(bits)} ${written}`, bits });
        if ((bits & (READ | SUBSCRIBE)) !== 0) this.readable.push(filter.split('/'));
        kept.push(`${bits} ${filter}`);
      }
    }
    this.passedOver = passedOver + Math.max(0, rules.length - ROWS_MAX);
    this.fingerprint = JSON.stringify([superuser, this.endsAt, kept.sort()]);
  }

  may(access: Access, who: Identity, topic: string): 'allow' | 'deny' | 'defer' {
    if (this.superuser || access === 'unsubscribe') return 'allow';
    if (access === 'subscribe') return this.maySubscribe(topic) ? 'allow' : 'defer';
    const bits = this.tree.bitsFor(topic, who);
    if ((bits & DENY) !== 0) return 'deny';
    return (bits & bitOf(access)) !== 0 ? 'allow' : 'defer';
  }

  explain(access: Access, who: Identity, topic: string): Reasons {
    const answer = this.may(access, who, topic);
    if (this.superuser)
      return { answer, because: `${this.source} calls '${who.username ?? ''}' a superuser`, tried: [] };
    if (access === 'unsubscribe') return { answer, because: `${this.source} lets everybody unsubscribe`, tried: [] };
    if (access === 'subscribe') {
      const some = answer === 'allow' ? 'a row' : 'no row';
      return { answer, because: `${some} of ${this.source} gives read access to a topic of this filter`, tried: [] };
    }
    const seen: AclRule[] = [];
    this.tree.bitsFor(topic, who, seen);
    const wanted = answer === 'deny' ? DENY : bitOf(access);
    const decisive = answer === 'defer' ? undefined : seen.find(({ bits }) => (bits & wanted) !== 0);
    const tried = seen.map(rule => ({
      where: `row ${rule.line} of ${this.source}`,
      text: rule.text,
      says: sayingOf(rule, bitOf(access)),
      decides: rule === decisive,
    }));
    const because =
      decisive === undefined
        ? `no row of ${this.source} allows it to '${who.username ?? ''}'`
        : `"${decisive.text}" decides, row ${decisive.line} of ${this.source}`;
    return { answer, because, tried };
  }

  private maySubscribe(filter: string): boolean {
    const levels = filter.split('/');
    return this.readable.some(rule => overlap(rule, levels));
  }
}

function bitOf(access: 'read' | 'write'): number {
  return access === 'read' ? READ : WRITE;
}

function sayingOf({ bits }: AclRule, wanted: number): 'allow' | 'deny' | 'nothing' {
  if ((bits & DENY) !== 0) return 'deny';
  return (bits & wanted) !== 0 ? 'allow' : 'nothing';
}

function wordsOf(bits: number): string {
  if ((bits & DENY) !== 0) return 'deny';
  const words = [(bits & READ) !== 0 ? 'read' : '', (bits & WRITE) !== 0 ? 'write' : ''].join('');
  return `${words}${(bits & SUBSCRIBE) !== 0 ? `${words === '' ? '' : ' '}subscribe` : ''}` || 'nothing';
}

/**
 * `%u` and `%c` wherever they stand. A name with a wildcard or a slash in it would reach what belongs to others, an empty
 * one what belongs to everybody: then the row says nothing. Null in these cases.
 */
function fillIn(filter: string, { username, clientId }: Pick<Identity, 'clientId' | 'username'>): string | null {
  let ok = true;
  const filled = filter.replace(/%[uc]/g, sign => {
    const name = sign === '%u' ? (username ?? '') : clientId;
    if (name === '' || /[+#/]/.test(name)) ok = false;
    return name;
  });
  return ok ? filled : null;
}

/** Whether some topic matches both filters. [MQTT-4.7.2-1] keeps wildcards away from what begins with `$`. */
export function overlap(a: readonly string[], b: readonly string[]): boolean {
  const [firstA = '', firstB = ''] = [a[0], b[0]];
  if (isWild(firstA) !== isWild(firstB) && (firstA.startsWith('$') || firstB.startsWith('$'))) return false;
  return overlapFrom(a, b, 0);
}

const isWild = (level: string): boolean => level === '+' || level === '#';

function overlapFrom(a: readonly string[], b: readonly string[], i: number): boolean {
  for (; ; i++) {
    const [x, y] = [a[i], b[i]];
    if (x === '#' || y === '#') return true;
    // `a/#` matches `a`, too.
    if (x === undefined || y === undefined) return x === y;
    if (x !== '+' && y !== '+' && x !== y) return false;
    if (i + 1 === a.length && b[i + 1] === '#') return true;
    if (i + 1 === b.length && a[i + 1] === '#') return true;
  }
}
