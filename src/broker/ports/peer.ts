/** What a listener knows of a peer, and what it allows. Told by listeners/, and by conf/ by way of server/. */
import type { ServicePass } from './services.ts';

/** What a certificate, PSK or PROXY header proved about the peer, and the verdict on it. */
export interface Peer {
  /** IP address without brackets, or the path of the Unix socket. */
  address: string;
  /** 0 for a Unix socket. */
  port: number;
  listener: ListenerRules;
  tls: { version: string; cipher: string } | null;
  certificate: PeerCertificate | null;
  pskIdentity: string | null;
  /** Common name that a PROXY v2 header vouched for (only with require_certificate). */
  proxiedCommonName: string | null;
  /** True when the address and what was proved come from a PROXY header. */
  proxied?: boolean;
  /** Set when this peer must not pass: CONNECT is answered with a refusal and nothing else is done. */
  refusal: PeerRefusal | null;
  /** Asked again after a reload: does the certificate still hold under the present CA, CRL and date? null = yes. */
  recheck?: () => PeerRefusal | null;
  /** Beside a refusal: what this peer may do all the same. Whoever does not know of passes refuses. */
  pass?: ServicePass;
  /** What is known of this TLS 1.3 connection at its two ends alone (RFC 9266); null when the link is gone. */
  channelBinding?: () => Buffer | null;
  /** The certificate itself, DER; null when it is no longer to be had because the link is gone. */
  certificateDer?: () => Buffer | null;
}

export interface PeerCertificate {
  /** First CN of the subject, null when there is none or it is not valid MQTT UTF-8. */
  commonName: string | null;
  /** Whole subject as RFC 2253 text, most specific part first: `CN=alice,O=Org`. */
  subject: string;
  /** Hexadecimal, upper case. */
  serialNumber: string;
  /** SHA-256, upper-case hexadecimal with colons. */
  fingerprint256: string;
}

export interface PeerRefusal {
  /** Stable code, for example `tls.client-certificate-expired`. */
  code: string;
  /** For the peer: goes into the reason string of an MQTT 5 CONNACK. */
  reason: string;
}

/** Every rule of one listener that the heart needs. The object is replaced in place on reload: never copy a field. */
export interface ListenerRules {
  /** How the listener is named in log lines: `port 8883`. */
  name: string;
  /** 0 for a Unix socket. */
  port: number;
  /** Null for every address. */
  host: string | null;
  unixPath: string | null;
  protocol: 'mqtt' | 'websockets' | 'http_api';
  acceptProtocolVersions: readonly (3 | 4 | 5)[];
  allowAnonymous: boolean;
  allowZeroLengthClientId: boolean;
  autoIdPrefix: string;
  /** Open sockets; -1 for no limit. */
  maxConnections: number;
  maxQos: 0 | 1 | 2;
  /** Aliases a client may use towards us; 0 to 65535. */
  maxTopicAlias: number;
  /** Aliases we may use towards a client; 0 to 65535. */
  maxTopicAliasBroker: number;
  /** False: sessions of clients that come in here are kept in memory alone, whatever there is for a store. */
  persistence: boolean;
  /** Empty for none. */
  mountPoint: string;
  requireCertificate: boolean;
  /** Asks for a certificate, and lets those who have none log in otherwise. */
  requestCertificate: boolean;
  useIdentityAsUsername: boolean;
  useSubjectAsUsername: boolean;
  useUsernameAsClientId: boolean;
  /** Set where no listener is: the end of a bridge that is in this process. */
  bridge?: LocalBridge;
}

/**
 * A bridge of this broker is its operator's own: nobody asks for its password, no access rule and no limit for clients
 * holds it (docs/compat/password-acl.md, 1), and what is under way is bounded by the window of the other broker.
 */
export interface LocalBridge {
  /** QoS 0 messages wait, too, while the bridge is away. */
  keepsQos0: boolean;
  /** The other broker has forgotten what was under way: both directions begin anew what they had not finished. */
  startsOver: boolean;
}
