/** Fills a draft with what a profile says; what the arguments say goes before. */
import { readFileSync } from 'node:fs';
import { ClientError, defaultProfileName, isProfileName, parseProfile, profilePath } from '../../client/mod.ts';
import { defaultHome } from '../default-home.ts';
import type { Environment } from './arguments.ts';
import type { Draft } from './draft.ts';

/** A null name means the default, which need not exist. Returns the lines of a complaint, or null. */
export function applyProfile(draft: Draft, name: string | null, environment: Environment): string[] | null {
  const wanted = name ?? defaultProfileName;
  if (!isProfileName(wanted)) return [`Error: Invalid profile name '${wanted}'.`];
  const path = profilePath(defaultHome(environment), wanted);
  try {
    fill(draft, parseProfile(readFileSync(path, 'utf8'), path));
    return null;
  } catch (error) {
    if (error instanceof ClientError) return [`Error: ${error.message}`, ...error.remedy.map(line => `  ${line}`)];
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && name === null) return null;
    if (code === 'ENOENT') return [`Error: There is no profile '${wanted}' (${path}).`, '  zancudo profile list'];
    if (code === 'EACCES') return name === null ? null : [`Error: This user may not read the profile ${path}.`];
    return [`Error: The profile ${path} cannot be read: ${message}.`];
  }
}

function fill(draft: Draft, profile: ReturnType<typeof parseProfile>): void {
  const { host, port, cafile, certfile, keyfile, username, password } = profile;
  draft.host ??= host;
  draft.port ??= port;
  if (profile.websocket === true) draft.websocket = true;
  if (profile.osCertificates === true) draft.osCertificates = true;
  if (cafile !== undefined) draft.cafile ??= cafile;
  if (certfile !== undefined && keyfile !== undefined && draft.certfile === undefined) {
    draft.certfile = certfile;
    draft.keyfile = keyfile;
  }
  // Another user's password is not this one's.
  if (username === undefined || (draft.username !== undefined && draft.username !== username)) return;
  draft.username = username;
  if (password !== undefined) draft.password ??= password;
}
