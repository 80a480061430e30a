/**
 * A profile: where a broker is and who we are there, kept in the home so that no command line has to say it.
 *
 *   HOME/profiles/NAME.json     mode 0600, because a password may be in it
 *
 * The first start writes `default`. Text in, text out: who reads and writes the file is somebody else's business.
 */
import { join } from 'node:path';
import { ClientError } from './client-error.ts';

export interface Profile {
  host: string;
  port: number;
  cafile?: string;
  certfile?: string;
  keyfile?: string;
  username?: string;
  password?: string;
  /** MQTT inside WebSocket. */
  websocket?: boolean;
  /** The CAs of the operating system instead of a file. */
  osCertificates?: boolean;
}

export const defaultProfileName = 'default';

const nameShape = /^[\w][\w.-]{0,63}$/;

export function isProfileName(name: string): boolean {
  return nameShape.test(name);
}

export function profileFolder(home: string): string {
  return join(home, 'profiles');
}

export function profilePath(home: string, name: string): string {
  return join(profileFolder(home), `${name}.json`);
}

export function profileText(profile: Profile): string {
  return `${JSON.stringify(profile, null, 2)}\n`;
}

const types: Record<keyof Profile, 'string' | 'number' | 'boolean'> = {
  host: 'string',
  port: 'number',
  cafile: 'string',
  certfile: 'string',
  keyfile: 'string',
  username: 'string',
  password: 'string',
  websocket: 'boolean',
  osCertificates: 'boolean',
};

/** Throws a ClientError that names the place of the fault. */
export function parseProfile(text: string, path: string): Profile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw broken(path, error instanceof Error ? error.message : 'it is no JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw broken(path, 'it is no JSON object');
  for (const [key, entry] of Object.entries(value)) {
    if (!Object.hasOwn(types, key)) throw broken(path, `'${key}' is unknown`);
    if (typeof entry !== types[key as keyof Profile])
      throw broken(path, `'${key}' is no ${types[key as keyof Profile]}`);
  }
  if (!('host' in value) || !('port' in value)) throw broken(path, `'host' or 'port' is missing`);
  return value as Profile;
}

function broken(path: string, why: string): ClientError {
  return new ClientError({
    code: 'profile.broken',
    kind: 'invalid',
    message: `The profile ${path} cannot be used: ${why}.`,
    remedy: ['Make it again: zancudo profile add NAME'],
  });
}
