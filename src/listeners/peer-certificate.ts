/** The peer's certificate as the heart knows it: names and numbers, no keys. */
import type { X509Certificate } from 'node:crypto';
import type { PeerCertificate } from '../broker/ports.ts';

export function describeCertificate(certificate: X509Certificate): PeerCertificate {
  return {
    commonName: firstCommonName(certificate.subject ?? ''),
    subject: rfc2253(certificate.subject ?? ''),
    serialNumber: certificate.serialNumber,
    fingerprint256: certificate.fingerprint256,
  };
}

/**
 * Node gives the subject as one line per part, least specific first, values escaped as in RFC 2253 except for
 * characters beyond ASCII. RFC 2253 text is most specific first and escapes those as well: `CN=ni\C3\B1a,O=Org`.
 */
export function rfc2253(subject: string): string {
  return subject
    .split('\n')
    .reverse()
    .map(part => part.split(' + ').reverse().join('+'))
    .join(',')
    .replace(/[^\u0000-\u007f]+/g, escapeBytes);
}

function escapeBytes(text: string): string {
  return [...Buffer.from(text)].map(byte => `\\${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

/** Null when there is none, or one that no MQTT string can hold. */
export function firstCommonName(subject: string): string | null {
  const part = subject.split(/\n| \+ /).find(text => text.startsWith('CN='));
  if (part === undefined) return null;
  const name = unescape(part.slice('CN='.length));
  return name === null || name === '' || /[\u0000\ufffd]/.test(name) ? null : name;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Undoes `\,` and `\C3`. */
function unescape(value: string): string | null {
  const bytes = Buffer.from(value);
  const plain: number[] = [];
  for (let at = 0; at < bytes.length; at++) {
    const escaped = bytes[at] === BACKSLASH;
    const hex = escaped ? bytes.toString('latin1', at + 1, at + 3) : '';
    if (/^[0-9A-Fa-f]{2}$/.test(hex)) {
      plain.push(parseInt(hex, 16));
      at += 2;
    } else plain.push(escaped ? (bytes[++at] ?? BACKSLASH) : bytes[at]!);
  }
  try {
    return utf8.decode(Uint8Array.from(plain));
  } catch {
    return null;
  }
}

const BACKSLASH = 0x5c;
