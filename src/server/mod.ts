/** The only folder that knows everyone: it reads the configuration, builds the broker, runs it and takes it down. */
export { assemble, type RunningBroker } from './assemble.ts';
export { logMessages, unresolvableAddress } from './configuration.ts';
export type { InlinePlugin } from './plugins.ts';
export { runBroker } from './run-broker.ts';
export { propertiesToJson } from './stored-properties.ts';
