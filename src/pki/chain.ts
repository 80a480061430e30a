/**
 * Finds the way from a certificate up to a CA we trust, by name and by signature.
 *
 *   leaf  <-  what the peer sent  <-  ...  <-  a CA of cafile
 *
 * A CA of ours is preferred at every step, so what the peer sent is only used where it is needed.
 */
import type { X509Certificate } from 'node:crypto';
import { signedBy } from './inspect.ts';

/** Certificates between a leaf and its root; OpenSSL allows 100, nobody has more than three. */
const chainLengthMax = 10;

export interface Chain {
  /** From the leaf upwards. */
  path: X509Certificate[];
  /** True when the last one is a CA we trust. */
  trusted: boolean;
}

export function chainOf(
  leaf: X509Certificate,
  sent: readonly X509Certificate[],
  trusted: readonly X509Certificate[],
  now: number,
): Chain {
  const isTrusted = (each: X509Certificate) => trusted.some(ca => ca.fingerprint256 === each.fingerprint256);
  const path = [leaf];
  for (let last = leaf; path.length <= chainLengthMax;) {
    // A self-signed certificate ends the way, and so does one of our CAs whose own issuer we do not have.
    const next = selfIssued(last) ? undefined : (issuerOf(last, trusted, now) ?? issuerOf(last, sent, now));
    if (!next || path.includes(next)) return { path, trusted: isTrusted(last) };
    path.push(next);
    last = next;
  }
  return { path, trusted: false };
}

/** Of a CA that was renewed with its own key both certificates fit: the one valid now comes first. */
function issuerOf(
  certificate: X509Certificate,
  candidates: readonly X509Certificate[],
  now: number,
): X509Certificate | undefined {
  const fitting = candidates.filter(each => certificate.checkIssued(each) && signedBy(certificate, each.publicKey));
  return fitting.find(each => validAt(each, now)) ?? fitting[0];
}

function validAt(certificate: X509Certificate, now: number): boolean {
  return certificate.validFromDate.getTime() <= now && now <= certificate.validToDate.getTime();
}

function selfIssued(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate) && signedBy(certificate, certificate.publicKey);
}
