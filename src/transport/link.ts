/**
 * SocketLink: the bytes of one peer over TCP, a Unix socket or TLS.
 *
 *   write(A,0,9) write(A,9,20) write(B,5,8)      ranges of this turn; neighbours of one buffer merge
 *   [A 0..20][B 5..8]                            nothing is copied until the end of the turn
 *   flush(): one range  -> the kernel, as it is
 *            several    -> gathered into one block, one write
 *            over 64 kB -> small ones gathered, large ones as they are, one writev
 *
 * 10,000 idle links are the common case: no timer, no closure and no buffer belongs to a link that is silent; the
 * listeners are functions shared by all sockets. Nothing throws after the link is closed.
 */
import type { Socket } from 'node:net';
import { readLent } from './lent-memory.ts';
import { errorCode, systemErrorText } from './system-error.ts';
import { GATHER_BYTES_MAX, type RangeList, type WriteScheduler } from './write-scheduler.ts';

/** Why a link closed. */
export interface LinkEnd {
  by: 'peer' | 'us' | 'error';
  /** For `error`: the system's words, such as `Connection reset by peer`. */
  text?: string;
}

export interface LinkHandler {
  /** The chunk is lent: it is written over once the call is over. */
  onBytes(chunk: Buffer): void;
  onDrain(): void;
  onClose(end: LinkEnd): void;
}

/** From this length on a range goes to the kernel as it is, even among others: copying would cost more than it saves. */
const VIEW_BYTES_MIN = 16_384;
/** After end() the peer has this long to take what is waiting and to close. */
const LINGER_MS = 2_000;

const NOTHING = Buffer.alloc(0);
const DEAF: LinkHandler = { onBytes() {}, onDrain() {}, onClose() {} };

const linkOf = Symbol('link');
type LinkedSocket = Socket & { [linkOf]: SocketLink; encrypted?: boolean };

export class SocketLink {
  handler: LinkHandler = DEAF;
  /** True while the kernel holds back what it was given. */
  blocked = false;
  /** Whether the peer has sent anything. */
  heard = false;
  /** Why it ends or has ended, as far as it is known; null while it is open. */
  ended: LinkEnd | null = null;

  private readonly socket: LinkedSocket;
  private readonly scheduler: WriteScheduler;
  private readonly gone: (() => void) | null;
  /** First range of this turn; null when nothing waits to be flushed. */
  private bytes: Buffer | null = null;
  private rangeStart = 0;
  private rangeEnd = 0;
  private more: RangeList | null = null;
  private queuedBytes = 0;
  /** Calls of write() since the kernel last kept up. */
  private writes = 0;
  /** Whether the scheduler will call endTurn(). */
  private scheduled = false;
  private phase: 'open' | 'ending' | 'closed' = 'open';
  private linger: NodeJS.Timeout | null = null;
  private whenWritten: (() => void) | null = null;

  /** `gone` is told when the socket has closed, before the handler is. */
  constructor(socket: Socket, scheduler: WriteScheduler, gone: (() => void) | null = null) {
    this.socket = socket as LinkedSocket;
    this.scheduler = scheduler;
    this.gone = gone;
    this.socket[linkOf] = this;
    // Node has a listener for 'end' of its own, and keeps an array (104 bytes) for two: ours comes when it is needed.
    socket.on('error', onError);
    socket.on('close', onClose);
    if (this.isEncrypted) socket.on('end', onEnd);
    const isLent = !this.isEncrypted && readLent(socket, onLent);
    // What comes into lent memory passes the stream by; a stream that flows costs each connection a tick of its own.
    if (!isLent || socket.readableLength > 0) socket.on('data', onData);
    if (socket.isPaused()) socket.resume();
  }

  private get isEncrypted(): boolean {
    return this.socket.encrypted === true;
  }

  get pendingBytes(): number {
    return this.queuedBytes + this.socket.writableLength;
  }

  get pendingWrites(): number {
    return this.blocked ? this.writes : 0;
  }

