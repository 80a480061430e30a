/**
 * From plugin lines to the parts of Zancudo they stand for.
 *
 *   plugin /usr/lib/mosquitto_password_file.so   ->  the password file of the scope it serves
 *   plugin_opt_password_file /etc/passwords
 *
 * Who is asked first, as in Mosquitto: plugins for everybody, then password_file or acl_file, then the plugins of a
 * listener. The first of them answers for good, so that one file counts for each listener and the others are never asked.
 * Plugins in JavaScript are asked before all of these, in the same order among themselves.
 */
import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { comesFirst, settleDynamicSecurity } from './dynamic-security-plugin.ts';
import { ConfError, placeText } from './error.ts';
import { nearestExistingPath } from './nearest-path.ts';
import { settlePersistPlugin } from './persist-plugin.ts';
import type { Attachment, Reading } from './reading.ts';
import type { DynamicSecurityTurn, ListenerSettings, PluginKind, PluginSettings, SecurityScope } from './settings.ts';

const kinds: Readonly<Record<string, PluginKind>> = {
  mosquitto_password_file: 'password-file',
  mosquitto_acl_file: 'acl-file',
  mosquitto_sparkplug_aware: 'sparkplug-aware',
  mosquitto_persist_sqlite: 'persist-sqlite',
  mosquitto_dynamic_security: 'dynamic-security',
};

/** Mosquitto's own plugins by the name of their file, with or without directories. */
export function pluginKind(path: string): PluginKind {
  if (/\.[cm]?[jt]s$/.test(path)) return 'javascript';
  const name = basename(path.replaceAll('\\', '/')).replace(/\.(?:so|dll)$/, '');
  return Object.hasOwn(kinds, name) ? (kinds[name] ?? 'foreign') : 'foreign';
}

type FileField = 'passwordFile' | 'aclFile';
const fileOptions: Readonly<Partial<Record<PluginKind, { field: FileField; option: string }>>> = {
  'password-file': { field: 'passwordFile', option: 'password_file' },
  'acl-file': { field: 'aclFile', option: 'acl_file' },
};

/**
 * Looks at every plugin: turns on what it stands for, warns of what nobody uses. Somebody else's are refused when they
 * are to be loaded, as in Mosquitto: a check of the configuration does not open them.
 */
export function checkPlugins(reading: Reading): void {
  settlePersistPlugin(reading);
  settleDynamicSecurity(reading);
  for (const plugin of reading.settings.plugins) {
    fileOf(plugin);
    checkScript(plugin);
    if (reading.attachments.some(attachment => attachment.plugin === plugin)) continue;
    reading.say(
      'warning',
      `${placeText(plugin.place)}: plugin '${plugin.name ?? ''}' is loaded, but no plugin_use attaches it: it does nothing.`,
    );
  }
}

/** Where a plugin in JavaScript is: its path counts from the folder of the file that names it. */
export function scriptPath({ path, place }: PluginSettings): string {
  return resolve(dirname(place.file), path);
}

function checkScript(plugin: PluginSettings): void {
  const { kind, limits, path, place } = plugin;
  if (kind !== 'javascript') {
    if (Object.keys(limits).length === 0 || kind === 'foreign') return;
    const line = `Error: Plugin '${kind}' is built in, and has no plugin_timeout, plugin_faults_max and plugin_when_faulty.`;
    throw new ConfError([line], ['Take the line out: they are for plugins in JavaScript.'], 3, place);
  }
  const file = scriptPath(plugin);
  if (existsSync(file)) return;
  const [near] = nearestExistingPath(file)?.candidates ?? [];
  const hint = near === undefined ? '' : ` There is ${near}.`;
  const explanation = `${file} does not exist: a relative path counts from the folder of this file.${hint}`;
  throw new ConfError([`Error: Unable to load plugin "${path}".`], [explanation], 13, place);
}

/** The plugins in JavaScript that a listener's clients meet. */
export function scriptsOf(listener: ListenerSettings, reading: Reading): PluginSettings[] {
  const { everywhere, own } = attachmentsOf(listener, reading);
  return [...everywhere, ...own].map(({ plugin }) => plugin).filter(({ kind }) => kind === 'javascript');
}

