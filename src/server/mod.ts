/** The only folder that knows everyone: it reads the configuration, builds the broker, runs it and takes it down. */
export { runBroker } from './run-broker.ts';
export { propertiesToJson } from './stored-properties.ts';
