/**
 * The client's side of MQTT over WebSocket (RFC 6455): the opening handshake, and a wire of masked binary frames
 * inside another wire. What a server sends is read by transport's WebSocketFrames, the same that reads what clients
 * send.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { WebSocketFrames, type FrameOwner } from '../transport/mod.ts';
import { ClientError } from './client-error.ts';
import { hostOf, placeOf, portOf } from './dial.ts';
import type { Endpoint } from './options.ts';
import { SocketWire, type Wire, type WireHandler } from './wire.ts';

const BINARY = 0x2;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;
/** RFC 6455, 1.3. */
const KEY_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** An answer whose head is longer than this is not one of a broker. */
const headBytesMax = 16_384;

export async function upgrade(socket: Socket, endpoint: Endpoint): Promise<Wire> {
  const key = randomBytes(16).toString('base64');
  socket.write(request(endpoint, key));
  const { head, rest } = await readHead(socket, endpoint);
  checkAnswer(head, key, endpoint);
  const wire = new WebSocketWire(new SocketWire(socket));
  if (rest.length > 0) socket.unshift(rest);
  return wire;
}

function request(endpoint: Endpoint, key: string): string {
  const path = endpoint.websocket?.path ?? '/mqtt';
  const defaultPort = endpoint.tls === undefined ? 80 : 443;
  const host = hostOf(endpoint);
  const shown = host.includes(':') ? `[${host}]` : host;
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${shown}${portOf(endpoint) === defaultPort ? '' : `:${portOf(endpoint)}`}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: mqtt',
    ...Object.entries(endpoint.websocket?.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function readHead(socket: Socket, endpoint: Endpoint): Promise<{ head: string; rest: Buffer }> {
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0);
    const stop = (): void => {
      socket.pause();
      socket.off('data', onData);
      socket.off('close', onClose);
      socket.off('error', onClose);
    };
    const onClose = (): void => {
      stop();
      reject(noWebSocket(endpoint, 'the connection was closed instead of an answer', bytes));
    };
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0 && bytes.length <= headBytesMax && looksLikeHttp(bytes)) return;
      stop();
      if (end < 0) reject(noWebSocket(endpoint, 'the answer is not HTTP', bytes));
      else resolve({ head: bytes.toString('latin1', 0, end), rest: bytes.subarray(end + 4) });
    };
    socket.on('data', onData);
    socket.on('close', onClose);
    socket.on('error', onClose);
  });
}

function looksLikeHttp(bytes: Buffer): boolean {
  const start = 'HTTP/1.';
  return bytes.toString('latin1', 0, Math.min(bytes.length, start.length)) === start.slice(0, bytes.length);
}

function checkAnswer(head: string, key: string, endpoint: Endpoint): void {
  const [statusLine = '', ...lines] = head.split('\r\n');
  if (!/^HTTP\/1\.1 101\b/.test(statusLine)) throw noWebSocket(endpoint, `the answer is '${statusLine}'`);
  const headers = new Map(lines.map(line => splitHeader(line)));
  const expected = createHash('sha1')
    .update(key + KEY_SUFFIX)
    .digest('base64');
  if (headers.get('sec-websocket-accept') !== expected) {
    throw noWebSocket(endpoint, 'the answer has a wrong Sec-WebSocket-Accept');
  }
}

function splitHeader(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
}

function noWebSocket(endpoint: Endpoint, why: string, seen: Buffer = Buffer.alloc(0)): ClientError {
  const tlsAlert = seen[0] === 0x15 && seen[1] === 0x03;
  return new ClientError({
    code: 'websocket.handshake',
    kind: 'websocket',
    message: `${placeOf(endpoint)} does not open a WebSocket at '${endpoint.websocket?.path ?? '/mqtt'}': ${why}.`,
    remedy: tlsAlert
      ? ['The port speaks TLS: use wss, or name the CA.']
      : [`Is it a listener with 'protocol websockets', and is the path right?`],
  });
}

export class WebSocketWire implements Wire, WireHandler, FrameOwner {
  handler: WireHandler = { onBytes() {}, onDrain() {}, onClosed() {} };
  private readonly inner: SocketWire;
  private readonly reader: WebSocketFrames;
  private open = true;
  private error: Error | null = null;

  constructor(inner: SocketWire) {
    this.inner = inner;
    this.reader = new WebSocketFrames(this);
    inner.handler = this;
  }

  get blocked(): boolean {
    return this.inner.blocked;
  }

  write(bytes: Buffer): void {
    if (this.open) this.inner.write(maskedFrame(BINARY, bytes));
  }

  end(): void {
    this.finish(Buffer.from([0x03, 0xe8]));
  }

  destroy(): void {
    this.open = false;
    this.reader.stop();
    this.inner.destroy();
  }

  pause(): void {
    this.inner.pause();
  }

  resume(): void {
    this.inner.resume();
  }

  onBytes(chunk: Buffer): void {
    this.reader.push(chunk);
  }

  onDrain(): void {
    this.handler.onDrain();
  }

  onClosed(error: Error | null): void {
    this.open = false;
    this.handler.onClosed(this.error ?? error);
  }

  data(payload: Buffer): void {
    this.handler.onBytes(payload);
  }

  control(opcode: number, payload: Buffer): void {
    // The close is confirmed with the code it came with (RFC 6455, 5.5.1).
    if (opcode === CLOSE) this.finish(payload.subarray(0, 2));
    else if (opcode === PING) this.inner.write(maskedFrame(PONG, payload));
  }

  broken(closeCode: number, why: string): void {
    this.error = new Error(`the WebSocket is broken: ${why}`);
    this.finish(Buffer.from([closeCode >> 8, closeCode & 0xff]));
  }

  private finish(code: Buffer): void {
    if (!this.open) return;
    this.open = false;
    this.inner.write(maskedFrame(CLOSE, code));
    this.inner.end();
  }
}

/** Every frame of a client is masked with a key of its own (RFC 6455, 5.3). */
function maskedFrame(opcode: number, payload: Buffer): Buffer {
  const length = payload.length;
  const extended = length < 126 ? 0 : length <= 0xffff ? 2 : 8;
  const frame = Buffer.allocUnsafe(2 + extended + 4 + length);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (extended === 0 ? length : extended === 2 ? 126 : 127);
  if (extended === 2) frame.writeUInt16BE(length, 2);
  else if (extended === 8) frame.writeBigUInt64BE(BigInt(length), 2);
  const mask = randomBytes(4);
  const start = 2 + extended + 4;
  mask.copy(frame, start - 4);
  for (let i = 0; i < length; i++) frame[start + i] = payload[i]! ^ mask[i & 3]!;
  return frame;
}
