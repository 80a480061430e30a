/**
 * Plugin lines name parts of ours by the file names of Mosquitto's plugins; what they configure was resolved when the
 * configuration was read. Here they are announced as Mosquitto does, and a file of somebody else is refused.
 */
import fs from 'node:fs';
import type { PluginKind, PluginSettings } from '../conf/mod.ts';
import type { BrokerLog } from '../observability/mod.ts';
import { exitCodes, type ProcessFailure } from './process/mod.ts';

/** What each asks for, in Mosquitto's order (docs/compat/errors-logs.md, 2). */
const events: Partial<Record<PluginKind, readonly string[]>> = {
  'dynamic-security': ['control', 'basic-auth', 'acl-check', 'tick'],
  'password-file': ['basic-auth', 'reload'],
  'acl-file': ['acl-check', 'reload'],
  'sparkplug-aware': ['message-in'],
  // prettier-ignore
  'persist-sqlite': ['persist-restore', 'persist-base-msg-add', 'persist-base-msg-delete', 'persist-retain-msg-set', 'persist-retain-msg-delete', 'persist-client-add', 'persist-client-delete', 'persist-client-update', 'persist-subscription-add', 'persist-subscription-delete', 'persist-client-msg-add', 'persist-client-msg-delete', 'persist-client-msg-update', 'persist-will-add', 'persist-will-delete', 'tick'],
};

export function startPlugins(plugins: readonly PluginSettings[], log: BrokerLog): { ok: true } | ProcessFailure {
  for (const { kind, path } of plugins) {
    // Loaded with what they are asked about (plugins.ts), and announced then.
    if (kind === 'javascript') continue;
    log.write('information', `Loading plugin: ${path}`, { code: 'plugin.loading', file: path });
    if (kind === 'foreign') return refusal(path);
    for (const event of events[kind] ?? []) {
      const where = event === 'control' ? ' on topic $CONTROL/dynamic-security/v1' : '';
      log.write(
        'information',
        `Plugin ${nameOf(kind)}has registered to receive '${event}' events${where}.`,
        'plugin.loading',
      );
    }
  }
  return { ok: true };
}

/** Mosquitto's SQLite plugin sets no name. */
function nameOf(kind: PluginKind): string {
  return kind === 'persist-sqlite' ? '' : `${kind} `;
}

function refusal(path: string): ProcessFailure {
  const why = fs.existsSync(path)
    ? 'it is machine code against the insides of Mosquitto'
    : 'cannot open shared object file: No such file or directory';
  const lines = [
    `Error: Unable to load plugin "${path}".`,
    `Load error: ${path}: ${why}`,
    '  Plugins made for Mosquitto cannot run here; one in JavaScript can (docs/guides/plugins.md).',
    '  Built in under their own names: mosquitto_dynamic_security.so, mosquitto_password_file.so, mosquitto_acl_file.so, mosquitto_persist_sqlite.so and mosquitto_sparkplug_aware.so.',
  ];
  return { ok: false, lines, exitCode: exitCodes.securityFile, code: 'plugin.cannot-load' };
}
