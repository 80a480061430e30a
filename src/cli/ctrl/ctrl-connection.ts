/** Around the connection of `ctrl`: the options file, the profile, and how a place is written. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConnectOptions } from '../../client/mod.ts';
import { applyProfile } from '../client/use-profile.ts';
import { connectOptions } from '../client/settings.ts';
import type { Context } from '../context.ts';
import { systemWords } from '../system-words.ts';
import type { CtrlDraft } from './ctrl-options.ts';

/** Where nothing says where to connect, the profile does. Called by Mosquitto's name, only when asked for. */
export function profileProblem(draft: CtrlDraft, context: Context): string[] | null {
  if (draft.profile !== undefined) return applyProfile(draft, draft.profile, context.environment);
  return saysWhere(draft) || context.calledAs !== 'zancudo' ? null : applyProfile(draft, null, context.environment);
}

export function saysWhere({ host, port, unixSocket, cafile, capath, psk, profile }: CtrlDraft): boolean {
  return (host ?? port ?? unixSocket ?? cafile ?? capath ?? psk ?? profile) !== undefined;
}

/** Rejects with a ClientError or a SettingFault. */
export async function ctrlConnectOptions(draft: CtrlDraft, context: Context): Promise<ConnectOptions> {
  const options = await connectOptions(draft);
  return draft.debug ? { ...options, trace: line => context.complain(`${line}\n`) } : options;
}

export function placeOf({ unixSocket, host, port, tls }: ConnectOptions): string {
  return unixSocket ?? `${tls === undefined ? 'mqtt' : 'mqtts'}://${host ?? 'localhost'}:${port ?? ''}`;
}

/** Lines of the options file without comments. A default one that is not there has none; a named one is complained of. */
export function optionsFileLines(named: string | undefined, tool: string, context: Context): string[] {
  const file = named ?? defaultOptionsFile(tool, context.environment);
  if (file === null) return [];
  try {
    const lines = readFileSync(file, 'utf8').split(/\r?\n/);
    return lines.filter(line => !line.startsWith('#'));
  } catch (error) {
    if (named !== undefined) {
      context.complain(`Warning: The options file ${named} is left out: ${systemWords(error)}.\n`);
    }
    return [];
  }
}

function defaultOptionsFile(tool: string, environment: Context['environment']): string | null {
  const { XDG_CONFIG_HOME: folder, HOME: home } = environment;
  if (folder) return join(folder, tool);
  return home ? join(home, '.config', tool) : null;
}
