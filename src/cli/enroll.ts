/** The command `enroll`: a computer gets a certificate for itself, and renews it. The key is made here and stays here. */
import { ClientError } from '../client/mod.ts';
import { keyOption } from './ca/options.ts';
import { homeOption, pageOf, runSubcommand, type Subcommand, type SubcommandOption } from './ca/subcommand.ts';
import type { CommandPage } from './command-page.ts';
import type { Context } from './context.ts';
import { doorNames } from './enroll/door.ts';
import { EnrolFault } from './enroll/fault.ts';

const viaOption: SubcommandOption = {
  long: '--via',
  argument: 'mqtt|est',
  completes: doorNames,
  says: 'How the broker is asked, on the same port: MQTT unless given, or HTTPS (EST, RFC 7030).',
};
const profileOption: SubcommandOption = {
  long: '--profile',
  argument: 'NAME',
  says: 'Name of the profile: that of the device unless given; for renew and timer, default.',
};

/** The first command has no name of its own: `zancudo enroll HOST NAME`. */
const FIRST = 'new';

const commands: readonly Subcommand[] = [
  {
    name: FIRST,
    operands: 'HOST[:PORT] NAME',
    atLeast: 2,
    atMost: 2,
    options: [
      { long: '--ca-fingerprint', argument: 'HEX', says: 'SHA-256 of the CA of the broker, as the invitation shows it. The CA is fetched and compared before anything else is said.' },
      { long: '--cafile', argument: 'FILE', completes: 'file', says: 'The CA of the broker, where it is here already.' },
      { long: '--tls-use-os-certs', says: 'Trust the CAs of the operating system.' },
      { long: '--token-file', argument: 'FILE', completes: 'file', says: 'The token of the invitation; - is standard input. Without it ZANCUDO_TOKEN counts, and then it is asked for.' },
      keyOption,
      viaOption,
      profileOption,
      { long: '--to', argument: 'DIR', completes: 'folder', says: 'Where certificate, key and CA go; HOME/identities/NAME unless given.' },
      { long: '--replace', says: 'Put the new identity in the place of one that is there.' },
    ],
    says: 'Exchange the token of an invitation (zancudo device invite NAME, on the broker) for a certificate, and make a profile for pub, sub and rr.',
    run: async call => (await import('./enroll/first.ts')).enrol(call),
  },
  {
    name: 'renew',
    atLeast: 0,
    atMost: 0,
    options: [
      profileOption,
      { long: '--if-days-left', argument: 'N', says: 'Only when the certificate is good for N days or less: for cron.' },
      viaOption,
    ],
    says: 'Exchange the certificate of a profile, in force or expired a short while ago, for a new one with a new key. The old one stays until the new one has worked.',
    run: async call => (await import('./enroll/renew.ts')).renew(call),
  },
  {
    name: 'timer',
    atLeast: 0,
    atMost: 0,
    options: [profileOption],
    says: 'Print units for systemd that renew the certificate of a profile in time.',
    run: async call => (await import('./enroll/timer.ts')).timer(call),
  },
]; // prettier-ignore

const page = pageOf(
  {
    command: 'enroll',
    summary: 'gets this computer a certificate from a broker, and renews it',
    about: [
      'On the broker: zancudo device invite NAME. Here: the line that it prints. The private key is made here, readable by its owner alone, and never leaves; the token is used up by it.',
    ],
  },
  commands,
);

export const enrollPage: CommandPage = {
  ...page,
  usage: ['HOST[:PORT] NAME [OPTION...]', 'renew [OPTION...]', 'timer [OPTION...]'],
  options: page.options.map(row => (row.long === homeOption.long ? { ...row, says: 'Where profiles and identities are kept: ~/.zancudo unless ZANCUDO_HOME says otherwise.' } : row)),
  chapters: page.chapters!.map(chapter => ({
    ...chapter,
    rows: chapter.rows.map(row => ({ ...row, usage: row.usage.startsWith(`${FIRST} `) ? row.usage.slice(FIRST.length + 1) : row.usage })),
  })),
}; // prettier-ignore

export async function run(args: readonly string[], context: Context): Promise<number> {
  const [first] = args;
  const isNamed = first === undefined || first.startsWith('-') || commands.some(({ name }) => name === first);
  try {
    return await runSubcommand(enrollPage, commands, isNamed ? args : [FIRST, ...args], context);
  } catch (error) {
    if (!(error instanceof EnrolFault) && !(error instanceof ClientError)) throw error;
    context.complain(`Error: ${error.message}\n${error.remedy.map(line => `  ${line}\n`).join('')}`);
    return 1;
  }
}
