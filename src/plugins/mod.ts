/** Plugins in JavaScript: what they may see, change and refuse. Types for their authors are in types.ts. */
export { type BrokerAccess } from './broker-side.ts';
export { type HostOptions, PluginHost, type PreparedPlugins, type Wanted } from './host.ts';
export { defaultLimits, type PluginLimits, type PluginPlan } from './plan.ts';
export type * from './types.ts';
