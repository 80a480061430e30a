/** The command `status`: the broker that runs, on one screen. */
import type { CertificateStatus, OperatorsClient, StatusReport } from '../admin/mod.ts';
import { type Call, pageOf, type Subcommand } from './ca/subcommand.ts';
import { plainTable, textTable } from './ca/table.ts';
import type { CommandPage } from './command-page.ts';
import type { Context } from './context.ts';
import { brokerOptions, operatorExitCodes, runOperatorCommand, withBroker } from './operate/ask-broker.ts';
import { bytesText, rateText, spanText } from './operate/words.ts';

/** Of the certificates of devices only these are told, soonest end first; `zancudo device list` has all. */
const DEVICES_TOLD = 3;

const rows: readonly Subcommand[] = [
  {
    name: 'status',
    atLeast: 0,
    atMost: 0,
    options: [{ long: '--json', says: 'For machines.' }, ...brokerOptions],
    says: 'Say how it is.',
    run: call => withBroker(call, broker => tell(call, broker)),
  },
];

export const statusPage: CommandPage = {
  ...pageOf(
    {
      command: 'status',
      summary: 'the broker that runs: listeners, certificates, clients, rates, what is unusual',
      about: ['Rates are averages over the last minute.'],
    },
    rows,
  ),
  usage: ['[OPTION...]'],
  exitCodes: operatorExitCodes,
};

export function run(args: readonly string[], context: Context): Promise<number> {
  return runOperatorCommand(statusPage, rows, args, context);
}

async function tell(call: Call, broker: OperatorsClient): Promise<number> {
  const status = await broker.get<StatusReport>('/v1/status');
  if (call.has('--json')) call.say(JSON.stringify(status, null, 2));
  else call.say(...statusLines(status, call.context.wall()));
  return 0;
}

export function statusLines(status: StatusReport, now: number): string[] {
  const { version, pid, startedAt, configuration, home } = status;
  const from = home ?? configuration ?? 'no file: local only';
  return [
    `zancudo ${version}, process ${pid}, up ${spanText((now - startedAt) / 1000)}, ${from}`,
    '',
    ...(status.unusual.length === 0 ? ['Nothing unusual.'] : ['UNUSUAL', ...status.unusual.map(line => `  ${line}`)]),
    '',
    ...listenerLines(status),
    '',
    ...certificateLines(status.certificates, now),
    ...numberLines(status),
  ];
}

function listenerLines({ listeners }: StatusReport): string[] {
  const lines = listeners.map(({ name, protocol, addresses, encrypted, reach, login, connections }) => [
    name,
    protocol,
    encrypted ? 'TLS' : 'plain',
    reach,
    login,
    String(connections),
    addresses.join(' '),
  ]);
  return textTable(['LISTENER', 'SPEAKS', '', 'REACHED FROM', 'LETS IN WHO SHOWS', 'OPEN', 'BOUND TO'], lines);
}

function certificateLines(all: readonly CertificateStatus[], now: number): string[] {
  const devices = all.filter(({ kind }) => kind === 'device');
  const told = [...all.filter(({ kind }) => kind !== 'device'), ...devices.slice(0, DEVICES_TOLD)];
  if (told.length === 0) return [];
  const lines = told.map(({ kind, of, subject, ends }) => [
    kind,
    of,
    subject,
    ends < now ? 'has ended' : `${Math.floor((ends - now) / 86_400_000)} days`,
    new Date(ends).toISOString().slice(0, 10),
  ]);
  const more = devices.length - DEVICES_TOLD;
  return [
    ...textTable(['CERTIFICATE', 'OF', 'SUBJECT', 'LEFT', 'UNTIL'], lines),
    ...(more > 0 ? [`and ${more} of other devices, which last longer: zancudo device list`] : []),
    '',
  ];
}

function numberLines({ clients, rates, store, process: of }: StatusReport): string[] {
  const { connected, sessions, subscriptions, retained, stored } = clients;
  return plainTable( [
    ['clients', `${connected} connected, ${sessions - connected} away with a session, ${subscriptions} subscriptions`],
    ['messages', `in ${rateText(rates.messagesIn)}, out ${rateText(rates.messagesOut)}; ${retained} retained, ${stored} kept in all`],
    ['traffic', `in ${bytesText(rates.bytesIn / 60)}/s, out ${bytesText(rates.bytesOut / 60)}/s; ${rateText(rates.connects)} connects`],
    ['store', store === null ? 'none: nothing is kept over a restart' : storeText(store)],
    ['process', `${bytesText(of.residentBytes)} of memory, ${of.threads} threads, routing thread busy ${Math.round(of.busy * 100)} %`],
  ]); // prettier-ignore
}

function storeText({ file, bytes, waitingChanges, commitMs, inTrouble }: NonNullable<StatusReport['store']>): string {
  const speed = commitMs === null ? '' : `, a commit takes ${commitMs.toFixed(1)} ms`;
  const state = inTrouble ? 'IN TROUBLE, ' : '';
  return `${state}${file}, ${bytesText(bytes)}${speed}, ${waitingChanges} changes wait`;
}
