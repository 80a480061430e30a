/** Topics that the broker answers itself, and what those who answer may do to connections. */
import type { Identity } from './access.ts';
import type { Peer } from './peer.ts';

/**
 * Lets a client ask services and do nothing else: no session of its client identifier is touched or kept, no will, no
 * subscription, every other packet ends the connection, and time is short (broker/confined.ts).
 */
export interface ServicePass {
  /** Request topics it may publish to. */
  readonly topics: readonly string[];
  /** Goes on after "this connection "; for the log and for the peer: `may only renew its certificate`. */
  readonly limit: string;
  /** What the client has shown for it, such as a token; handed to the service with every request, never logged. */
  readonly shown: unknown;
}

/**
 * Answers requests that clients make by PUBLISH to a topic of the broker's own. They reach no subscriber, are never
 * retained and never stored.
 *
 *   `$CONTROL/<name>/v1`  the sender needs write access by the access rules; the answer goes to every subscriber of
 *                         `<topic>/response` who may read it (docs/compat/dynsec.md, 2)
 *   `$CA/...`             the service itself decides about the sender, who alone gets the answer, subscribed or not
 *
 * A sender of version 5 that named a response topic of its own gets the answer there, with its correlation data.
 */
export interface TopicService {
  /** Exact request topics. */
  readonly topics: readonly string[];
  /** A longer payload is answered with an error by the broker itself. */
  readonly payloadBytesMax: number;
  /** A throw costs the sender its connection and is logged as our fault. */
  handle(request: ServiceRequest): void;
}

export interface ServiceRequest {
  readonly topic: string;
  /** The handler's to keep. */
  readonly payload: Buffer;
  readonly who: Identity;
  readonly peer: Peer;
  /** `shown` of the sender's pass; undefined for an ordinary connection. */
  readonly shown: unknown;
  /** Now or later, once or never; for a sender who is gone by then it does nothing, other subscribers still get it. */
  reply(payload: Buffer): void;
}

/** What services and the operator's tools may do to connections. */
export interface BrokerControl {
  /** Everyone who is past the CONNACK and holds a session. */
  clients(): Iterable<Identity & { readonly port: number }>;
  /**
   * Administrative action: version 5 is told 0x98, no will is sent, the session stays. A reply that was given before
   * still goes out first. Returns how many.
   */
  disconnect(which: (who: Identity) => boolean, because: string): number;
  /** Takes from sessions, present or absent, the subscriptions that the access rules no longer allow. Returns how many. */
  dropForbiddenSubscriptions(whose: (who: Identity) => boolean): number;
  /** Asks of everyone whether they may still be here, as after SIGHUP. */
  recheck(): Promise<void>;
}
