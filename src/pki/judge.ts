/** The listener's question, with the revocation lists still as text: read once per set of trusted files. */
import type { X509Certificate } from 'node:crypto';
import { verdictOnClientCertificate, type ClientVerdict } from './client-verdict.ts';
import { readCrls, type RevocationList } from './crl.ts';

export interface ClientTrust {
  cas: readonly X509Certificate[];
  /** PEM text; null when no crlfile is set. */
  crls: string | null;
  /** disable_client_cert_date_checks. */
  forgiveDates: boolean;
}

const read = new WeakMap<ClientTrust, readonly RevocationList[]>();

export function judgeClient(chain: readonly X509Certificate[], trust: ClientTrust, now: number): ClientVerdict | null {
  const lists = read.get(trust) ?? (trust.crls === null ? [] : readCrls(trust.crls).lists);
  read.set(trust, lists);
  const rules = { ignoreDates: trust.forgiveDates, checkRevocation: trust.crls !== null };
  return verdictOnClientCertificate(chain, trust.cas, lists, now, rules);
}
