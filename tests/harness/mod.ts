/** What whole-product tests stand on. Nothing here imports from src/: the broker is met only from outside. */
export { Background } from './background.ts';
export { Broker, BrokerEnded, refusedStart, startBroker, zancudo, type BrokerOptions, type Place } from './broker.ts';
export { makeCertificates } from './certificates.ts';
export {
  findProgram,
  freePort,
  needs,
  run,
  temporaryDirectory,
  type RunOptions,
  type RunResult,
  type Spawn,
} from './machine.ts';
export { Namespace, type NamespaceOptions } from './namespace.ts';
export { property, readPacket, type RawPacket } from './packet-reader.ts';
export * from './packets.ts';
export { properties, text, u16, u32, varint, type PropertyValue, type RawProperty } from './properties.ts';
export { RawClient, type Dial } from './raw-client.ts';
export { patienceMs, until, within } from './until.ts';
