/**
 * Users in the tables of a database: read as a whole, and written in one transaction, after which all of them are there
 * or none.
 */
import { DENY, READ, WRITE } from '../acl-rules.ts';
import { accessBits, SUBSCRIBE } from '../database/rights.ts';
import { isTrue, textOf } from '../database/sql-source.ts';
import { UsersError } from './json-lines.ts';
import { type Column, nameOf, type RulesTable, type SqlSession, type SqlValue, type Tables, type UsersTable } from './sql-tables.ts'; // prettier-ignore
import { accessWords, emptySet, plainUser, type Rule, type User, type UserSet } from './user-set.ts';

export async function readTables(session: SqlSession, { users, rules }: Tables): Promise<UserSet> {
  const set = emptySet();
  const byOwner = rules === null ? new Map<string, Rule[]>() : await readRules(session, rules, set);
  const { quoted } = session;
  const columns = [users.name, users.hash, ...[users.superuser?.name, users.id].filter(each => each !== null && each !== undefined)]; // prettier-ignore
  const rows = await session.ask(`SELECT ${columns.map(quoted).join(', ')} FROM ${at(session, users)}`);
  for (const row of rows) {
    const [name, hash] = [textOf(row[0]), textOf(row[1])];
    if (name === '') continue;
    if (set.users.has(name)) throw new UsersError(`Error: User '${name}' is twice in ${nameOf(users)}.`);
    const superuser = users.superuser !== null && isTrue(row[2]);
    const owner = rules?.byId === true ? textOf(row.at(-1)) : name;
    set.users.set(name, { ...plainUser(name, hash === '' ? null : hash, byOwner.get(owner) ?? []), superuser });
    byOwner.delete(owner);
  }
  if (byOwner.size > 0) set.remarks.push(`rules of ${byOwner.size} that are no users in ${nameOf(users)} were passed over`);
  return set;
} // prettier-ignore

async function readRules(session: SqlSession, rules: RulesTable, set: UserSet): Promise<Map<string, Rule[]>> {
  const columns = [rules.owner, rules.topic, rules.access.name].map(session.quoted).join(', ');
  const byOwner = new Map<string, Rule[]>();
  for (const row of await session.ask(`SELECT ${columns} FROM ${at(session, rules)}`)) {
    const [owner, topic, access] = row.map(textOf) as [string, string, string];
    const bits = accessBits(access);
    if (bits === null) set.remarks.push(`${owner}: the access '${access}' of ${topic} means nothing and was passed over`);
    else byOwner.set(owner, [...(byOwner.get(owner) ?? []), { topic, bits }]);
  }
  return byOwner;
} // prettier-ignore

/** A row of `there` is replaced. Rejects when nothing was written. */
export async function writeTables(
  session: SqlSession,
  tables: Tables,
  users: readonly User[],
  there: ReadonlySet<string>,
): Promise<void> {
  await session.ask('BEGIN');
  try {
    for (const user of users) await writeUser(session, tables, user, there.has(user.name));
    await session.ask('COMMIT');
  } catch (error) {
    await session.ask('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function writeUser(session: SqlSession, { users, rules }: Tables, user: User, isThere: boolean): Promise<void> {
  const { quoted } = session;
  const table = at(session, users);
  const { superuser } = users;
  const values: [string, SqlValue][] = [
    [users.hash, user.hash ?? ''],
    ...(superuser === null ? [] : [[superuser.name, flagFor(superuser, user.superuser)] as [string, SqlValue]]),
  ];
  if (isThere) {
    const sets = values.map(([column]) => `${quoted(column)} = ?`).join(', ');
    await session.ask(`UPDATE ${table} SET ${sets} WHERE ${quoted(users.name)} = ?`, [...values.map(([, value]) => value), user.name]); // prettier-ignore
  } else {
    const columns = [users.name, ...values.map(([column]) => column)].map(quoted);
    const marks = columns.map(() => '?').join(', ');
    await session.ask(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${marks})`, [user.name, ...values.map(([, value]) => value)]); // prettier-ignore
  }
  if (rules !== null) await writeRules(session, users, rules, user, isThere);
}

async function writeRules(
  session: SqlSession,
  users: UsersTable,
  rules: RulesTable,
  user: User,
  isThere: boolean,
): Promise<void> {
  const { quoted } = session;
  const table = at(session, rules);
  const owner = rules.byId ? await idOf(session, users, user.name) : user.name;
  if (isThere) await session.ask(`DELETE FROM ${table} WHERE ${quoted(rules.owner)} = ?`, [owner]);
  const columns = [rules.owner, rules.topic, rules.access.name].map(quoted).join(', ');
  for (const { topic, bits } of user.rules) {
    await session.ask(`INSERT INTO ${table} (${columns}) VALUES (?, ?, ?)`, [owner, topic, accessFor(rules, bits)]);
  }
}

async function idOf(session: SqlSession, users: UsersTable, name: string): Promise<SqlValue> {
  const { quoted } = session;
  const text = `SELECT ${quoted(users.id ?? 'id')} FROM ${at(session, users)} WHERE ${quoted(users.name)} = ?`;
  const [[id] = []] = await session.ask(text, [name]);
  if (id === undefined) throw new UsersError(`Error: '${name}' was written to ${nameOf(users)}, and is not there.`);
  return typeof id === 'bigint' ? Number(id) : (id as SqlValue);
}

const at = ({ quoted }: SqlSession, { schema, table }: { schema: string | null; table: string }): string =>
  schema === null ? quoted(table) : `${quoted(schema)}.${quoted(table)}`;

/** Words where the column takes text; numbers cannot deny. */
export const takesWords = ({ type }: Column): boolean => /char|text|enum/i.test(type);

function accessFor({ access }: RulesTable, bits: number): SqlValue {
  if (takesWords(access)) return (bits & DENY) !== 0 ? 'deny' : accessWords(bits);
  return (bits & (READ | WRITE)) | ((bits & SUBSCRIBE) !== 0 ? 4 : 0);
}

function flagFor({ type }: Column, is: boolean): SqlValue {
  if (/bool/i.test(type)) return is;
  return takesWords({ name: '', type }) ? String(is) : Number(is);
}
