/**
 * RawClient is an MQTT peer that does exactly what the test says and nothing by itself: no acknowledgement,
 * no ping, no reconnection. Over TCP, TLS, WebSocket, secure WebSocket or a Unix socket.
 *
 *   const client = await RawClient.dial({ port });
 *   await client.connect({ version: 5, clientId: 'a' });      CONNECT sent, CONNACK returned
 *   client.send(publish({ version: 5, topic: 't' }));
 *   const packet = await client.expect('publish');            the next packet, which must be a PUBLISH
 *   await client.expectClosed();                              nothing more, and the broker closes
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { WebSocket, type ClientOptions } from 'ws';
import { readPacket, type RawPacket } from './packet-reader.ts';
import * as packets from './packets.ts';
import type { PacketType, Version } from './packets.ts';
import { within } from './until.ts';

export interface Dial {
  port?: number;
  host?: string;
  /** Unix socket. */
  path?: string;
  tls?: tls.ConnectionOptions;
  /** WebSocket; with `tls` a secure one. Subprotocols: `mqtt` unless given. */
  websocket?: { path?: string; protocols?: string[]; options?: ClientOptions };
}

/** What the two carriers have in common. */
interface Carrier {
  write(bytes: Buffer): void;
  end(): void;
  destroy(): void;
}

interface Waiter {
  resolve(packet: RawPacket | null): void;
}

export class RawClient {
  /** Decides how bodies are read; connect() sets it. */
  version: Version = 4;
  /** Why the connection closed with an error, if it did. */
  closeError: Error | null = null;
  /** WebSocket close code; null for other carriers. */
  closeCode: number | null = null;
  isClosed = false;
  readonly #carrier: Carrier;
  readonly #arrived: RawPacket[] = [];
  readonly #waiting: Waiter[] = [];
  #bytes: Buffer = Buffer.alloc(0);

  private constructor(carrier: Carrier) {
    this.#carrier = carrier;
  }

  static async dial(to: Dial): Promise<RawClient> {
    return to.websocket ? dialWebSocket(to, make) : dialStream(to, make);
    function make(carrier: Carrier): RawClient {
      return new RawClient(carrier);
    }
  }

  /** For the carriers: bytes came in. */
  receive(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (;;) {
      const read = readPacket(this.#bytes, this.version);
      if (!read) return;
      this.#bytes = read.rest;
      const waiter = this.#waiting.shift();
      if (waiter) waiter.resolve(read.packet);
      else this.#arrived.push(read.packet);
    }
  }

  /** For the carriers: nothing more will come. */
  finish(error: Error | null, code: number | null = null): void {
    this.closeError ??= error;
    this.closeCode ??= code;
    this.isClosed = true;
    for (const waiter of this.#waiting.splice(0)) waiter.resolve(null);
  }

  send(...bytes: Buffer[]): void {
    this.#carrier.write(bytes.length === 1 ? bytes[0]! : Buffer.concat(bytes));
  }

  /** The next packet, or null once the broker has closed and everything was taken. */
  async next(): Promise<RawPacket | null> {
    const first = this.#arrived.shift();
    if (first) return first;
    if (this.isClosed) return null;
    return within('a packet from the broker', new Promise(resolve => this.#waiting.push({ resolve })));
  }

  /** The next packet, which must be of this type. */
  async expect(type: PacketType): Promise<RawPacket> {
    const packet = await this.next();
    if (!packet)
      assert.fail(`${type} expected, but the broker closed${this.closeError ? `: ${this.closeError.message}` : ''}`);
    assert.equal(packet.type, type, `${type} expected, got ${packet.type} ${packet.bytes.toString('hex')}`);
    assert.equal(packet.unread, undefined, `${type} cannot be read: ${packet.bytes.toString('hex')}`);
    return packet;
  }

  /** The broker closes without sending anything more. */
  async expectClosed(): Promise<void> {
    const packet = await this.next();
    assert.equal(packet?.bytes.toString('hex'), undefined, 'a close was expected, not a packet');
  }

  /** Nothing but the answer to a ping comes: whatever was due before it has not been sent. */
  async expectQuiet(): Promise<void> {
    this.send(packets.pingreq());
    await this.expect('pingresp');
  }

  /** Sends CONNECT and returns the CONNACK, whatever it says. */
  async connect(fields: packets.ConnectFields = {}): Promise<RawPacket> {
    this.version = fields.version ?? 4;
    this.send(packets.connect(fields));
    return this.expect('connack');
  }

  /** Sends SUBSCRIBE and returns the SUBACK. */
  async subscribe(filters: readonly packets.FilterFields[], packetId = 1): Promise<RawPacket> {
    this.send(packets.subscribe({ version: this.version, packetId, filters }));
    return this.expect('suback');
  }

  /** Closes in order, without DISCONNECT. */
  end(): void {
    this.#carrier.end();
  }

  /** Cuts the line. */
  destroy(): void {
    this.#carrier.destroy();
  }
}

type Make = (carrier: Carrier) => RawClient;

async function dialStream(to: Dial, make: Make): Promise<RawClient> {
  const where = to.path === undefined ? { port: to.port ?? 0, host: to.host ?? '127.0.0.1' } : { path: to.path };
  const socket = to.tls ? tls.connect({ ...where, ...to.tls }) : net.connect(where);
  const client = make({
    write: bytes => void socket.write(bytes),
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
  });
  socket.on('data', (chunk: Buffer) => client.receive(chunk));
  socket.on('error', (error: Error) => (client.closeError = error));
  socket.on('close', () => client.finish(null));
  await within('a connection', once(socket, to.tls ? 'secureConnect' : 'connect'));
  return client;
}

async function dialWebSocket(to: Dial, make: Make): Promise<RawClient> {
  const { path = '/mqtt', protocols = ['mqtt'], options = {} } = to.websocket ?? {};
  const url = `${to.tls ? 'wss' : 'ws'}://${to.host ?? '127.0.0.1'}:${to.port}${path}`;
  const socket = new WebSocket(url, protocols, { ...options, ...(to.tls as ClientOptions | undefined) });
  const client = make({
    write: bytes => socket.send(bytes),
    end: () => socket.close(),
    destroy: () => socket.terminate(),
  });
  socket.on('message', data => client.receive(data as Buffer));
  socket.on('error', (error: Error) => (client.closeError = error));
  socket.on('close', code => client.finish(null, code));
  await within('a WebSocket', once(socket, 'open'));
  return client;
}
