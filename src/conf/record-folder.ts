/** Where the flight recorder keeps its files. */
import path from 'node:path';
import { storeFile } from './persist-plugin.ts';
import type { Settings } from './settings.ts';

/** `home` is null for a broker on a configuration of its own. The answer is null when there is no place, or no record. */
export function recordFolder(settings: Settings, home: string | null): string | null {
  if (!settings.flightRecorder) return null;
  if (settings.flightRecorderLocation !== null) return path.resolve(settings.flightRecorderLocation);
  if (home !== null) return path.join(home, 'record');
  const store = storeFile(settings);
  return store === null ? null : path.resolve(path.dirname(store), 'zancudo-record');
}
