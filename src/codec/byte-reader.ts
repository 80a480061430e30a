import { malformed, malformedUtf8 } from './packet-error.ts';
import { isMqttUtf8, utf8Text } from './utf8.ts';

/** Reads MQTT's data types (MQTT 5, 1.5) from a range of bytes; reading past the end is a malformed packet. */
export class ByteReader {
  readonly bytes: Buffer;
  position: number;
  end: number;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
  }

  get left(): number {
    return this.end - this.position;
  }

  byte(): number {
    if (this.position >= this.end) throw malformed();
    return this.bytes[this.position++]!;
  }

  uint16(): number {
    if (this.left < 2) throw malformed();
    const value = (this.bytes[this.position]! << 8) | this.bytes[this.position + 1]!;
    this.position += 2;
    return value;
  }

  uint32(): number {
    return this.uint16() * 0x10000 + this.uint16();
  }

  /** Variable byte integer of one to four bytes, in its shortest form. [MQTT-1.5.5-1] */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift <= 21; shift += 7) {
      const b = this.byte();
      value += (b & 0x7f) << shift;
      if (b === 0 && shift > 0) throw malformed();
      if (b < 0x80) return value;
    }
    throw malformed();
  }

  binary(): Buffer {
    const length = this.uint16();
    if (this.left < length) throw malformed();
    const start = this.position;
    this.position += length;
    return this.bytes.subarray(start, this.position);
  }

  string(): string {
    const length = this.uint16();
    if (this.left < length) throw malformed();
    const start = this.position;
    const end = start + length;
    if (!isMqttUtf8(this.bytes, start, end)) throw malformedUtf8();
    this.position = end;
    return utf8Text(this.bytes, start, end);
  }

  rest(): Buffer {
    const start = this.position;
    this.position = this.end;
    return this.bytes.subarray(start, this.end);
  }
}
