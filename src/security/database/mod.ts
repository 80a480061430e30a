/** Users and rules in databases and other services. Loaded only when the configuration names a backend. */
export type { BackendFacts } from './backend.ts';
export { checkBackend, type Checked } from './check.ts';
export { type Connection } from './connection.ts';
export { type BackendFailure, connectionOf, missingPackage, Refused } from './open.ts';
export { BackendRegistry, type RegistryOptions } from './registry.ts';
export { inPlainWords } from './trouble.ts';
