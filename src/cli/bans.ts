/** The command `bans`: addresses whose connections are closed as they arrive. */
import { isIP } from 'node:net';
import type { BanFacts, BanReport, OperatorsClient } from '../admin/mod.ts';
import { type Call, pageOf, type Subcommand, UsageError } from './ca/subcommand.ts';
import type { CommandPage } from './command-page.ts';
import type { Context } from './context.ts';
import { brokerOptions, operatorExitCodes, runOperatorCommand, withBroker } from './operate/ask-broker.ts';
import { type Column, listOptions, pathTo, printList } from './operate/lists.ts';
import { shown, spanText } from './operate/words.ts';

const columnsAt = (now: number): readonly Column<BanFacts>[] => [
  { title: 'ADDRESS', cell: each => each.source },
  { title: 'BY', cell: each => each.by },
  { title: 'SINCE', cell: each => `${spanText(Math.max(0, (now - each.since) / 1000))} ago` },
  { title: 'ENDS', cell: each => `in ${spanText(Math.max(0, (each.until - now) / 1000))}` },
  { title: 'CLOSED', cell: each => each.turnedAway },
  { title: 'WHY', cell: each => each.because },
];

const defaultSeconds = 3600;

const rows: readonly Subcommand[] = [
  {
    name: 'list',
    atLeast: 0,
    atMost: 0,
    options: listOptions,
    says: 'Every ban in force, and how many connections it has closed. Without a word behind it the command lists.',
    run: call => withBroker(call, broker => list(call, broker)),
  },
  {
    name: 'add',
    operands: 'ADDRESS...',
    atLeast: 1,
    atMost: Infinity,
    options: [
      { long: '--seconds', argument: 'N', says: `How long; ${defaultSeconds} unless this says otherwise.` },
      { long: '--because', argument: 'TEXT', says: 'For the list and the log.' },
      ...brokerOptions,
    ],
    says: 'Ban addresses, and disconnect the clients that are connected from there. Of an IPv6 address its /64 is banned.',
    run: call => withBroker(call, broker => add(call, broker)),
  },
  {
    name: 'lift',
    operands: 'ADDRESS...',
    atLeast: 1,
    atMost: Infinity,
    options: brokerOptions,
    says: 'Let them in again, and forget their failed logins.',
    run: call => withBroker(call, broker => lift(call, broker)),
  },
];

export const bansPage: CommandPage = {
  ...pageOf(
    {
      command: 'bans',
      summary: 'addresses that the broker that runs does not let in: listed, added, lifted',
      about: [
        'Who fails to log in too often is banned for a while (ban_after in the configuration). Where the broker keeps anything over a restart (persistence) it keeps the bans, too, in bans.json beside the store.',
      ],
    },
    rows,
  ),
  usage: ['[OPTION...]', 'add ADDRESS... [--seconds N]', 'lift ADDRESS...'],
  exitCodes: operatorExitCodes,
};

export function run(args: readonly string[], context: Context): Promise<number> {
  return runOperatorCommand(bansPage, rows, args, context);
}

function list(call: Call, broker: OperatorsClient): Promise<number> {
  return printList<BanFacts>(call, broker, {
    path: '/v1/bans',
    query: {},
    columns: columnsAt(call.context.wall()),
    nothing: 'Nobody is banned.',
  });
}

async function add(call: Call, broker: OperatorsClient): Promise<number> {
  const because = call.value('--because') ?? 'no reason was given';
  const seconds = secondsOf(call.value('--seconds'));
  for (const address of call.words) {
    if (isIP(address) === 0) throw new UsageError(`'${shown(address)}' is no IP address.`);
  }
  for (const address of call.words) {
    const order = JSON.stringify({ address, seconds, because });
    const { source, disconnected } = await broker.post<BanReport>('/v1/bans', [`${order}\n`]);
    const gone = disconnected === 0 ? '' : `; ${disconnected} connected from there ${disconnected === 1 ? 'was' : 'were'} disconnected`;
    call.say(`${source} is banned for ${spanText(seconds)}${gone}.`);
  }
  return 0;
} // prettier-ignore

function secondsOf(text: string | null): number {
  if (text === null) return defaultSeconds;
  if (!/^[1-9]\d{0,7}$/.test(text)) throw new UsageError('--seconds takes a number from 1 to 31536000.');
  return Number(text);
}

async function lift(call: Call, broker: OperatorsClient): Promise<number> {
  const { AskError } = await import('../admin/mod.ts');
  let failed = 0;
  for (const address of call.words) {
    try {
      await broker.remove(pathTo('/v1/bans', address));
      call.say(`${shown(address)} is let in again.`);
    } catch (error) {
      if (!(error instanceof AskError) || error.status !== 404) throw error;
      call.warn(`Error: ${shown(error.message)}.`);
      failed = 1;
    }
  }
  return failed;
}
