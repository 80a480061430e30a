/**
 * Writes MQTT's data types (MQTT 5, 1.5). Used for every packet but the few on the fast path, which are written in
 * place by publish.ts and ack.ts.
 */
export class ByteWriter {
  private bytes = Buffer.allocUnsafe(64);
  length = 0;

  byte(value: number): this {
    this.room(1);
    this.bytes[this.length++] = value;
    return this;
  }

  uint16(value: number): this {
    this.room(2);
    this.length = this.bytes.writeUInt16BE(value, this.length);
    return this;
  }

  uint32(value: number): this {
    this.room(4);
    this.length = this.bytes.writeUInt32BE(value, this.length);
    return this;
  }

  varint(value: number): this {
    this.room(4);
    this.length = writeVarint(this.bytes, this.length, value);
    return this;
  }

  string(value: string): this {
    const bytes = Buffer.byteLength(value);
    this.uint16(bytes).room(bytes);
    this.bytes.write(value, this.length, 'utf8');
    this.length += bytes;
    return this;
  }

  binary(value: Uint8Array): this {
    return this.uint16(value.length).raw(value);
  }

  raw(value: Uint8Array): this {
    this.room(value.length);
    this.bytes.set(value, this.length);
    this.length += value.length;
    return this;
  }

  /** The bytes written so far; valid until the next write. */
  view(): Buffer {
    return this.bytes.subarray(0, this.length);
  }

  private room(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const wider = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.length + more));
    this.bytes.copy(wider, 0, 0, this.length);
    this.bytes = wider;
  }
}

/** Writes a variable byte integer in its shortest form [MQTT-1.5.5-1] and returns the position behind it. */
export function writeVarint(bytes: Uint8Array, position: number, value: number): number {
  while (value > 0x7f) {
    bytes[position++] = (value & 0x7f) | 0x80;
    value >>>= 7;
  }
  bytes[position++] = value;
  return position;
}

export function varintLength(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : 4;
}

/** Puts the fixed header in front of a body. */
export function packetBytes(firstByte: number, body: ByteWriter): Buffer {
  const header = 1 + varintLength(body.length);
  const packet = Buffer.allocUnsafe(header + body.length);
  packet[0] = firstByte;
  writeVarint(packet, 1, body.length);
  body.view().copy(packet, header);
  return packet;
}
