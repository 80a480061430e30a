/** What the configuration, or whoever embeds the broker, says of a plugin. */
import type { PluginModule } from './types.ts';

export interface PluginPlan {
  /** For log lines: the path as it was written, or a name. */
  readonly name: string;
  /** An absolute path, or the plugin itself. */
  readonly from: string | PluginModule;
  readonly options: Readonly<Record<string, string>>;
  readonly limits: PluginLimits;
}

export interface PluginLimits {
  readonly timeoutSeconds: number;
  readonly faultsMax: number;
  readonly whenFaulty: 'refuse' | 'switch_off';
}

export const defaultLimits: PluginLimits = { timeoutSeconds: 5, faultsMax: 100, whenFaulty: 'refuse' };
