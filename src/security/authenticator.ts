/**
 * The seam between the rules of the house and those who answer for one source of them.
 *
 *   AccessControl  asks, in order  ->  Authenticator (who are you), Authorizer (may you)
 *                                      password file, ACL file; later dynamic security and databases
 *
 * `ignore` means "not my job", `defer` means "I looked and do not know". The difference counts when nobody else
 * answers: when all ignored, the listener's rule for anonymous clients decides; after a `defer` a name needs proof.
 */
import type {
  AccessQuestion,
  AuthenticationRequest,
  EnhancedAuthentication,
  Identity,
  RuleTried,
  ServicePass,
} from '../broker/ports.ts';
import type { UserBackendSettings } from './database/settings.ts';

export type Answer = 'allow' | 'deny' | 'defer' | 'ignore';

/** `because` goes to the operator's log and never to the peer. */
export type AuthenticationAnswer =
  | 'allow'
  | 'defer'
  | 'ignore'
  | { deny: string; undecided?: true }
  /** Lets the client in to ask the services that the pass names, and for nothing else. */
  | { allow: ServicePass };

export interface Authenticator {
  authenticate(request: AuthenticationRequest): AuthenticationAnswer | Promise<AuthenticationAnswer>;
}

export type Access = AccessQuestion;

/** Asked for every publish and delivery, so the answer comes at once. */
export interface Authorizer {
  may(access: Access, who: Identity, topic: string): Answer;
  /** The answer of `may`, found in the same way, with the rules that led to it. */
  explain(access: Access, who: Identity, topic: string): Reasons;
  /** True for one that has to be asked for each topic. */
  readonly asks?: boolean;
  /** Null when `may` can answer; otherwise for when it can. Never rejects. */
  ask?(access: Access, who: Identity, topic: string): Promise<void> | null;
}

export interface Reasons {
  answer: Answer;
  /** One sentence without its full stop. */
  because: string;
  /** In the order in which they were tried; the one that decided is marked. */
  tried: RuleTried[];
}

/** Dynamic security, as the scopes of the listeners ask it. */
export interface DynamicRules {
  /** `last`: nobody is asked after it, so that an unknown name has to cost as much as a known one. */
  login(last: boolean): Authenticator;
  readonly rules: Authorizer;
}

/** One `auth_backend`: it is asked over a network, so what it says of an identity is fetched before it is needed. */
export interface UserSource extends Authenticator, Authorizer {
  /** False when it says nothing about topics. */
  readonly hasRules: boolean;
  /** Null when there is nothing to wait for; resolves to why it cannot be had, null when it can. Never rejects. */
  prepare(who: Identity): Promise<string | null> | null;
  /** True for one that has to be asked for each topic. */
  readonly asks: boolean;
  /** Null when `may` can answer; otherwise for when it can. Never rejects. */
  ask(access: Access, who: Identity, topic: string): Promise<void> | null;
}

export interface UserSources {
  /** Those of one scope, in order. */
  of(wanted: readonly UserBackendSettings[]): readonly UserSource[];
}

/** Opens one conversation of MQTT 5 enhanced authentication. */
export type EnhancedMethod = (request: AuthenticationRequest) => EnhancedAuthentication;
