/** The command `what happened to`: the record of the flight recorder, told as the story of one. */
import { type Call, pageOf, runSubcommand, type Subcommand, type SubcommandOption } from './ca/subcommand.ts';
import type { CommandPage } from './command-page.ts';
import type { Context } from './context.ts';
import { brokerOptions } from './operate/ask-broker.ts';

export const recordOption: SubcommandOption = {
  long: '--record',
  argument: 'DIR',
  completes: 'folder',
  says: 'The folder of a record itself, such as a copy from another machine.',
};

const options: readonly SubcommandOption[] = [
  { long: '--since', argument: 'TIME', says: "From when on: 03:12 (today, or yesterday), '2026-11-22 03:12', 90s, 30m, 2h or 3d ago. The last day unless given." },
  { long: '--until', argument: 'TIME', says: 'Until when.' },
  { long: '--json', says: 'One JSON object a line, each with its sentence as text.' },
  recordOption,
  ...brokerOptions,
]; // prettier-ignore

const rows: readonly Subcommand[] = [
  {
    name: 'happened to',
    operands: 'WHO',
    atLeast: 1,
    atMost: 1,
    options,
    says: 'Tell what happened to WHO.',
    run: tell,
  },
  {
    name: 'happened',
    atLeast: 0,
    atMost: 0,
    options,
    says: 'Tell what did not go as it should, to whomever.',
    run: tell,
  },
];

async function tell(call: Call): Promise<number> {
  return (await import('./what/happened.ts')).tellWhatHappened(call);
}

export const whatPage: CommandPage = {
  ...pageOf(
    {
      command: 'what',
      summary: 'happened to a client: when it came and went, what was refused or lost, and why',
      about: [
        "Without WHO it is what did not go as it should, to anybody. WHO is a client identifier, a user name, the name or serial number of a certificate, the identity of a pre-shared key, an address, or a bridge. The broker's own starts, stops, crashes and troubles are told with it.",
        'The files of the flight recorder are read, whether the broker runs or not; times are in the time of this machine.',
      ],
    },
    rows,
  ),
  usage: [
    'happened to WHO [--since TIME] [--until TIME] [--json] [OPTION...]',
    'happened [--since TIME] [--until TIME] [--json] [OPTION...]',
  ],
};

export function run(args: readonly string[], context: Context): Promise<number> {
  const long = args.map(word => (word === '-c' ? '--config-file' : word));
  return runSubcommand(whatPage, rows, long, context);
}
