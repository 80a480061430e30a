/** What one `auth_backend` section needs, and what makes no sense in it. */
import { ConfError, placeText } from './error.ts';
import type { Reading } from './reading.ts';
import type { AuthBackendKind, AuthBackendSettings } from './settings-backend.ts';

const server = ['host', 'port', 'socket', 'database', 'username', 'password_file', 'tls'];
const files = ['cafile', 'certfile', 'keyfile'];
const sql = ['user_query', 'superuser_query', 'acl_query'];
const hashes = ['salt_encoding'];

/** Options of one kind or a few; those that are in no list are for every kind. */
const own: Readonly<Record<AuthBackendKind, readonly string[]>> = {
  postgresql: [...server, ...files, ...sql, ...hashes],
  mysql: [...server, ...files, ...sql, ...hashes],
  sqlite: ['file', ...sql, ...hashes],
  redis: [...server, ...files, ...hashes, 'key_prefix'],
  http: [...files, 'user_url', 'superuser_url', 'acl_url', 'acl_answers', 'params', 'response'],
  jwt: [...files, 'jwks_url', 'key_file', 'issuer', 'audience', 'clock_skew', 'username_claim', 'acl_claim'],
  ldap: [
    ...files,
    'username',
    'password_file',
    'tls',
    'url',
    'user_base',
    'user_filter',
    'superuser_filter',
    'name_attribute',
    'group_base',
    'group_filter',
    'topic_attribute',
    'access_attribute',
  ],
};

const needed: Readonly<Record<AuthBackendKind, readonly string[]>> = {
  postgresql: ['user_query'],
  mysql: ['user_query'],
  sqlite: ['file', 'user_query'],
  redis: [],
  http: ['user_url'],
  jwt: [],
  ldap: ['user_base', 'user_filter'],
};

export function checkBackends({ settings }: Reading): void {
  const scopes = [settings.security, ...settings.listeners.map(({ security }) => security)];
  for (const backend of new Set(scopes.flatMap(({ authBackends }) => authBackends))) check(backend);
}

function check(backend: AuthBackendSettings): void {
  const { kind, name, place, places } = backend;
  const foreign = Object.values(own)
    .flat()
    .filter(option => !own[kind].includes(option));
  for (const option of foreign.map(longName)) {
    const where = places[option];
    if (where === undefined) continue;
    const remedy = `Take the line out; the section begins at ${placeText(place)}.`;
    throw new ConfError([`Error: '${option}' means nothing to an auth_backend of kind ${kind}.`], [remedy], 3, where);
  }
  for (const option of needed[kind].map(longName)) {
    if (places[option] !== undefined) continue;
    const remedy = `Write '${option} ...' below the line of the auth_backend.`;
    throw new ConfError([`Error: The auth_backend '${name}' needs '${option}'.`], [remedy], 3, place);
  }
  checkTogether(backend);
  checkKeys(backend);
}

function checkTogether({
  kind,
  url,
  host,
  port,
  socket,
  tls,
  cafile,
  certfile,
  keyfile,
  place,
  places,
}: AuthBackendSettings): void {
  // PostgreSQL's sockets have their port in their name.
  if (socket !== null && (host !== null || (port !== null && kind !== 'postgresql'))) {
    const line = "Error: 'auth_backend_socket' and 'auth_backend_host' or 'auth_backend_port' exclude each other.";
    throw new ConfError([line], ['Take one of them out.'], 3, places['auth_backend_socket'] ?? place);
  }
  const byUrl = kind === 'http' || kind === 'jwt' || url?.startsWith('ldaps:') === true;
  if (!tls && !byUrl && (cafile !== null || certfile !== null || keyfile !== null)) {
    const line =
      "Error: 'auth_backend_cafile', 'auth_backend_certfile' and 'auth_backend_keyfile' need 'auth_backend_tls true'.";
    throw new ConfError([line], ['Without it the connection to the database would be in the clear.'], 3, place);
  }
  if ((certfile === null) !== (keyfile === null)) {
    const line = "Error: 'auth_backend_certfile' and 'auth_backend_keyfile' go together.";
    throw new ConfError([line], ['The certificate and its private key go together.'], 3, place);
  }
}

function checkKeys({ kind, name, jwksUrl, keyFile, place }: AuthBackendSettings): void {
  if (kind !== 'jwt' || (jwksUrl === null) !== (keyFile === null)) return;
  const line = `Error: The auth_backend '${name}' needs 'auth_backend_key_file' or 'auth_backend_jwks_url', and not both.`;
  throw new ConfError([line], ['One of them says whose tokens count.'], 3, place);
}

function longName(option: string): string {
  return `auth_backend_${option}`;
}
