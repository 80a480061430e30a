/** A broker inside another program: the types of `zancudo`. The guide is docs/guides/plugins.md. */
import type { Client, ConnectOptions, Message } from '../client/mod.ts';
import type { LogLevel, PluginModule, PublishOptions } from '../plugins/types.ts';

export type { Client, ConnectOptions, Message } from '../client/mod.ts';
export type * from '../plugins/types.ts';

/**
 * Throws a BrokerError when an option is wrong; nothing is opened before `start`. Declared here and made in mod.ts, so
 * that the published types are of what is offered, and not of the whole broker.
 */
export declare function createBroker(options?: BrokerOptions): EmbeddedBroker;

/** Why a broker cannot be made or started, in the words of its log. */
export declare class BrokerError extends Error {
  readonly lines: readonly string[];
}

export type OptionValue = string | number | boolean;

/**
 * Options of mosquitto.conf by their names, as they are written there (`max_queued_messages`) or as JavaScript writes them
 * (`maxQueuedMessages`). One that may be repeated takes a list. docs/reference/options.md has them all.
 */
export interface Options {
  [option: string]: OptionValue | readonly OptionValue[] | undefined;
}

/** An open port. Port 0 is a free one, which `listeners` of the broker tells. */
export interface ListenerOptions {
  port?: number;
  /** Every address unless given. */
  host?: string;
  /** Path of a Unix socket instead of both. */
  unixSocket?: string;
  [option: string]: OptionValue | readonly OptionValue[] | undefined;
}

/** A file with the options that `plugin_opt_...` would hand it, and the bounds of its plugin line. */
export interface PluginFile {
  path: string;
  options?: Readonly<Record<string, string>>;
  timeoutSeconds?: number;
  faultsMax?: number;
  whenFaulty?: 'refuse' | 'switch_off';
}

export interface BrokerOptions {
  /** None unless given: the broker then serves this process alone. */
  listeners?: readonly ListenerOptions[];
  /** Asked in this order, before every other source of users and rules. A relative path counts from the working folder. */
  plugins?: readonly (PluginModule | string | PluginFile)[];
  /** What is not said of a listener. */
  settings?: Options;
  /** Blocks of `auth_backend DRIVER`, each with its options. */
  authBackends?: readonly (Options & { driver: string })[];
  /** Blocks of `connection NAME`: bridges to other brokers. */
  bridges?: readonly (Options & { name: string })[];
  /** Takes the place of all of the above but the plugins. */
  configurationFile?: string;
  /** Errors and warnings go to standard error unless given; null for silence. */
  log?: ((level: LogLevel, text: string) => void) | null;
}

export interface OpenListener {
  /** 0 for a Unix socket. */
  readonly port: number;
  readonly host: string | null;
  readonly unixSocket: string | null;
}

export interface EmbeddedBroker {
  /** Resolves when every port is open; rejects with a BrokerError. */
  start(): Promise<void>;
  /** Resolves when everything is closed, and the store has what it was given. It can be started again. */
  stop(): Promise<void>;
  /** Those that are open, in the order of the options. */
  readonly listeners: readonly OpenListener[];
  /** As the broker itself: no access rule is asked. */
  publish(topic: string, payload?: string | Uint8Array, options?: PublishOptions): void;
  /** Everything that this filter lets through, retained messages first; resolves to what ends it. No access rule is asked. */
  subscribe(filter: string, onMessage: (message: Message) => void): Promise<() => Promise<void>>;
  /** A client of this broker without a socket, with all that a client has: QoS, a will, a session. No access rule is asked. */
  connect(options?: ConnectOptions): Promise<Client>;
  /** Everyone who is connected. */
  clients(): EmbeddedClient[];
  /** False when it is not connected. */
  disconnect(clientId: string): boolean;
}

export interface EmbeddedClient {
  readonly clientId: string;
  readonly username: string | null;
  readonly address: string;
  readonly port: number;
  /** 3, 4 or 5. */
  readonly version: number;
}