/** The file a plugin was given; other options than its own are refused, as by the plugin itself. */
function fileOf(plugin: PluginSettings): string | null {
  const wanted = fileOptions[plugin.kind];
  if (wanted === undefined) return null;
  const other = plugin.options.find(({ key }) => key !== wanted.option);
  if (other !== undefined) {
    const line = `Error: Plugin '${plugin.kind}' has no option 'plugin_opt_${other.key}'.`;
    throw new ConfError([line], [`Its one option is 'plugin_opt_${wanted.option}'.`], 3, other.place);
  }
  const last = plugin.options.at(-1);
  if (last !== undefined) return last.value;
  const line = `Error: Plugin '${plugin.kind}' needs the option 'plugin_opt_${wanted.option}'.`;
  throw new ConfError([line], [`Write 'plugin_opt_${wanted.option} PATH' below the plugin line.`], 3, plugin.place);
}

/** The scope that counts for a listener once plugins are looked at; `scope` itself when they change nothing. */
export function withPlugins(scope: SecurityScope, listener: ListenerSettings, reading: Reading): SecurityScope {
  const { everywhere, own } = attachmentsOf(listener, reading);
  const resolved = { ...scope };
  for (const field of ['passwordFile', 'aclFile'] as const) {
    const asked = [...files(everywhere, field), ...(scope[field] === null ? [] : [scope[field]]), ...files(own, field)];
    resolved[field] = asked[0] ?? null;
    warnOfUnasked(asked, field, reading);
  }
  resolved.dynamicSecurity = turnOf(everywhere, scope, own, reading);
  const { passwordFile, aclFile, dynamicSecurity } = resolved;
  const isSame = passwordFile === scope.passwordFile && aclFile === scope.aclFile && dynamicSecurity === null;
  return isSame ? scope : resolved;
}

/** Plugins for everybody come before what the options of a scope name, those of a listener after it. */
function attachmentsOf(listener: ListenerSettings, reading: Reading): { everywhere: Attachment[]; own: Attachment[] } {
  return {
    everywhere: reading.attachments.filter(attachment => attachment.listener === null),
    own: reading.attachments.filter(attachment => attachment.listener === listener),
  };
}

function turnOf(
  everywhere: Attachment[],
  scope: SecurityScope,
  own: Attachment[],
  { settings }: Reading,
): DynamicSecurityTurn | null {
  const isAsked = [...everywhere, ...own].some(({ plugin }) => plugin.kind === 'dynamic-security');
  if (!isAsked || settings.dynamicSecurity === null) return null;
  const isFirst = (kind: PluginKind, file: string | null): boolean =>
    comesFirst(everywhere, kind) || (file === null && comesFirst([...everywhere, ...own], kind));
  return {
    beforePasswords: isFirst('password-file', scope.passwordFile),
    beforeAcl: isFirst('acl-file', scope.aclFile),
  };
}

export function isSparkplugAware(listener: ListenerSettings, reading: Reading): boolean {
  const { everywhere, own } = attachmentsOf(listener, reading);
  return [...everywhere, ...own].some(({ plugin }) => plugin.kind === 'sparkplug-aware');
}

function files(attachments: readonly Attachment[], field: FileField): string[] {
  const ofField = attachments.filter(({ plugin }) => fileOptions[plugin.kind]?.field === field);
  return ofField.map(({ plugin }) => fileOf(plugin)).filter(file => file !== null);
}

function warnOfUnasked(asked: readonly string[], field: FileField, reading: Reading): void {
  const [first = '', ...others] = asked;
  for (const other of others) {
    const text = `'${other}' is never asked: '${first}' answers first, and for good. Take one of the two ${fileNoun[field]} out.`;
    if (!reading.messages.some(message => message.text === text)) reading.say('warning', text);
  }
}

const fileNoun: Readonly<Record<FileField, string>> = { passwordFile: 'password files', aclFile: 'ACL files' };
