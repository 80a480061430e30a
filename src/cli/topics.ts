/** The command `topics`: what is subscribed to, and who would get a message. */
import type { FilterFacts, OperatorsClient, TopicReport } from '../admin/mod.ts';
import { type Call, pageOf, type Subcommand } from './ca/subcommand.ts';
import { textTable } from './ca/table.ts';
import type { CommandPage } from './command-page.ts';
import type { Context } from './context.ts';
import { brokerOptions, operatorExitCodes, runOperatorCommand, withBroker } from './operate/ask-broker.ts';
import { type Column, jsonLinesOption, listOptions, pathTo, printList } from './operate/lists.ts';
import { bytesText, shown } from './operate/words.ts';

const columns: readonly Column<FilterFacts>[] = [
  { title: 'FILTER', cell: each => each.filter },
  { title: 'SUBSCRIBERS', cell: each => each.subscribers },
  { title: 'SHARED', cell: each => each.groups.map(({ name, members }) => `${name} (${members})`).join(', ') || '-' },
];

const rows: readonly Subcommand[] = [
  {
    name: 'list',
    operands: '[PATTERN]',
    atLeast: 0,
    atMost: 1,
    options: listOptions,
    says: 'Every filter that somebody is subscribed to; * in PATTERN stands for any characters. Without a word behind it the command lists.',
    run: call =>
      withBroker(call, broker => {
        const match = call.words[0] ?? null;
        const nothing = 'Nobody is subscribed to such a filter.';
        return printList<FilterFacts>(call, broker, { path: '/v1/topics', query: { match }, columns, nothing });
      }),
  },
  {
    name: 'show',
    operands: 'TOPIC',
    atLeast: 1,
    atMost: 1,
    options: [jsonLinesOption, ...brokerOptions],
    says: 'Whose subscriptions a message on this topic would meet, and what is retained on it. Access rules are not asked.',
    run: call => withBroker(call, broker => show(call, broker)),
  },
];

export const topicsPage: CommandPage = {
  ...pageOf({ command: 'topics', summary: 'what is subscribed to, and who would get a message', about: [] }, rows),
  usage: ['[PATTERN] [OPTION...]', 'show TOPIC'],
  exitCodes: operatorExitCodes,
};

export function run(args: readonly string[], context: Context): Promise<number> {
  return runOperatorCommand(topicsPage, rows, args, context);
}

async function show(call: Call, broker: OperatorsClient): Promise<number> {
  const report = await broker.get<TopicReport>(pathTo('/v1/topics', call.words[0]!));
  if (call.has('--json')) {
    call.say(JSON.stringify(report));
    return 0;
  }
  const { receivers, retained } = report;
  if (receivers.length === 0) call.say('Nobody is subscribed to it.');
  else {
    const lines = receivers.map(({ clientId, filter, qos, connected, group }) => [
      shown(clientId),
      shown(filter),
      String(qos),
      connected ? 'connected' : 'away',
      group === null ? '' : 'one of the group',
    ]);
    call.say(...textTable(['CLIENT', 'FILTER', 'QOS', 'STATE', ''], lines));
  }
  if (retained === null) call.say('', 'Nothing is retained on it.');
  else call.say('', `Retained: ${bytesText(retained.bytes)}, QoS ${retained.qos}${preview(retained.preview)}`);
  return 0;
}

const preview = (text: string | null): string => (text === null || text === '' ? '' : `: ${shown(text)}`);
