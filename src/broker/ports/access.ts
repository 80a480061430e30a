/** Who are you, and may you: asked of security/. Who fails too often: told to listeners/. */
import type { ListenerRules, Peer } from './peer.ts';
import type { ServicePass } from './services.ts';

/** Who the access rules are asked about. */
export interface Identity {
  clientId: string;
  /** Null for an anonymous client. */
  username: string | null;
  listener: ListenerRules;
  /** Address of the peer, for rules and log lines. */
  address: string;
  /** Fingerprint of the certificate that it has shown and that held, as in PeerCertificate. */
  certificate?: string;
  /**
   * Its name where another one has seen the proof: a PROXY header, or this broker before it was started again. Absent
   * when the client only claims its name, and beside a certificate.
   */
  vouchedName?: string;
}

export interface AuthenticationRequest extends Identity {
  password: Buffer | null;
  peer: Peer;
}

export type Verdict =
  /** With a pass the client may talk to services and do nothing else. */
  | { allowed: true; pass?: ServicePass }
  /**
   * `because` is for the operator's log, never for the peer: "no such user", "wrong password". `undecided`: nobody had
   * time to look, so that whoever is in already is not put out for it.
   */
  | { allowed: false; because: string; undecided?: true };

/** One conversation of MQTT 5 enhanced authentication (MQTT 5, 4.12). */
export interface EnhancedAuthentication {
  /** Called with the data of CONNECT and of every AUTH that follows. */
  step(data: Buffer | null): EnhancedStep | Promise<EnhancedStep>;
  /** Asked after a reload: would what was proved still let it in? Absent where that cannot be said. */
  holds?(): boolean;
}

export type EnhancedStep =
  | { kind: 'continue'; data: Buffer | null }
  | { kind: 'success'; data: Buffer | null; username?: string }
  | { kind: 'failure'; because: string };

export interface AccessControl {
  /** Grows whenever an answer of the questions below may have changed; cached answers die with it. */
  readonly generation: number;
  /** True when mayRead says yes to everybody and everything, so that no delivery needs to ask. */
  readonly readsUnrestricted: boolean;
  /** Slow hashes and databases answer later; whatever can be answered at once is. Never rejects. */
  authenticate(request: AuthenticationRequest): Verdict | Promise<Verdict>;
  /**
   * Fetches what the questions below need to know of this identity, before the first is asked. Null when there is nothing
   * to wait for; resolves to why it cannot be had, null when it can. Never rejects.
   */
  prepare?(who: Identity): Promise<string | null> | null;
  /** True while `ask` has to be called before the questions below; without it nothing is ever waited for. */
  readonly asks?: boolean;
  /** Null when the question can be answered at once; otherwise for when it can. Never rejects. */
  ask?(access: AccessQuestion, who: Identity, topic: string): Promise<void> | null;
  /** Null when the method is not served (MQTT 5: reason code 0x8C). */
  enhanced(method: string, request: AuthenticationRequest): EnhancedAuthentication | null;
  /** Topic names are as the rules see them: with the mount point in front. */
  mayWrite(who: Identity, topicName: string): boolean;
  mayRead(who: Identity, topicName: string): boolean;
  maySubscribe(who: Identity, topicFilter: string): boolean;
  mayUnsubscribe(who: Identity, topicFilter: string): boolean;
  /** The same decision with the rules behind it; for refusals and for people, never in a message's way. */
  explain(access: AccessQuestion, who: Identity, topic: string): Explanation;
  /** Told of each attempt of a client that was refused; deliveries that it does not get are none. */
  refused?(access: AccessQuestion, who: Identity, topic: string): void;
}

export type AccessQuestion = 'read' | 'write' | 'subscribe' | 'unsubscribe';

/** A rule that was looked at for one question. */
export interface RuleTried {
  /** Where it stands: `line 12 of /etc/mosquitto/acl`, `role devices`. */
  where: string;
  /** As it is written there: `topic read house/#`. */
  text: string;
  says: 'allow' | 'deny' | 'nothing';
  /** At most one of a decision. */
  decides: boolean;
}

export interface Explanation {
  allowed: boolean;
  /** One sentence without its full stop: which rule decided, or that none did. */
  because: string;
  /** In the order in which they were tried. */
  tried: readonly RuleTried[];
}

/** Who stands at the door: told who logs in and who fails, by the address. */
export interface Doorkeeper {
  /** Past the CONNACK. */
  entered(peer: Peer, username: string | null): void;
  /** Each that has entered, once. */
  left(peer: Peer): void;
  /** A login was refused for what it showed. Milliseconds for which the answer had better wait. */
  refused(peer: Peer, username: string | null): number;
}
