/** A message's way from one link to others. See broker.ts for the picture, ports.ts for what the edges must offer. */
export { Broker, type BrokerPorts, type InternalPublish, TICK_MILLISECONDS } from './broker.ts';
export type { BrokerGauges } from './gauges.ts';
export type { RestoreHelp } from './restore.ts';
export { type BrokerSettings, defaultBrokerSettings } from './settings.ts';
export { viewOf } from './view.ts';
