/**
 * WebSocketFrames reads what a client sends (RFC 6455, 5).
 *
 *   chunk [head|mask|payload...] [...payload|head|...]      cut anywhere
 *   data(payload) as it arrives, a frame need not be whole; control(opcode, payload) when it is
 *
 * Payload is unmasked in place and handed on as a view: a chunk is ours to change, and MQTT does not care for the
 * borders of frames. Only heads and control payloads that cross a chunk border are copied; they are at most 14 and
 * 125 bytes. Data frames are not bounded here: nothing is kept of them.
 */
export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;
const CONTINUATION = 0x0;

/** Close codes of RFC 6455, 7.4.1. */
export const CLOSE_NORMAL = 1000;
export const CLOSE_PROTOCOL_ERROR = 1002;
export const CLOSE_UNSUPPORTED_DATA = 1003;

const CONTROL_BYTES_MAX = 125;

export interface FrameOwner {
  data(payload: Buffer): void;
  control(opcode: number, payload: Buffer): void;
  /** The stream is broken; nothing is read after it. */
  broken(closeCode: number, why: string): void;
}

export class WebSocketFrames {
  private readonly owner: FrameOwner;
  /** A head, or head and control payload, that has not arrived whole. */
  private partial: Buffer | null = null;
  private opcode = 0;
  private remaining = 0;
  private masked = false;
  private readonly mask = [0, 0, 0, 0];
  private maskAt = 0;
  /** Between a data frame without FIN and its last continuation. */
  private fragmented = false;
  private done = false;

  constructor(owner: FrameOwner) {
    this.owner = owner;
  }

  /** Nothing that arrives from now on is looked at. */
  stop(): void {
    this.done = true;
  }

  push(chunk: Buffer): void {
    let bytes = this.partial === null ? chunk : Buffer.concat([this.partial, chunk]);
    this.partial = null;
    while (bytes.length > 0 && !this.done) {
      const used = this.remaining > 0 ? this.takePayload(bytes) : this.takeHead(bytes);
      if (used === 0) {
        this.partial = Buffer.from(bytes);
        return;
      }
      bytes = bytes.subarray(used);
    }
  }

  /** Payload of the data frame being read, as far as it is here. */
  private takePayload(bytes: Buffer): number {
    const used = Math.min(this.remaining, bytes.length);
    this.remaining -= used;
    this.owner.data(this.unmask(bytes.subarray(0, used)));
    return used;
  }

  /** A head, and for a control frame its payload too; 0 when more bytes are needed. */
  private takeHead(bytes: Buffer): number {
    if (bytes.length < 2) return 0;
    const why = this.fault(bytes[0]!, bytes[1]!);
    if (why !== null) return this.fail(why.code, why.text, bytes);
    const headBytes = headLength(bytes[1]!);
    if (bytes.length < headBytes) return 0;
    const length = payloadLength(bytes);
    if (length === null) return this.fail(CLOSE_PROTOCOL_ERROR, 'frame length over 2^53', bytes);
    this.opcode = bytes[0]! & 0x0f;
    const control = this.opcode >= CLOSE;
    if (control && bytes.length < headBytes + length) return 0;
    this.startMask(bytes, headBytes);
    if (control) {
      this.owner.control(this.opcode, this.unmask(bytes.subarray(headBytes, headBytes + length)));
      return headBytes + length;
    }
    this.fragmented = (bytes[0]! & 0x80) === 0;
    this.remaining = length;
    return headBytes;
  }

  private fault(first: number, second: number): { code: number; text: string } | null {
    const opcode = first & 0x0f;
    const final = (first & 0x80) !== 0;
    if ((first & 0x70) !== 0) return broken('reserved bits are set');
    if (opcode >= CLOSE) {
      if (opcode > PONG) return broken(`unknown opcode ${opcode}`);
      if (!final) return broken('a control frame is fragmented');
      return (second & 0x7f) > CONTROL_BYTES_MAX ? broken('a control frame is over 125 bytes') : null;
    }
    if (opcode === TEXT) return { code: CLOSE_UNSUPPORTED_DATA, text: 'a text frame; MQTT is sent in binary frames' };
    if (opcode > BINARY) return broken(`unknown opcode ${opcode}`);
    if ((opcode === CONTINUATION) !== this.fragmented) return broken('a continuation out of place');
    return null;
  }

  private fail(closeCode: number, why: string, bytes: Buffer): number {
    this.done = true;
    this.owner.broken(closeCode, why);
    return bytes.length;
  }

  private startMask(bytes: Buffer, headBytes: number): void {
    this.masked = (bytes[1]! & 0x80) !== 0;
    this.maskAt = 0;
    if (!this.masked) return;
    for (let i = 0; i < 4; i++) this.mask[i] = bytes[headBytes - 4 + i]!;
  }

  private unmask(bytes: Buffer): Buffer {
    if (!this.masked) return bytes;
    const mask = this.mask;
    let at = this.maskAt;
    for (let i = 0; i < bytes.length; i++) bytes[i]! ^= mask[at++ & 3]!;
    this.maskAt = at & 3;
    return bytes;
  }
}

function broken(text: string): { code: number; text: string } {
  return { code: CLOSE_PROTOCOL_ERROR, text };
}

function headLength(second: number): number {
  const length = second & 0x7f;
  const extended = length === 126 ? 2 : length === 127 ? 8 : 0;
  return 2 + extended + ((second & 0x80) !== 0 ? 4 : 0);
}

function payloadLength(bytes: Buffer): number | null {
  const length = bytes[1]! & 0x7f;
  if (length === 126) return bytes.readUInt16BE(2);
  if (length < 126) return length;
  const long = bytes.readBigUInt64BE(2);
  return long > BigInt(Number.MAX_SAFE_INTEGER) ? null : Number(long);
}

/** Heads of the unmasked final binary frames up to 125 bytes, two bytes each: most packets need no allocation. */
const SHORT_HEADS = shortHeads();

function shortHeads(): Buffer {
  const heads = Buffer.alloc(2 * (CONTROL_BYTES_MAX + 1));
  for (let length = 0; length <= CONTROL_BYTES_MAX; length++) {
    heads[2 * length] = 0x80 | BINARY;
    heads[2 * length + 1] = length;
  }
  return heads;
}

/** Writes the head of one binary frame. */
export function writeBinaryHead(to: { write(bytes: Buffer, start: number, end: number): void }, length: number): void {
  if (length <= CONTROL_BYTES_MAX) return to.write(SHORT_HEADS, 2 * length, 2 * length + 2);
  const head = Buffer.allocUnsafe(length <= 0xffff ? 4 : 10);
  head[0] = 0x80 | BINARY;
  if (length <= 0xffff) {
    head[1] = 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  to.write(head, 0, head.length);
}

export function controlFrame(opcode: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x80 | opcode, payload.length]), payload]);
}

export function closeFrame(closeCode: number): Buffer {
  return Buffer.from([0x80 | CLOSE, 2, closeCode >> 8, closeCode & 0xff]);
}
