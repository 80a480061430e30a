/** The command `clients`: who is connected. */
import type { ClientFacts, OperatorsClient } from '../admin/mod.ts';
import type { Call, Subcommand } from './ca/subcommand.ts';
import { pageOf } from './ca/subcommand.ts';
import type { CommandPage } from './command-page.ts';
import type { Context } from './context.ts';
import { brokerOptions, operatorExitCodes, runOperatorCommand, withBroker } from './operate/ask-broker.ts';
import { type Column, jsonLinesOption, listOptions, pathTo, printList, removeEach, sayFacts } from './operate/lists.ts';
import { bytesText, shown, spanText } from './operate/words.ts';

const versions: Readonly<Record<number, string>> = { 3: '3.1', 4: '3.1.1', 5: '5.0' };

const columnsAt = (now: number): readonly Column<ClientFacts>[] => [
  { title: 'CLIENT', cell: each => each.clientId },
  { title: 'USER', cell: each => each.username ?? '-' },
  { title: 'FROM', cell: each => (each.port === 0 ? each.address : `${each.address}:${each.port}`) },
  { title: 'ON', cell: each => each.listener },
  { title: 'MQTT', cell: each => versions[each.version] ?? each.version },
  { title: 'TLS', cell: each => each.tls ?? '-' },
  { title: 'SINCE', cell: each => spanText(now / 1000 - each.connectedAt) },
  { title: 'FILTERS', cell: each => each.subscriptions },
  { title: 'IN FLIGHT', cell: each => each.inflight },
  { title: 'QUEUED', cell: each => each.queued },
  { title: 'UNSENT', cell: each => bytesText(each.waitingBytes) },
];

const userOption = { long: '--user', argument: 'PATTERN', says: 'Only those who logged in as such a user.' };

const rows: readonly Subcommand[] = [
  {
    name: 'list',
    operands: '[PATTERN]',
    atLeast: 0,
    atMost: 1,
    options: [userOption, ...listOptions],
    says: 'Who is connected; * in PATTERN stands for any characters, ? for one. Without a word behind it the command lists.',
    run: call => withBroker(call, broker => list(call, broker)),
  },
  {
    name: 'show',
    operands: 'CLIENT',
    atLeast: 1,
    atMost: 1,
    options: [jsonLinesOption, ...brokerOptions],
    says: 'One of them.',
    run: call => withBroker(call, broker => show(call, broker)),
  },
  {
    name: 'kick',
    operands: 'CLIENT...',
    atLeast: 1,
    atMost: Infinity,
    options: brokerOptions,
    says: 'Disconnect them (MQTT 5: reason 0x98). Their sessions stay, their wills are not sent, and nothing keeps them from coming back: take their password, certificate or rule away first.',
    run: call =>
      withBroker(call, broker => removeEach(call, broker, '/v1/clients', name => `${name} was disconnected.`)),
  },
];

export const clientsPage: CommandPage = {
  ...pageOf({ command: 'clients', summary: 'who is connected to the broker that runs', about: [] }, rows),
  usage: ['[PATTERN] [OPTION...]', 'show CLIENT', 'kick CLIENT...'],
  exitCodes: operatorExitCodes,
};

export function run(args: readonly string[], context: Context): Promise<number> {
  return runOperatorCommand(clientsPage, rows, args, context);
}

function list(call: Call, broker: OperatorsClient): Promise<number> {
  const match = call.words[0] ?? null;
  return printList<ClientFacts>(call, broker, {
    path: '/v1/clients',
    query: { match, user: call.value('--user') },
    columns: columnsAt(call.context.wall()),
    nothing:
      match === null ? 'Nobody is connected.' : `Nobody is connected whose client identifier is ${shown(match)}.`,
  });
}

async function show(call: Call, broker: OperatorsClient): Promise<number> {
  const facts = await broker.get<ClientFacts>(pathTo('/v1/clients', call.words[0]!));
  if (call.has('--json')) call.say(JSON.stringify(facts));
  else sayFacts(call, columnsAt(call.context.wall()), facts);
  return 0;
}
