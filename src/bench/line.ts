/**
 * The way of bytes to the broker, cheap enough that the generator is not what is measured.
 *
 *   plain     node:net, every socket reads into one shared buffer: what it holds is used up before the next read
 *   TLS       node:tls on one context for all connections
 *   other     WebSocket, SOCKS5, ...: the product's client carries them
 */
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { dialWire, tlsSettings, type Endpoint, type Wire } from '../client/mod.ts';

export interface LineOwner {
  onOpen(): void;
  /** The chunk is valid until this returns. */
  onBytes(chunk: Buffer): void;
  /** All of what was written has gone. */
  onDrain(): void;
  onClosed(why: string): void;
}

export interface Line {
  /** Returns true when the bytes have gone and their memory may be used again. */
  write(bytes: Buffer): boolean;
  /** Bytes that wait for the peer to read. */
  readonly unsent: number;
  /** At once and without a trace in the kernel: no port is used up by TIME_WAIT. */
  close(): void;
}

export type OpenLine = (owner: LineOwner, serial: number) => Line;

export interface TlsSeen {
  /** Such as TLSv1.3 TLS_AES_256_GCM_SHA384. */
  name: string;
  resumed: number;
}

const readBufferBytes = 262_144;
/** Ports of one source address that the kernel gives out, by and large. */
const connectionsPerSource = 25_000;

export async function lineOpener(endpoint: Endpoint, tlsSeen: TlsSeen, resume: boolean): Promise<OpenLine> {
  if (endpoint.websocket !== undefined || endpoint.proxy !== undefined) {
    return owner => new CarriedLine(dialWire(endpoint), owner);
  }
  return endpoint.tls === undefined ? plainOpener(endpoint) : tlsOpener(endpoint, tlsSeen, resume);
}

const hostOf = (endpoint: Endpoint): string => endpoint.host ?? 'localhost';

function placeOf(endpoint: Endpoint, serial: number): { host: string; port: number; localAddress?: string } {
  const host = hostOf(endpoint);
  const port = endpoint.port ?? (endpoint.tls === undefined ? 1883 : 8883);
  const source = Math.floor(serial / connectionsPerSource);
  if (endpoint.bindAddress !== undefined) return { host, port, localAddress: endpoint.bindAddress };
  return source > 0 && host.startsWith('127.') ? { host, port, localAddress: `127.0.0.${1 + source}` } : { host, port };
}

function plainOpener(endpoint: Endpoint): OpenLine {
  const shared = Buffer.allocUnsafeSlow(readBufferBytes);
  return (owner, serial) => {
    const onread = {
      buffer: shared,
      callback(length: number): boolean {
        owner.onBytes(shared.subarray(0, length));
        return true;
      },
    };
    const place = endpoint.unixSocket === undefined ? placeOf(endpoint, serial) : { path: endpoint.unixSocket };
    return new SocketLine(connectPlain({ ...place, noDelay: true, onread }), 'connect', owner);
  };
}

async function tlsOpener(endpoint: Endpoint, seen: TlsSeen, resume: boolean): Promise<OpenLine> {
  const tls = await import('node:tls');
  const host = hostOf(endpoint);
  const settings = await tlsSettings(endpoint.tls ?? {});
  const secureContext = tls.createSecureContext(settings);
  const named = isIP(host) ? {} : { servername: host };
  let session: Buffer | undefined;
  return (owner, serial) => {
    const socket = tls.connect({
      ...settings,
      ...placeOf(endpoint, serial),
      ...named,
      secureContext,
      rejectUnauthorized: endpoint.tls?.insecure !== true && endpoint.tls?.psk === undefined,
      ...(resume && session !== undefined ? { session } : {}),
    });
    socket.setNoDelay(true);
    socket.once('secureConnect', () => {
      seen.name ||= `${socket.getProtocol()} ${socket.getCipher().name}`;
      if (socket.isSessionReused()) seen.resumed++;
    });
    if (resume) socket.on('session', ticket => (session = ticket));
    socket.on('data', (chunk: Buffer) => owner.onBytes(chunk));
    return new SocketLine(socket, 'secureConnect', owner);
  };
}

class SocketLine implements Line {
  private readonly socket: Socket;

  constructor(socket: Socket, opened: 'connect' | 'secureConnect', owner: LineOwner) {
    this.socket = socket;
    let why = 'closed by the broker';
    socket.once(opened, () => owner.onOpen());
    socket.on('drain', () => owner.onDrain());
    socket.on('error', error => (why = error.message));
    socket.on('close', () => owner.onClosed(why));
  }

  /** What the kernel takes at once is gone; TLS always keeps it for a moment. */
  write(bytes: Buffer): boolean {
    this.socket.write(bytes);
    return this.socket.writableLength === 0;
  }

  get unsent(): number {
    return this.socket.writableLength;
  }

  close(): void {
    if ('encrypted' in this.socket) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }
}

/** A wire of the product's client, which comes about later than the line. */
class CarriedLine implements Line {
  private wire: Wire | null = null;
  private closed = false;

  constructor(dialled: Promise<Wire>, owner: LineOwner) {
    dialled.then(
      wire => this.take(wire, owner),
      (error: Error) => owner.onClosed(error.message),
    );
  }

  private take(wire: Wire, owner: LineOwner): void {
    this.wire = wire;
    if (this.closed) return wire.destroy();
    wire.handler = {
      onBytes: chunk => owner.onBytes(chunk),
      onDrain: () => owner.onDrain(),
      onClosed: error => owner.onClosed(error?.message ?? 'closed by the broker'),
    };
    wire.resume();
    owner.onOpen();
  }

  write(bytes: Buffer): boolean {
    this.wire?.write(bytes);
    return false;
  }

  get unsent(): number {
    return this.wire?.blocked === true ? Number.POSITIVE_INFINITY : 0;
  }

  close(): void {
    this.closed = true;
    this.wire?.destroy();
  }
}
