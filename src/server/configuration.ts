/** Where the settings come from: a file named by -c, the secure home, or nothing (local-only mode). */
import { type ConfFailure, type LoadResult, loadConfiguration } from '../conf/mod.ts';
import type { BrokerLog } from '../observability/mod.ts';
import { defaultHome, type Home, prepareHome } from './first-start.ts';
import type { BrokerCommand } from './process/mod.ts';

export interface Configuration {
  result: LoadResult;
  /** Only when nobody named a file. */
  home: Home | null;
}

export async function readConfiguration(command: BrokerCommand): Promise<Configuration> {
  if (command.mode !== 'home') return { result: reread(command, null), home: null };
  const home = await prepareHome(command.home ?? defaultHome(process.env));
  return { result: reread(command, home), home };
}

/** The same file again, for a reload. */
export function reread({ configurationFile, ports }: BrokerCommand, home: Home | null): LoadResult {
  return loadConfiguration(home?.configFile ?? configurationFile, { ports });
}

/** Mosquitto's lines first, ours behind them. */
export function logFailure(log: BrokerLog, { lines, explanation }: ConfFailure): void {
  for (const line of lines) log.write('error', line);
  for (const line of explanation) log.write('error', `  ${line}`);
}

export function logMessages(log: BrokerLog, { messages }: LoadResult): void {
  for (const { as, text } of messages) log.write(as, text);
}
