/** Users and rules in databases and other services. Loaded only when the configuration names a backend. */
export type { BackendFacts } from './backend.ts';
export { BackendRegistry, type BackendFailure, type RegistryOptions } from './registry.ts';
