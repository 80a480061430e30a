/**
 * Writes DER, from the inside out: every function gives the bytes of one whole element.
 *
 *   sequence(integer(1), octets(key))   ->   30 len  02 01 01  04 len key
 *
 * It serves what the X.509 library does not write as everybody reads it: revocation lists and PKCS #12.
 */
export function element(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(body.length)]), body]);
}

function lengthOf(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => element(0x30, ...parts);
export const octets = (bytes: Uint8Array): Buffer => element(0x04, bytes);
export const nothing = (): Buffer => element(0x05);

/** DER puts the members of a SET OF in the order of their bytes. */
export function set(...parts: readonly Uint8Array[]): Buffer {
  return element(0x31, ...[...parts].sort((a, b) => Buffer.compare(a, b)));
}

/** `[n]`, constructed. */
export const context = (n: number, ...parts: readonly Uint8Array[]): Buffer => element(0xa0 | n, ...parts);
/** `[n]`, primitive: the tag takes the place of the type's own. */
export const contextBytes = (n: number, bytes: Uint8Array): Buffer => element(0x80 | n, bytes);

export function integer(value: number): Buffer {
  const hex = value.toString(16);
  return integerOfHex(hex.padStart(hex.length + (hex.length & 1), '0'));
}

/** A non-negative number in hexadecimal, such as a serial number. */
export function integerOfHex(hex: string): Buffer {
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length & 1), '0'), 'hex');
  const first = bytes.findIndex(byte => byte !== 0);
  const short = first < 0 ? Buffer.from([0]) : bytes.subarray(first);
  return element(0x02, (short[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), short]) : short);
}

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...arcs] = dotted.split('.').map(Number);
  return element(0x06, Buffer.from([first * 40 + second, ...arcs].flatMap(base128)));
}

function base128(arc: number): number[] {
  const bytes = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift((rest % 128) | 0x80);
  return bytes;
}

export function bits(bytes: Uint8Array): Buffer {
  return element(0x03, Buffer.from([0]), bytes);
}

/** UTCTime until 2049, GeneralizedTime from then on (RFC 5280, 4.1.2.5). */
export function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
  const utc = Number(digits.slice(0, 4)) < 2050;
  return element(utc ? 0x17 : 0x18, Buffer.from(utc ? digits.slice(2) : digits, 'latin1'));
}

/** Two bytes per character, as PKCS #12 wants its names and passwords. */
export function bmpString(text: string): Buffer {
  return element(0x1e, Buffer.from(text, 'utf16le').swap16());
}
