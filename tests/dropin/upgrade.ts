/** A WebSocket client by hand: the request as text, frames as bytes, so that a test can send what no library would. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { within } from '../harness/mod.ts';

export interface UpgradeFields {
  method?: string;
  path?: string;
  /** Replaces (or with null removes) header lines. */
  headers?: Readonly<Record<string, string | null>>;
  /** Bytes behind the header block. */
  behind?: Buffer;
}

export const key = 'dGhlIHNhbXBsZSBub25jZQ==';
/** RFC 6455, 1.3 */
export const accept = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

export function request({ method = 'GET', path = '/mqtt', headers = {}, behind }: UpgradeFields = {}): Buffer {
  const all: Record<string, string | null> = {
    Host: 'localhost',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': key,
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Protocol': 'mqtt',
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}\r\n`]));
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), behind ?? Buffer.alloc(0)]);
}

/** One frame, masked as clients must. */
export function frame(opcode: number, payload: Buffer, { fin = true, masked = true, reserved = 0 } = {}): Buffer {
  const { length } = payload;
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  const bit = masked ? 0x80 : 0;
  const head = length < 126 ? [first, bit | length] : [first, bit | 126, length >> 8, length & 0xff];
  if (!masked) return Buffer.concat([Buffer.from(head), payload]);
  const mask = Buffer.from([1, 2, 3, 4]);
  return Buffer.concat([Buffer.from(head), mask, payload.map((byte, i) => byte ^ mask[i & 3]!)]);
}

export interface Frame {
  fin: boolean;
  opcode: number;
  payload: Buffer;
}

/** Bytes from a socket, taken as the answer to the upgrade and then as frames. */
export class WebPeer {
  readonly socket: Socket;
  #bytes: Buffer = Buffer.alloc(0);
  #closed = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  static async dial(port: number): Promise<WebPeer> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new WebPeer(socket);
  }

  send(...bytes: Buffer[]): void {
    this.socket.write(Buffer.concat(bytes));
  }

  /** The header block of the answer; null when the broker closes without one. */
  async answer(): Promise<string | null> {
    for (;;) {
      const end = this.#bytes.indexOf('\r\n\r\n');
      if (end >= 0) return this.#take(end + 4).toString();
      if (this.#closed) return this.#bytes.length === 0 ? null : this.#take(this.#bytes.length).toString();
      await this.#more();
    }
  }

  /** The next frame of the broker; null when it has closed. */
  async frame(): Promise<Frame | null> {
    for (;;) {
      const found = this.#cut();
      if (found) return found;
      if (this.#closed) return null;
      await this.#more();
    }
  }

  #cut(): Frame | null {
    const [first, second] = this.#bytes;
    if (first === undefined || second === undefined) return null;
    const wide = second === 126;
    const head = wide ? 4 : 2;
    if (this.#bytes.length < head) return null;
    const length = wide ? this.#bytes.readUInt16BE(2) : second;
    if (this.#bytes.length < head + length) return null;
    return { fin: first >= 0x80, opcode: first & 15, payload: this.#take(head + length).subarray(head) };
  }

  #take(length: number): Buffer {
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }

  #more(): Promise<void> {
    return within('bytes from the broker', new Promise<void>(resolve => (this.#wake = resolve)));
  }
}

export const close = (code: number): Buffer => Buffer.from([code >> 8, code & 0xff]);
