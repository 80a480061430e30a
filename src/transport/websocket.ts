/**
 * WebSocketLink: a link inside the frames of another.
 *
 *   owner   <- bytes - WebSocketLink <- frames - SocketLink <- peer
 *   owner  - write() -> one binary frame per call -> SocketLink, which sends the turn's frames in one write
 *
 * Pings are answered and closes are confirmed here; the owner sees neither.
 */
import type { LinkEnd, LinkHandler, SocketLink } from './link.ts';
import * as frames from './websocket-frames.ts';

const DEAF: LinkHandler = { onBytes() {}, onDrain() {}, onClose() {} };
/** With more than this waiting for the peer its pings are not answered: an answer would only wait as well. */
const PONG_BACKLOG_BYTES_MAX = 65_536;

export class WebSocketLink implements LinkHandler, frames.FrameOwner {
  handler: LinkHandler = DEAF;
  private readonly inner: SocketLink;
  private readonly reader: frames.WebSocketFrames;
  private open = true;
  private closing: LinkEnd | null = null;

  /** The handshake is done and answered; the socket link is this link's own from now on. */
  constructor(inner: SocketLink) {
    this.inner = inner;
    this.reader = new frames.WebSocketFrames(this);
    inner.handler = this;
  }

  get pendingBytes(): number {
    return this.inner.pendingBytes;
  }

  /** Each frame is two writes of the inner link, head and payload. */
  get pendingWrites(): number {
    return Math.ceil(this.inner.pendingWrites / 2);
  }

  get blocked(): boolean {
    return this.inner.blocked;
  }

  get ended(): LinkEnd | null {
    return this.closing ?? this.inner.ended;
  }

  get heard(): boolean {
    return this.inner.heard;
  }

  write(bytes: Buffer, start: number, end: number): void {
    if (!this.open || end <= start) return;
    frames.writeBinaryHead(this.inner, end - start);
    this.inner.write(bytes, start, end);
  }

  flush(): void {
    this.inner.flush();
  }

  pause(): void {
    this.inner.pause();
  }

  resume(): void {
    this.inner.resume();
  }

  end(closeCode = frames.CLOSE_NORMAL): void {
    this.finish({ by: 'us' }, frames.closeFrame(closeCode));
  }

  destroy(): void {
    this.open = false;
    this.reader.stop();
    this.closing ??= { by: 'us' };
    this.inner.destroy();
  }

  onBytes(chunk: Buffer): void {
    this.reader.push(chunk);
  }

  onDrain(): void {
    this.handler.onDrain();
  }

  onClose(end: LinkEnd): void {
    this.open = false;
    this.reader.stop();
    const handler = this.handler;
    this.handler = DEAF;
    handler.onClose(this.closing ?? end);
  }

  data(payload: Buffer): void {
    this.handler.onBytes(payload);
  }

  control(opcode: number, payload: Buffer): void {
    // The close is confirmed with the code it came with (RFC 6455, 5.5.1).
    if (opcode === frames.CLOSE) {
      this.finish({ by: 'peer' }, frames.controlFrame(frames.CLOSE, payload.subarray(0, 2)));
    } else if (opcode === frames.PING && this.inner.pendingBytes <= PONG_BACKLOG_BYTES_MAX) {
      const pong = frames.controlFrame(frames.PONG, payload);
      this.inner.write(pong, 0, pong.length);
    }
  }

  broken(closeCode: number): void {
    this.finish({ by: 'error', text: 'Protocol error' }, frames.closeFrame(closeCode));
  }

  private finish(end: LinkEnd, frame: Buffer): void {
    if (!this.open) return;
    this.open = false;
    this.reader.stop();
    this.closing ??= end;
    this.inner.write(frame, 0, frame.length);
    this.inner.end();
  }
}
