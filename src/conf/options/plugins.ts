/**
 * Chapter: plugins. The names of Mosquitto's own plugins stand for parts of ours; files of JavaScript are loaded
 * (plugins/), and any other file is refused (resolve-plugins.ts).
 */
import type { Argument } from './argument.ts';
import { specialOption, withoutEffect, type OptionRow } from './row.ts';
import { bool, choice, emptyValue, integer, text, type ValueType } from './types.ts';
import { refuse } from '../error.ts';
import { pluginKind } from '../resolve-plugins.ts';
import type { Reading } from '../reading.ts';
import type { PluginLimits, PluginSettings } from '../settings.ts';

function readPath(argument: Argument, pluginName: string | null): string {
  const path = argument.rest();
  if (path !== '') return path;
  refuse(
    `Error: Missing plugin path for plugin name '${pluginName ?? '(null)'}'.`,
    'Write the path of the plugin, for example /usr/lib/mosquitto_password_file.so.',
  );
}

const pluginPath: ValueType<string> = {
  argument: 'path',
  good: ['mosquitto_password_file.so', '/usr/lib/mosquitto_acl_file.so'],
  bad: [{ text: '', error: "Error: Missing plugin path for plugin name '(null)'." }],
  read: argument => readPath(argument, null),
};

const nameAndPath: ValueType<{ name: string; path: string }> = {
  argument: 'name path',
  good: ['passwords mosquitto_password_file.so'],
  bad: [
    { text: '', error: "Error: Empty 'plugin_load' value in configuration." },
    { text: 'a', error: "Error: Missing plugin path for plugin name 'a'." },
  ],
  read(argument, name) {
    const pluginName = argument.word() ?? emptyValue(name);
    return { name: pluginName, path: readPath(argument, pluginName) };
  },
};

function add(
  reading: Reading,
  path: string,
  name: string | null,
  attached: PluginSettings['attached'],
): PluginSettings {
  const { place } = reading;
  const plugin: PluginSettings = { kind: pluginKind(path), path, name, attached, options: [], limits: {}, place };
  reading.settings.plugins.push(plugin);
  reading.current.plugin = plugin;
  return plugin;
}

/** The key of `plugin_opt_key`; Mosquitto wants something after the prefix and a value. */
function optionKey(written: string): string {
  return written.replace(/^(?:plugin|auth)_opt_/, '');
}

const pluginValue: ValueType<string> = {
  argument: 'text',
  good: ['/tmp/zancudo-example'],
  bad: [{ text: '', error: "Error: Empty 'password_file' value in configuration." }],
  read(argument, name) {
    const key = optionKey(name);
    const value = argument.rest();
    if (key === '' || (value === '' && key.length < 3)) {
      refuse("Error: Invalid 'plugin_opt_' config option.", `Write 'plugin_opt_NAME VALUE'.`);
    }
    return value === '' ? emptyValue(key) : value;
  },
};

/** Of plugins in JavaScript. */
function limitOption<K extends keyof PluginLimits>(row: {
  name: string;
  type: ValueType<PluginLimits[K]>;
  limit: K;
  says: string;
  standard: string;
}): OptionRow {
  return specialOption<PluginLimits[K], 'plugin'>({
    ...row,
    since: 'ours',
    reload: 'live',
    scope: 'plugin',
    needs: 'plugin',
    fields: [],
    put: ({ limits }, value) => void (limits[row.limit] = value),
  });
}

