/** The command `users`: users and their rules, moved between files, dynamic security and databases. */
import type { FlushReport, OperatorsClient } from '../admin/mod.ts';
import { type Call, pageOf, runSubcommand, type Subcommand, type SubcommandOption } from './ca/subcommand.ts';
import type { CommandPage } from './command-page.ts';
import type { Context } from './context.ts';
import { brokerOptions, withBroker } from './operate/ask-broker.ts';
import { configurationOption } from './store/store-command.ts';

const tableOptions: readonly SubcommandOption[] = [
  { long: '--users-table', argument: 'TABLE', says: 'The table of users; the one that auth_backend_user_query asks, unless given.' },
  { long: '--rules-table', argument: 'TABLE', says: 'The table of rules; the first one that auth_backend_acl_query asks, unless given.' },
  { long: '--account', argument: 'NAME', says: 'Log in to the database as this one, because the account of the broker may only read.' },
  { long: '--account-password-file', argument: 'FILE', completes: 'file', says: 'Its first line is the password of --account.' },
]; // prettier-ignore

const rows: readonly Subcommand[] = [
  {
    name: 'list',
    operands: '[PLACE]',
    atLeast: 0,
    atMost: 1,
    options: [{ long: '--json', says: 'For machines: one JSON object a line.' }, ...tableOptions, configurationOption],
    says: 'Who is there, with the kind of password and how many rules. Without PLACE: files.',
    run: async call => (await import('./users/show.ts')).listUsers(call),
  },
  {
    name: 'export',
    operands: 'PLACE [FILE]',
    atLeast: 1,
    atMost: 2,
    options: [{ long: '--replace', says: 'Write over what is there.' }, ...tableOptions, configurationOption],
    says: 'Write users with their hashes, roles, groups and rules as JSON lines, to a file for its owner alone or to standard output.',
    run: async call => (await import('./users/show.ts')).exportUsers(call),
  },
  {
    name: 'import',
    operands: 'FROM INTO',
    atLeast: 2,
    atMost: 2,
    options: [
      { long: '--dry-run', says: 'Only say who would go, and who cannot and why.' },
      { long: '--replace', says: 'Users that are there already get what comes, and nothing stays of what they had.' },
      { long: '--keep', says: 'Users that are there already stay as they are.' },
      { long: '--leave-out', says: 'Take the others where some cannot go; otherwise nothing is written then.' },
      { long: '--create', says: 'Make the tables of the guide if they are not there.' },
      ...tableOptions,
      configurationOption,
    ],
    says: 'Take users from one place into another: passwords as they are stored, superusers and rules. All of it is written, or nothing.',
    run: async call => (await import('./users/move.ts')).importUsers(call),
  },
  {
    name: 'check',
    operands: '[NAME...]',
    atLeast: 0,
    atMost: Infinity,
    options: [configurationOption],
    says: 'Ask the auth_backends of the configuration about somebody who cannot exist, and say what is wrong in plain words.',
    run: async call => (await import('./users/check.ts')).checkBackends(call),
  },
  {
    name: 'flush',
    operands: '[NAME]',
    atLeast: 0,
    atMost: 1,
    options: brokerOptions,
    says: 'Let the broker that runs forget what the auth_backends have told it (or the one of this name), so that changes take effect at once.',
    run: call => withBroker(call, broker => flush(call, broker)),
  },
]; // prettier-ignore

async function flush(call: Call, broker: OperatorsClient): Promise<number> {
  const { backends } = await broker.post<FlushReport>('/v1/backends/flush', [`${JSON.stringify({ name: call.words[0] ?? null })}\n`]); // prettier-ignore
  call.say(
    backends.length === 0 ? 'This broker has no auth_backend.' : `Asked anew from now on: ${backends.join(', ')}.`,
  );
  return 0;
}

export const usersPage: CommandPage = {
  ...pageOf(
    {
      command: 'users',
      summary: 'users and their rules, moved between files, dynamic security and databases',
      about: [
        'A place is files:PASSWORDS,RULES (a password file and an access file), dynsec:FILE (dynamic security), backend:NAME (an auth_backend of the configuration: postgresql, mysql, sqlite or redis), a file with JSON lines, or - for standard input and output. The words files and dynsec alone stand for the files of the configuration.',
        'What a place cannot keep is named for each user before anything is written: a hash that cannot be checked there, a denial where rows only allow, a rule that goes by the client identifier.',
      ],
    },
    rows,
  ),
  usage: ['list [PLACE]', 'export PLACE [FILE]', 'import FROM INTO [--dry-run]', 'check [NAME...]', 'flush [NAME]'],
};

export async function run(args: readonly string[], context: Context): Promise<number> {
  const long = args.map(word => (word === '-c' ? '--config-file' : word));
  const told = rows.map(row => ({ ...row, run: (call: Call) => tellFailure(call, () => row.run(call)) }));
  return runSubcommand(usersPage, told, long, context);
}

/** Failures that bring the lines for the user. */
async function tellFailure(call: Call, work: () => Promise<number> | number): Promise<number> {
  try {
    return await work();
  } catch (error) {
    const lines = linesOf(error);
    if (lines === null) throw error;
    call.warn(...lines);
    return 1;
  }
}

function linesOf(error: unknown): readonly string[] | null {
  const { lines, failure } = error as { lines?: readonly string[]; failure?: { lines: readonly string[] } };
  return lines ?? failure?.lines ?? null;
}
