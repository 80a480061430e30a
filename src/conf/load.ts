/**
 * From a path to settings: read the lines, judge the whole, fill in what depends on everything.
 *
 *   path ── read ── check ── plugins ── local-only mode, scopes ── fates ── Settings
 *                        any step may end in one failure
 */
import { answerUnfulfilled, checkWhole, warnOfIdleFolders, warnOfTwins } from './check.ts';
import { checkBackends } from './check-backends.ts';
import { settleEnrolment } from './settle-enrolment.ts';
import { ConfError, foundAt } from './error.ts';
import { includeDirectory, readConfiguration, readConfigurationText } from './read.ts';
import { Reading } from './reading.ts';
import { checkPlugins, isSparkplugAware, scriptsOf, withPlugins } from './resolve-plugins.ts';
import type { CommandLinePorts, ConfFailure, LoadResult } from './result.ts';
import { newListener, type ListenerSettings } from './settings.ts';

/**
 * Reads the file (null: none was given) and everything it includes. Never throws: what is wrong with a configuration
 * comes back as the failure, what is merely odd as messages. --test-config asks the same and starts nothing.
 */
export function loadConfiguration(path: string | null, commandLine: CommandLinePorts): LoadResult {
  return load(path, commandLine, reading => {
    if (path !== null) readConfiguration(path, reading);
  });
}

/** The same of a configuration that is in no file; `name` stands for its path wherever a place is named. */
export function loadConfigurationText(text: string, name: string): LoadResult {
  return load(null, { ports: [] }, reading => readConfigurationText(text, name, reading));
}

function load(path: string | null, commandLine: CommandLinePorts, read: (reading: Reading) => void): LoadResult {
  const reading = new Reading(path, includeDirectory);
  try {
    read(reading);
    checkWhole(reading);
    checkBackends(reading);
    checkPlugins(reading);
    warnOfTwins(reading);
    warnOfIdleFolders(reading);
    settleEnrolment(reading, commandLine.home ?? null);
    openLocalListeners(reading, commandLine.ports);
    for (const listener of reading.settings.listeners) settleListener(listener, reading);
    answerUnfulfilled(reading);
    return { ok: true, settings: reading.settings, messages: reading.messages };
  } catch (error) {
    if (!(error instanceof ConfError)) throw error;
    return { ok: false, failure: failureOf(error), messages: reading.messages };
  }
}

function failureOf({ lines, explanation, exitCode, place }: ConfError): ConfFailure {
  const where = place === null || place.line === 0 ? [] : foundAt(place);
  return { lines: [...lines, ...where], explanation: [...explanation], exitCode };
}

/** Without any listener: 127.0.0.1 and ::1, port 1883 or every -p. */
function openLocalListeners(reading: Reading, ports: readonly number[]): void {
  const { settings } = reading;
  if (!settings.localOnly) {
    if (ports.length > 0) {
      reading.say(
        'warning',
        `-p ${ports.join(' -p ')} is passed over: the configuration file opens its own listeners.`,
      );
    }
    return;
  }
  for (const port of ports.length > 0 ? ports : [1883]) {
    for (const host of ['127.0.0.1', '::1']) {
      settings.listeners.push({ ...newListener(port, settings.security), host });
    }
  }
}

/** Fills in what a listener takes from its security scope, and which scope that is. */
function settleListener(listener: ListenerSettings, reading: Reading): void {
  const { settings } = reading;
  const scope = settings.perListenerSettings && !settings.localOnly ? listener.security : settings.security;
  listener.allowAnonymous = listener.listenerAllowAnonymous ?? scope.allowAnonymous ?? settings.localOnly;
  listener.allowZeroLengthClientId = scope.allowZeroLengthClientId;
  listener.autoIdPrefix =
    listener.listenerAutoIdPrefix ?? scope.autoIdPrefix ?? settings.security.autoIdPrefix ?? 'auto-';
  listener.security = withPlugins(scope, listener, reading);
  listener.sparkplugAware = isSparkplugAware(listener, reading);
  listener.scripts = scriptsOf(listener, reading);
}
