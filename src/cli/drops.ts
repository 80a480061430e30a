/** The command `drops`: messages that did not reach somebody, whose and why. */
import type { DropsReport, OperatorsClient } from '../admin/mod.ts';
import { type Call, pageOf, type Subcommand } from './ca/subcommand.ts';
import { textTable } from './ca/table.ts';
import type { CommandPage } from './command-page.ts';
import type { Context } from './context.ts';
import { brokerOptions, operatorExitCodes, runOperatorCommand, withBroker } from './operate/ask-broker.ts';
import { bytesText, shown, spanText } from './operate/words.ts';

const rows: readonly Subcommand[] = [
  {
    name: 'drops',
    atLeast: 0,
    atMost: 0,
    options: [{ long: '--json', says: 'For machines.' }, ...brokerOptions],
    says: 'Say what was dropped since the broker was started.',
    run: call => withBroker(call, broker => tell(call, broker)),
  },
];

export const dropsPage: CommandPage = {
  ...pageOf(
    {
      command: 'drops',
      summary: 'messages that did not reach somebody: whose, how many, why',
      about: ['Since the broker was started; clients with the most drops by name, the others together.'],
    },
    rows,
  ),
  usage: ['[OPTION...]'],
  exitCodes: operatorExitCodes,
};

export function run(args: readonly string[], context: Context): Promise<number> {
  return runOperatorCommand(dropsPage, rows, args, context);
}

async function tell(call: Call, broker: OperatorsClient): Promise<number> {
  const report = await broker.get<DropsReport>('/v1/drops');
  if (call.has('--json')) {
    call.say(JSON.stringify(report, null, 2));
    return 0;
  }
  const { dropText } = await import('../admin/mod.ts');
  const totals = report.totals.filter(({ messages }) => messages > 0);
  if (totals.length === 0) {
    call.say('Nothing was dropped since the broker was started.');
    return 0;
  }
  call.say(...textTable(['CAUSE', 'MESSAGES'], totals.map(({ cause, messages }) => [dropText(cause), String(messages)]))); // prettier-ignore
  const now = call.context.wall();
  const clients = report.clients.map(({ clientId, cause, messages, bytes, lastAt }) => [
    clientId === '' ? '(others)' : shown(clientId),
    dropText(cause),
    String(messages),
    bytesText(bytes),
    `${spanText(Math.max(0, (now - lastAt) / 1000))} ago`,
  ]);
  if (clients.length > 0) call.say('', ...textTable(['CLIENT', 'CAUSE', 'MESSAGES', 'BYTES', 'LAST'], clients));
  return 0;
}
