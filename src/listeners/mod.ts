/** Open ports: who may come in, over what, and what is said to those who may not. */
export type { Ban } from './bans.ts';
export { AddressDoorkeeper, type DoorLimits } from './doorkeeper.ts';
export { ListenerSet } from './listener-set.ts';
export type { Listener } from './listener.ts';
export { ListenerError } from './options.ts';
export type {
  CertificatePair,
  Judge,
  Judgement,
  ListenerLimits,
  ListenerOptions,
  ListenerSetOptions,
  TlsOptions,
  Trust,
} from './options.ts';
