/** Access rules as a broker would read them, without a broker: the configuration and the files that it names. */
import type { ListenerRules } from '../../broker/ports.ts';
import { loadConfiguration, type Settings } from '../../conf/mod.ts';
import { type ConfiguredAccessControl, createAccessControl, type DynamicRules, HashQueue } from '../../security/mod.ts';
import { listenerRules, securityScopes } from '../map-settings.ts';

export type FilesAccess =
  | { ok: true; access: ConfiguredAccessControl; listeners: readonly ListenerRules[] }
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
  const rules = settings.listeners.map(listenerRules);
  const created = createAccessControl(securityScopes(settings.listeners, rules), {
    log: { debug: false, subscribe: false, unsubscribe: false, connections: false, write: () => {} },
    ...(dynamicSecurity === null ? {} : { dynamicSecurity }),
    devicePolicy: settings.devicePolicy,
  });
  if (!created.ok) return { ok: false, lines: created.failure.lines };
  const listeners = rules.filter(({ protocol }) => protocol !== 'http_api');
  return { ok: true, access: created.access, listeners };
}

/** Null where the configuration has none; a string is why its rules cannot be known: half of them would mislead. */
async function dynamicRules({ dynamicSecurity }: Settings): Promise<DynamicRules | string | null> {
  if (dynamicSecurity === null) return null;
  const { rulesOfFile } = await import('../../security/dynamic-security/mod.ts');
  return rulesOfFile(dynamicSecurity.configFile, new HashQueue());
}
