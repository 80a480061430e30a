/** The kinds of backends: which package each needs, and how it is opened. Each is loaded when it is named. */
import { parseQuery, type Query } from '../../base/mod.ts';
import type { Connection } from './connection.ts';
import type { Gate } from './gate.ts';
import type { Hashes } from './hashes.ts';
import type { BackendKind } from './settings.ts';
import type { Source } from './source.ts';
import { type SqlDriver, SqlSource } from './sql-source.ts';

export interface OpenedSource {
  source: Source;
  /** Asks for nothing, to see whether there is an answer. */
  ping(): Promise<void>;
}

interface Kind {
  /** Null for what Node brings itself. */
  packageName: string | null;
  open: (connection: Connection, gate: Gate, hashes: Hashes) => Promise<OpenedSource>;
}

export const kinds: Readonly<Record<BackendKind, Kind>> = {
  postgresql: {
    packageName: 'pg',
    open: async (connection, gate, hashes) => {
      const { openPostgresql } = await import('./postgresql.ts');
      return ofSql(await openPostgresql(connection), connection, gate, hashes);
    },
  },
  mysql: {
    packageName: 'mariadb',
    open: async (connection, gate, hashes) => {
      const { openMysql } = await import('./mysql.ts');
      return ofSql(await openMysql(connection), connection, gate, hashes);
    },
  },
  sqlite: {
    packageName: null,
    open: async (connection, gate, hashes) => {
      const { SqliteDriver } = await import('./sqlite.ts');
      return ofSql(new SqliteDriver(connection), connection, gate, hashes);
    },
  },
  redis: {
    packageName: 'ioredis',
    open: async (connection, gate, hashes) => {
      const { openRedis } = await import('./redis.ts');
      return alone(await openRedis(connection, gate, hashes));
    },
  },
  http: {
    packageName: null,
    open: async (connection, gate) => {
      const { HttpSource } = await import('./http.ts');
      return alone(new HttpSource(connection, gate));
    },
  },
  jwt: {
    packageName: 'jose',
    open: async (connection, gate) => {
      const { JwtSource } = await import('./jwt.ts');
      return alone(new JwtSource(connection, gate, await import('jose')));
    },
  },
  ldap: {
    packageName: 'ldapts',
    open: async (connection, gate) => {
      const { LdapSource } = await import('./ldap.ts');
      return alone(new LdapSource(connection, gate, await import('ldapts')));
    },
  },
};

function alone(source: Source & { ping(): Promise<void> }): OpenedSource {
  return { source, ping: () => source.ping() };
}

function ofSql(driver: SqlDriver, { settings }: Connection, gate: Gate, hashes: Hashes): OpenedSource {
  const queries = {
    user: parsed(settings.userQuery ?? '', ['username', 'clientid', 'address']),
    superuser:
      settings.superuserQuery === null ? null : parsed(settings.superuserQuery, ['username', 'clientid', 'address']),
    acl: settings.aclQuery === null ? null : parsed(settings.aclQuery, ['username', 'clientid', 'address', 'rw']),
  };
  const ping = async (): Promise<void> => {
    if (driver.ping === undefined) await driver.query({ name: 'zancudo_ping', text: 'SELECT 1' }, []);
    else await driver.ping();
  };
  return { source: new SqlSource(driver, queries, gate, hashes), ping };
}

/** The configuration has judged it already. */
function parsed(text: string, allowed: readonly string[]): Query {
  const result = parseQuery(text, allowed);
  if (!result.ok) throw new Error(result.because);
  return result.query;
}
