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
  redis: 'redis',
  http: 'http',
  jwt: 'jwt',
  ldap: 'ldap',
};

const kindAndName: ValueType<{ kind: AuthBackendKind; name: string }> = {
  argument: 'postgresql | mysql | sqlite | redis | http | jwt | ldap [name]',
  good: ['postgresql', 'mariadb staff', 'sqlite'],
  bad: [
    { text: 'mongo', error: "Error: Unknown kind 'mongo' of auth_backend." },
    { text: '', error: "Error: Empty '<name>' value in configuration." },
  ],
  read(argument, name) {
    const word = argument.word() ?? emptyValue(name);
    const kind = Object.hasOwn(kindWords, word) ? kindWords[word] : undefined;
    if (kind === undefined) {
      refuse(
        `Error: Unknown kind '${word}' of auth_backend.`,
        'Write one of: postgresql, mysql (or mariadb), sqlite, redis, http, jwt, ldap.',
      );
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

const url = (good: string, ...protocols: readonly string[]): ValueType<string> => ({
  ...text('URL', good),
  bad: [
    { text: '', error: "Error: Empty '<name>' value in configuration." },
    { text: 'example', error: "Error: Invalid '<name>' value (example)." },
  ],
  read(argument, name) {
    const written = readText(argument, name);
    const protocol = URL.canParse(written) ? new URL(written).protocol : '';
    if (protocols.includes(protocol)) return written;
    refuse(
      `Error: Invalid '${name}' value (${written}).`,
      `Write a URL that begins with ${protocols.join('// or ')}//.`,
    );
  },
});
const web = (good: string): ValueType<string> => url(good, 'https:', 'http:');

const seconds = (least: number): ValueType<number> =>
  integer({ argument: `seconds, ${least}-86400`, min: least, max: 86_400, outside: '86401' });
const number = (most: number): ValueType<number> =>
  integer({ argument: `number, 1-${most}`, min: 1, max: most, outside: '0' });

export const backends: readonly OptionRow[] = [
  specialOption<{ kind: AuthBackendKind; name: string }, 'security'>({
    name: 'auth_backend',
    type: kindAndName,
    repeat: 'add',
    says: 'Opens a section for users and rules in a database, a directory or a service; the auth_backend_ lines below belong to it. A name tells two of a kind apart. Several are asked in order, after password_file and dynamic security; who knows the name decides. For all listeners, or for the listener above with per_listener_settings.',
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
    standard: '5432 for postgresql, 3306 for mysql, 6379 for redis',
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
    says: 'Name of the database; for redis its number.',
    standard: "the database's own",
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_username',
    type: text('name', 'zancudo'),
    field: 'username',
    repeat: 'last',
    says: 'Name that the broker logs in with; for ldap a DN. It needs to read and nothing else.',
    standard: 'none',
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
    says: "Speaks TLS with the database (with ldap:// by StartTLS), whose certificate has to fit its name. There is no way to leave that check out: name the database's own authority with auth_backend_cafile.",
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
    name: 'auth_backend_key_prefix',
    type: text('text', 'mqtt:'),
    field: 'keyPrefix',
    repeat: 'last',
    says: 'Redis: stands before the name of every key.',
    standard: 'none',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_user_url',
    type: web('https://example.org/mqtt/user'),
    field: 'userUrl',
    repeat: 'last',
    says: 'HTTP: a POST with username, password and clientid; 2xx lets in, 404 leaves the name to others, any other 4xx refuses, 429 and 5xx are no answer.',
    standard: 'none',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_superuser_url',
    type: web('https://example.org/mqtt/superuser'),
    field: 'superuserUrl',
    repeat: 'last',
    says: 'HTTP: a POST with username; 2xx lets the user do everything.',
    standard: 'none',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_acl_url',
    type: web('https://example.org/mqtt/acl'),
    field: 'aclUrl',
    repeat: 'last',
    says: 'HTTP: a POST with username and clientid is answered with all rules of the user as JSON: a list of objects with topic and acc (1 read, 2 write, 3 both, 4 subscribe), or an object with lists of filters under pub, sub, all and deny. It is asked when the client comes and every auth_backend_cache_seconds, not for every message.',
    standard: 'none',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_acl_answers',
    type: choice(['rules', 'topic']),
    field: 'aclAnswers',
    says: 'HTTP: what the service at auth_backend_acl_url answers with: all rules of the user, or yes and no for one topic, as services for mosquitto-go-auth do: a POST with username, clientid, topic and acc (1 read, 2 write, 4 subscribe). Who is asked about waits for the answer, and nobody else; answers are remembered for auth_backend_cache_seconds, refusals for auth_backend_cache_refusal_seconds, auth_backend_cache_size of them. Without an answer nothing is allowed.',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_params',
    type: choice(['json', 'form']),
    field: 'params',
    says: 'HTTP: how the fields are sent.',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_response',
    type: choice(['status', 'json', 'text']),
    field: 'response',
    says: 'HTTP: what makes a 2xx a yes: the status alone, an object with ok true, or the text ok.',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_jwks_url',
    type: web('https://id.example.org/jwks.json'),
    field: 'jwksUrl',
    repeat: 'last',
    says: 'JWT: where the keys of the identity provider are. They are kept for ten minutes, and fetched again when a token names one that is not among them.',
    standard: 'none',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_key_file',
    type: path,
    field: 'keyFile',
    repeat: 'last',
    says: 'JWT: a public key or certificate (PEM), a JWK Set, or a shared secret of 32 bytes or more in the first line. Which algorithms count follows from the kind of key, never from the token.',
    standard: 'none',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_issuer',
    type: text('text', 'https://id.example.org/'),
    field: 'issuer',
    repeat: 'last',
    says: 'JWT: who has to have issued the token (iss).',
    standard: 'anybody',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_audience',
    type: text('text', 'mqtt'),
    field: 'audience',
    repeat: 'last',
    says: 'JWT: for whom the token has to be (aud).',
    standard: 'anybody',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_clock_skew',
    type: integer({ argument: 'seconds, 0-600', min: 0, max: 600, outside: '601' }),
    field: 'clockSkewSeconds',
    says: 'JWT: how far the clocks may be apart when its times are judged.',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_username_claim',
    type: text('name', 'preferred_username'),
    field: 'usernameClaim',
    repeat: 'last',
    says: 'JWT: the claim that the user name has to equal; the token itself is sent as the password.',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_acl_claim',
    type: text('name', 'acl'),
    field: 'aclClaim',
    repeat: 'last',
    says: 'JWT: the claim with the rules, in the forms that auth_backend_acl_url answers with. They end with the token. Without it tokens say nothing about topics.',
    standard: 'none',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_url',
    type: url('ldaps://ldap.example.org', 'ldaps:', 'ldap:'),
    field: 'url',
    repeat: 'last',
    says: 'LDAP: the server.',
    standard: 'ldap://localhost',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_user_base',
    type: text('DN', 'ou=people,dc=example,dc=org'),
    field: 'userBase',
    repeat: 'last',
    says: 'LDAP: below this entry users are looked for.',
    standard: 'none',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_user_filter',
    type: text('filter', '(&(objectClass=person)(uid=:username))'),
    field: 'userFilter',
    repeat: 'last',
    says: 'LDAP: finds the one entry of the user; :username is put in as a value.',
    standard: 'none',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_superuser_filter',
    type: text('filter', '(&(uid=:username)(memberOf=cn=admins,dc=example,dc=org))'),
    field: 'superuserFilter',
    repeat: 'last',
    says: 'LDAP: if it finds the entry, the user may everything.',
    standard: 'none',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_name_attribute',
    type: text('name', 'cn'),
    field: 'nameAttribute',
    repeat: 'last',
    says: 'LDAP: the attribute that has to be the user name letter by letter; directories themselves take ANA for ana.',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_group_base',
    type: text('DN', 'ou=groups,dc=example,dc=org'),
    field: 'groupBase',
    repeat: 'last',
    says: 'LDAP: below this entry groups with rules are looked for. Without it the directory says nothing about topics.',
    standard: 'none',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_group_filter',
    type: text('filter', '(member=:dn)'),
    field: 'groupFilter',
    repeat: 'last',
    says: "LDAP: finds the groups of the user; :dn is the user's entry.",
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_topic_attribute',
    type: text('name', 'description'),
    field: 'topicAttribute',
    repeat: 'last',
    says: 'LDAP: the attribute of a group that holds topic filters.',
    since: 'ours',
    reload: 'live',
  }),
  backendOption({
    name: 'auth_backend_access_attribute',
    type: text('name', 'businessCategory'),
    field: 'accessAttribute',
    repeat: 'last',
    says: 'LDAP: the attribute that says what they may be used for: 1 to 7, or read, write, readwrite, subscribe, deny.',
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
    says: 'How long a login that was right is remembered, and how often the rules of those who are connected are read again: a change in the database takes effect within this time. A reload makes it take effect at once.',
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
