/**
 * The 27 properties of MQTT 5 (2.2.2.2) as this suite spells them: a table, a writer and a tolerant reader.
 * Written from the specification and not from src/codec: a mistake there must not be repeated here.
 */

type Kind = 'byte' | 'u16' | 'u32' | 'varint' | 'text' | 'binary' | 'pair';

const table = {
  payloadFormatIndicator: [0x01, 'byte'],
  messageExpiryInterval: [0x02, 'u32'],
  contentType: [0x03, 'text'],
  responseTopic: [0x08, 'text'],
  correlationData: [0x09, 'binary'],
  subscriptionIdentifier: [0x0b, 'varint'],
  sessionExpiryInterval: [0x11, 'u32'],
  assignedClientIdentifier: [0x12, 'text'],
  serverKeepAlive: [0x13, 'u16'],
  authenticationMethod: [0x15, 'text'],
  authenticationData: [0x16, 'binary'],
  requestProblemInformation: [0x17, 'byte'],
  willDelayInterval: [0x18, 'u32'],
  requestResponseInformation: [0x19, 'byte'],
  responseInformation: [0x1a, 'text'],
  serverReference: [0x1c, 'text'],
  reasonString: [0x1f, 'text'],
  receiveMaximum: [0x21, 'u16'],
  topicAliasMaximum: [0x22, 'u16'],
  topicAlias: [0x23, 'u16'],
  maximumQos: [0x24, 'byte'],
  retainAvailable: [0x25, 'byte'],
  userProperty: [0x26, 'pair'],
  maximumPacketSize: [0x27, 'u32'],
  wildcardSubscriptionAvailable: [0x28, 'byte'],
  subscriptionIdentifierAvailable: [0x29, 'byte'],
  sharedSubscriptionAvailable: [0x2a, 'byte'],
} as const satisfies Record<string, readonly [number, Kind]>;

export type PropertyName = keyof typeof table;
export type PropertyValue = number | string | Buffer | readonly [string, string];
/** A named property, or bytes put in as they are (to send what no table allows). */
export type RawProperty = readonly [PropertyName, PropertyValue] | Buffer;
/** What was read: the name, or `0x7f` for an identifier that the specification does not know. */
export type ReadProperty = [name: string, value: PropertyValue];

export const u16 = (n: number): Buffer => Buffer.from([(n >> 8) & 0xff, n & 0xff]);

export function u32(n: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(n);
  return bytes;
}

/** Variable byte integer (MQTT 5, 1.5.5). */
export function varint(n: number): Buffer {
  const bytes: number[] = [];
  do {
    const digit = n % 128;
    n = Math.floor(n / 128);
    bytes.push(n > 0 ? digit | 0x80 : digit);
  } while (n > 0);
  return Buffer.from(bytes);
}

export function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u16(bytes.length), bytes]);
}

const writers: Record<Kind, (value: PropertyValue) => Buffer> = {
  byte: value => Buffer.from([value as number]),
  u16: value => u16(value as number),
  u32: value => u32(value as number),
  varint: value => varint(value as number),
  text: value => text(value as string),
  binary: value => text(value as Buffer),
  pair: value => Buffer.concat((value as [string, string]).map(text)),
};

/** Properties in the order given, with their length in front. */
export function properties(list: readonly RawProperty[] = []): Buffer {
  const body = Buffer.concat(
    list.map(item => {
      if (Buffer.isBuffer(item)) return item;
      const [id, kind] = table[item[0]];
      return Buffer.concat([Buffer.from([id]), writers[kind](item[1])]);
    }),
  );
  return Buffer.concat([varint(body.length), body]);
}

/** Walks over bytes from the front; running past the end throws a RangeError, which the packet reader reports. */
export class Cursor {
  at = 0;
  readonly bytes: Buffer;
  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
  get left(): number {
    return this.bytes.length - this.at;
  }
  byte(): number {
    return this.bytes.readUInt8(this.at++);
  }
  u16(): number {
    this.at += 2;
    return this.bytes.readUInt16BE(this.at - 2);
  }
  u32(): number {
    this.at += 4;
    return this.bytes.readUInt32BE(this.at - 4);
  }
  varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const digit = this.byte();
      value += (digit & 0x7f) * factor;
      if (digit < 0x80) return value;
    }
  }
  take(length: number): Buffer {
    if (length > this.left) throw new RangeError(`${length} bytes wanted, ${this.left} left`);
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  binary(): Buffer {
    return this.take(this.u16());
  }
  text(): string {
    return this.binary().toString();
  }
  rest(): Buffer {
    return this.take(this.left);
  }
}

const readers: Record<Kind, (from: Cursor) => PropertyValue> = {
  byte: from => from.byte(),
  u16: from => from.u16(),
  u32: from => from.u32(),
  varint: from => from.varint(),
  text: from => from.text(),
  binary: from => from.binary(),
  pair: from => [from.text(), from.text()],
};

const byId = new Map<number, [PropertyName, Kind]>(
  Object.entries(table).map(([name, [id, kind]]) => [id, [name as PropertyName, kind]]),
);

/** Reads a property block in its order; an unknown identifier takes the rest of the block with it. */
export function readProperties(from: Cursor): ReadProperty[] {
  const block = new Cursor(from.take(from.varint()));
  const found: ReadProperty[] = [];
  while (block.left > 0) {
    const id = block.varint();
    const row = byId.get(id);
    if (row) found.push([row[0], readers[row[1]](block)]);
    else found.push([`0x${id.toString(16)}`, block.rest()]);
  }
  return found;
}
