/**
 * `plugin …/mosquitto_persist_sqlite.so` and its options, as the store that stands for it (docs/compat/persist-sqlite.md,
 * 1). Its file is the one that Mosquitto's plugin would have used.
 *
 *   persistence_location, or the environment's    ->  mosquitto.sqlite3 in it; db_file does not count
 *   neither of the two                            ->  plugin_opt_db_file
 *   none of the three                             ->  a warning, and nothing is kept
 */
import path from 'node:path';
import { ConfError, placeText } from './error.ts';
import type { Reading } from './reading.ts';
import type { PluginSettings, Settings } from './settings.ts';

type PluginOption = PluginSettings['options'][number];

/** Whether the level promises that what was committed is on the disk. */
const syncLevels: Readonly<Record<string, boolean>> = { extra: true, full: true, normal: false, off: false };

/** Mosquitto's flush_period. */
const FLUSH_SECONDS = 5;

/** As durability_interval has it. */
const INTERVAL_SECONDS_MAX = 3600;

interface Asked {
  file: string | null;
  isSynced: boolean | null;
  flushSeconds: number | null;
  settings: Settings;
  reading: Reading;
}

const optionReaders: Readonly<Record<string, (asked: Asked, option: PluginOption) => void>> = {
  db_file: (asked, { value }) => void (asked.file = value),
  sync: readSync,
  flush_period: readFlushPeriod,
  page_size: (asked, option) => void (asked.settings.storePageSize = number(option, 1)),
};

/** Turns the store on when such a plugin is attached. */
export function settlePersistPlugin(reading: Reading): void {
  const { settings } = reading;
  const attached = new Set(reading.attachments.map(({ plugin }) => plugin));
  const [plugin, second] = [...attached].filter(({ kind }) => kind === 'persist-sqlite');
  if (plugin === undefined) return;
  if (second !== undefined) refuseAt(second, 'Error: The plugin mosquitto_persist_sqlite is there twice.', `One is enough: ${placeText(plugin.place)}.`); // prettier-ignore
  if (settings.persistence) {
    refuseAt(
      plugin,
      'Error: `persistence true` cannot be used with a persistence plugin.',
      'Either line turns the same store on: take one of the two out.',
    );
  }
  const asked: Asked = { file: null, isSynced: null, flushSeconds: null, settings, reading };
  for (const option of plugin.options) readOption(asked, option);
  useFile(asked);
  useDurability(asked);
}

function readOption(asked: Asked, option: PluginOption): void {
  const key = option.key.toLowerCase();
  const read = Object.hasOwn(optionReaders, key) ? optionReaders[key] : undefined;
  if (read !== undefined) return read(asked, option);
  // Mosquitto passes over what it does not know here, so a file that it starts with has to start.
  const known = Object.keys(optionReaders).join(', plugin_opt_');
  asked.reading.say('warning', `${placeText(option.place)}: 'plugin_opt_${option.key}' is no option of persist-sqlite. There are plugin_opt_${known}.`); // prettier-ignore
}

function useFile({ file, settings, reading }: Asked): void {
  const location = settings.persistenceLocation || (process.env['MOSQUITTO_PERSISTENCE_LOCATION'] ?? '');
  if (location === '' && file === null) {
    reading.say(
      'warning',
      'Warning: Sqlite persistence plugin has no plugin_opt_db_file defined. The plugin will not be activated.',
      "  Nothing is kept over a restart. Write 'persistence_location DIRECTORY'.",
    );
    return;
  }
  settings.persistence = true;
  if (location === '') settings.storeFile = file;
  else {
    settings.persistenceLocation = location;
    if (file === null || path.resolve(file) === path.resolve(location, storeFileName)) return;
    reading.say('warning', `'plugin_opt_db_file ${file}' does not count: with persistence_location the file is ${storeFileName} in it.`); // prettier-ignore
  }
}

/**
 * Whoever asks for less than a write for each acknowledgement gets it; Mosquitto's own default is less, and nobody asked
 * for it. A line of our own option is the last word.
 */
function useDurability({ isSynced, flushSeconds, settings }: Asked): void {
  if ('durability' in settings.places) return;
  const isLess = isSynced === false || (flushSeconds ?? 0) > 0;
  if (!isLess) return;
  settings.durability = 'interval';
  settings.durabilityIntervalSeconds = Math.min(Math.max(flushSeconds ?? FLUSH_SECONDS, 1), INTERVAL_SECONDS_MAX);
}

function readSync(asked: Asked, { value, place }: PluginOption): void {
  const level = value.toLowerCase();
  if (Object.hasOwn(syncLevels, level)) asked.isSynced = syncLevels[level]!;
  else throw new ConfError([`Sqlite persistence: Invalid plugin_opt_sync value '${value}'.`], [`There are ${Object.keys(syncLevels).join(', ')}.`], 3, place); // prettier-ignore
}

/** Text that is no number counts as 0, as in C. */
function readFlushPeriod(asked: Asked, option: PluginOption): void {
  asked.flushSeconds = /^\s*[+-]?\d/.test(option.value) ? number(option, 0) : 0;
}

function number({ key, value, place }: PluginOption, least: number): number {
  const found = Number.parseInt(value, 10);
  if (Number.isSafeInteger(found) && found >= least) return found;
  throw new ConfError([`Error: Invalid '${key}' value ${value} in configuration.`], [`It is a number from ${least}.`], 3, place); // prettier-ignore
}

function refuseAt({ place }: PluginSettings, line: string, remedy: string): never {
  throw new ConfError([line], [remedy], 3, place);
}

/** As Mosquitto's SQLite plugin names it, so that either can open the other's. */
const storeFileName = 'mosquitto.sqlite3';

/** What listeners put in front of topics, by their port; Mosquitto keeps the port of a client, and filters with this inside. */
export function mountPoints({ listeners }: Settings): Map<number, string> {
  return new Map(
    listeners.filter(({ mountPoint }) => mountPoint !== '').map(({ port, mountPoint }) => [port, mountPoint]),
  );
}

/** Where the store's file lies; null when nothing is kept. */
export function storeFile(settings: Settings): string | null {
  if (!settings.persistence) return null;
  return path.resolve(settings.storeFile ?? path.join(settings.persistenceLocation, storeFileName));
}
