/** Access rules as a broker would read them, without a broker: the configuration, its files, databases and plugins. */
import type { ListenerRules, Log } from '../../broker/ports.ts';
import { loadConfiguration, type Settings } from '../../conf/mod.ts';
import { type ConfiguredAccessControl, createAccessControl, type DynamicRules, HashQueue } from '../../security/mod.ts';
import { AuthBackends } from '../auth-backends.ts';
import { listenerRules, securityScopes } from '../map-settings.ts';
import { PluginOffice } from '../plugins.ts';

export type FilesAccess =
  | { ok: true; access: ConfiguredAccessControl; listeners: readonly ListenerRules[]; close: () => Promise<void> }
  | { ok: false; lines: readonly string[] };

export async function accessFromFiles(configuration: string | null, home: string | null): Promise<FilesAccess> {
  const result = loadConfiguration(configuration, { ports: [], home });
  if (!result.ok) {
    const { lines, explanation } = result.failure;
    return { ok: false, lines: [...lines, ...explanation.map(line => `  ${line}`)] };
  }
  const { settings } = result;
  const dynamicSecurity = await dynamicRules(settings);
  if (typeof dynamicSecurity === 'string')
    return { ok: false, lines: [`Error: Dynamic security: ${dynamicSecurity}.`] };
  const queue = new HashQueue();
  const backends = new AuthBackends(silent, queue, () => {});
  const unusable = await backends.prepare(settings);
  if (unusable !== null) return { ok: false, lines: unusable.lines };
  const rules = settings.listeners.map(listenerRules);
  const plugins = new PluginOffice(silent, []);
  const close = async (): Promise<void> => {
    await plugins.stop();
    await backends.close();
  };
  const unloadable = await plugins.open(settings, rules);
  if (unloadable !== null) {
    await close();
    return { ok: false, lines: unloadable.lines };
  }
  const created = createAccessControl(securityScopes(settings.listeners, rules), {
    log: silent,
    queue,
    backends,
    authorizers: plugins.authorizers,
    ...(dynamicSecurity === null ? {} : { dynamicSecurity }),
    devicePolicy: settings.devicePolicy,
  });
  if (!created.ok) {
    await close();
    return { ok: false, lines: created.failure.lines };
  }
  const listeners = rules.filter(({ protocol }) => protocol !== 'http_api');
  return { ok: true, access: created.access, listeners, close };
}

const silent: Log = { debug: false, subscribe: false, unsubscribe: false, connections: false, write: () => {} };

/** Null where the configuration has none; a string is why its rules cannot be known: half of them would mislead. */
async function dynamicRules({ dynamicSecurity }: Settings): Promise<DynamicRules | string | null> {
  if (dynamicSecurity === null) return null;
  const { rulesOfFile } = await import('../../security/dynamic-security/mod.ts');
  return rulesOfFile(dynamicSecurity.configFile, new HashQueue());
}
