/** Where the settings come from: a file named by -c, the secure home, or nothing (local-only mode). */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { type ConfFailure, type ConfMessage, type LoadResult, loadConfiguration, type Settings } from '../conf/mod.ts';
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

/**
 * `bind_address` takes a name, and a name that nobody knows is a fault of the configuration: it is looked up here,
 * because reading the file does not wait for anybody.
 */
export async function unresolvableAddress(settings: Settings): Promise<ConfFailure | null> {
  const place = settings.places['bind_address'];
  for (const { host, isDefault } of settings.listeners) {
    if (!isDefault || host === null || place === undefined || isIP(host) !== 0) continue;
    if (await lookup(host).catch(() => null)) continue;
    return {
      lines: [
        'Error: Error resolving bind_address: Name or service not known.',
        `Error found at ${place.file}:${place.line}.`,
      ],
      explanation: [
        `"${host}" is no address and no name that this machine knows; without bind_address every address is served.`,
      ],
      exitCode: 3,
    };
  }
  return null;
}

/** The same file again, for a reload. */
export function reread({ configurationFile, ports }: BrokerCommand, home: Home | null): LoadResult {
  return loadConfiguration(home?.configFile ?? configurationFile, { ports, home: home?.folder ?? null });
}

/** Mosquitto's lines first, ours behind them. */
export function logFailure(log: BrokerLog, { lines, explanation }: ConfFailure): void {
  for (const line of lines) log.write('error', line, 'conf.invalid');
  for (const line of explanation) log.write('error', `  ${line}`, 'conf.invalid');
}

export function logMessages(log: BrokerLog, messages: readonly ConfMessage[]): void {
  for (const { as, text } of messages) log.write(as, text, namesPlace.test(text) ? 'conf.remark' : 'conf.warning');
}

/** Our own words name file and line in front; Mosquitto's never do. */
const namesPlace = /^\S+:\d+: /;
