/**
 * A client: what outlives connections (subscriptions, messages in flight) and the way from one to the next.
 *
 *   connect() -> dial -> CONNECT -> CONNACK -> online -> lost -> wait -> dial ... -> disconnect() or the end
 *
 * Only the first connection's failure rejects connect(); later ones are told to onLost and tried again as `reconnect`
 * says.
 */
import {
  type Ack,
  type AckName,
  type Auth,
  type Connack,
  NO_PROPERTIES,
  type Properties,
  type ProtocolVersion,
  type Suback,
} from '../codec/mod.ts';
import { AliasBook } from './alias-book.ts';
import { backOffMs } from './back-off.ts';
import { ClientError, isFinalReason, mayPass } from './client-error.ts';
import { connectPacket } from './connect-packet.ts';
import { connectionRefused } from './connack-refusal.ts';
import { Connection, type ConnectionOwner } from './connection.ts';
import { connectTimeoutMs, dial, placeOf } from './dial.ts';
import { Incoming } from './incoming.ts';
import type { Authentication, ConnectOptions, Message, Qos } from './options.ts';
import { Outgoing, type Publication, type Published } from './outgoing.ts';
import { PacketIds } from './packet-ids.ts';
import { rawProperties } from './properties.ts';
import { Subscriptions, type Granted, type SubscribeOptions } from './subscriptions.ts';
import { Trace } from './trace.ts';

export interface PublishOptions {
  qos?: Qos;
  retain?: boolean;
  /** MQTT 5. */
  properties?: Properties;
}

export interface DisconnectOptions {
  reasonCode?: number;
  properties?: Properties;
  /**
   * Not until the peer has closed too, but until the kernel has all there is to send. For who ends with it, and has
   * nothing coming: bytes that nobody reads turn a close into a reset, which can overtake what was sent.
   */
  untilSent?: boolean;
}

/** Sees a message before `onMessage`; true keeps it. */
export type Interceptor = (message: Message) => boolean;

/** Twelve digits; only told apart, so that loading node:crypto (20 ms) is not worth it. */
function randomId(): string {
  return Math.floor(Math.random() * 16 ** 12)
    .toString(16)
    .padStart(12, '0');
}

const queuedMax = 10_000;
const inflightMax = 20;

export class Client implements ConnectionOwner {
  readonly options: ConnectOptions;
  readonly version: ProtocolVersion;
  /** As the broker knows it. */
  clientId: string;
  /** What the broker said of itself in the last CONNACK. */
  serverProperties: Readonly<Properties> = NO_PROPERTIES;
  /** Resolves when the last connection is over: null after disconnect(), otherwise the cause. */
  readonly ended: Promise<ClientError | null>;

  private connection: Connection | null = null;
  private online = false;
  private everOnline = false;
  private stopped = false;
  private attempt = 0;
  private retryTimer: NodeJS.Timeout | null = null;
  private opening: { resolve: () => void; reject: (error: ClientError) => void } | null = null;
  private drainWaiters: (() => void)[] = [];
  private finish: (error: ClientError | null) => void = () => undefined;
  private readonly ids = new PacketIds();
  private readonly aliases = new AliasBook();
  private readonly outgoing: Outgoing;
  private readonly incoming: Incoming;
  private readonly subscriptions: Subscriptions;
  private readonly interceptors = new Set<Interceptor>();
  private readonly trace: Trace | null;

  constructor(options: ConnectOptions) {
    this.options = options;
    this.version = options.version ?? 5;
    // MQTT 3.1 has no empty identifiers, and none longer than 23 bytes (3.1, 3.1).
    this.clientId = options.clientId || (this.version === 3 ? `zancudo-${randomId()}` : '');
    this.trace = options.trace === undefined ? null : new Trace(this.clientId, options.trace);
    this.outgoing = new Outgoing(this.ids, (publication, dup) => this.aliases.parts(publication, dup, this.version));
    this.incoming = new Incoming(options.acknowledge ?? 'first', message => this.deliver(message));
    this.subscriptions = new Subscriptions(this.ids);
    this.ended = new Promise(resolve => (this.finish = resolve));
  }

  get isOnline(): boolean {
    return this.online;
  }

  /** Messages of QoS 1 and 2 that the broker has not taken yet. */
  get pending(): number {
    return this.outgoing.size;
  }

  /** Opens the first connection. */
  async open(): Promise<void> {
    const connected = new Promise<void>((resolve, reject) => (this.opening = { resolve, reject }));
    void this.dial();
    return connected;
  }

  /**
   * Resolves when the broker has taken the message (QoS 1 and 2), or it is on its way to the kernel (QoS 0). A refusal
   * by the broker is a result, not an error: look at `reasonCode`.
   */
  publish(topic: string, payload: Buffer | string = '', options: PublishOptions = {}): Promise<Published> {
    return new Promise((resolve, reject) => {
      const publication: Publication = {
        topic,
        payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
        qos: options.qos ?? 0,
        retain: options.retain ?? false,
        rawProperties: rawProperties(options.properties),
        topicAlias: options.properties?.topicAlias ?? 0,
        packetId: 0,
        phase: 'publish',
        resolve,
        reject,
      };
      if (publication.qos === 0) this.publishAtOnce(publication);
      else this.publishSafely(publication);
    });
  }

