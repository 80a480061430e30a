/** The command `reload`: SIGHUP with an answer. */
import type { OperatorsClient, ReloadReport } from '../admin/mod.ts';
import { type Call, pageOf, type Subcommand } from './ca/subcommand.ts';
import type { CommandPage } from './command-page.ts';
import type { Context } from './context.ts';
import { brokerOptions, operatorExitCodes, runOperatorCommand, withBroker } from './operate/ask-broker.ts';

const rows: readonly Subcommand[] = [
  {
    name: 'reload',
    atLeast: 0,
    atMost: 0,
    options: [{ long: '--json', says: 'For machines.' }, ...brokerOptions],
    says: 'Read everything again and put in force what has changed.',
    run: call => withBroker(call, broker => reload(call, broker)),
  },
];

export const reloadPage: CommandPage = {
  ...pageOf(
    {
      command: 'reload',
      summary: 'lets the broker read its files again, and says what has changed',
      about: [
        'As SIGHUP does: the configuration, passwords, access rules, certificates and revocation lists. A bad file changes nothing. Nobody is cut off whose rights have not shrunk.',
      ],
    },
    rows,
  ),
  usage: ['[OPTION...]'],
  exitCodes: operatorExitCodes,
};

export function run(args: readonly string[], context: Context): Promise<number> {
  return runOperatorCommand(reloadPage, rows, args, context);
}

async function reload(call: Call, broker: OperatorsClient): Promise<number> {
  const report = await broker.post<ReloadReport>('/v1/reload', []);
  if (call.has('--json')) call.say(JSON.stringify(report, null, 2));
  else tell(call, report);
  return report.ok ? 0 : 1;
}

function tell(call: Call, { ok, changed, disconnected, said }: ReloadReport): void {
  if (said.length > 0) call.warn(...said);
  if (!ok) call.warn('Not everything could be put in force; what could not stays as it was.');
  if (changed.length > 0) call.say('In force now:', ...changed.map(line => `  ${line}`));
  else if (ok) call.say('Read again; nothing that takes effect now has changed.');
  if (disconnected === 1) call.say('1 client is no longer allowed and was disconnected.');
  if (disconnected > 1) call.say(`${disconnected} clients are no longer allowed and were disconnected.`);
}
