/** The command `sessions`: what is remembered of clients, connected or not. */
import type { OperatorsClient, SessionDetail, SessionFacts } from '../admin/mod.ts';
import { type Call, pageOf, type Subcommand } from './ca/subcommand.ts';
import { textTable } from './ca/table.ts';
import type { CommandPage } from './command-page.ts';
import type { Context } from './context.ts';
import { brokerOptions, operatorExitCodes, runOperatorCommand, withBroker } from './operate/ask-broker.ts';
import { type Column, jsonLinesOption, listOptions, pathTo, printList, removeEach, sayFacts } from './operate/lists.ts';
import { bytesText, shown, spanText } from './operate/words.ts';

const columnsAt = (now: number): readonly Column<SessionFacts>[] => [
  { title: 'CLIENT', cell: each => each.clientId },
  { title: 'USER', cell: each => each.username ?? '-' },
  { title: 'STATE', cell: each => (each.connected ? 'connected' : 'away') },
  { title: 'ENDS', cell: each => endText(each, now / 1000) },
  { title: 'FILTERS', cell: each => each.subscriptions },
  { title: 'IN FLIGHT', cell: each => each.inflight },
  { title: 'QUEUED', cell: each => each.queued },
  { title: 'BYTES', cell: each => bytesText(each.queuedBytes) },
  { title: 'WILL', cell: each => (each.will ? 'yes' : '-') },
];

function endText({ connected, expirySeconds, endsAt }: SessionFacts, now: number): string {
  if (expirySeconds === null) return 'never';
  if (!connected) return `in ${spanText(Math.max(0, endsAt - now))}`;
  return expirySeconds === 0 ? 'with the connection' : `${spanText(expirySeconds)} after it`;
}

const rows: readonly Subcommand[] = [
  {
    name: 'list',
    operands: '[PATTERN]',
    atLeast: 0,
    atMost: 1,
    options: [
      { long: '--user', argument: 'PATTERN', says: 'Only those of such a user.' },
      { long: '--away', says: 'Only those whose client is not connected.' },
      ...listOptions,
    ],
    says: 'Every session; * in PATTERN stands for any characters, ? for one. Without a word behind it the command lists.',
    run: call => withBroker(call, broker => list(call, broker)),
  },
  {
    name: 'show',
    operands: 'CLIENT',
    atLeast: 1,
    atMost: 1,
    options: [jsonLinesOption, ...brokerOptions],
    says: 'One of them, with its subscriptions.',
    run: call => withBroker(call, broker => show(call, broker)),
  },
  {
    name: 'purge',
    operands: 'CLIENT...',
    atLeast: 1,
    atMost: Infinity,
    options: brokerOptions,
    says: 'Forget them, with subscriptions and all messages that wait in them; who is connected is disconnected. This cannot be undone.',
    run: call =>
      withBroker(call, broker =>
        removeEach(call, broker, '/v1/sessions', name => `The session of ${name} is forgotten.`),
      ),
  },
];

export const sessionsPage: CommandPage = {
  ...pageOf({ command: 'sessions', summary: 'what the broker that runs remembers of its clients', about: [] }, rows),
  usage: ['[PATTERN] [OPTION...]', 'show CLIENT', 'purge CLIENT...'],
  exitCodes: operatorExitCodes,
};

export function run(args: readonly string[], context: Context): Promise<number> {
  return runOperatorCommand(sessionsPage, rows, args, context);
}

function list(call: Call, broker: OperatorsClient): Promise<number> {
  const match = call.words[0] ?? null;
  return printList<SessionFacts>(call, broker, {
    path: '/v1/sessions',
    query: { match, user: call.value('--user'), away: call.has('--away') ? '1' : null },
    columns: columnsAt(call.context.wall()),
    nothing: match === null ? 'There are no such sessions.' : `There is no such session of ${shown(match)}.`,
  });
}

async function show(call: Call, broker: OperatorsClient): Promise<number> {
  const facts = await broker.get<SessionDetail>(pathTo('/v1/sessions', call.words[0]!));
  if (call.has('--json')) {
    call.say(JSON.stringify(facts));
    return 0;
  }
  sayFacts(call, columnsAt(call.context.wall()), facts);
  if (facts.willTopic !== null) call.say('', `Its will goes to ${shown(facts.willTopic)}.`);
  if (facts.filters.length === 0) return 0;
  const filters = facts.filters.map(({ filter, qos, noLocal, retainAsPublished, identifier }) => [
    shown(filter),
    String(qos),
    [noLocal ? 'no local' : '', retainAsPublished ? 'retain as published' : '', identifier > 0 ? `identifier ${identifier}` : ''].filter(each => each !== '').join(', '),
  ]); // prettier-ignore
  call.say('', ...textTable(['FILTER', 'QOS', 'OPTIONS'], filters));
  return 0;
}