  write(bytes: Buffer, start: number, end: number): void {
    if (this.phase !== 'open' || end <= start) return;
    this.writes++;
    this.queuedBytes += end - start;
    if (this.bytes === null) {
      this.bytes = bytes;
      this.rangeStart = start;
      this.rangeEnd = end;
      this.schedule();
    } else if (this.more !== null) {
      appendRange(this.more, bytes, start, end);
    } else if (this.bytes === bytes && this.rangeEnd === start) {
      this.rangeEnd = end;
    } else {
      this.more = this.scheduler.borrowList();
      appendRange(this.more, bytes, start, end);
    }
  }

  /** The scheduler's call. */
  endTurn(): void {
    this.scheduled = false;
    this.flush();
  }

  /** Hands what was written in this turn to the kernel now. */
  flush(): void {
    const first = this.bytes;
    if (first === null) return;
    if (!this.socket.writable) return this.forgetRanges();
    const behind = this.blocked || this.socket.writableLength > 0;
    if (this.more === null) this.flushOne(first, behind);
    else if (this.queuedBytes <= GATHER_BYTES_MAX) this.flushGathered(first, this.more, behind);
    else this.flushMany(first, this.more);
    this.forgetRanges();
    this.noteBacklog(behind);
    if (this.blocked) this.scheduler.hold(this);
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /**
   * Sends what is waiting, then closes; a peer that neither takes it nor closes is cut off after LINGER_MS. One that has
   * said goodbye is left as soon as everything is with the kernel: to read on until it closes took 3 to 10 % of the CPU of
   * a TLS connection, half of it for the error of a client that resets.
   */
  end(_closeCode?: number, goodbyeSaid = false): void {
    if (this.phase !== 'open') return;
    this.flush();
    this.phase = 'ending';
    this.ended ??= { by: 'us' };
    if (goodbyeSaid) return this.leave();
    this.socket.end();
    // Unread bytes would turn the close into a reset, which can take our last packet away from the peer.
    this.socket.resume();
    this.startLinger();
  }

  destroy(): void {
    if (this.phase === 'closed') return;
    this.phase = 'ending';
    this.ended ??= { by: 'us' };
    this.forgetRanges();
    this.socket.destroy();
  }

  /** With everything at the kernel already, a plain socket is closed at once; TLS has a last record to send. */
  private leave(): void {
    if (!this.isEncrypted && this.socket.writableLength === 0) return void this.socket.destroy();
    this.socket.destroySoon();
    this.startLinger();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.scheduler.add(this);
  }

  private flushOne(bytes: Buffer, behind: boolean): void {
    const view = bytes.subarray(this.rangeStart, this.rangeEnd);
    // A slow peer must not hold a large buffer in memory for the sake of a short piece of it.
    const pins = behind && bytes.buffer.byteLength > 4 * view.length;
    this.socket.write(pins ? Buffer.from(view) : view);
  }

  private flushGathered(first: Buffer, more: RangeList, behind: boolean): void {
    const total = this.queuedBytes;
    const block = behind ? Buffer.allocUnsafeSlow(total) : this.scheduler.take(total);
    const used = first.copy(block, 0, this.rangeStart, this.rangeEnd);
    copyRanges(more, 0, more.buffers.length, block, used);
    this.socket.write(block);
    if (!behind && this.socket.writableLength === 0) this.scheduler.giveBack(total);
  }

  private flushMany(first: Buffer, more: RangeList): void {
    this.socket.cork();
    this.socket.write(first.subarray(this.rangeStart, this.rangeEnd));
    const count = more.buffers.length;
    for (let from = 0; from < count;) {
      const run = runOfSmall(more, from);
      if (run.count === 0) this.socket.write(viewOf(more, from++));
      else {
        const block = Buffer.allocUnsafeSlow(run.bytes);
        copyRanges(more, from, from + run.count, block, 0);
        this.socket.write(block);
        from += run.count;
      }
    }
    this.socket.uncork();
  }

  /**
   * On a plain socket everything the kernel takes is gone when write() returns. A TLS socket reports it one turn
   * later, so there only what an earlier turn left behind means that the peer is slow.
   */
  private noteBacklog(behind: boolean): void {
    if (this.socket.writableLength === 0 || (this.isEncrypted && !behind)) {
      if (!this.blocked) this.writes = 0;
      return;
    }
    if (this.blocked) return;
    this.blocked = true;
    this.awaitDrain();
  }

  /** 'drain' is not said for less than the high-water mark; an empty write calls back in every case. */
  private awaitDrain(): void {
    if (this.whenWritten === null) {
      this.whenWritten = () => this.onWritten();
      if (!this.isEncrypted) this.socket.on('end', onEnd);
    }
    this.socket.write(NOTHING, this.whenWritten);
  }

  private onWritten(): void {
    if (this.phase === 'closed' || !this.socket.writable) return;
    if (this.socket.writableLength > 0) return this.awaitDrain();
    this.blocked = false;
    this.writes = 0;
    this.scheduler.release(this);
    this.handler.onDrain();
  }

  private forgetRanges(): void {
    if (this.more !== null) this.scheduler.returnList(this.more);
    this.more = null;
    this.bytes = null;
    this.queuedBytes = 0;
  }

  private startLinger(): void {
    this.linger ??= setTimeout(destroyLingering, LINGER_MS, this.socket).unref();
  }

  /** @internal The four listeners below are shared by all sockets. */
  received(chunk: Buffer): void {
    if (this.phase !== 'open') return;
    this.scheduler.heard(chunk.length, !this.heard);
    this.heard = true;
    this.handler.onBytes(chunk);
  }

  /** @internal */
  failed(error: Error): void {
    // A reset after our own end() is the peer's way of closing, and what fails after its last byte is, too.
    this.ended ??= this.socket.readableEnded ? { by: 'peer' } : { by: 'error', text: systemErrorText(error) };
    if (errorCode(error) === 'ERR_STREAM_WRITE_AFTER_END') this.socket.destroy();
  }

  /**
   * @internal The peer has sent its last byte; Node ends our side once what is waiting has left. A plain socket that is
   * not blocked has nothing waiting, so that this is listened for only once it was; TLS says it a turn too late.
   */
  peerEnded(): void {
    this.ended ??= { by: 'peer' };
    if (this.pendingBytes > 0) this.startLinger();
  }

  /** @internal */
  closed(): void {
    if (this.phase === 'closed') return;
    this.phase = 'closed';
    if (this.linger !== null) clearTimeout(this.linger);
    this.forgetRanges();
    this.gone?.();
    const handler = this.handler;
    this.handler = DEAF;
    if (this.blocked) this.scheduler.release(this);
    this.blocked = false;
    handler.onClose(this.ended ?? { by: 'peer' });
  }
}

function onData(this: Socket, chunk: Buffer): void {
  (this as LinkedSocket)[linkOf].received(chunk);
}

function onLent(this: Socket, bytes: number, memory: Buffer): boolean {
  (this as LinkedSocket)[linkOf].received(memory.subarray(0, bytes));
  return !this.isPaused();
}

function onError(this: Socket, error: Error): void {
  (this as LinkedSocket)[linkOf].failed(error);
}

function onEnd(this: Socket): void {
  (this as LinkedSocket)[linkOf].peerEnded();
}

function onClose(this: Socket): void {
  (this as LinkedSocket)[linkOf].closed();
}

function destroyLingering(socket: Socket): void {
  socket.destroy();
}

function appendRange(list: RangeList, bytes: Buffer, start: number, end: number): void {
  const last = list.buffers.length - 1;
  if (last >= 0 && list.buffers[last] === bytes && list.bounds[2 * last + 1] === start) {
    list.bounds[2 * last + 1] = end;
    return;
  }
  list.buffers.push(bytes);
  list.bounds.push(start, end);
}

function copyRanges(list: RangeList, from: number, to: number, into: Buffer, at: number): void {
  for (let i = from; i < to; i++) {
    at += list.buffers[i]!.copy(into, at, list.bounds[2 * i], list.bounds[2 * i + 1]);
  }
}

function viewOf(list: RangeList, i: number): Buffer {
  return list.buffers[i]!.subarray(list.bounds[2 * i], list.bounds[2 * i + 1]);
}

/** How many ranges from `from` on are small and fit one block together. */
function runOfSmall(list: RangeList, from: number): { count: number; bytes: number } {
  let bytes = 0;
  let i = from;
  for (; i < list.buffers.length; i++) {
    const length = list.bounds[2 * i + 1]! - list.bounds[2 * i]!;
    if (length >= VIEW_BYTES_MIN || bytes + length > GATHER_BYTES_MAX) break;
    bytes += length;
  }
  return { count: i - from, bytes };
}
