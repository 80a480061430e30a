/** What a connection can be told, and what it tells. */
import type { X509Certificate } from 'node:crypto';
import type { Properties, ProtocolVersion } from '../codec/mod.ts';
import type { ClientError } from './client-error.ts';
import type { Wire } from './wire.ts';

export type Qos = 0 | 1 | 2;

export interface TlsOptions {
  /** Trusted CAs as PEM; none: those of the operating system. */
  ca?: readonly (string | Buffer)[];
  /** Client certificate and key as PEM. */
  cert?: string | Buffer;
  key?: string | Buffer;
  passphrase?: string;
  /** Checks neither the chain nor the name. Whoever stands between can read and change everything. */
  insecure?: boolean;
  /** Checks the chain, and takes it for any name. */
  anyName?: boolean;
  /** The name that the certificate must have, if it is not the host's. */
  serverName?: string;
  minVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL's syntax. */
  ciphers?: string;
  alpn?: string;
  /** Pre-shared key instead of certificates. */
  psk?: { identity: string; key: Buffer };
  /**
   * Asks the broker for the word of its CA that its certificate is not revoked (OCSP stapling), and judges it: null when
   * it is good, otherwise why not, as a part of a sentence. Without a word there is no connection.
   */
  judgeStaple?: (staple: Buffer, leaf: X509Certificate, issuer: X509Certificate) => Promise<string | null>;
  /** Told every line of TLS secrets, for debugging with Wireshark. */
  onSecret?: (line: Buffer) => void;
}

export interface ProxyOptions {
  host: string;
  port: number;
  username?: string;
  password?: string;
}

/** Where the broker is and how its bytes are carried. */
export interface Endpoint {
  host?: string;
  /** 1883, or 8883 with TLS. */
  port?: number;
  /** Path of a Unix socket instead of host and port. */
  unixSocket?: string;
  /** Local address to connect from. */
  bindAddress?: string;
  noDelay?: boolean;
  /** TCP keep alive: silence, then probes at this interval, then the end. */
  tcpKeepAlive?: { idleSeconds: number; intervalSeconds: number; count: number };
  tls?: TlsOptions;
  /** MQTT inside WebSocket. */
  websocket?: { path?: string; headers?: Readonly<Record<string, string>> };
  /** Makes the bytes' way instead of everything above: for a broker in this process. */
  wire?: () => Wire;
  /** SOCKS5; the proxy resolves the name. */
  proxy?: ProxyOptions;
  /** For the link, TLS and CONNACK together. */
  connectTimeoutMs?: number;
}

export interface WillOptions {
  topic: string;
  payload?: Buffer | string;
  qos?: Qos;
  retain?: boolean;
  properties?: Properties;
}

export interface Message {
  topic: string;
  /** A view of what the link gave; copy it to keep it for long. */
  payload: Buffer;
  qos: Qos;
  retain: boolean;
  dup: boolean;
  /** 0 at QoS 0. */
  packetId: number;
  properties: Readonly<Properties>;
  subscriptionIdentifiers: readonly number[];
}

/** Enhanced authentication (MQTT 5, 4.12). */
export interface Authentication {
  method: string;
  /** The first message; a function is asked for one at each CONNECT. */
  data?: Buffer | (() => Buffer);
  /** Answers the broker's data; null when there is nothing to add. */
  respond(data: Buffer | null, properties: Readonly<Properties>): Buffer | null | Promise<Buffer | null>;
  /** Looks at what came with the broker's yes; throws when this broker is not to be trusted. */
  finished?(data: Buffer | null): void;
}

export interface ConnackInformation {
  sessionPresent: boolean;
  clientId: string;
  properties: Readonly<Properties>;
  /** False on a reconnection. */
  first: boolean;
}

export interface ConnectOptions extends Endpoint {
  /** 5 unless given. */
  version?: ProtocolVersion;
  /** Empty unless given: the broker makes one (MQTT 3.1: this side does). */
  clientId?: string;
  username?: string;
  password?: string | Buffer;
  /** True unless given. */
  cleanStart?: boolean;
  keepAliveSeconds?: number;
  will?: WillOptions;
  /** Properties of CONNECT (MQTT 5), in the order given. */
  properties?: Properties;
  authentication?: Authentication;
  /** Sets bit 0x80 of the protocol level (3.x), as bridges do. */
  bridge?: boolean;
  /** QoS 1 and 2 messages on their way at once; the broker's receive maximum may lower it. 20 unless given. */
  inflightMax?: number;
  /** QoS 1 and 2 messages that wait for their turn or for a connection; more are refused. 10,000 unless given. */
  queuedMax?: number;
  /** Topic aliases of outgoing messages are chosen here, as far as the broker allows. */
  autoTopicAlias?: boolean;
  /**
   * When a message's PUBACK or PUBREC is sent: 'first', before the handler is called, or 'handled', once what the
   * handler returned is resolved. 'first' unless given.
   */
  acknowledge?: 'first' | 'handled';
  /** After a lost connection: false ends; otherwise asked how long to wait in milliseconds, null ends. */
  reconnect?: boolean | ((error: ClientError, attempt: number) => number | null);
  /** Filters are subscribed again when the broker kept no session. True unless given. */
  resubscribe?: boolean;
  onMessage?: (message: Message) => void | Promise<void>;
  onConnected?: (connack: ConnackInformation) => void;
  /** The link is gone; `retryMs` is null when this is the end. */
  onLost?: (error: ClientError, retryMs: number | null) => void;
  /** Every packet as a line of Mosquitto's `-d`. */
  trace?: (line: string) => void;
}
