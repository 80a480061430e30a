/**
 * Reads DER, one element at a time, without ever leaving the bytes it was given.
 *
 *   tag  length  content            an element: where it starts, where its content starts, where it ends
 *   30   82 01 0a  ...              children() walks the elements inside a content, one level, never deeper
 *
 * It serves what node:crypto does not show of a certificate (version, key usage, key identifiers) and revocation
 * lists, for which Node has nothing. Whatever is not DER ends in a DerError, never in an endless loop.
 */
export class DerError extends Error {}

export interface Element {
  tag: number;
  start: number;
  contentStart: number;
  end: number;
}

/** Tags met in certificates and revocation lists. */
export const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  enumerated: 0x0a,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  context0: 0xa0,
  context3: 0xa3,
} as const;

/** The element that starts at `at` and must end at or before `limit`. */
export function elementAt(der: Uint8Array, at: number, limit: number): Element {
  const tagByte = at + 1 < limit ? der[at] : undefined;
  if (tagByte === undefined) throw new DerError(`cut short at byte ${at}`);
  if ((tagByte & 0x1f) === 0x1f) throw new DerError(`a tag of several bytes at byte ${at}`);
  const { length, contentStart } = lengthAt(der, at + 1, limit);
  const end = contentStart + length;
  if (end > limit) throw new DerError(`an element at byte ${at} claims ${length} bytes, past its surroundings`);
  return { tag: tagByte, start: at, contentStart, end };
}

function lengthAt(der: Uint8Array, at: number, limit: number): { length: number; contentStart: number } {
  const first = der[at] ?? 0;
  if (first < 0x80) return { length: first, contentStart: at + 1 };
  const count = first & 0x7f;
  // Four bytes of length are 4 GB; nothing that is read here is longer, and indefinite lengths are not DER.
  if (count === 0 || count > 4 || at + count >= limit) throw new DerError(`a bad length at byte ${at}`);
  let length = 0;
  for (let i = 1; i <= count; i++) length = length * 256 + (der[at + i] ?? 0);
  return { length, contentStart: at + 1 + count };
}

/** The elements inside an element's content. */
export function children(der: Uint8Array, parent: Element): Element[] {
  const found: Element[] = [];
  for (let at = parent.contentStart; at < parent.end;) {
    const child = elementAt(der, at, parent.end);
    found.push(child);
    at = child.end;
  }
  return found;
}

/** The one element that fills `der`, of the tag expected. */
export function whole(der: Uint8Array, expected: number): Element {
  const element = expect(elementAt(der, 0, der.length), expected);
  if (element.end !== der.length) throw new DerError(`${der.length - element.end} bytes after the end`);
  return element;
}

export function expect(element: Element | undefined, expected: number): Element {
  if (element?.tag !== expected) {
    throw new DerError(`tag ${expected.toString(16)} expected, ${element?.tag.toString(16) ?? 'nothing'} found`);
  }
  return element;
}

export function content(der: Uint8Array, element: Element): Buffer {
  return Buffer.from(der.buffer, der.byteOffset + element.contentStart, element.end - element.contentStart);
}

/** The element with its tag and length. */
export function encoded(der: Uint8Array, element: Element): Buffer {
  return Buffer.from(der.buffer, der.byteOffset + element.start, element.end - element.start);
}

/** Dotted text; arcs beyond 2^53 do not occur in what is compared here and come out rounded. */
export function oidText(der: Uint8Array, element: Element): string {
  const bytes = content(der, expect(element, tag.oid));
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of bytes) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte & 0x80) continue;
    if (arcs.length === 0) {
      const first = Math.min(2, Math.floor(arc / 40));
      arcs.push(first, arc - first * 40);
    } else arcs.push(arc);
    arc = 0;
  }
  return arcs.join('.');
}

/** Upper-case hexadecimal without leading zero bytes, as node:crypto writes serial numbers. */
export function integerHex(der: Uint8Array, element: Element): string {
  const hex = content(der, expect(element, tag.integer)).toString('hex').toUpperCase();
  return hex.replace(/^(00)+(?=..)/, '');
}

/** Seconds and Z are mandatory in DER (RFC 5280, 4.1.2.5); anything else is refused. */
export function timeMs(der: Uint8Array, element: Element): number {
  const text = content(der, element).toString('latin1');
  const utc = element.tag === tag.utcTime;
  if (!utc && element.tag !== tag.generalizedTime) throw new DerError('a time expected');
  const match = (utc ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/).exec(
    text,
  );
  if (!match) throw new DerError(`not a time: ${JSON.stringify(text)}`);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const century = utc ? (year < 50 ? 2000 : 1900) : 0;
  return Date.UTC(century + year, month - 1, day, hour, minute, second);
}
