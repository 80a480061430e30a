/** Access rules as a broker would read them, without a broker: the configuration and the files that it names. */
import type { ListenerRules } from '../../broker/ports.ts';
import { loadConfiguration, type Settings } from '../../conf/mod.ts';
import { type ConfiguredAccessControl, createAccessControl } from '../../security/mod.ts';
import { listenerRules, securityScopes } from '../map-settings.ts';

export type FilesAccess =
  | { ok: true; access: ConfiguredAccessControl; listeners: readonly ListenerRules[] }
  | { ok: false; lines: readonly string[] };

export function accessFromFiles(configuration: string | null, home: string | null): FilesAccess {
  const result = loadConfiguration(configuration, { ports: [], home });
  if (!result.ok) {
    const { lines, explanation } = result.failure;
    return { ok: false, lines: [...lines, ...explanation.map(line => `  ${line}`)] };
  }
  const { settings } = result;
  const elsewhere = decidedElsewhere(settings);
  if (elsewhere !== null) return { ok: false, lines: [elsewhere] };
  const rules = settings.listeners.map(listenerRules);
  const created = createAccessControl(securityScopes(settings.listeners, rules), {
    log: { debug: false, subscribe: false, unsubscribe: false, connections: false, write: () => {} },
    devicePolicy: settings.devicePolicy,
  });
  if (!created.ok) return { ok: false, lines: created.failure.lines };
  const listeners = rules.filter(({ protocol }) => protocol !== 'http_api');
  return { ok: true, access: created.access, listeners };
}

/** Half of the rules would give wrong answers. */
function decidedElsewhere({ listeners }: Settings): string | null {
  const dynamic = listeners.some(({ security }) => (security.dynamicSecurity ?? null) !== null);
  if (!dynamic) return null;
  return 'Error: Dynamic security decides here, too, and answers through the broker that runs: start it, or name it with --socket PATH.';
}
