/**
 * Subjects and issuers as people and Mosquitto write them: RFC 2253, most specific part first, `CN=alice,O=Org`.
 */
import { children, content, expect, oidText, tag, type Element } from './der.ts';

/** Names that OpenSSL uses for the attribute types (RFC 4519 and PKCS #9). */
const attributeNames: Record<string, string> = {
  '2.5.4.3': 'CN',
  '2.5.4.4': 'SN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'street',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.12': 'title',
  '2.5.4.42': 'GN',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'emailAddress',
};

export interface NamePart {
  type: string;
  value: string;
}

/** The parts in the order of the certificate, least specific first. */
export function nameParts(der: Uint8Array, name: Element): NamePart[] {
  return children(der, expect(name, tag.sequence)).flatMap(set =>
    children(der, expect(set, tag.set)).map(attribute => namePart(der, attribute)),
  );
}

function namePart(der: Uint8Array, attribute: Element): NamePart {
  const [type, value] = children(der, expect(attribute, tag.sequence));
  const oid = oidText(der, expect(type, tag.oid));
  if (!value) return { type: attributeNames[oid] ?? oid, value: '' };
  return { type: attributeNames[oid] ?? oid, value: directoryString(value.tag, content(der, value)) };
}

/** BMPString and UniversalString are rare and wide; the rest is UTF-8 or a part of Latin-1 that looks like it. */
function directoryString(stringTag: number, bytes: Buffer): string {
  if (stringTag === 0x1e)
    return Buffer.from(bytes)
      .subarray(0, bytes.length & ~1)
      .swap16()
      .toString('utf16le');
  const text = bytes.toString('utf8');
  return text.includes('\ufffd') ? bytes.toString('latin1') : text;
}

export function nameText(parts: readonly NamePart[]): string {
  return parts
    .map(({ type, value }) => `${type}=${escaped(value)}`)
    .reverse()
    .join(',');
}

function escaped(value: string): string {
  // Control characters must not reach a log line as they are.
  const visible = value.replace(/[,+"\\<>;]/g, '\\$&').replace(/\p{Cc}/gu, hexEscape);
  return visible.replace(/^[ #]/, '\\$&').replace(/ $/, '\\ ');
}

function hexEscape(character: string): string {
  return [...Buffer.from(character, 'utf8')]
    .map(byte => `\\${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('');
}
