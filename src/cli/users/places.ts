/**
 * Where users may be, as it is written on the command line, and what can be done there.
 *
 *   files, files:PASSWORDS[,RULES]   a password file and an access file; alone: those of the configuration
 *   dynsec, dynsec:FILE              the file of dynamic security
 *   backend:NAME                     an auth_backend of the configuration
 *   FILE, -                          JSON lines
 */
import path from 'node:path';
import type { Settings } from '../../conf/mod.ts';
import type { UserBackendSettings } from '../../security/mod.ts';
import type { Adapted, UserSet } from '../../security/users/mod.ts';
import { type Call, UsageError } from '../ca/subcommand.ts';

export interface Plan extends Adapted {
  /** Of the whole, for the user to know. */
  remarks: string[];
  /** Who is there by now: the name, and what tells whether it is the same. */
  there: ReadonlyMap<string, string>;
  sameness: (user: Adapted['ready'][number]) => string;
  write: (users: Adapted['ready']) => Promise<string[]>;
}

/** One place, opened; `close` in any case. */
export interface Place {
  /** For messages. */
  text: string;
  read: () => Promise<UserSet>;
  plan: (set: UserSet, mayReplace: boolean) => Promise<Plan>;
  close: () => Promise<void>;
}

export interface PlaceOptions {
  usersTable: string | null;
  rulesTable: string | null;
  create: boolean;
  /** Nothing is written in the end. */
  isDry: boolean;
  account: string | null;
  accountPasswordFile: string | null;
}

export async function placeOf(call: Call, word: string, options: PlaceOptions): Promise<Place> {
  const [, kind = '', rest = null] = /^(files|dynsec|backend)(?::(.*))?$/s.exec(word) ?? [];
  switch (kind) {
    case 'files':
      return (await import('./files-place.ts')).filesPlace(call, filePair(await filesOf(call, rest)));
    case 'dynsec':
      return (await import('./dynamic-place.ts')).dynamicPlace(call, rest ?? (await dynamicFileOf(call)));
    case 'backend':
      return (await import('./backend-place.ts')).backendPlace(await backendOf(call, rest ?? ''), options);
    default:
      return (await import('./lines-place.ts')).linesPlace(word);
  }
}

function filePair(text: string): { passwords: string; rules: string | null } {
  const [passwords = '', rules, ...more] = text.split(',');
  if (passwords === '' || more.length > 0) throw new UsageError('files:PASSWORDS,RULES takes a password file and, if there is one, an access file.'); // prettier-ignore
  return { passwords, rules: rules ?? null };
}

export async function settingsOf(call: Call): Promise<Settings> {
  const { loadConfiguration } = await import('../../conf/mod.ts');
  const file = call.value('--config-file');
  const home = file === null ? call.home.folder : null;
  const result = loadConfiguration(file ?? path.join(home!, 'zancudo.conf'), { ports: [], home });
  if (result.ok) return result.settings;
  const { lines, explanation } = result.failure;
  throw new ConfigurationError([...lines, ...explanation.map(line => `  ${line}`)]);
}

export class ConfigurationError extends Error {
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines[0]);
    this.lines = lines;
  }
}

async function filesOf(call: Call, rest: string | null): Promise<string> {
  if (rest !== null) return rest;
  const { listeners } = await settingsOf(call);
  const pairs = new Set(
    listeners.flatMap(({ security: { passwordFile, aclFile } }) =>
      passwordFile === null ? [] : [[passwordFile, aclFile].filter(each => each !== null).join(',')],
    ),
  );
  const [first, second] = pairs;
  if (first === undefined)
    throw new UsageError('the configuration names no password_file; write files:PASSWORDS,RULES.');
  if (second === undefined) return first;
  throw new UsageError(`the configuration names several password files; write one of ${[...pairs].map(each => `files:${each}`).join(', ')}.`); // prettier-ignore
}

async function dynamicFileOf(call: Call): Promise<string> {
  const { dynamicSecurity } = await settingsOf(call);
  if (dynamicSecurity !== null) return dynamicSecurity.configFile;
  throw new UsageError('the configuration has no dynamic security; write dynsec:FILE.');
}

/** Every backend of the configuration, each once. */
export async function backendsOf(call: Call): Promise<UserBackendSettings[]> {
  const { listeners } = await settingsOf(call);
  const all = new Map<string, UserBackendSettings>();
  for (const { security } of listeners) {
    for (const backend of security.authBackends) {
      const where = `${backend.place.file}:${backend.place.line}`;
      all.set(where, { ...backend, where });
    }
  }
  return [...all.values()];
}

async function backendOf(call: Call, name: string): Promise<UserBackendSettings> {
  const all = await backendsOf(call);
  const found = all.find(each => each.name === name);
  if (found !== undefined) return found;
  const names = all.map(each => `backend:${each.name}`).join(', ');
  throw new UsageError(
    names === ''
      ? 'the configuration names no auth_backend.'
      : `the configuration names no auth_backend '${name}'; there is ${names}.`,
  );
}
