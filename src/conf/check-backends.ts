/** What one `auth_backend` section needs, and what makes no sense in it. */
import { ConfError, placeText } from './error.ts';
import type { Reading } from './reading.ts';
import type { AuthBackendKind, AuthBackendSettings } from './settings-backend.ts';

/** Options that mean nothing to a kind; all others are for every kind. */
const foreign: Readonly<Record<AuthBackendKind, readonly string[]>> = {
  postgresql: ['file'],
  mysql: ['file'],
  sqlite: ['host', 'port', 'socket', 'database', 'username', 'password_file', 'tls', 'cafile', 'certfile', 'keyfile'],
};

const needed: Readonly<Record<AuthBackendKind, readonly string[]>> = {
  postgresql: ['user_query'],
  mysql: ['user_query'],
  sqlite: ['file', 'user_query'],
};

export function checkBackends({ settings }: Reading): void {
  const scopes = [settings.security, ...settings.listeners.map(({ security }) => security)];
  for (const backend of new Set(scopes.flatMap(({ authBackends }) => authBackends))) check(backend);
}

function check(backend: AuthBackendSettings): void {
  const { kind, name, place, places } = backend;
  for (const option of foreign[kind].map(longName)) {
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
}

function checkTogether({
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
  if (socket !== null && (host !== null || port !== null)) {
    const line = "Error: 'auth_backend_socket' and 'auth_backend_host' or 'auth_backend_port' exclude each other.";
    throw new ConfError([line], ['Take one of them out.'], 3, places['auth_backend_socket'] ?? place);
  }
  if (!tls && (cafile !== null || certfile !== null || keyfile !== null)) {
    const line =
      "Error: 'auth_backend_cafile', 'auth_backend_certfile' and 'auth_backend_keyfile' need 'auth_backend_tls true'.";
    throw new ConfError([line], ['Without it the connection to the database would be in the clear.'], 3, place);
  }
  if ((certfile === null) !== (keyfile === null)) {
    const line = "Error: 'auth_backend_certfile' and 'auth_backend_keyfile' go together.";
    throw new ConfError([line], ['The certificate and its private key go together.'], 3, place);
  }
}

function longName(option: string): string {
  return `auth_backend_${option}`;
}
