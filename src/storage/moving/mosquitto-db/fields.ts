/**
 * Fields of one chunk, read one after the other. Whatever does not fit ends the chunk: a Misfit says that these bytes
 * are not what they were taken for.
 */
import { isUtf8 } from 'node:buffer';

export class Misfit extends Error {}

/** Unix seconds beyond this are bytes in the other order: the machine that wrote them was big-endian. */
const LATEST_SECOND = 2n ** 40n;

export class Fields {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  skip(count: number): void {
    this.#take(count);
  }

  u8(): number {
    return this.#bytes[this.#take(1)]!;
  }

  /** In network order, as Mosquitto writes what has a fixed width. */
  u16(): number {
    return this.#bytes.readUInt16BE(this.#take(2));
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  /** Message numbers are in the order of the machine; only that they differ matters. */
  id(): bigint {
    return this.#bytes.readBigInt64LE(this.#take(8));
  }

  /** A time in the order of the machine. */
  second(): number {
    const at = this.#take(8);
    const little = this.#bytes.readBigInt64LE(at);
    const value = little >= 0n && little < LATEST_SECOND ? little : this.#bytes.readBigInt64BE(at);
    if (value < 0n || value >= LATEST_SECOND) throw new Misfit();
    return Number(value);
  }

  qos(): 0 | 1 | 2 {
    const value = this.u8();
    if (value !== 0 && value !== 1 && value !== 2) throw new Misfit();
    return value;
  }

  flag(): boolean {
    const value = this.u8();
    if (value > 1) throw new Misfit();
    return value === 1;
  }

  text(length: number): string {
    const at = this.#take(length);
    const bytes = this.#bytes.subarray(at, at + length);
    if (!isUtf8(bytes) || bytes.includes(0)) throw new Misfit();
    return bytes.toString();
  }

  /** A text behind its length. */
  string(): string {
    return this.text(this.u16());
  }

  /** A copy: the bytes below move on. */
  blob(length: number): Buffer {
    const at = this.#take(length);
    return Buffer.from(this.#bytes.subarray(at, at + length));
  }

  /** A length of MQTT: seven bits a byte, four bytes at most. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new Misfit();
  }

  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) throw new Misfit();
    this.#at += count;
    return at;
  }
}
