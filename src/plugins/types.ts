/**
 * What a plugin is made of: the types of `zancudo/plugin`. The only file of this folder that a plugin's author reads.
 *
 *   rules.mjs   export default { authorize({ action, topic, client }) { ... } }         a Plugin
 *               export default broker => ({ messageIn(message, from) { ... } })         or a function that makes one
 *
 * Every hook is optional, and one that is absent costs nothing. The guide is docs/guides/plugins.md.
 */

export type PluginModule = Plugin | ((broker: PluginBroker) => Plugin | Promise<Plugin>);

export interface Plugin {
  /** Before the broker opens its ports, and after a reload that has loaded the plugin anew. A throw stops the start. */
  start?(broker: PluginBroker): void | Promise<void>;

  /** Who is this? Asked before password files and all else. */
  authenticate?(login: Login): LoginAnswer | Promise<LoginAnswer>;

  /**
   * May it? Asked before access files and all else, and the answer is needed at once. It is remembered for as long as the
   * client uses the same topic: call `broker.rulesChanged()` when it would be another one now.
   */
  authorize?(question: AccessQuestion): AccessAnswer;

  /**
   * The same where the answer takes time, asked when `authorize` says nothing: this client waits for it, nobody else does. It
   * is remembered for a minute, or until `broker.rulesChanged()`. Without an answer in time the client may not.
   */
  authorizeLater?(question: AccessQuestion): Promise<AccessAnswer>;

  /** A message that a client has published and may publish, before anybody gets it. The answer is needed at once. */
  messageIn?(message: Message, from: Client): MessageAnswer;

  /** The same message for one of those who will get it, once for each. The answer is needed at once. */
  messageOut?(message: Message, to: Client, from: Client | null): DeliveryAnswer;

  /** What has happened. Nobody waits for these; one that answers later has `plugin_timeout` for it. */
  onConnect?(client: Client): void | Promise<void>;
  onDisconnect?(client: Client, end: { reason: string | null }): void | Promise<void>;
  onSubscribe?(client: Client, subscription: { filter: string; qos: 0 | 1 | 2 }): void | Promise<void>;
  onUnsubscribe?(client: Client, subscription: { filter: string }): void | Promise<void>;
  /** After a message of a client was routed; `matched` filters led to somebody. */
  onPublish?(message: Message, from: Client, routed: { matched: number }): void | Promise<void>;
  /** The configuration was read again, and this plugin is as it was. */
  onReload?(): void | Promise<void>;

  /** Before this instance goes and a newer one takes its place: what that one finds in `broker.handedOver`. */
  handOver?(): unknown;

  /** The broker stops, or this instance is not needed any more. */
  stop?(): void | Promise<void>;
}

/** The broker as a plugin sees it. */
export interface PluginBroker {
  /** As log lines name the plugin. */
  readonly name: string;
  /** The `plugin_opt_...` lines, without that beginning; of two with one name the last. */
  readonly options: Readonly<Record<string, string>>;
  /** From `handOver` of the instance before; undefined for the first one. */
  readonly handedOver: unknown;
  log(level: LogLevel, text: string): void;
  /** Soon, after what is being done now. No access rule is asked, and no `messageIn`. */
  publish(topic: string, payload: string | Uint8Array, options?: PublishOptions): void;
  /** Answers of `authorize` have changed: what was remembered of them is void. */
  rulesChanged(): void;
  /** Ends the connection of a client; false when it is not connected. */
  disconnect(clientId: string, because: string): boolean;
  /** Everyone who is connected. */
  clients(): Client[];
  /** Whether a topic filter lets a topic name through. */
  matches(filter: string, topic: string): boolean;
}

export type LogLevel = 'error' | 'warning' | 'notice' | 'information' | 'debug';

export interface PublishOptions {
  qos?: 0 | 1 | 2;
  retain?: boolean;
  messageExpirySeconds?: number;
}

export interface Client {
  readonly clientId: string;
  /** Null for an anonymous client. */
  readonly username: string | null;
  /** Of the peer, without its port. */
  readonly address: string;
  /** `port 8883`, or the path of a Unix socket. */
  readonly listener: string;
  /** SHA-256 fingerprint of its certificate, upper-case hexadecimal with colons; null for none. */
  readonly certificate: string | null;
}

export interface Login extends Client {
  readonly password: Buffer | null;
  readonly port: number;
  readonly tls: { readonly version: string; readonly cipher: string } | null;
  /** A certificate that holds; null for none. */
  readonly shown: {
    readonly commonName: string | null;
    readonly subject: string;
    readonly serialNumber: string;
    readonly fingerprint256: string;
  } | null;
}

/**
 * `allow` and `deny` are final; the text of a deny is for the operator's log, never for the peer. `defer`: I looked and do
 * not know this user. Nothing: not my business.
 */
export type LoginAnswer = 'allow' | 'deny' | { deny: string } | 'defer' | undefined | null;

export interface AccessQuestion {
  readonly action: 'publish' | 'receive' | 'subscribe' | 'unsubscribe';
  /** A topic name, or for (un)subscribe a filter; with the mount point in front. */
  readonly topic: string;
  readonly client: Client;
}

/** As for a login. When everybody who was asked says nothing, the client may; after a `defer` it may not. */
export type AccessAnswer = 'allow' | 'deny' | { deny: string } | 'defer' | undefined | null;

export interface Message {
  /** With the mount point in front. */
  readonly topic: string;
  /** May be kept, and is not to be changed: answer with another one. */
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly properties: MessageProperties;
}

/** MQTT 5, 3.3.2.3. */
export interface MessageProperties {
  payloadFormatIndicator?: number;
  contentType?: string;
  responseTopic?: string;
  correlationData?: Buffer;
  userProperties?: [string, string][];
}

/** Nothing: as it is. */
export type MessageAnswer =
  | undefined
  | null
  | (DeliveryChange & { topic?: string; qos?: 0 | 1 | 2; retain?: boolean })
  /** It goes no further, and the publisher is told that all went well. */
  | { drop: string }
  /** It goes no further, and a publisher of MQTT 5 is told so. */
  | { refuse: string; code?: RefusalCode };

export type DeliveryAnswer = undefined | null | DeliveryChange | { drop: string };

/** What is absent stays as it is. `properties` takes the place of all there were. */
export interface DeliveryChange {
  payload?: string | Uint8Array;
  properties?: MessageProperties;
}

/** The reason code of PUBACK and PUBREC; `implementation-specific` unless given. */
export type RefusalCode =
  'implementation-specific' | 'not-authorized' | 'topic-name-invalid' | 'quota-exceeded' | 'payload-format-invalid';
