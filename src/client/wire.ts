/**
 * A wire carries bytes to one broker, whatever is underneath.
 *
 *   write write write | end of the turn: one block, one write to the socket
 *
 * Plain sockets and TLS share SocketWire; WebSocket wraps one (websocket-wire.ts).
 */
import type { Socket } from 'node:net';

export interface WireHandler {
  onBytes(chunk: Buffer): void;
  /** The kernel has taken what it held back. */
  onDrain(): void;
  /** Once, at the end; null when nothing went wrong on our side. */
  onClosed(error: Error | null): void;
}

export interface Wire {
  handler: WireHandler;
  /** True while the kernel holds back what it was given. */
  readonly blocked: boolean;
  write(bytes: Buffer): void;
  /**
   * Sends what is waiting, then closes; onClosed tells when the peer has closed too or LINGER_MS are over. A wire that
   * is a socket of the kernel tells `onSent` when the kernel has it all.
   */
  end(onSent?: () => void): void;
  destroy(): void;
  pause(): void;
  resume(): void;
}

/** A peer that does not close after our end is cut off after this long. */
const LINGER_MS = 1_000;

const deaf: WireHandler = { onBytes() {}, onDrain() {}, onClosed() {} };

export class SocketWire implements Wire {
  handler: WireHandler = deaf;
  blocked = false;
  private readonly socket: Socket;
  private waiting: Buffer[] = [];
  private error: Error | null = null;
  private ending = false;

  constructor(socket: Socket) {
    this.socket = socket;
    // Nothing flows before the owner has set its handler and resumes.
    socket.pause();
    socket.on('data', (chunk: Buffer) => this.handler.onBytes(chunk));
    socket.on('drain', () => this.drained());
    socket.on('error', error => (this.error ??= error));
    socket.on('close', () => this.handler.onClosed(this.error));
  }

  write(bytes: Buffer): void {
    if (this.ending) return;
    if (this.waiting.push(bytes) === 1) process.nextTick(() => this.flush());
  }

  end(onSent?: () => void): void {
    if (this.ending) return;
    this.flush();
    this.ending = true;
    this.socket.end(onSent);
    // Unread bytes would turn the close into a reset, which can take our last packet away from the peer.
    this.socket.resume();
    const linger = setTimeout(() => this.socket.destroy(), LINGER_MS);
    this.socket.once('close', () => clearTimeout(linger));
  }

  destroy(): void {
    this.ending = true;
    this.waiting.length = 0;
    this.socket.destroy();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  private flush(): void {
    if (this.waiting.length === 0 || this.ending) return;
    const block = this.waiting.length === 1 ? this.waiting[0]! : Buffer.concat(this.waiting);
    this.waiting = [];
    if (!this.socket.write(block)) this.blocked = true;
  }

  private drained(): void {
    this.blocked = false;
    this.handler.onDrain();
  }
}
