/** MariaDB and MySQL by the package `mariadb`: statements prepared by the server, values in the binary protocol. */
import type { Pool, PoolConfig, SqlError } from 'mariadb';
import { type Connection, nameCheck, tlsOf } from './connection.ts';
import { Answered } from './gate.ts';
import type { SqlDriver, SqlStatement } from './sql-source.ts';

/**
 * The server cannot serve: too many connections, login refused, database unknown, shutting down, query killed or out of
 * time. Numbers from 2000 and from 45000 on are the clients' own. Everything else is an opinion on the question.
 */
const OUT_OF_ORDER = new Set([
  1040, 1044, 1045, 1049, 1053, 1077, 1129, 1130, 1203, 1205, 1226, 1317, 1698, 1927, 1969, 3024,
]);

export async function openMysql(connection: Connection): Promise<SqlDriver> {
  const { createPool } = await import('mariadb');
  const pool = createPool(poolConfig(connection));
  return new MysqlDriver(pool, connection);
}

/** Otherwise it would go wherever the server sends it. The driver's types do not know it yet. */
const staysHere = { permitRedirect: false };

export function poolConfig(connection: Connection): PoolConfig {
  const { settings, password, timeoutMs } = connection;
  const { host, port, socket, database, username, connectionsMax } = settings;
  const tls = tlsOf(connection);
  const ssl = tls === null ? null : { ...tls, checkServerIdentity: nameCheck(host ?? 'localhost') };
  return {
    ...(socket === null ? { host: host ?? 'localhost', port: port ?? 3306 } : { socketPath: socket }),
    ...(database === null ? {} : { database }),
    ...(username === null ? {} : { user: username }),
    ...(password === null ? {} : { password }),
    ...(ssl === null ? {} : { ssl }),
    ...staysHere,
    connectionLimit: connectionsMax,
    minimumIdle: 0,
    idleTimeout: 60,
    acquireTimeout: timeoutMs,
    initializationTimeout: timeoutMs,
    connectTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    minDelayValidation: 500,
    leakDetectionTimeout: 0,
    rowsAsArray: true,
    bigIntAsNumber: true,
    keepAliveDelay: 10_000,
  };
}

class MysqlDriver implements SqlDriver {
  private readonly pool: Pool;
  private readonly connection: Connection;

  constructor(pool: Pool, connection: Connection) {
    this.pool = pool;
    this.connection = connection;
  }

  /** The pool tries until its time is up and does not tell why, so this is a connection of its own. */
  async ping(): Promise<void> {
    const { createConnection } = await import('mariadb');
    const open = await createConnection(poolConfig(this.connection)).catch((error: unknown) => {
      throw new Error((error as SqlError).sqlMessage ?? (error as Error).message, { cause: error });
    });
    await open.end();
  }

  mark(): string {
    return '?';
  }

  async query({ text }: SqlStatement, values: readonly (string | number)[]): Promise<unknown[][]> {
    try {
      return await this.pool.execute<unknown[][]>({ sql: text, rowsAsArray: true }, [...values]);
    } catch (error) {
      const { errno = 0, fatal, sqlMessage } = error as SqlError;
      const answered =
        !fatal && errno >= 1000 && errno < 45_000 && !(errno >= 2000 && errno < 3000) && !OUT_OF_ORDER.has(errno);
      if (answered) throw new Answered(sqlMessage ?? (error as Error).message);
      throw new Error(sqlMessage ?? (error as Error).message, { cause: error });
    }
  }

  async close(): Promise<void> {
    await this.pool.end();
  }
}
