/** The peer's certificate as the heart knows it: names and numbers, no keys. */
import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import type { PeerCertificate } from '../broker/ports.ts';

/** OpenSSL verifies no longer chains by default (100); nobody has more than a few. */
const CHAIN_LENGTH_MAX = 20;

/**
 * The client's own certificate; null where it has shown none.
 *
 * Not getPeerX509Certificate(): Node 24 takes what the client sent behind its own certificate out of OpenSSL's list and
 * never frees it, which is 5 kB for each handshake of a device that sends its issuer along.
 */
export function certificateOf(socket: TLSSocket): X509Certificate | null {
  const der = certificateDer(socket);
  return der === null ? null : new X509Certificate(der);
}

/** Its bytes, not looked into. */
export function certificateDer(socket: TLSSocket): Buffer | null {
  return shownBy(socket, false).raw ?? null;
}

/** What the peer sent, its own certificate first, and behind it what Node finds for it among our own CAs. */
export function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let { raw, issuerCertificate: next } = shownBy(socket, true);
  while (raw !== undefined && chain.length < CHAIN_LENGTH_MAX) {
    const known = raw;
    if (chain.some(each => each.raw.equals(known))) break;
    chain.push(new X509Certificate(raw));
    ({ raw, issuerCertificate: next } = next ?? {});
  }
  return chain;
}

/** Node gives an empty object where there is no certificate, and null where there is no connection any more. */
function shownBy(socket: TLSSocket, detailed: boolean): Partial<DetailedPeerCertificate> {
  return (detailed ? socket.getPeerCertificate(true) : socket.getPeerCertificate(false)) ?? {};
}

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
