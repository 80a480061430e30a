/**
 * From an endpoint to a wire, each layer loaded only when it is asked for: `zancudo pub` on a plain port never loads TLS.
 *
 *   TCP or Unix socket -> SOCKS5? -> TLS? -> WebSocket? -> wire
 */
import { connect as connectSocket, type Socket } from 'node:net';
import { ClientError } from './client-error.ts';
import type { Endpoint } from './options.ts';
import { SocketWire, type Wire } from './wire.ts';

/** For the link and TLS, and again for CONNACK. */
export const connectTimeoutMs = 30_000;

/** Aborts what is being set up when time is over. */
export async function dial(endpoint: Endpoint): Promise<Wire> {
  if (endpoint.wire !== undefined) return endpoint.wire();
  const opened: Socket[] = [];
  const limitMs = endpoint.connectTimeoutMs ?? connectTimeoutMs;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(timedOut(endpoint, limitMs)), limitMs);
  });
  try {
    return await Promise.race([build(endpoint, opened), late]);
  } catch (error) {
    for (const socket of opened) socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function build(endpoint: Endpoint, opened: Socket[]): Promise<Wire> {
  let socket = await openSocket(endpoint, opened);
  if (endpoint.proxy !== undefined) {
    const { throughProxy } = await import('./socks5.ts');
    await throughProxy(socket, endpoint.proxy, hostOf(endpoint), portOf(endpoint));
  }
  if (endpoint.tls !== undefined) {
    const { secure } = await import('./tls-dial.ts');
    socket = await secure(socket, endpoint, endpoint.tls);
    opened.push(socket);
  }
  if (endpoint.websocket === undefined) return new SocketWire(socket);
  const { upgrade } = await import('./websocket-wire.ts');
  return upgrade(socket, endpoint);
}

export function hostOf(endpoint: Endpoint): string {
  return endpoint.host ?? 'localhost';
}

export function portOf(endpoint: Endpoint): number {
  return endpoint.port ?? (endpoint.tls === undefined ? 1883 : 8883);
}

/** `host:port` or the socket's path, for messages. */
export function placeOf(endpoint: Endpoint): string {
  if (endpoint.wire !== undefined) return 'the broker in this process';
  if (endpoint.unixSocket !== undefined) return endpoint.unixSocket;
  const host = hostOf(endpoint);
  return `${host.includes(':') ? `[${host}]` : host}:${portOf(endpoint)}`;
}

/** First where a host is named: RFC 6761, 6.3, has localhost mean the loopback address without asking anybody. */
const loopback = '127.0.0.1';

/**
 * `localhost` is tried at 127.0.0.1 before the resolver is asked (::1): for a name, Node builds its expression for IPv6
 * addresses and a thread pool, 9 ms of the 45 of a `zancudo pub`.
 */
async function openSocket(endpoint: Endpoint, opened: Socket[]): Promise<Socket> {
  if (endpoint.unixSocket !== undefined) return opening(connectSocket({ path: endpoint.unixSocket }), endpoint, opened);
  const target = endpoint.proxy ?? { host: hostOf(endpoint), port: portOf(endpoint) };
  const at = (host: string): Promise<Socket> => opening(connectTo(host, target.port, endpoint), endpoint, opened);
  if (target.host !== 'localhost') return at(target.host);
  return at(loopback).catch(() => at(target.host));
}

function connectTo(host: string, port: number, { noDelay, bindAddress, tcpKeepAlive }: Endpoint): Socket {
  const socket = connectSocket({
    host,
    port,
    noDelay: noDelay ?? false,
    ...(bindAddress === undefined ? {} : { localAddress: bindAddress }),
  });
  if (tcpKeepAlive !== undefined) {
    const { idleSeconds, intervalSeconds, count } = tcpKeepAlive;
    socket.setKeepAlive(true, idleSeconds * 1000, intervalSeconds * 1000, count);
  }
  return socket;
}

function opening(socket: Socket, endpoint: Endpoint, opened: Socket[]): Promise<Socket> {
  opened.push(socket);
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => reject(notOpened(endpoint, error));
    socket.once('error', onError);
    socket.once('connect', () => {
      socket.off('error', onError);
      resolve(socket);
    });
  });
}

const lookupCodes = ['ENOTFOUND', 'EAI_AGAIN', 'EAI_NONAME', 'EAI_FAIL', 'EAI_NODATA'];

const causes: Record<string, { text: string; remedy: (place: string) => string }> = {
  ECONNREFUSED: {
    text: 'nothing listens there',
    remedy: place => `Is the broker running, and is ${place} its address and port?`,
  },
  ENOENT: { text: 'there is no such socket', remedy: place => `Is the broker running with 'listener 0 ${place}'?` },
  EACCES: { text: 'permission was denied', remedy: place => `May this user open ${place}?` },
  EHOSTUNREACH: { text: 'no route leads there', remedy: () => 'Are both machines on the same network?' },
  ENETUNREACH: { text: 'no network leads there', remedy: () => 'Is this machine connected?' },
  ETIMEDOUT: { text: 'nobody answered', remedy: () => 'Is the machine on, and does a firewall drop the port?' },
  EADDRNOTAVAIL: { text: 'this machine does not have that address', remedy: () => 'Check the address to bind to.' },
};

function notOpened(endpoint: Endpoint, error: NodeJS.ErrnoException): ClientError {
  const systemCode = error.code ?? '';
  const host = endpoint.proxy?.host ?? hostOf(endpoint);
  if (lookupCodes.includes(systemCode)) {
    return new ClientError({
      code: 'connect.lookup',
      kind: 'lookup',
      message: `The name '${host}' is not known (${systemCode}).`,
      remedy: ['Is it spelled right? A machine of this network may be known as NAME.local, or by its address.'],
      systemCode,
    });
  }
  const place = endpoint.proxy === undefined ? placeOf(endpoint) : `proxy ${host}:${endpoint.proxy.port}`;
  const cause = causes[systemCode];
  return new ClientError({
    code: 'connect.socket',
    kind: 'socket',
    message: `${place} could not be reached: ${cause?.text ?? error.message}${systemCode ? ` (${systemCode})` : ''}.`,
    remedy: cause === undefined ? [] : [cause.remedy(place)],
    systemCode,
  });
}

function timedOut(endpoint: Endpoint, limitMs: number): ClientError {
  return new ClientError({
    code: 'connect.timeout',
    kind: 'timeout',
    message: `${placeOf(endpoint)} did not answer within ${limitMs / 1000} s.`,
    remedy: ['Is the machine on, and does a firewall drop the port?'],
    systemCode: 'ETIMEDOUT',
  });
}
