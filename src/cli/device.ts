/** The command `device`: one identity is one certificate and one access template, handed over as a kit. */
import { pageOf, runSubcommand, type Subcommand } from './ca/subcommand.ts';
import type { Context } from './context.ts';
import { addCommand, renameCommand, renewCommand } from './device/add.ts';
import { inviteCommand, inviteListCommand, inviteRevokeCommand } from './device/invite.ts';
import { listCommand, revokeCommand, showCommand, templateCommand } from './device/tell.ts';

const commands: readonly Subcommand[] = [
  addCommand,
  inviteCommand,
  inviteListCommand,
  inviteRevokeCommand,
  listCommand,
  showCommand,
  renewCommand,
  revokeCommand,
  renameCommand,
  templateCommand,
];

export const devicePage = pageOf(
  {
    command: 'device',
    summary: 'devices of this broker, each with a certificate of its own',
    about: [
      'A device is let in by its certificate and needs no password. It may use the topics that its access template says, devices/NAME/# unless another one is chosen.',
    ],
  },
  commands,
);

export function run(args: readonly string[], context: Context): Promise<number> {
  return runSubcommand(devicePage, commands, args, context);
}