  /** Codes below 0x80 are the granted QoS; others say why not. */
  subscribe(filters: string | readonly string[], options: SubscribeOptions = {}): Promise<Granted> {
    const { connection } = this;
    if (!this.online || connection === null) return Promise.reject(notConnected(this.place));
    return this.subscriptions.subscribe(typeof filters === 'string' ? [filters] : filters, options, connection);
  }

  unsubscribe(filters: string | readonly string[], properties: Properties = {}): Promise<Granted> {
    const { connection } = this;
    if (!this.online || connection === null) return Promise.reject(notConnected(this.place));
    return this.subscriptions.unsubscribe(typeof filters === 'string' ? [filters] : filters, properties, connection);
  }

  /** Lets somebody see messages before `onMessage`; returns the way to end that. */
  intercept(interceptor: Interceptor): () => void {
    this.interceptors.add(interceptor);
    return () => this.interceptors.delete(interceptor);
  }

  /** Starts authentication anew on this connection (MQTT 5, 4.12.1). */
  reauthenticate(given?: Buffer): void {
    const { method, data: first } = this.options.authentication ?? {};
    const data = given ?? (typeof first === 'function' ? first() : undefined);
    if (method === undefined || this.connection === null) return;
    const properties = { authenticationMethod: method, ...(data === undefined ? {} : { authenticationData: data }) };
    this.connection.sendAuth({ reasonCode: 0x19, properties });
  }

  /** Ends in order; resolves when the link is closed. Messages that the broker has not taken are given up. */
  async disconnect(options: DisconnectOptions = {}): Promise<void> {
    this.stopped = true;
    if (this.retryTimer !== null) clearTimeout(this.retryTimer);
    const { connection } = this;
    const { reasonCode = 0, properties = NO_PROPERTIES, untilSent = false } = options;
    const sent = new Promise<void>(resolve => {
      if (connection === null) this.end(null);
      else connection.disconnect({ reasonCode, properties }, untilSent ? resolve : undefined);
    });
    await Promise.race([sent, this.ended]);
  }

  /** Ends without DISCONNECT, as a crash would: the broker sends the will. */
  async abort(): Promise<void> {
    this.stopped = true;
    if (this.retryTimer !== null) clearTimeout(this.retryTimer);
    if (this.connection === null) this.end(null);
    else this.connection.fail(notConnected(this.place));
    await this.ended;
  }

  onConnack(packet: Connack): void {
    if (packet.reasonCode !== 0)
      return this.connection?.fail(connectionRefused(packet, this.version, this.place, this.options.tls));
    if (!this.trusts(packet.properties)) return;
    this.clientId = packet.properties.assignedClientIdentifier ?? this.clientId;
    this.serverProperties = packet.properties;
    const first = !this.everOnline;
    this.everOnline = this.online = true;
    this.attempt = 0;
    this.startConversation(packet);
    this.options.onConnected?.({
      sessionPresent: packet.sessionPresent,
      clientId: this.clientId,
      properties: packet.properties,
      first,
    });
    this.opening?.resolve();
    this.opening = null;
  }

  onMessage(message: Message): void {
    this.incoming.arrived(message, this.connection!);
  }

  onAck(name: AckName, ack: Ack): void {
    if (name === 'pubrel') this.incoming.released(ack.packetId, this.connection!);
    else this.outgoing.acknowledged(name, ack, this.connection!);
  }

  onSuback(packet: Suback): void {
    this.subscriptions.acknowledged(packet);
  }

  onAuth(packet: Auth): void {
    const { authentication } = this.options;
    const connection = this.connection!;
    if (authentication === undefined) return;
    if (packet.reasonCode !== 0x18) return void this.trusts(packet.properties);
    void respond(authentication, packet).then(
      properties => connection.sendAuth({ reasonCode: 0x18, properties }),
      (error: unknown) => connection.fail(authenticationFailed(error)),
    );
  }

  /** The broker has said yes; whether it has proved who it is, where the method asks for that. */
  private trusts({ authenticationData }: Readonly<Properties>): boolean {
    try {
      this.options.authentication?.finished?.(authenticationData ?? null);
      return true;
    } catch (error) {
      this.connection?.fail(authenticationFailed(error));
      return false;
    }
  }

  onDrain(): void {
    const waiters = this.drainWaiters;
    this.drainWaiters = [];
    for (const resolve of waiters) resolve();
  }

  onClosed(error: ClientError | null): void {
    const wasOnline = this.online;
    this.online = false;
    this.connection = null;
    this.onDrain();
    const cause = error ?? notConnected(this.place);
    this.subscriptions.failAll(cause);
    const { tls } = this.options;
    if (tls === undefined || cause.systemCode?.startsWith('ERR_SSL') !== true) return this.goOn(cause, wasOnline);
    void import('./tls-alerts.ts').then(({ alertAfterHandshake }) => {
      const isNew = cause.kind === 'lost';
      this.goOn(isNew ? alertAfterHandshake(this.options, tls, cause) : cause, wasOnline);
    });
  }

