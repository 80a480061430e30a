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
import { chainOf, rfc2253 } from './peer-certificate.ts';

type Judges = Pick<ListenerSetOptions, 'judge' | 'judgementOfOpenssl'>;

/** Null: both judges let it pass. `leaf`: the client's own certificate, if it has shown one. */
export function judgeClient(
  socket: TLSSocket,
  leaf: X509Certificate | null,
  trust: Trust,
  judges: Judges,
): Judgement | null {
  const said = opensslVerdict(socket);
  const ours = ourVerdict(socket, leaf, trust, judges);
  if (ours !== null) return ours;
  if (leaf === null) return judges.judgementOfOpenssl('UNABLE_TO_GET_ISSUER_CERT', null);
  if (said === null || isForgiven(said, leaf, socket, trust)) return null;
  return judges.judgementOfOpenssl(said, rfc2253(leaf.subject));
}

/** Most devices are issued by a CA that we have: what they send beside their own certificate is read only where it counts. */
export function ourVerdict(
  socket: TLSSocket,
  leaf: X509Certificate | null,
  trust: Trust,
  { judge }: Pick<Judges, 'judge'>,
): Judgement | null {
  if (leaf !== null && judge([leaf], trust) === null) return null;
  return judge(leaf === null ? [] : chainOf(socket), trust);
}

/** Nothing but the date is wrong with it, as both judges see it. */
export function isOnlyOutOfDate(socket: TLSSocket, leaf: X509Certificate, trust: Trust, judges: Judges): boolean {
  const forgiving = { ...trust, forgiveDates: true };
  return judgeClient(socket, leaf, forgiving, judges) === null;
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
function isForgiven(said: string, leaf: X509Certificate, socket: TLSSocket, trust: Trust): boolean {
  if (said === 'CERT_HAS_EXPIRED' || said === 'CERT_NOT_YET_VALID') return trust.forgiveDates;
  if (said !== 'UNABLE_TO_GET_CRL' || trust.crls === null) return false;
  const isIssuer = (ca: X509Certificate): boolean => leaf.checkIssued(ca);
  const issuer = trust.cas.find(isIssuer) ?? chainOf(socket).slice(1).find(isIssuer);
  return issuer !== undefined && issuer.subject !== issuer.issuer;
}
