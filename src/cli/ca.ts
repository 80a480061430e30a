/** The command `ca`: the certificate authority of a home. */
import { importCommand, rolloverCommand } from './ca/change.ts';
import { exportCommand } from './ca/export.ts';
import { initCommand, showCommand } from './ca/init.ts';
import { issueClientCommand, issueServerCommand, renewCommand, signCommand } from './ca/issue.ts';
import { listCommand } from './ca/list.ts';
import { revokeCommand } from './ca/revoke.ts';
import { pageOf, runSubcommand, type Subcommand } from './ca/subcommand.ts';
import type { Context } from './context.ts';

const commands: readonly Subcommand[] = [
  initCommand,
  showCommand,
  exportCommand,
  importCommand,
  issueServerCommand,
  issueClientCommand,
  signCommand,
  renewCommand,
  revokeCommand,
  listCommand,
  rolloverCommand,
];

export const caPage = pageOf(
  {
    command: 'ca',
    summary: 'the certificate authority of this broker',
    about: [
      'A root, which can be kept on a stick, signs an issuing CA, which signs everything else. Devices are given the root: ca.crt.',
    ],
  },
  commands,
);

export function run(args: readonly string[], context: Context): Promise<number> {
  return runSubcommand(caPage, commands, args, context);
}
