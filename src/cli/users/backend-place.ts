/** Users in the database of an `auth_backend`: the connection is that of the configuration, the tables are found. */
import { connectionOf, type Connection, inPlainWords, missingPackage } from '../../security/database/mod.ts';
import type { UserBackendSettings } from '../../security/mod.ts';
import {
  adapt,
  createTables,
  tablesOfGuide,
  findTables,
  fingerprintOf,
  nameOf,
  openRedis,
  openSql,
  readTables,
  redisNameProblem,
  rowsManner,
  saltAsBase64,
  type SqlSession,
  tableIn,
  tableName,
  type TableName,
  type Tables,
  takesWords,
  type UserSet,
  UsersError,
  withSalt,
  writeTables,
} from '../../security/users/mod.ts';
import { UsageError } from '../ca/subcommand.ts';
import type { Place, PlaceOptions, Plan } from './places.ts';

/** What is not kept here, and who keeps it. */
const elsewhere: Readonly<Record<string, string>> = {
  http: 'a service behind HTTP answers questions and gives no list; move its users where it keeps them',
  jwt: 'tokens are made by the identity provider; there is nothing to move but its own accounts',
  ldap: 'a directory has tools of its own (ldapsearch, ldapadd), and its passwords cannot be read',
};

export async function backendPlace(settings: UserBackendSettings, options: PlaceOptions): Promise<Place> {
  const because = elsewhere[settings.kind];
  if (because !== undefined) throw new UsersError(`Error: '${settings.name}' (${settings.kind}): ${because}.`);
  const connection = connectionOf(withAccount(settings, options), () => {});
  try {
    return await (settings.kind === 'redis' ? redisPlace(connection) : sqlPlace(connection, options));
  } catch (error) {
    throw missingPackage(error, settings) ?? inWords(error, settings);
  }
}

/** The account of the broker may read and nothing else; another one may be named to write. */
function withAccount(
  settings: UserBackendSettings,
  { account, accountPasswordFile }: PlaceOptions,
): UserBackendSettings {
  if (account === null && accountPasswordFile === null) return settings;
  return { ...settings, username: account ?? settings.username, passwordFile: accountPasswordFile };
}

function inWords(error: unknown, settings: UserBackendSettings): unknown {
  if (error instanceof UsersError || error instanceof UsageError || 'failure' in (error as object)) return error;
  const [first = '', ...more] = inPlainWords(error, settings);
  return new UsersError(`Error: ${settings.name}: ${first}`, ...more.map(line => `  ${line}`));
}

async function redisPlace(connection: Connection): Promise<Place> {
  const { settings } = connection;
  const redis = await openRedis(connection);
  const manner = rowsManner({ saltEncoding: settings.saltEncoding, superuser: true, denials: false, name: redisNameProblem }); // prettier-ignore
  return {
    text: `${settings.name} (redis)`,
    read: async () => withPlainSalts(await redis.read(), settings),
    async plan(set) {
      const there = await redis.read();
      return {
        ...adapt(set, manner),
        remarks: [...remarksOn(set), ...there.everybody.length > 0 ? [`The sets common:.. are there and stay: what they allow, they allow everybody who comes now, too.`] : []],
        there: fingerprints(there),
        sameness: fingerprintOf,
        write: async users => (await redis.write(users), [flushHint]),
      };
    },
    close: () => redis.close(),
  };
} // prettier-ignore

async function sqlPlace(connection: Connection, options: PlaceOptions): Promise<Place> {
  const { settings } = connection;
  const session = await openSql(connection, options.create, options.isDry);
  try {
    const tables = await tablesOf(session, settings, options);
    return {
      text: `${settings.name} (${settings.kind}, ${[tables.users, tables.rules].filter(each => each !== null).map(nameOf).join(' and ')})`,
      read: async () => withPlainSalts(await readTables(session, tables), settings),
      plan: set => planTables(session, tables, settings, set),
      close: () => session.close(),
    };
  } catch (error) {
    await session.close();
    throw error;
  }
} // prettier-ignore

async function tablesOf(session: SqlSession, settings: UserBackendSettings, options: PlaceOptions): Promise<Tables> {
  const users = named(options.usersTable) ?? tableIn(settings.userQuery) ?? { schema: null, table: 'users' };
  const asked = named(options.rulesTable) ?? tableIn(settings.aclQuery);
  const rules = asked ?? (options.create ? { schema: null, table: 'acl' } : null);
  const made = { users, rules: rules ?? { schema: null, table: 'acl' } };
  if (options.create && options.isDry && (await session.columns(users)).length === 0) return tablesOfGuide(made);
  if (options.create && !options.isDry) await createTables(session, made);
  return findTables(session, users, rules);
}

function named(text: string | null): TableName | null {
  if (text === null) return null;
  const found = tableName(text);
  if (found === null) throw new UsageError(`'${text}' is no name of a table.`);
  return found;
}

async function planTables(
  session: SqlSession,
  tables: Tables,
  settings: UserBackendSettings,
  set: UserSet,
): Promise<Plan> {
  const { users, rules } = tables;
  const there = tables.planned === true ? new Map<string, string>() : fingerprints(await readTables(session, tables));
  const denials = rules !== null && takesWords(rules.access);
  const manner = rowsManner({ saltEncoding: settings.saltEncoding, superuser: users.superuser !== null, denials });
  const isSafe = (await session.rollsBack(users)) && (rules === null || (await session.rollsBack(rules)));
  return {
    ...adapt(set, manner),
    remarks: [
      ...remarksOn(set),
      ...(rules === null ? ['Rules are left out: the configuration has no auth_backend_acl_query; --rules-table names a table.'] : []),
      ...(isSafe ? [] : [`The engine of ${nameOf(users)} cannot take back what was written: should it be interrupted, run it again with --replace.`]),
    ],
    there,
    sameness: fingerprintOf,
    async write(ready) {
      await writeTables(session, tables, ready, new Set(there.keys())).catch((error: unknown) => {
        throw inWords(error, settings);
      });
      return [flushHint];
    },
  };
} // prettier-ignore

const flushHint =
  "A broker that runs asks anew within auth_backend_cache_seconds, or at once after 'zancudo users flush'.";

function remarksOn({ anonymous }: UserSet): string[] {
  return anonymous.length === 0 ? [] : [`${anonymous.length} rules for clients without a user name are left out: a database knows users alone; an acl_file beside it may have them.`]; // prettier-ignore
}

const fingerprints = ({ users }: UserSet): Map<string, string> =>
  new Map([...users].map(([name, user]) => [name, fingerprintOf(user)]));

/** Between the places a salt is base64, whatever the table has. */
function withPlainSalts(set: UserSet, { saltEncoding }: UserBackendSettings): UserSet {
  if (saltEncoding === 'base64') return set;
  for (const [name, user] of set.users) {
    if (user.hash !== null) set.users.set(name, { ...user, hash: withSalt(user.hash, saltAsBase64) });
  }
  return set;
}
