/**
 * The tables of users and of rules, found in the database itself: by the names of their columns, in the tables that the
 * queries of the configuration ask, or that the command line names.
 *
 *   users     (username, password_hash, is_admin)      Zancudo's guide
 *   test_user (id, username, password_hash, is_admin), test_acl (test_user_id, topic, rw)      mosquitto-go-auth
 *   users     (id, username, pw, super), acls (username, topic, rw)                            mosquitto-auth-plug
 */
import { UsersError } from './json-lines.ts';

export interface SqlSession {
  /** `?` in the text is the place of a value. */
  ask: (text: string, values?: readonly SqlValue[]) => Promise<unknown[][]>;
  /** A name of a table or column, as it stands in a statement. */
  quoted: (name: string) => string;
  columns(table: TableName): Promise<Column[]>;
  /** False when what is written to the table stays, whatever happens. */
  rollsBack(table: TableName): Promise<boolean>;
  close(): Promise<void>;
}

export type SqlValue = string | number | boolean;

export interface TableName {
  schema: string | null;
  table: string;
}

export interface Column {
  name: string;
  type: string;
}

export interface UsersTable extends TableName {
  name: string;
  hash: string;
  superuser: Column | null;
  id: string | null;
}

export interface RulesTable extends TableName {
  owner: string;
  /** The owner is the id in the table of users, or the name. */
  byId: boolean;
  topic: string;
  access: Column;
}

export interface Tables {
  users: UsersTable;
  rules: RulesTable | null;
  /** They are not there yet. */
  planned?: true;
}

const columnNames = {
  name: ['username', 'user_name', 'user', 'name', 'login', 'email'],
  hash: ['password_hash', 'passwordhash', 'pw', 'password', 'pwhash', 'hash'],
  superuser: ['is_admin', 'superuser', 'is_superuser', 'super', 'admin'],
  topic: ['topic', 'topic_filter', 'filter'],
  access: ['rw', 'access', 'acc'],
} as const;

/** `public.users`, with quotes or without; null when it is neither. */
export function tableName(text: string): TableName | null {
  const parts = [...text.matchAll(/"([^"]+)"|`([^`]+)`|([\w$]+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '');
  if (parts.length === 1) return { schema: null, table: parts[0]! };
  return parts.length === 2 ? { schema: parts[0]!, table: parts[1]! } : null;
}

/** The first table that a query asks. */
export function tableIn(query: string | null): TableName | null {
  const [, text] = /\bFROM\s+((?:"[^"]+"|`[^`]+`|[\w$]+)(?:\.(?:"[^"]+"|`[^`]+`|[\w$]+))?)/i.exec(query ?? '') ?? [];
  return text === undefined ? null : tableName(text);
}

export async function findTables(session: SqlSession, users: TableName, rules: TableName | null): Promise<Tables> {
  const found = await usersTable(session, users);
  return { users: found, rules: rules === null ? null : await rulesTable(session, rules, found) };
}

async function usersTable(session: SqlSession, at: TableName): Promise<UsersTable> {
  const columns = await columnsOf(session, at, '--users-table');
  return {
    ...at,
    name: wanted(columns, 'name', at).name,
    hash: wanted(columns, 'hash', at).name,
    superuser: among(columns, columnNames.superuser),
    id: among(columns, ['id'])?.name ?? null,
  };
}

async function rulesTable(session: SqlSession, at: TableName, users: UsersTable): Promise<RulesTable> {
  const columns = await columnsOf(session, at, '--rules-table');
  const byName = among(columns, columnNames.name);
  const byId = columns.find(({ name }) => /^(?:user|.*_user|account|.*_account)_id$/i.test(name));
  const owner = byName ?? (users.id === null ? undefined : byId);
  if (owner === undefined || owner === null) throw unknownColumns(at, columns, 'the name of the user, or user_id');
  const topic = wanted(columns, 'topic', at).name;
  return { ...at, owner: owner.name, byId: owner === byId, topic, access: wanted(columns, 'access', at) };
}

async function columnsOf(session: SqlSession, at: TableName, option: string): Promise<Column[]> {
  const columns = await session.columns(at);
  if (columns.length > 0) return columns;
  throw new UsersError(
    `Error: There is no table ${nameOf(at)}, or this account may not see it.`,
    `  ${option} names another one; --create makes the tables of the guide.`,
  );
}

function wanted(columns: readonly Column[], what: keyof typeof columnNames, at: TableName): Column {
  const found = among(columns, columnNames[what]);
  if (found === null) throw unknownColumns(at, columns, columnNames[what].join(', '));
  return found;
}

function among(columns: readonly Column[], names: readonly string[]): Column | null {
  for (const name of names) {
    const found = columns.find(each => each.name.toLowerCase() === name);
    if (found !== undefined) return found;
  }
  return null;
}

function unknownColumns(at: TableName, columns: readonly Column[], names: string): UsersError {
  return new UsersError(
    `Error: Table ${nameOf(at)} has no column of a known name: one of ${names}.`,
    `  It has ${columns.map(({ name }) => name).join(', ')}. A view with these names will do to read from.`,
  );
}

export const nameOf = ({ schema, table }: TableName): string => (schema === null ? table : `${schema}.${table}`);

interface Named {
  users: TableName;
  rules: TableName;
}

/** The tables of the guide; the access is a word, so that a row can deny. */
export async function createTables({ ask, quoted }: SqlSession, { users, rules }: Named): Promise<void> {
  const at = ({ schema, table }: TableName): string => [schema, table].filter(part => part !== null).map(quoted).join('.'); // prettier-ignore
  await ask(
    `CREATE TABLE IF NOT EXISTS ${at(users)} (username VARCHAR(200) PRIMARY KEY, password_hash VARCHAR(300) NOT NULL, is_admin INT NOT NULL DEFAULT 0)`,
  );
  await ask(
    `CREATE TABLE IF NOT EXISTS ${at(rules)} (username VARCHAR(200) NOT NULL, topic VARCHAR(200) NOT NULL, rw VARCHAR(20) NOT NULL)`,
  );
}

export function tablesOfGuide({ users, rules }: Named): Tables {
  const superuser = { name: 'is_admin', type: 'int' };
  const access = { name: 'rw', type: 'varchar' };
  return {
    users: { ...users, name: 'username', hash: 'password_hash', superuser, id: null },
    rules: { ...rules, owner: 'username', byId: false, topic: 'topic', access },
    planned: true,
  };
}
