/** One connection to a database, for reading and writing tables as a whole; see sql-tables.ts. */
import { closeSync, existsSync, openSync } from 'node:fs';
import type { Connection } from '../database/connection.ts';
import { UsersError } from './json-lines.ts';
import type { Column, SqlSession, SqlValue, TableName } from './sql-tables.ts';

/** An SQLite file that is not there is made where it may be, and only thought of where nothing is written. */
export function openSql(connection: Connection, mayCreate: boolean, isDry: boolean): Promise<SqlSession> {
  const { kind } = connection.settings;
  if (kind === 'postgresql') return openPostgresql(connection);
  return kind === 'mysql' ? openMysql(connection) : openSqlite(connection, mayCreate, isDry);
}

const inform = (schema: string): string =>
  `SELECT column_name, data_type FROM information_schema.columns WHERE table_name = ? AND table_schema = ${schema} ORDER BY ordinal_position`; // prettier-ignore

const columnsIn = (rows: unknown[][]): Column[] =>
  rows.map(([name, type]) => ({ name: String(name), type: String(type) }));

async function openPostgresql(connection: Connection): Promise<SqlSession> {
  const [{ default: pg }, { poolConfig }] = await Promise.all([import('pg'), import('../database/postgresql.ts')]);
  const client = new pg.Client({ ...poolConfig(connection), query_timeout: 0, statement_timeout: 0 });
  await client.connect();
  const ask = async (text: string, values: readonly SqlValue[] = []): Promise<unknown[][]> => {
    let nth = 0;
    const marked = text.replace(/"[^"]*"|\?/g, part => (part === '?' ? `$${++nth}` : part));
    const { rows } = await client.query<unknown[]>({ text: marked, values: [...values], rowMode: 'array' });
    return rows;
  };
  const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
  return {
    ask,
    quoted,
    async columns({ schema, table }) {
      const [text, values] = schema === null ? [inform('ANY(current_schemas(false))'), [table]] : [inform('?'), [table, schema]]; // prettier-ignore
      return columnsIn(await ask(text, values));
    },
    rollsBack: () => Promise.resolve(true),
    close: () => client.end(),
  };
}

async function openMysql(connection: Connection): Promise<SqlSession> {
  const [{ createConnection }, { poolConfig }] = await Promise.all([import('mariadb'), import('../database/mysql.ts')]);
  const open = await createConnection({ ...poolConfig(connection), socketTimeout: 0 });
  const ask = async (text: string, values: readonly SqlValue[] = []): Promise<unknown[][]> => {
    const rows = await open.query<unknown>({ sql: text, rowsAsArray: true }, [...values]);
    return Array.isArray(rows) ? (rows as unknown[][]) : [];
  };
  const of = ({ schema, table }: TableName): [schema: string, values: string[]] =>
    schema === null ? ['DATABASE()', [table]] : ['?', [table, schema]];
  return {
    ask,
    quoted: name => `\`${name.replaceAll('`', '``')}\``,
    async columns(at) {
      const [schema, values] = of(at);
      return columnsIn(await ask(inform(schema), values));
    },
    async rollsBack(at) {
      const [schema, values] = of(at);
      const text = `SELECT engine FROM information_schema.tables WHERE table_name = ? AND table_schema = ${schema}`;
      const [[engine] = []] = await ask(text, values);
      return !/^(?:myisam|aria|memory|csv)$/i.test(String(engine));
    },
    close: () => open.end(),
  };
}

async function openSqlite(
  { settings, timeoutMs }: Connection,
  mayCreate: boolean,
  isDry: boolean,
): Promise<SqlSession> {
  const { DatabaseSync } = await import('node:sqlite');
  const isMissing = !existsSync(settings.file ?? '');
  const file = isMissing && mayCreate && isDry ? ':memory:' : (settings.file ?? '');
  if (isMissing && file !== ':memory:') {
    if (!mayCreate) throw new UsersError(`Error: There is no database ${file}.`, '  --create makes it, with the tables of the guide.'); // prettier-ignore
    // Hashes are nobody's business.
    closeSync(openSync(file, 'wx', 0o600));
  }
  const database = new DatabaseSync(file, { timeout: timeoutMs });
  const ask = async (text: string, values: readonly SqlValue[] = []): Promise<unknown[][]> => {
    const statement = database.prepare(text);
    statement.setReturnArrays(true);
    const plain = values.map(each => (typeof each === 'boolean' ? Number(each) : each));
    return Promise.resolve(statement.all(...plain) as unknown as unknown[][]);
  };
  return {
    ask,
    quoted: name => `"${name.replaceAll('"', '""')}"`,
    columns: async ({ table }) => columnsIn(await ask('SELECT name, type FROM pragma_table_info(?)', [table])),
    rollsBack: () => Promise.resolve(true),
    close: () => Promise.resolve(database.close()),
  };
}
