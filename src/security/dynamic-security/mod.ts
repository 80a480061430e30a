/** Dynamic security; loaded only where a configuration has the plugin. */
export { DynamicSecurity, openDynamicSecurity, rulesOfFile } from './dynamic-security.ts';
