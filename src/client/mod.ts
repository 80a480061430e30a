/**
 * An MQTT client for 3.1, 3.1.1 and 5 on TCP, TLS, WebSocket, Unix sockets and SOCKS5.
 *
 *   import { connect } from 'zancudo/client';
 *
 *   const client = await connect({
 *     host: 'localhost', tls: { ca: [readFileSync('ca.crt')] }, username: 'lamp', password: '...',
 *     onMessage: message => console.log(message.topic, message.payload.toString()),
 *   });
 *   await client.subscribe('house/#', { qos: 1 });
 *   await client.publish('house/lamp', 'on', { qos: 1, retain: true });
 *   await client.disconnect();
 *
 * connect() rejects with a ClientError whose `message` is the cause and whose `remedy` says what to do. Once connected,
 * a lost connection is taken up again with growing, jittered pauses: subscriptions are renewed and messages of QoS 1
 * and 2 sent again until the broker has taken them.
 */
import { Client } from './client.ts';
import type { ConnectionOptions } from 'node:tls';
import type { ClientError } from './client-error.ts';
import type { ConnectOptions, Endpoint, TlsOptions } from './options.ts';
import type { Requester } from './request.ts';
import type { TlsFiles } from './tls-files.ts';
import type { Wire } from './wire.ts';

export { AliasBook, type AliasedPublication } from './alias-book.ts';
export { connectPacket } from './connect-packet.ts';
export { connectionRefused } from './connack-refusal.ts';
export { Connection, type ConnectionOwner } from './connection.ts';
export { placeOf } from './dial.ts';
export { rawProperties } from './properties.ts';
export { Client, type DisconnectOptions, type Interceptor, type PublishOptions } from './client.ts';
export { ClientError, type ErrorKind, mayPass } from './client-error.ts';
export type {
  Authentication,
  ConnackInformation,
  ConnectOptions,
  Endpoint,
  Message,
  ProxyOptions,
  Qos,
  TlsOptions,
  WillOptions,
} from './options.ts';
export {
  defaultProfileName,
  isProfileName,
  parseProfile,
  type Profile,
  profileFolder,
  profilePath,
  profileText,
} from './profile.ts';
export type { Published } from './outgoing.ts';
export { reasonName, returnCodeName } from './reason-names.ts';
export { scramAuthentication, type ScramMethod, scramMethods } from './scram.ts';
export type { Requester, RequestOptions } from './request.ts';
export type { Granted, SubscribeOptions } from './subscriptions.ts';
export type { TlsFiles } from './tls-files.ts';
export type { Wire, WireHandler } from './wire.ts';
export type { Properties, ProtocolVersion } from '../codec/mod.ts';

/** Resolves when the broker has accepted the connection. */
export async function connect(options: ConnectOptions): Promise<Client> {
  const client = new Client(options);
  await client.open();
  return client;
}

/** Requests and their responses over this client (MQTT 5, 4.10). */
export async function requester(client: Client): Promise<Requester> {
  const { Requester } = await import('./request.ts');
  return new Requester(client);
}

/** TLS settings from files; loaded only when there are some. */
export async function tlsFromFiles(files: TlsFiles): Promise<Pick<TlsOptions, 'ca' | 'cert' | 'key'>> {
  const { readTlsFiles } = await import('./tls-files.ts');
  return readTlsFiles(files);
}

/** For Node's own TLS: one context for many connections. */
export async function tlsSettings(options: TlsOptions): Promise<ConnectionOptions> {
  const { tlsSettings } = await import('./tls-dial.ts');
  return tlsSettings(options);
}

/** The refusal of a TLS server that comes as an alert when the handshake is over for this side; other errors as they are. */
export async function explainAlert(endpoint: Endpoint, error: ClientError): Promise<ClientError> {
  const { tls } = endpoint;
  if (tls === undefined || error.kind !== 'lost' || error.systemCode?.startsWith('ERR_SSL') !== true) return error;
  const { alertAfterHandshake } = await import('./tls-alerts.ts');
  return alertAfterHandshake(endpoint, tls, error);
}

/** The bytes of an endpoint, without MQTT. */
export async function dialWire(endpoint: Endpoint): Promise<Wire> {
  const { dial } = await import('./dial.ts');
  return dial(endpoint);
}
