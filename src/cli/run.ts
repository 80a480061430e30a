/**
 * Picks the command: the first word when it is no option, else `broker`. Under the name of a Mosquitto tool the program
 * is that tool and every word is for it. Each command is loaded when it is asked for, so that a short one starts fast.
 */
import type { Command, Context } from './context.ts';
import { nearestName } from './nearest-name.ts';

interface CommandRow {
  name: string;
  /** The Mosquitto tool whose place it takes when the program is called by that name. */
  tool?: string;
  load: () => Promise<Command>;
}

/** The exit code; the table of them is loaded with the broker. */
const failure = 1;

const commands: readonly CommandRow[] = [
  { name: 'broker', tool: 'mosquitto', load: () => import('./broker.ts') },
  { name: 'ctrl', tool: 'mosquitto_ctrl', load: () => import('./ctrl.ts') },
  { name: 'passwd', tool: 'mosquitto_passwd', load: () => import('./passwd.ts') },
  { name: 'users', load: () => import('./users.ts') },
  { name: 'pub', tool: 'mosquitto_pub', load: () => import('./pub.ts') },
  { name: 'sub', tool: 'mosquitto_sub', load: () => import('./sub.ts') },
  { name: 'rr', tool: 'mosquitto_rr', load: () => import('./rr.ts') },
  { name: 'profile', load: () => import('./profile.ts') },
  { name: 'aliases', load: () => import('./aliases.ts') },
  { name: 'signal', tool: 'mosquitto_signal', load: () => import('./signal.ts') },
  { name: 'ca', load: () => import('./ca.ts') },
  { name: 'device', load: () => import('./device.ts') },
  { name: 'enroll', load: () => import('./enroll.ts') },
  { name: 'doctor', load: () => import('./doctor.ts') },
  { name: 'probe', load: () => import('./probe.ts') },
  { name: 'bench', load: () => import('./bench.ts') },
  { name: 'import', load: () => import('./import.ts') },
  { name: 'export', load: () => import('./export.ts') },
  { name: 'backup', load: () => import('./backup.ts') },
  { name: 'restore', load: () => import('./restore.ts') },
  { name: 'status', load: () => import('./status.ts') },
  { name: 'clients', load: () => import('./clients.ts') },
  { name: 'sessions', load: () => import('./sessions.ts') },
  { name: 'topics', load: () => import('./topics.ts') },
  { name: 'retained', load: () => import('./retained.ts') },
  { name: 'drops', load: () => import('./drops.ts') },
  { name: 'bridges', load: () => import('./bridges.ts') },
  { name: 'bans', load: () => import('./bans.ts') },
  { name: 'explain', load: () => import('./explain.ts') },
  { name: 'help', load: () => import('./help.ts') },
  { name: 'trace', load: () => import('./trace.ts') },
  { name: 'report', load: () => import('./report.ts') },
  { name: 'what', load: () => import('./what.ts') },
  { name: 'quarantine', load: () => import('./quarantine.ts') },
  { name: 'reload', load: () => import('./reload.ts') },
  { name: 'completion', load: () => import('./completion.ts') },
];

export async function run(args: readonly string[], context: Context): Promise<number> {
  const tool = commands.find(each => each.tool === context.calledAs);
  if (tool !== undefined) return (await tool.load()).run(args, context);
  const word = args[0];
  const namesCommand = word !== undefined && !word.startsWith('-');
  const name = namesCommand ? word : 'broker';
  const row = commands.find(each => each.name === name);
  if (row === undefined) return unknownCommand(name, context);
  const command = await row.load();
  return command.run(namesCommand ? args.slice(1) : args, context);
}

function unknownCommand(name: string, context: Context): number {
  const meant = nearestName(name, [...commands.map(row => row.name), '--help', '--version']);
  const guess = meant === null ? '' : ` Did you mean '${meant}'?`;
  context.complain(`zancudo: there is no command '${name}'.${guess} 'zancudo --help' lists what there is.\n`);
  return failure;
}
