/** Chapter: users and their rules in databases. `auth_backend` opens a section, the lines below it belong to it. */
import { parseQuery } from '../../base/mod.ts';
import { refuse } from '../error.ts';
import { type AuthBackendKind, newAuthBackend } from '../settings-backend.ts';
import { backendOption, specialOption, type OptionRow } from './row.ts';
import { bool, choice, emptyValue, integer, path, readText, text, type ValueType } from './types.ts';

/** Words for each kind; the plugin that most people come from has names of its own. */
const kindWords: Readonly<Record<string, AuthBackendKind>> = {
  postgresql: 'postgresql',
  postgres: 'postgresql',
  mysql: 'mysql',
  mariadb: 'mysql',
  sqlite: 'sqlite',
};

const kindAndName: ValueType<{ kind: AuthBackendKind; name: string }> = {
  argument: 'postgresql | mysql | sqlite [name]',
  good: ['postgresql', 'mariadb staff', 'sqlite'],
  bad: [
    { text: 'mongo', error: "Error: Unknown kind 'mongo' of auth_backend." },
    { text: '', error: "Error: Empty '<name>' value in configuration." },
  ],
  read(argument, name) {
    const word = argument.word() ?? emptyValue(name);
    const kind = Object.hasOwn(kindWords, word) ? kindWords[word] : undefined;
    if (kind === undefined) {
      refuse(`Error: Unknown kind '${word}' of auth_backend.`, 'Write one of: postgresql, mysql (or mariadb), sqlite.');
    }
    return { kind, name: argument.word() ?? word };
  },
};

const who = ['username', 'clientid', 'address'];

function query(good: string, allowed: readonly string[]): ValueType<string> {
  return {
    ...text('SQL', good),
    bad: [
      { text: '', error: "Error: Empty '<name>' value in configuration." },
      { text: 'SELECT 1 WHERE a = $1', error: "Error: Invalid query in '<name>'." },
      { text: 'SELECT 1 WHERE a = :user', error: "Error: Invalid query in '<name>'." },
    ],
    read(argument, name) {
      const written = readText(argument, name);
      const parsed = parseQuery(written, allowed);
      if (!parsed.ok) refuse(`Error: Invalid query in '${name}'.`, `In the query ${parsed.because}.`);
      return written;
    },
  };
}

const seconds = (least: number): ValueType<number> =>
  integer({ argument: `seconds, ${least}-86400`, min: least, max: 86_400, outside: '86401' });
const number = (most: number): ValueType<number> =>
  integer({ argument: `number, 1-${most}`, min: 1, max: most, outside: '0' });

