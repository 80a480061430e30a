/**
 * `plugin …/mosquitto_dynamic_security.so` and its options, as the part that stands for it (docs/compat/dynsec.md, 1).
 * There is one of it, which every listener that the plugin serves asks.
 */
import { ConfError, placeText } from './error.ts';
import type { Attachment, Reading } from './reading.ts';
import type { DynamicSecuritySettings, PluginSettings } from './settings.ts';

const optionFields: Readonly<Record<string, 'configFile' | 'passwordInitFile'>> = {
  config_file: 'configFile',
  password_init_file: 'passwordInitFile',
};

/** Turns dynamic security on when such a plugin is attached and says where its file is. */
export function settleDynamicSecurity(reading: Reading): void {
  const attached = new Set(reading.attachments.map(({ plugin }) => plugin));
  const [plugin, second] = [...attached].filter(({ kind }) => kind === 'dynamic-security');
  if (plugin === undefined) return;
  if (second !== undefined) {
    const lines = ['Error: The dynamic security plugin can only be loaded once.'];
    const other = `The other one is at ${placeText(plugin.place)}. To serve some listeners only: plugin_load and plugin_use.`;
    throw new ConfError(lines, [other], 3, second.place);
  }
  const asked: DynamicSecuritySettings = { configFile: '', passwordInitFile: null, place: plugin.place };
  for (const option of plugin.options) readOption(asked, option, reading);
  if (asked.configFile !== '') reading.settings.dynamicSecurity = asked;
  else {
    reading.say(
      'warning',
      'Warning: Dynamic security plugin has no plugin_opt_config_file defined. The plugin will not be activated.',
      `  ${placeText(plugin.place)}: it refuses nobody anything. Write 'plugin_opt_config_file PATH' below this line.`,
    );
  }
}

function readOption(asked: DynamicSecuritySettings, option: PluginSettings['options'][number], reading: Reading): void {
  const field = Object.hasOwn(optionFields, option.key) ? optionFields[option.key] : undefined;
  if (field !== undefined) asked[field] = option.value;
  // Mosquitto passes over what it does not know here, so a file that it starts with has to start.
  else {
    const known = Object.keys(optionFields).join(', plugin_opt_');
    reading.say('warning', `${placeText(option.place)}: 'plugin_opt_${option.key}' is no option of dynamic-security. There are plugin_opt_${known}.`); // prettier-ignore
  }
}

/** Whether one of these attachments, in the order in which they are asked, is dynamic security and before the others. */
export function comesFirst(attachments: readonly Attachment[], kind: PluginSettings['kind']): boolean {
  const first = attachments.find(({ plugin }) => plugin.kind === 'dynamic-security' || plugin.kind === kind);
  return first?.plugin.kind === 'dynamic-security';
}
