/** The command `report`: what somebody who is to help needs to know, without the secrets. */
import { pageOf, runSubcommand, type Subcommand } from './ca/subcommand.ts';
import type { CommandPage } from './command-page.ts';
import type { Context } from './context.ts';
import { brokerOptions, operatorExitCodes } from './operate/ask-broker.ts';
import { recordOption } from './what.ts';

const command: Subcommand = {
  name: 'report',
  atLeast: 0,
  atMost: 0,
  options: [
    { long: '--output', argument: 'FILE', completes: 'file', says: 'The bundle; zancudo-report-DATE.zip in this folder unless given.' },
    { long: '--show', says: 'Print everything that would be in it, and write nothing.' },
    { long: '--yes', says: 'Write it without asking.' },
    recordOption,
    ...brokerOptions,
  ],
  says: 'Gather it, show what is in it, and write it.',
  run: async call => (await import('./report/report.ts')).makeReport(call),
}; // prettier-ignore

export const reportPage: CommandPage = {
  command: 'report',
  summary: 'bundles what a bug report needs, without secrets',
  usage: ['[--show | --yes] [--output FILE] [OPTION...]'],
  about: [
    'In the bundle are versions, the configuration without anything that may be secret, the findings of the doctor, the last events of the flight recorder, and the status of the broker if it runs. What is in it is shown before it is written; names of clients, topics and addresses are in it.',
  ],
  options: pageOf({ command: 'report', summary: '', about: [] }, [command]).options,
  exitCodes: operatorExitCodes,
};

export function run(args: readonly string[], context: Context): Promise<number> {
  const long = args.map(word => (word === '-c' ? '--config-file' : word === '-o' ? '--output' : word));
  return runSubcommand(reportPage, [command], ['report', ...long], context);
}
