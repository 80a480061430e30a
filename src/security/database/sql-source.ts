/**
 * Users, superusers and rules from the tables of a database.
 *
 *   user query        one row: the hash; and, if there is a second column, the name exactly as the client must send it
 *   superuser query   one row, its first column true or above 0
 *   ACL query         rows: filter, access; or with :rw in it, filters alone, asked for 1 (read), 2 (write), 4 (subscribe)
 */
import { type Query, textFor } from '../../base/mod.ts';
import { READ, WRITE } from '../acl-rules.ts';
import { Answered, type Gate } from './gate.ts';
import type { Hashes } from './hashes.ts';
import { accessBits, type RightsRows, type RuleRow, SUBSCRIBE } from './rights.ts';
import type { LoginResult, Source, Subject } from './source.ts';

export interface SqlStatement {
  /** For drivers that prepare by name. */
  name: string;
  text: string;
}

export interface SqlDriver {
  /** How the nth parameter is written, counted from 1. */
  mark(nth: number): string;
  /** Rows as lists of columns. Rejects with an Answered when the database itself refuses the question. */
  query(statement: SqlStatement, values: readonly (string | number)[]): Promise<unknown[][]>;
  /** Where asking for nothing would not tell what is wrong. */
  ping?(): Promise<void>;
  close(): Promise<void>;
}

export interface SqlQueries {
  user: Query;
  superuser: Query | null;
  acl: Query | null;
}

interface Asked {
  query: Query;
  statement: SqlStatement;
}

/** What Mosquitto calls the access that is asked for, and what a row then gives. */
const accesses = [
  { rw: 1, bits: READ },
  { rw: 2, bits: WRITE },
  { rw: 4, bits: SUBSCRIBE },
] as const;

export class SqlSource implements Source {
  readonly usesClientId: boolean;
  readonly usesAddress: boolean;
  readonly rules: 'asked' | 'none';
  private readonly driver: SqlDriver;
  private readonly gate: Gate;
  private readonly hashes: Hashes;
  private readonly user: Asked;
  private readonly superuser: Asked | null;
  private readonly acl: Asked | null;

  constructor(driver: SqlDriver, queries: SqlQueries, gate: Gate, hashes: Hashes) {
    this.driver = driver;
    this.gate = gate;
    this.hashes = hashes;
    const asked = (name: string, query: Query): Asked => ({
      query,
      statement: { name: `zancudo_${name}`, text: textFor(query, nth => driver.mark(nth)) },
    });
    this.user = asked('user', queries.user);
    this.superuser = queries.superuser === null ? null : asked('superuser', queries.superuser);
    this.acl = queries.acl === null ? null : asked('acl', queries.acl);
    const names = Object.values(queries).flatMap((query: Query | null) => query?.names ?? []);
    this.usesClientId = names.includes('clientid');
    this.usesAddress = names.includes('address');
    this.rules = this.acl === null && this.superuser === null ? 'none' : 'asked';
  }

  async login(who: Subject, password: Buffer): Promise<LoginResult> {
    // No database keeps a NUL in a name, and PostgreSQL calls it an error.
    const rows = who.username.includes('\0') ? [] : await this.ask(this.user, who);
    const [row, second] = rows;
    const encoded = textOf(row?.[0]);
    const isOther = row !== undefined && row.length > 1 && textOf(row[1]) !== who.username;
    if (encoded === '' || second !== undefined || isOther) {
      await this.hashes.wasteTime(password);
      return { answer: 'unknown' };
    }
    return { answer: (await this.hashes.fits(encoded, password)) ? 'allow' : 'wrong' };
  }

  async rights(who: Subject): Promise<RightsRows> {
    if (who.username.includes('\0')) return { superuser: false, rules: [] };
    const [[above] = [], rules] = await Promise.all([
      this.superuser === null ? [] : this.ask(this.superuser, who),
      this.acl === null ? [] : this.rows(this.acl, who),
    ]);
    return { superuser: isTrue(above?.[0]), rules };
  }

  async close(): Promise<void> {
    await this.driver.close();
  }

  private async rows(acl: Asked, who: Subject): Promise<RuleRow[]> {
    if (!acl.query.names.includes('rw')) return (await this.ask(acl, who)).map(ruleOf);
    const answers = accesses.map(async ({ rw, bits }) => {
      return (await this.ask(acl, who, rw)).map(row => ({ filter: textOf(row[0]), bits }));
    });
    return (await Promise.all(answers)).flat();
  }

  private ask({ query, statement }: Asked, { username, clientId, address }: Subject, rw = 0): Promise<unknown[][]> {
    const values: Readonly<Record<string, string | number>> = { username, clientid: clientId, address, rw };
    return this.gate.run(() =>
      this.driver.query(
        statement,
        query.names.map(name => values[name] ?? ''),
      ),
    );
  }
}

function ruleOf(row: unknown[]): RuleRow {
  if (row.length < 2)
    throw new Answered('the ACL query gives one column; select the filter and its access, or use :rw');
  const bits = accessBits(textOf(row[1]));
  if (bits === null) {
    throw new Answered(
      'the ACL query gives an access that is neither 0 to 7 nor read, write, readwrite, subscribe or deny',
    );
  }
  return { filter: textOf(row[0]), bits };
}

/** Drivers give text, numbers, big integers, booleans, or bytes for columns of binary text; nothing else is looked at. */
export function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof value) ? String(value) : '';
}

/** As the many kinds of databases say it. */
export function isTrue(value: unknown): boolean {
  const text = textOf(value).toLowerCase();
  return text === 'true' || text === 't' || Number(text) > 0;
}
