/** The command `profile`: brokers and who we are there, kept in the home for `pub`, `sub` and `rr`. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  ClientError,
  isProfileName,
  parseProfile,
  type Profile,
  profileFolder,
  profilePath,
  profileText,
} from '../client/mod.ts';
import { diskStore } from '../pki/mod.ts';
import type { CommandPage, OptionRow } from './command-page.ts';
import type { Context } from './context.ts';
import { defaultHome } from './default-home.ts';
import { helpText } from './help-text.ts';
import { nearestName } from './nearest-name.ts';
import { SecretPrompt } from './secret-prompt.ts';
import { systemWords } from './system-words.ts';

type Draft = Partial<Profile>;

interface AddOption extends OptionRow {
  /** Returns what is wrong with the value. */
  apply(draft: Draft, value: string): string | void;
}

const addOptions: readonly AddOption[] = [
  { short: '-h', long: '--host', argument: 'HOST', says: 'The broker.', apply: (d, v) => void (d.host = v) },
  { short: '-p', long: '--port', argument: 'PORT', says: '8883 unless given, 1883 without TLS.', apply: takePort },
  {
    long: '--cafile',
    argument: 'FILE',
    completes: 'file',
    says: 'The CA of the broker.',
    apply: (draft, path) => void (draft.cafile = resolve(path)),
  },
  {
    long: '--cert',
    argument: 'FILE',
    completes: 'file',
    says: 'Client certificate; goes with --key.',
    apply: (draft, path) => void (draft.certfile = resolve(path)),
  },
  {
    long: '--key',
    argument: 'FILE',
    completes: 'file',
    says: 'Its private key.',
    apply: (draft, path) => void (draft.keyfile = resolve(path)),
  },
  {
    short: '-u',
    long: '--username',
    argument: 'NAME',
    says: 'User name; the password is asked for.',
    apply: (draft, name) => void (draft.username = name),
  },
  {
    long: '--tls-use-os-certs',
    says: 'Trust the CAs of the operating system.',
    apply: draft => void (draft.osCertificates = true),
  },
  { long: '--ws', says: 'MQTT inside WebSocket.', apply: draft => void (draft.websocket = true) },
];

export const profilePage: CommandPage = {
  command: 'profile',
  summary: 'keeps where brokers are and who you are there',
  usage: ['add NAME [OPTIONS]', 'list', 'show NAME', 'remove NAME'],
  about: [
    'pub, sub and rr take the profile named default when no option says where to connect, and others with --profile NAME. The first start of the broker writes default. Profiles are files that only you can read.',
  ],
  options: [...addOptions, { long: '--help', says: 'Show this text.' }],
  operands: [{ name: 'NAME', says: 'Letters, digits, ".", "_" and "-".' }],
  exitCodes: [
    { code: '0', when: 'Done.' },
    { code: '1', when: 'Not done: the line on standard error says why.' },
  ],
};

type Action = (home: string, name: string, rest: readonly string[], context: Context) => Promise<void> | void;

const actions: Record<string, { needsName: boolean; run: Action }> = {
  add: { needsName: true, run: add },
  list: { needsName: false, run: list },
  show: { needsName: true, run: show },
  remove: { needsName: true, run: remove },
};

/** A mistake of the user's: one line. */
class ProfileFault extends Error {}

export async function run(args: readonly string[], context: Context): Promise<number> {
  const [word = '--help', name = '', ...rest] = args;
  if (word === '--help') {
    context.print(helpText(profilePage, 'zancudo profile'));
    return args.length === 0 ? 1 : 0;
  }
  try {
    const action = Object.hasOwn(actions, word) ? actions[word] : undefined;
    if (action === undefined) throw unknownAction(word);
    if (action.needsName && !isProfileName(name)) throw badName(word, name);
    await action.run(defaultHome(context.environment), name, rest, context);
    return 0;
  } catch (error) {
    return fail(error, context);
  }
}

function fail(error: unknown, context: Context): number {
  if (error instanceof ProfileFault || error instanceof ClientError) {
    context.complain(`Error: ${error.message}\n`);
    return 1;
  }
  const { syscall, path } = error as NodeJS.ErrnoException;
  if (syscall === undefined) throw error;
  context.complain(`Error: ${path ?? 'The profile'}: ${systemWords(error)}.\n`);
  return 1;
}

