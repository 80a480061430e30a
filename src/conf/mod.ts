/** mosquitto.conf in, plain settings out. */
export { loadConfiguration, loadConfigurationText } from './load.ts';
export { nearestExistingPath, type NearestPath } from './nearest-path.ts';
export { recordFolder } from './record-folder.ts';
export { redactedConfiguration, type RedactedFile } from './redacted.ts';
export { secretFiles } from './secret-files.ts';
export { optionsReference } from './reference.ts';
export { mountPoints, storeFile } from './persist-plugin.ts';
export { scriptPath } from './resolve-plugins.ts';
export { planReload, type ReloadPlan, type SettingChange } from './reload-plan.ts';
export type { CommandLinePorts, ConfFailure, ConfMessage, LoadResult } from './result.ts';
export type { AuthBackendSettings } from './settings-backend.ts';
export type { BridgeSettings, BridgeTopic } from './settings-bridge.ts';
export type {
  DynamicSecuritySettings,
  ListenerSettings,
  LogClass,
  LogDestination,
  LogSettings,
  MqttVersion,
  Place,
  Places,
  PluginKind,
  PluginLimits,
  PluginSettings,
  SecurityScope,
  Settings,
} from './settings.ts';
export { listenerKey } from './settings.ts';
