/** The command `quarantine`: devices of which nothing passes, because they tried what their certificate does not allow. */
import type { OperatorsClient, QuarantineReport } from '../admin/mod.ts';
import { type Call, pageOf, type Subcommand } from './ca/subcommand.ts';
import { textTable } from './ca/table.ts';
import type { CommandPage } from './command-page.ts';
import type { Context } from './context.ts';
import { brokerOptions, operatorExitCodes, runOperatorCommand, withBroker } from './operate/ask-broker.ts';
import { pathTo } from './operate/lists.ts';
import { shown, spanText } from './operate/words.ts';

const rows: readonly Subcommand[] = [
  {
    name: 'list',
    atLeast: 0,
    atMost: 0,
    options: [{ long: '--json', says: 'For machines.' }, ...brokerOptions],
    says: 'Who is in quarantine, since when and why. Without a word behind it the command lists.',
    run: call => withBroker(call, broker => list(call, broker)),
  },
  {
    name: 'release',
    operands: 'DEVICE...',
    atLeast: 1,
    atMost: Infinity,
    options: brokerOptions,
    says: 'Let devices out. A device that tries the same again is back at once, unless its template allows it by then.',
    run: call => withBroker(call, broker => release(call, broker)),
  },
];

export const quarantinePage: CommandPage = {
  ...pageOf(
    {
      command: 'quarantine',
      summary: 'devices that tried what they may not, and of which nothing passes',
      about: [
        "With 'device_policy quarantine' in its configuration the broker puts a device (zancudo device) there that publishes, or asks for, what its certificate does not allow. It stays connected. A template that allows what it tried lets it out by itself.",
      ],
    },
    rows,
  ),
  usage: ['[list] [OPTION...]', 'release DEVICE...'],
  exitCodes: operatorExitCodes,
};

export function run(args: readonly string[], context: Context): Promise<number> {
  return runOperatorCommand(quarantinePage, rows, args, context);
}

async function list(call: Call, broker: OperatorsClient): Promise<number> {
  const report = await broker.get<QuarantineReport>('/v1/quarantine');
  const { policy, devices } = report;
  if (call.has('--json')) call.say(JSON.stringify(report, null, 2));
  else if (devices.length > 0) {
    const now = call.context.wall();
    const cells = devices.map(({ device, clientId, address, attempt, because, since }) => {
      return [device, shown(clientId), address, `${spanText(Math.max(0, now - since) / 1000)} ago`, shown(`${attempt}: ${because}`)];
    });
    call.say(...textTable(['DEVICE', 'CLIENT', 'FROM', 'SINCE', 'WHY'], cells));
  } else call.say(policy === 'quarantine' ? 'No device is in quarantine.' : "No device is in quarantine: this broker refuses the attempt alone ('device_policy quarantine' holds the device).");
  return 0;
} // prettier-ignore

async function release(call: Call, broker: OperatorsClient): Promise<number> {
  const { AskError } = await import('../admin/mod.ts');
  let failed = 0;
  for (const name of call.words) {
    try {
      await broker.remove(pathTo('/v1/quarantine', name));
      call.say(`${shown(name)} is out of quarantine.`);
    } catch (error) {
      if (!(error instanceof AskError) || error.status !== 404) throw error;
      call.warn(`Error: ${shown(error.message)}.`);
      failed = 1;
    }
  }
  return failed;
}
