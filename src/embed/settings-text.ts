/**
 * From plain objects to the lines of a configuration file, so that both go through the same reader and the same checks.
 *
 *   { listeners: [{ port: 1883, maxQos: 1 }] }   ->   listener 1883            listeners[0]
 *                                                     max_qos 1                listeners[0].maxQos
 *
 * Beside each line stands what to call it in an error.
 */
import { BrokerError } from './broker-error.ts';
import type { BrokerOptions, ListenerOptions, Options, OptionValue, PluginFile } from './types.ts';

/** Stands for the file's path wherever a place is named. */
export const SOURCE = 'createBroker';

export interface Line {
  text: string;
  says: string;
}

export function settingsLines(options: BrokerOptions): Line[] {
  const { listeners = [], settings = {}, authBackends = [], bridges = [], plugins = [] } = options;
  const first = Object.keys(settings).filter(name => optionName(name) === 'per_listener_settings');
  const others = Object.keys(settings).filter(name => !first.includes(name));
  return [
    ...first.flatMap(name => optionLines('settings', name, settings[name])),
    ...plugins.flatMap((plugin, i) => pluginLines(plugin, `plugins[${i}]`)),
    ...others.flatMap(name => optionLines('settings', name, settings[name])),
    ...authBackends.flatMap(({ driver, ...rest }, i) => block(`auth_backend ${driver}`, `authBackends[${i}]`, rest)),
    ...listeners.flatMap((listener, i) => listenerLines(listener, i)),
    ...bridges.flatMap(({ name, ...rest }, i) => block(`connection ${name}`, `bridges[${i}]`, rest)),
  ];
}

/** `maxQueuedMessages` and `max_queued_messages` are one. */
function optionName(name: string): string {
  return name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);
}

/** Where a free port is wanted another number stands here, and 0 once the line has been read. */
function listenerLines({ port, host, unixSocket, ...rest }: ListenerOptions, i: number): Line[] {
  const written = port === undefined || port === 0 ? i + 1 : port;
  const where = unixSocket === undefined ? `${written}${host === undefined ? '' : ` ${host}`}` : `0 ${unixSocket}`;
  return block(`listener ${where}`, `listeners[${i}]`, rest);
}

function pluginLines(plugin: unknown, says: string): Line[] {
  const file = typeof plugin === 'string' ? { path: plugin } : plugin;
  if (typeof file !== 'object' || file === null || !('path' in file)) return [];
  const { path, options = {}, timeoutSeconds, faultsMax, whenFaulty } = file as PluginFile;
  return block(`global_plugin ${path}`, says, {
    ...Object.fromEntries(Object.entries(options).map(([key, value]) => [`plugin_opt_${key}`, value])),
    plugin_timeout: timeoutSeconds,
    plugin_faults_max: faultsMax,
    plugin_when_faulty: whenFaulty,
  });
}

function block(head: string, says: string, options: Options): Line[] {
  return [line(head, says), ...Object.keys(options).flatMap(name => optionLines(says, name, options[name]))];
}

function optionLines(says: string, name: string, value: OptionValue | readonly OptionValue[] | undefined): Line[] {
  if (value === undefined) return [];
  const values = Array.isArray(value) ? (value as readonly OptionValue[]) : [value as OptionValue];
  const written = name.startsWith('plugin_opt_') ? name : optionName(name);
  return values.map(each => line(`${written} ${each}`, `${says}.${name}`));
}

/** A line break in a value would be an option of its own. */
function line(text: string, says: string): Line {
  if (/[\r\n\0]/.test(text)) throw new BrokerError([`Error: ${says} has a line break or a NUL in it.`]);
  return { text, says };
}

/** In lines of an error: what the program wrote, for the line that was made of it. */
export function named(lines: readonly string[], from: readonly Line[]): string[] {
  return lines.map(text =>
    text.replace(/createBroker:(\d+)/g, (_, number: string) => from[Number(number) - 1]?.says ?? SOURCE),
  );
}
