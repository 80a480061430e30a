/** The command `broker`, which is also what happens when no command is named. */
import { exitCodes, productVersion } from '../server/process/mod.ts';
import { parseBrokerArguments, type CommandLineError } from './broker-options.ts';
import { brokerUsage, versionText } from './broker-usage.ts';
import type { Context } from './context.ts';

export async function run(args: readonly string[], context: Context): Promise<number> {
  const asMosquitto = context.calledAs === 'mosquitto';
  const home = context.environment['ZANCUDO_HOME'] || null;
  const outcome = parseBrokerArguments(args, { asMosquitto, home });
  if (outcome.kind === 'error') return refuse(outcome.error, context);
  if (outcome.kind === 'run') {
    // Loaded only here: help, version and wrong options answer without the broker's code.
    const { runBroker } = await import('../server/mod.ts');
    return runBroker(outcome.command);
  }
  context.print(outcome.kind === 'help' ? brokerUsage(context.calledAs) : versionText());
  if (outcome.kind === 'help' && !asMosquitto) context.print((await import('./pages.ts')).commandList());
  return exitCodes.ok;
}

/** Lines look like those of the log, which does not exist yet. */
function refuse(error: CommandLineError, context: Context): number {
  const prefix = `${Math.floor(context.wall() / 1000)}: `;
  context.complain(`${error.withUsage ? '' : prefix}${error.line}\n`);
  if (error.hint !== null) context.complain(`  ${error.hint}\n`);
  context.complain(`${prefix}zancudo version ${productVersion()} terminating\n`);
  if (error.withUsage) context.print(brokerUsage(context.calledAs));
  return exitCodes.configuration;
}
