/** Topics of the broker's own: `$CONTROL` for dynamic security and the broker's API, and Sparkplug's certificates. */
import type { Broker } from '../broker/mod.ts';
import type { ListenerRules } from '../broker/ports.ts';
import type { Settings } from '../conf/mod.ts';
import type { BrokerLog } from '../observability/mod.ts';
import type { DynamicSecurity } from '../security/dynamic-security/mod.ts';
import type { ConfiguredAccessControl, HashQueue } from '../security/mod.ts';
import type { StartFailure } from './assemble.ts';
import { controlApi } from './control-api.ts';

/** Null where the configuration has none. */
export async function openDynamicSecurity(
  { dynamicSecurity }: Settings,
  log: BrokerLog,
  queue: HashQueue,
): Promise<{ ok: true; security: DynamicSecurity | null } | StartFailure> {
  if (dynamicSecurity === null) return { ok: true, security: null };
  const part = await import('../security/dynamic-security/mod.ts');
  return part.openDynamicSecurity(dynamicSecurity, log, queue);
}

/** Serves what the settings in force want served; to be called again when they have changed. */
export function serveOwnTopics(
  broker: Broker,
  access: ConfiguredAccessControl,
  security: DynamicSecurity | null,
  settings: () => Settings,
  rules: readonly ListenerRules[],
): () => void {
  if (security !== null) broker.services.add(security.service(broker.control, () => access.rulesChanged()));
  const api = controlApi(settings, broker.log);
  return () => {
    const { listeners } = settings();
    broker.sparkplugAware = new Set(rules.filter((_, i) => listeners[i]?.sparkplugAware));
    if (settings().enableControlApi) broker.services.add(api);
    else broker.services.remove(api);
  };
}
