/**
 * Certificates in one envelope without a signature: PKCS #7 "certs-only" (RFC 5652, 5; RFC 8551, 3.2.2), as EST gives
 * them out.
 *
 *   ContentInfo { signedData, SignedData { 1, {}, data without content, [0] certificates, {} } }
 */
import type { X509Certificate } from 'node:crypto';
import { context, integer, oid, sequence, set } from './der-write.ts';

const data = '1.2.840.113549.1.7.1';
const signedData = '1.2.840.113549.1.7.2';

export function certsOnly(certificates: readonly X509Certificate[]): Buffer {
  const list = context(0, ...certificates.map(each => each.raw));
  return sequence(oid(signedData), context(0, sequence(integer(1), set(), sequence(oid(data)), list, set())));
}