  /** After a connection, or an attempt at one: again, or the end. */
  private goOn(cause: ClientError, wasOnline: boolean): void {
    if (!wasOnline && this.opening !== null) return this.failFirst(cause);
    if (this.stopped) return this.end(null);
    const retryMs = this.retryAfter(cause);
    this.options.onLost?.(cause, retryMs);
    if (retryMs === null || this.stopped) return this.end(cause);
    this.retryTimer = setTimeout(() => void this.dial(), retryMs);
  }

  private get place(): string {
    return placeOf(this.options);
  }

  private async dial(): Promise<void> {
    try {
      const packet = connectPacket(this.options, this.version, this.clientId);
      const wire = await dial(this.options);
      if (this.stopped) return wire.destroy();
      this.connection = new Connection(wire, this, this.version, this.place, this.trace);
      this.connection.open(packet, this.options.connectTimeoutMs ?? connectTimeoutMs);
    } catch (error) {
      this.onClosed(error instanceof ClientError ? error : unforeseen(error));
    }
  }

  private startConversation({ sessionPresent, properties }: Connack): void {
    const connection = this.connection!;
    connection.startKeepAlive(properties.serverKeepAlive ?? this.options.keepAliveSeconds ?? 60);
    const autoMax = this.options.autoTopicAlias === true ? (properties.topicAliasMaximum ?? 0) : 0;
    this.aliases.begin(autoMax);
    this.outgoing.window = Math.min(this.options.inflightMax ?? inflightMax, properties.receiveMaximum ?? 65_535);
    if (!sessionPresent) this.incoming.forget();
    if (!sessionPresent && this.options.resubscribe !== false) this.subscriptions.renew(connection);
    this.outgoing.replay(connection, sessionPresent);
    this.outgoing.pump(connection);
  }

  private publishAtOnce(publication: Publication): void {
    const { connection } = this;
    if (!this.online || connection === null) return publication.reject(notConnected(this.place));
    // Mosquitto counts an identifier for QoS 0 too, though none is sent: its trace and mid show it.
    const packetId = this.ids.take() ?? 0;
    this.ids.release(packetId);
    publication.packetId = packetId;
    connection.sendPublish(this.aliases.parts(publication, false, this.version), publication.topic);
    const done = (): void => publication.resolve({ packetId, reasonCode: 0, properties: NO_PROPERTIES });
    if (connection.blocked) this.drainWaiters.push(done);
    else done();
  }

  private publishSafely(publication: Publication): void {
    const limit = this.options.queuedMax ?? queuedMax;
    if (this.stopped) return publication.reject(notConnected(this.place));
    if (this.outgoing.size >= limit) return publication.reject(queueFull(limit));
    this.outgoing.add(publication);
    if (this.online && this.connection !== null) this.outgoing.pump(this.connection);
  }

  private deliver(message: Message): void | Promise<void> {
    for (const interceptor of this.interceptors) if (interceptor(message)) return;
    return this.options.onMessage?.(message);
  }

  /** Null: not again. */
  private retryAfter(error: ClientError): number | null {
    const { reconnect = true } = this.options;
    const attempt = this.attempt++;
    if (reconnect === false) return null;
    if (typeof reconnect === 'function') return reconnect(error, attempt);
    const isFinal = error.reasonCode !== undefined && isFinalReason(error.reasonCode);
    return !mayPass(error) || isFinal ? null : backOffMs(attempt);
  }

  private failFirst(error: ClientError): void {
    this.stopped = true;
    const opening = this.opening!;
    this.opening = null;
    this.end(error);
    opening.reject(error);
  }

  private end(error: ClientError | null): void {
    this.outgoing.failAll(error ?? notConnected(this.place));
    this.finish(error);
  }
}

/** Asynchronous so that an answer that throws at once is told like one that fails later. */
async function respond(authentication: Authentication, { properties }: Auth): Promise<Properties> {
  const data = await authentication.respond(properties.authenticationData ?? null, properties);
  return { authenticationMethod: authentication.method, ...(data ? { authenticationData: data } : {}) };
}

function notConnected(place: string): ClientError {
  return new ClientError({
    code: 'client.not-connected',
    kind: 'not-connected',
    message: `Not connected to ${place}.`,
  });
}

function queueFull(limit: number): ClientError {
  return new ClientError({
    code: 'client.queue-full',
    kind: 'queue-full',
    message: `${limit} messages wait for the broker already.`,
    remedy: ['Await the results of publish(), or raise queuedMax.'],
  });
}

function authenticationFailed(error: unknown): ClientError {
  const why = error instanceof Error ? error.message : String(error);
  return new ClientError({ code: 'mqtt.auth', kind: 'authentication', message: `Authentication failed: ${why}.` });
}

/** A fault of this program, told as such and not as one of the broker's. */
function unforeseen(error: unknown): ClientError {
  const why = error instanceof Error ? error.message : String(error);
  return new ClientError({
    code: 'client.fault',
    kind: 'invalid',
    message: `The connection could not be set up: ${why}.`,
  });
}
