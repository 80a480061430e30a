/**
 * May this client certificate pass? Two judges are asked, OpenSSL and our own reading of the chain, and both must say
 * yes: Node's TLS server would let a client pass, or cut it off in silence, where only one of them errs.
 *
 *   OpenSSL's verdict  chain, signature, dates, purpose, revocation   `verifyError()` of the socket
 *   judge()            the same from the certificates themselves      handed in
 */
import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { Judgement, ListenerSetOptions, Trust } from './options.ts';
import { rfc2253 } from './peer-certificate.ts';

type Judges = Pick<ListenerSetOptions, 'judge' | 'judgementOfOpenssl'>;

/** OpenSSL verifies no longer chains by default (100); nobody has more than a few. */
const CHAIN_LENGTH_MAX = 20;

/** Null: both judges let it pass. */
export function judgeClient(socket: TLSSocket, trust: Trust, judges: Judges): Judgement | null {
  const chain = chainOf(socket);
  const said = opensslVerdict(socket);
  const ours = judges.judge(chain, trust);
  if (ours !== null) return ours;
  const leaf = chain[0];
  if (leaf === undefined) return judges.judgementOfOpenssl('UNABLE_TO_GET_ISSUER_CERT', null);
  if (said === null || isForgiven(said, leaf, chain, trust)) return null;
  return judges.judgementOfOpenssl(said, rfc2253(leaf.subject));
}

/** Nothing but the date is wrong with it, as both judges see it. */
export function isOnlyOutOfDate(socket: TLSSocket, trust: Trust, judges: Judges): boolean {
  const forgiving = { ...trust, forgiveDates: true };
  return judgeClient(socket, forgiving, judges) === null;
}

/** What the peer sent, its own certificate first. */
export function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next = socket.getPeerX509Certificate();
  while (next !== undefined && chain.length < CHAIN_LENGTH_MAX) {
    const { fingerprint256 } = next;
    if (chain.some(known => known.fingerprint256 === fingerprint256)) break;
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}

/** Null when OpenSSL accepts. `verifyError` is not documented: should it vanish or fail, nobody passes. */
function opensslVerdict(socket: TLSSocket): string | null {
  try {
    const { ssl } = socket as unknown as { ssl: { verifyError(): NodeJS.ErrnoException | null | undefined } };
    const error = ssl.verifyError();
    return error === null || error === undefined ? null : (error.code ?? 'UNSPECIFIED');
  } catch {
    return 'VERDICT_UNAVAILABLE';
  }
}

/**
 * Two verdicts of OpenSSL are stricter than the configuration asks for; our own judge has looked at the same.
 * Dates: disable_client_cert_date_checks. CRLs: Node makes OpenSSL demand a list for every CA up to the root, whereas
 * crlfile promises to check the client's own certificate.
 */
function isForgiven(said: string, leaf: X509Certificate, chain: readonly X509Certificate[], trust: Trust): boolean {
  if (said === 'CERT_HAS_EXPIRED' || said === 'CERT_NOT_YET_VALID') return trust.forgiveDates;
  if (said !== 'UNABLE_TO_GET_CRL' || trust.crls === null) return false;
  const issuer = [...chain.slice(1), ...trust.cas].find(ca => leaf.checkIssued(ca));
  return issuer !== undefined && issuer.subject !== issuer.issuer;
}