export const backends: readonly OptionRow[] = [
  specialOption<{ kind: AuthBackendKind; name: string }, 'security'>({
    name: 'auth_backend',
    type: kindAndName,
    repeat: 'add',
    says: 'Opens a section for users and rules in a database; the auth_backend_ lines below belong to it. A name tells two of a kind apart. Several are asked in order, after password_file and dynamic security; who knows the name decides. For all listeners, or for the listener above with per_listener_settings.',
    standard: 'none',
    since: 'ours',
    reload: 'live',
    scope: 'security',
    needs: 'security',
    fields: ['authBackends'],
    put(security, { kind, name }, reading) {
      const twin = security.authBackends.find(each => each.name === name);
      if (twin !== undefined) {
        refuse(
          `Error: Duplicate auth_backend '${name}'.`,
          `The first one is at ${twin.place.file}:${twin.place.line}; give this one a name: auth_backend ${kind} NAME.`,
        );
      }
      const backend = newAuthBackend(kind, name, reading.place);
      security.authBackends.push(backend);
      reading.current.backend = backend;
    },
  }),
  backendOption({
    name: 'auth_backend_host',
    type: text('name or address', 'db.example.org'),
    field: 'host',
    repeat: 'last',
    says: 'Where the database is.',
    standard: 'localhost',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_port',
    type: integer({ argument: 'port', min: 1, max: 65_535, outside: '65536' }),
    field: 'port',
    says: 'Its port.',
    standard: '5432 for postgresql, 3306 for mysql',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_socket',
    type: path,
    field: 'socket',
    repeat: 'last',
    says: 'Unix socket in the place of host and port: the socket itself for mysql, its folder for postgresql.',
    standard: 'none',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_file',
    type: path,
    field: 'file',
    repeat: 'last',
    says: 'The file of an SQLite database. It is only read.',
    standard: 'none',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_database',
    type: text('name', 'mqtt'),
    field: 'database',
    repeat: 'last',
    says: 'Name of the database.',
    standard: "the database's own",
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_username',
    type: text('name', 'zancudo'),
    field: 'username',
    repeat: 'last',
    says: 'Name that the broker logs in with. It needs to read and nothing else.',
    standard: 'the user that the broker runs as',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_password_file',
    type: path,
    field: 'passwordFile',
    repeat: 'last',
    says: 'File whose first line is the password for it, so that the configuration itself holds no secret.',
    standard: 'none',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_tls',
    type: bool,
    field: 'tls',
    says: "Speaks TLS with the database, whose certificate has to fit its name. There is no way to leave that check out: name the database's own authority with auth_backend_cafile.",
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_cafile',
    type: path,
    field: 'cafile',
    repeat: 'last',
    says: 'PEM file of the authorities that may have signed its certificate.',
    standard: 'those that Node brings',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_certfile',
    type: path,
    field: 'certfile',
    repeat: 'last',
    says: 'Certificate to show to the database.',
    standard: 'none',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_keyfile',
    type: path,
    field: 'keyfile',
    repeat: 'last',
    says: 'Key of that certificate.',
    standard: 'none',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_user_query',
    type: query('SELECT password_hash FROM users WHERE username = :username', who),
    field: 'userQuery',
    repeat: 'last',
    says: 'Finds the password hash. Parameters are :username, :clientid and :address; they are bound, never put into the text. No row is an unknown user; a second column, if there is one, has to be the name exactly as the client sent it. Hashes: $argon2id$, bcrypt, $scrypt$, PBKDF2 as mosquitto-go-auth writes it, $7$, $6$.',
    standard: 'none',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_superuser_query',
    type: query('SELECT is_admin FROM users WHERE username = :username', who),
    field: 'superuserQuery',
    repeat: 'last',
    says: 'A first column that is true or above 0 lets the user do everything.',
    standard: 'none',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_acl_query',
    type: query('SELECT topic, access FROM acl WHERE username = :username', [...who, 'rw']),
    field: 'aclQuery',
    repeat: 'last',
    says: 'All topic filters of the user, each with its access: 1 read, 2 write, 3 both, 4 subscribe, or these words, or deny. With :rw in it, it is asked once for each access and gives filters alone. %u and %c in a filter stand for user name and client id. Without it everybody who is in may do everything that no other rules forbid.',
    standard: 'none',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_salt_encoding',
    type: choice(['base64', 'utf-8']),
    field: 'saltEncoding',
    says: 'How the salt stands in PBKDF2 hashes of mosquitto-go-auth (its hasher_salt_encoding).',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_timeout',
    type: integer({ argument: 'seconds, 1-60', good: ['5', '60 # a minute'], min: 1, max: 60, outside: '61' }),
    field: 'timeoutSeconds',
    says: 'How long one call may take, waiting for its turn included. Who cannot be asked about in this time is refused.',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_connections',
    type: number(100),
    field: 'connectionsMax',
    says: 'Connections to the database, and calls at the same time.',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_waiting',
    type: number(1_000_000),
    field: 'waitingMax',
    says: 'Calls that may wait for their turn; whoever comes on top of them is refused.',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_cache_seconds',
    type: seconds(1),
    field: 'cacheSeconds',
    says: 'How long a login that was right is remembered, and how often the rules of those who are connected are read again: a change in the database takes effect within this time. A reload or zancudo users flush makes it take effect now.',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_cache_refusal_seconds',
    type: seconds(0),
    field: 'cacheRefusalSeconds',
    says: 'How long a login that was wrong is remembered, so that a device with an old password does not keep the database busy.',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_cache_size',
    type: integer({ argument: 'number, 0-1000000', min: 0, max: 1_000_000, outside: '1000001' }),
    field: 'cacheSize',
    says: 'Logins that are remembered. Neither names nor passwords are kept, only a keyed digest.',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_stale_seconds',
    type: seconds(0),
    field: 'staleSeconds',
    says: 'How long those who are connected keep the rights they have while the database does not answer. After that they may nothing until it does. New logins are refused at once.',
    since: 'ours',
    reload: 'live',
  }),
];