export const plugins: readonly OptionRow[] = [
  specialOption<string, 'global'>({
    name: 'plugin',
    aliases: ['auth_plugin'],
    type: pluginPath,
    says: 'Uses a plugin: a file of JavaScript or TypeScript (.mjs, .js, .mts, .ts), whose relative path counts from the folder of the configuration file (docs/guides/plugins.md), or one of Mosquitto: mosquitto_dynamic_security.so, mosquitto_password_file.so, mosquitto_acl_file.so, mosquitto_persist_sqlite.so and mosquitto_sparkplug_aware.so are built in. For all listeners, or for the listener above with per_listener_settings.',
    standard: 'none',
    since: '2.0',
    reload: 'live',
    differs:
      'The name of a plugin of Mosquitto stands for the part of Zancudo that does the same; machine code of somebody else is refused. SIGHUP loads JavaScript anew that has changed, and neither starts nor stops dynamic security.',
    scope: 'global',
    needs: 'nothing',
    fields: ['plugins'],
    put(settings, path, reading, written) {
      reading.security(written);
      const listener = settings.perListenerSettings ? reading.current.listener : null;
      reading.attachments.push({ plugin: add(reading, path, null, 'security-scope'), listener });
    },
  }),
  specialOption<string, 'global'>({
    name: 'global_plugin',
    type: pluginPath,
    says: 'The same for all listeners, even with per_listener_settings; asked before the plugins of a listener.',
    standard: 'none',
    since: '2.1',
    reload: 'live',
    scope: 'global',
    needs: 'nothing',
    fields: ['plugins'],
    put(_settings, path, reading) {
      reading.attachments.push({ plugin: add(reading, path, null, 'everywhere'), listener: null });
    },
  }),
  specialOption<{ name: string; path: string }, 'global'>({
    name: 'plugin_load',
    type: nameAndPath,
    says: 'Gives a plugin a name; plugin_use attaches it to listeners.',
    standard: 'none',
    since: '2.1',
    reload: 'live',
    differs: 'A plugin that no plugin_use attaches is a warning; Mosquitto 2.1.2 exits without a word.',
    scope: 'global',
    needs: 'nothing',
    fields: ['plugins'],
    put(settings, { name, path }, reading) {
      if (settings.plugins.some(plugin => plugin.name === name)) {
        refuse(`Error: Duplicate plugin name '${name}'.`, 'Every plugin_load needs a name of its own.');
      }
      add(reading, path, name, 'by-use');
    },
  }),
  specialOption<string, 'listener'>({
    name: 'plugin_use',
    type: text('name', 'passwords'),
    repeat: 'add',
    says: 'Attaches a plugin named by plugin_load to the current listener.',
    standard: 'none',
    since: '2.1',
    reload: 'live',
    scope: 'listener',
    needs: 'explicit listener',
    fields: ['pluginsUsed'],
    put(listener, name, reading) {
      const plugin = reading.settings.plugins.find(each => each.name === name);
      if (plugin === undefined) {
        refuse(`Error: Plugin '${name}' not previously loaded.`, `Write 'plugin_load ${name} PATH' above it.`);
      }
      reading.current.plugin = plugin;
      listener.pluginsUsed.push(name);
      reading.attachments.push({ plugin, listener });
    },
  }),
  specialOption<string, 'plugin'>({
    name: 'plugin_opt_*',
    aliases: ['auth_opt_*'],
    type: pluginValue,
    repeat: 'add',
    says: 'An option of the plugin above. A plugin in JavaScript is handed all of them; plugin_opt_password_file and plugin_opt_acl_file name the file; dynamic-security has config_file and password_init_file, persist_sqlite db_file, sync, flush_period and page_size.',
    standard: 'none',
    since: '2.0',
    reload: 'live',
    scope: 'plugin',
    needs: 'plugin',
    fields: [],
    put(plugin, value, reading, written) {
      plugin.options.push({ key: optionKey(written), value, place: reading.place });
    },
  }),
  limitOption({
    name: 'plugin_timeout',
    type: integer({ argument: 'seconds, 1-300', min: 1, max: 300, outside: '0' }),
    limit: 'timeoutSeconds',
    says: 'How long the plugin in JavaScript above may take where it answers later: at its start, for a login. A login without an answer is refused.',
    standard: '5',
  }),
  limitOption({
    name: 'plugin_faults_max',
    type: integer({ argument: 'a minute, 0 for any number', min: 0, outside: '-1' }),
    limit: 'faultsMax',
    says: 'Faults (a throw, a wrong answer, no answer in time) of the plugin in JavaScript above, after which plugin_when_faulty holds. Each fault refuses what was asked.',
    standard: '100',
  }),
  limitOption({
    name: 'plugin_when_faulty',
    type: choice(['refuse', 'switch_off']),
    limit: 'whenFaulty',
    says: 'What becomes of the plugin in JavaScript above that fails too often, until SIGHUP: it is not asked any more, and whatever it would have been asked is refused; or it is left out, as if it were not there.',
    standard: 'refuse',
  }),
  specialOption<boolean, 'plugin'>({
    name: 'auth_plugin_deny_special_chars',
    type: bool,
    says: 'Refuses clients of the plugin above whose user name or client id has + # or /.',
    standard: 'true',
    since: '1.4.13',
    reload: 'none',
    fate: withoutEffect('it speaks to plugins of the interfaces 2 to 4, and none is loaded here'),
    scope: 'plugin',
    needs: 'plugin',
    fields: [],
    put: () => undefined,
  }),
];
