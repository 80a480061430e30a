/**
 * Bridges to other brokers: topics of this broker go there, topics from there come in.
 *
 *   bridges.ts    all of them: start, reload, stop
 *   bridge.ts     one of them, over many connections: when to connect, where to, what its state is
 *   crossing.ts   one connection: packets handed from one broker to the other
 */
export { Bridges } from './bridges.ts';
export { LocalPair } from './local-pair.ts';
export { localPeer } from './local-peer.ts';
export type { BridgePlan, BridgePorts } from './plan.ts';
