/** Dynamic security; loaded only where a configuration has the plugin. */
export { DynamicSecurity, openDynamicSecurity } from './dynamic-security.ts';
export { readRules, writeRules } from './file.ts';
export { CONTROL_TOPIC } from './service.ts';
