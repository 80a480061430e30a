/**
 * What the listeners are told and what they ask back. Plain data and functions: who reads the configuration, who
 * inspects certificates and who speaks MQTT is not known here.
 */
import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Link, ListenerRules, Log, Meter, Peer, Recorder, ServicePass } from '../broker/ports.ts';

/** One listener of the configuration. Address, port, path and protocol stand in the rules. */
export interface ListenerOptions {
  rules: ListenerRules;
  /** Null for both families. */
  socketDomain: 'ipv4' | 'ipv6' | null;
  bindInterface: string | null;
  /** Null for a listener without TLS. */
  tls: TlsOptions | null;
  /** 0: no PROXY header is expected; 1 and 2: every connection must start with one of that version. */
  proxyProtocol: 0 | 1 | 2;
  /** PROXY version 2: refuse what did not reach the proxy over TLS. */
  proxyRequiresTls: boolean;
  /** Values of `Origin` that a WebSocket client may send; empty for any. */
  websocketOrigins: readonly string[];
  /** An MQTT listener with TLS on which HTTP is answered too (onHttp). */
  http: boolean;
}

export interface CertificatePair {
  certFile: string;
  keyFile: string;
}

export interface TlsOptions {
  /** One chain, or several of different key types (ECDSA and RSA). Empty on a listener with `psk`. */
  certificates: readonly CertificatePair[];
  caFile: string | null;
  /** A directory with the links that `openssl rehash` makes. */
  caPath: string | null;
  crlFile: string | null;
  /** As written in the configuration (`tlsv1.2`); null for TLS 1.2. */
  minVersion: string | null;
  /** OpenSSL cipher list for TLS 1.2; null for the library's. */
  ciphers: string | null;
  ciphersTls13: string | null;
  /** Key exchange groups in order of preference; null for the library's. */
  groups: readonly string[] | null;
  /** Application protocols offered to clients that ask; empty for none. */
  alpn: readonly string[];
  /** `disable_client_cert_date_checks`: expired and not yet valid client certificates pass. */
  forgiveDates: boolean;
  /** Pre-shared keys instead of certificates. */
  psk: { hint: string; lookup: (identity: string) => Buffer | null } | null;
}

/** What client certificates are held against, as loaded for one listener. */
export interface Trust {
  cas: readonly X509Certificate[];
  /** PEM text of the revocation lists; null when none is configured. */
  crls: string | null;
  forgiveDates: boolean;
}

/** Why a client certificate does not hold. */
export interface Judgement {
  /** Stable code such as `tls.client-certificate-expired`. */
  code: string;
  /** Short, for the peer. */
  reason: string;
  /** Plain words with the subject, for the operator; goes on after "ADDRESS on LISTENER: ". */
  log: string;
  remedy: readonly string[];
}

/** Leaf first. Null: the certificate holds. */
export type Judge = (chain: readonly X509Certificate[], trust: Trust) => Judgement | null;

export interface ListenerLimits {
  /** Open sockets on all listeners together; zero or less for no limit. */
  globalMaxConnections: number;
  /** Sockets that have not finished CONNECT; zero or less for no limit. */
  maxPendingConnections: number;
  /** For the PROXY header, the TLS handshake and the WebSocket request together. */
  handshakeTimeoutMs: number;
  /** A longer WebSocket request is refused. */
  httpHeaderBytesMax: number;
  noDelay: boolean;
}

export interface ListenerSetOptions {
  log: Log;
  /** Absent where nothing need be remembered. */
  recorder?: Recorder;
  meter: Meter;
  /** May be changed in place at any time. */
  limits: ListenerLimits;
  /** A link is ready; its handler must be set before this returns. */
  onLink: (link: Link, peer: Peer) => void;
  /** Somebody speaks HTTP on a listener with `http`; the socket is theirs who answer, its first bytes put back. */
  onHttp: (socket: Socket, peer: Peer) => void;
  /** Links handed to onLink that have not finished CONNECT. */
  pendingConnects: () => number;
  /** Plain words on why TLS files could not be loaded; lines that follow Mosquitto's. */
  explain: (error: unknown, files: TlsOptions) => string[];
  /** Why a peer, as soon as its address is known, may not come in just now; what there is to say was said. */
  turnsAway: (peer: Peer) => 'banned' | 'rate' | null;
  /** Our own verdict on a client's chain, leaf first. It is asked beside OpenSSL's; both must hold. */
  judge: Judge;
  /** The same words for a verdict of OpenSSL's alone, by its code such as `CERT_HAS_EXPIRED`. */
  judgementOfOpenssl: (code: string, subject: string | null) => Judgement;
  /** What a client may do whose certificate, DER, is good but for its date; null for nothing. */
  passForExpired: (listener: ListenerRules, certificate: Buffer) => ServicePass | null;
  /** Receives the lines of `--tls-keylog`; null for none. */
  keylog: ((line: Buffer) => void) | null;
}

/** A listener that cannot be opened: the lines to print and the code to leave with. */
export class ListenerError extends Error {
  readonly lines: readonly string[];
  readonly exitCode: number;
  /** Of the system call that failed, such as EADDRINUSE; empty when it was none. */
  readonly systemCode: string;

  constructor(lines: readonly string[], exitCode = 1, systemCode = '') {
    super(lines[0] ?? 'a listener could not be opened');
    this.name = 'ListenerError';
    this.lines = lines;
    this.exitCode = exitCode;
    this.systemCode = systemCode;
  }
}