function unknownAction(word: string): ProfileFault {
  const meant = nearestName(word, Object.keys(actions));
  return new ProfileFault(
    `'${word}' is none of add, list, show, remove.${meant === null ? '' : ` Did you mean '${meant}'?`}`,
  );
}

function badName(word: string, name: string): ProfileFault {
  if (name === '') return new ProfileFault(`Name a profile: zancudo profile ${word} NAME`);
  return new ProfileFault(`'${name}' is no name for a profile: letters, digits, '.', '_' and '-', 64 at most.`);
}

async function add(home: string, name: string, words: readonly string[], context: Context): Promise<void> {
  const draft = readOptions(words);
  if (draft.host === undefined) throw new ProfileFault('Say where the broker is: -h HOST');
  if ((draft.certfile === undefined) !== (draft.keyfile === undefined)) {
    throw new ProfileFault('--cert and --key go together.');
  }
  const tls = draft.cafile !== undefined || draft.osCertificates === true;
  const port = draft.port ?? (tls ? 8883 : 1883);
  const password = draft.username === undefined ? undefined : await askPassword(draft.username, context);
  const profile: Profile = { ...draft, host: draft.host, port, ...(password === undefined ? {} : { password }) };
  diskStore.makeFolder(home);
  diskStore.makeFolder(profileFolder(home));
  diskStore.write(profilePath(home, name), profileText(profile));
  context.print(`Profile ${name}: ${summary(profile)}\n`);
}

function readOptions(words: readonly string[]): Draft {
  const draft: Draft = {};
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    const option = addOptions.find(row => row.short === word || row.long === word);
    if (option === undefined) throw new ProfileFault(`Unknown option '${word}'.`);
    const value = option.argument === undefined ? '' : words[++at];
    if (value === undefined) throw new ProfileFault(`${word} needs ${option.argument}.`);
    const fault = option.apply(draft, value);
    if (typeof fault === 'string') throw new ProfileFault(fault);
  }
  return draft;
}

function takePort(draft: Draft, value: string): string | void {
  const port = Number(value);
  if (!/^\d+$/.test(value) || port < 1 || port > 65_535) return `'${value}' is not a port from 1 to 65535.`;
  draft.port = port;
}

async function askPassword(username: string, context: Context): Promise<string | undefined> {
  const answer = await new SecretPrompt(context).ask(`Password for ${username} (empty for none): `, null);
  if (answer.ok) return answer.password.toString();
  if (answer.because === 'empty') return undefined;
  throw new ProfileFault('Nothing was written.');
}

function read(home: string, name: string): Profile {
  const path = profilePath(home, name);
  try {
    return parseProfile(readFileSync(path, 'utf8'), path);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? missing(home, name) : error;
  }
}

function missing(home: string, name: string): ProfileFault {
  const meant = nearestName(name, namesIn(home));
  return new ProfileFault(`There is no profile '${name}'.${meant === null ? '' : ` Did you mean '${meant}'?`}`);
}

function namesIn(home: string): string[] {
  try {
    const files = readdirSync(profileFolder(home)).filter(file => file.endsWith('.json'));
    return files.map(file => file.slice(0, -'.json'.length)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function list(home: string, _name: string, _rest: readonly string[], context: Context): void {
  for (const name of namesIn(home)) context.print(`${name.padEnd(16)} ${summary(read(home, name))}\n`);
}

function summary({ host, port, username, cafile, osCertificates, certfile }: Profile): string {
  const tls = cafile !== undefined || osCertificates === true ? 'TLS' : 'without TLS';
  const who = [username === undefined ? null : `as ${username}`, certfile === undefined ? null : 'with certificate'];
  return [`${host}:${port}`, tls, ...who.filter(part => part !== null)].join(', ');
}

/** The password is not shown: it is in the file for those who may see it. */
function show(home: string, name: string, _rest: readonly string[], context: Context): void {
  const profile = read(home, name);
  const shown = profile.password === undefined ? profile : { ...profile, password: '(kept)' };
  for (const [key, value] of Object.entries(shown)) context.print(`${key.padEnd(16)} ${String(value)}\n`);
  context.print(`${'file'.padEnd(16)} ${profilePath(home, name)}\n`);
}

function remove(home: string, name: string, _rest: readonly string[], context: Context): void {
  if (!namesIn(home).includes(name)) throw missing(home, name);
  rmSync(profilePath(home, name));
  context.print(`Profile ${name} removed\n`);
}
