/**
 * What the heart asks of the edges. Types only: nothing here runs, so any edge may import it.
 *
 *   ports/link.ts      bytes to and from one peer             transport/
 *   ports/peer.ts      what the listener knows and allows     listeners/, conf/ by way of server/
 *   ports/access.ts    who are you, and may you               security/; who fails too often: listeners/
 *   ports/services.ts  answers to requests by PUBLISH         security/, admin/ by way of server/
 *   ports/store.ts     the word that something is safe        storage/
 *   ports/telling.ts   log, counters and the time             observability/, base/
 *   ports/recording.ts what is remembered of what happened    observability/recorder/
 *   ports/hooks.ts     what plugins do to messages            plugins/
 *   ports/tracing.ts   a message's way, as it is gone         observability/otel/
 *   ports/bridge.ts    a bridge as an operator sees it        bridge/
 *
 * And what the edges may ask of the heart: BrokerControl in ports/services.ts, BrokerView in ports/view.ts.
 */
export type * from './ports/bridge.ts';
export type * from './ports/link.ts';
export type * from './ports/peer.ts';
export type * from './ports/access.ts';
export type * from './ports/services.ts';
export type * from './ports/store.ts';
export type * from './ports/telling.ts';
export type * from './ports/recording.ts';
export type * from './ports/hooks.ts';
export type * from './ports/tracing.ts';
export type * from './ports/view.ts';
