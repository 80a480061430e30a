/** PostgreSQL by the package `pg`: prepared statements, values apart from the text. */
import type { Pool, PoolConfig } from 'pg';
import { Answered } from './gate.ts';
import { type Connection, nameCheck, tlsOf } from './connection.ts';
import type { SqlDriver, SqlStatement } from './sql-source.ts';

/**
 * Classes of SQLSTATE in which the database says that it cannot serve: connection, login, resources, operator, system,
 * internal (PostgreSQL, appendix A). Everything else is an opinion on the question.
 */
const OUT_OF_ORDER = /^(?:08|28|53|57|58|XX|3D)/;

export async function openPostgresql(connection: Connection): Promise<SqlDriver> {
  const { default: pg } = await import('pg');
  const pool = new pg.Pool(poolConfig(connection));
  // A connection that dies while nobody uses it is replaced; without a listener it would end the process.
  pool.on('error', () => undefined);
  return new PostgresqlDriver(pool);
}

export function poolConfig(connection: Connection): PoolConfig {
  const { settings, password, timeoutMs } = connection;
  const { host, port, socket, database, username, connectionsMax } = settings;
  const tls = tlsOf(connection);
  return {
    host: socket ?? host ?? 'localhost',
    port: port ?? 5432,
    ...(database === null ? {} : { database }),
    ...(username === null ? {} : { user: username }),
    ...(password === null ? {} : { password }),
    ssl: tls === null ? false : { ...tls, checkServerIdentity: nameCheck(host ?? 'localhost') },
    max: connectionsMax,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
    statement_timeout: timeoutMs,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    allowExitOnIdle: true,
    application_name: 'zancudo',
  };
}

class PostgresqlDriver implements SqlDriver {
  private readonly pool: Pool;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  mark(nth: number): string {
    return `$${nth}`;
  }

  async query({ name, text }: SqlStatement, values: readonly (string | number)[]): Promise<unknown[][]> {
    try {
      const { rows } = await this.pool.query<unknown[]>({ name, text, values: [...values], rowMode: 'array' });
      return rows;
    } catch (error) {
      const { code } = error as { code?: unknown };
      const answered = typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !OUT_OF_ORDER.test(code);
      throw answered ? new Answered((error as Error).message) : error;
    }
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}
