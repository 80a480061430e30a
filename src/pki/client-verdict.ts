/**
 * Does a client's certificate hold? Asked beside OpenSSL, which has to agree: neither alone lets anybody in.
 *
 *   chain: known CA? -> every CA is one? -> dates -> for clients? -> revoked?      the first "no" is the answer
 *
 * What comes before "known CA" is only a claim by whoever sent it, so that question is the first.
 */
import type { X509Certificate } from 'node:crypto';
import { chainOf } from './chain.ts';
import { isSignedBy, type RevocationList } from './crl.ts';
import { factsOf, purposes, type CertificateFacts } from './inspect.ts';
import { daysText, timeText } from './time-text.ts';

export interface ClientVerdict {
  /** Stable code, for example `tls.client-certificate-expired`. */
  code: string;
  /** Short, for the peer. */
  reason: string;
  /** Plain words for the operator, with the subject. */
  log: string;
  remedy: string[];
}

export interface ClientRules {
  /** disable_client_cert_date_checks: "expired" and "not yet valid" are forgiven. */
  ignoreDates?: boolean;
  /** crlfile is set: every issuing CA needs a list that holds. */
  checkRevocation?: boolean;
  /** Named in the remedies. */
  cafile?: string;
  crlfile?: string;
}

interface Question {
  leaf: CertificateFacts;
  path: CertificateFacts[];
  trusted: boolean;
  cas: readonly X509Certificate[];
  crls: readonly RevocationList[];
  now: number;
  rules: ClientRules;
}

const checks: ((question: Question) => ClientVerdict | null)[] = [
  checkKnown,
  checkAuthorities,
  checkDates,
  checkPurpose,
  checkRevoked,
];

/** `chain` is what the peer sent, its own certificate first. Null: the certificate holds. Never throws. */
export function verdictOnClientCertificate(
  chain: readonly X509Certificate[],
  cas: readonly X509Certificate[],
  crls: readonly RevocationList[],
  now: number,
  rules: ClientRules,
): ClientVerdict | null {
  const [certificate, ...sent] = chain;
  if (!certificate) return noCertificate();
  try {
    const { path, trusted } = chainOf(certificate, sent, cas, now);
    const facts = path.map(factsOf);
    const [leaf = factsOf(certificate)] = facts;
    const question = { leaf, path: facts, trusted, cas, crls, now, rules };
    for (const check of checks) {
      const verdict = check(question);
      if (verdict) return verdict;
    }
    return null;
  } catch (error) {
    return unreadable(error);
  }
}

function noCertificate(): ClientVerdict {
  return {
    code: 'tls.client-certificate-missing',
    reason: 'client certificate required',
    log: 'it sent no client certificate, and this listener asks for one',
    remedy: ['Give the client its certificate and key (mosquitto_sub: --cert FILE --key FILE).'],
  };
}

function unreadable(error: unknown): ClientVerdict {
  return {
    code: 'tls.client-certificate-unreadable',
    reason: 'client certificate unreadable',
    log: `its client certificate cannot be read (${error instanceof Error ? error.message : String(error)})`,
    remedy: ['Issue the client a new certificate.'],
  };
}

function checkKnown({ leaf, path, trusted, cas, rules }: Question): ClientVerdict | null {
  if (trusted) return null;
  const top = path.at(-1) ?? leaf;
  const ours = cas.map(ca => `"${factsOf(ca).subject}"`).join(', ') || 'no CA at all';
  const self = top === leaf && leaf.selfSigned;
  const namesake = cas.some(ca => factsOf(ca).subject === top.issuer);
  const origin = self ? 'signed itself' : `was issued by "${top.issuer}"`;
  const twist = namesake ? ', which bears the name of a CA that is trusted here but has another key' : '';
  return {
    code: 'tls.client-certificate-unknown-ca',
    reason: 'certificate not issued by a CA that is trusted here',
    log: `its certificate "${leaf.subject}" ${origin}${twist}; this listener trusts ${ours}`,
    remedy: [
      `Issue the client a certificate from ${ours},`,
      `or add the CA that issued this one to ${rules.cafile ?? 'cafile'} and send the broker SIGHUP.`,
    ],
  };
}

function checkAuthorities({ leaf, path }: Question): ClientVerdict | null {
  const authorities = path.slice(1);
  const broken = authorities.findIndex((ca, below) => !mayIssue(ca, below));
  const ca = authorities[broken];
  if (!ca) return null;
  return {
    code: 'tls.client-certificate-issuer-no-ca',
    reason: 'certificate issued by something that is not a CA',
    log: `its certificate "${leaf.subject}" was issued by "${ca.subject}", which may not issue certificates at that place`,
    remedy: [
      'A CA carries basicConstraints=critical,CA:TRUE and, if it has a key usage at all, keyCertSign.',
      'Issue the client a certificate from a proper CA.',
    ],
  };
}

/** `below`: CAs between this one and the leaf. */
function mayIssue(ca: CertificateFacts, below: number): boolean {
  // Version 1 knows no extensions; as roots such certificates are still about, and OpenSSL takes them too.
  if (!ca.isCa) return ca.version === 1 && ca.selfSigned;
  if (ca.pathLengthMax !== null && below > ca.pathLengthMax) return false;
  if (ca.extendedKeyUsage && !servesClients(ca.extendedKeyUsage)) return false;
  return ca.keyUsage?.includes('keyCertSign') ?? true;
}

function checkDates({ leaf, path, now, rules }: Question): ClientVerdict | null {
  if (rules.ignoreDates) return null;
  const outdated = path.find(each => now > each.notAfter);
  if (outdated) return expired(leaf, outdated, now);
  const early = path.find(each => now < each.notBefore);
  return early ? notYetValid(leaf, early, now) : null;
}

function expired(leaf: CertificateFacts, outdated: CertificateFacts, now: number): ClientVerdict {
  const ago = daysText(now - outdated.notAfter);
  const own = outdated === leaf;
  const whose = own
    ? `its certificate "${leaf.subject}"`
    : `the CA "${outdated.subject}" above its certificate "${leaf.subject}"`;
  return {
    code: own ? 'tls.client-certificate-expired' : 'tls.client-ca-expired',
    reason: own ? 'certificate expired' : 'certificate of the CA expired',
    log: `${whose} expired on ${timeText(outdated.notAfter)}, ${ago} ago`,
    remedy: [
      own ? 'Issue the client a new certificate.' : 'Renew the CA with its own key, and put the new one into cafile.',
      'Until then disable_client_cert_date_checks true would let it in, and everybody else whose time is up.',
    ],
  };
}

function notYetValid(leaf: CertificateFacts, early: CertificateFacts, now: number): ClientVerdict {
  return {
    code: 'tls.client-certificate-not-yet-valid',
    reason: 'certificate not yet valid',
    log:
      `${early === leaf ? 'its certificate' : 'the CA'} "${early.subject}" is valid from ${timeText(early.notBefore)} on, ` +
      `and the clock of this machine says ${timeText(now)}`,
    remedy: [
      'If that is not the time, set the clock (timedatectl set-ntp true); if it is, the machine that issued the',
      'certificate has a wrong clock: set that one and issue it again.',
    ],
  };
}

function servesClients(usage: readonly string[]): boolean {
  return usage.some(oid => purposes[oid] === 'clientAuth' || purposes[oid] === 'anyExtendedKeyUsage');
}

function checkPurpose({ leaf }: Question): ClientVerdict | null {
  const { extendedKeyUsage, keyUsage } = leaf;
  const wrongPurpose = extendedKeyUsage !== null && !servesClients(extendedKeyUsage);
  const cannotSign =
    keyUsage !== null && !keyUsage.some(each => each === 'digitalSignature' || each === 'keyAgreement');
  if (!wrongPurpose && !cannotSign) return null;
  const made = wrongPurpose
    ? `is made for ${extendedKeyUsage.map(oid => purposes[oid] ?? oid).join(', ')}`
    : `may be used for ${keyUsage?.join(', ') || 'nothing'}`;
  return {
    code: 'tls.client-certificate-purpose',
    reason: 'certificate is not a client certificate',
    log: `its certificate "${leaf.subject}" ${made}, not for a client`,
    remedy: [
      'Issue the client a certificate with extendedKeyUsage=clientAuth and keyUsage=digitalSignature.',
      'A certificate made for a server cannot be used by a client.',
    ],
  };
}

function checkRevoked({ leaf, path, crls, now, rules }: Question): ClientVerdict | null {
  const issuer = path[1] ?? (leaf.selfSigned ? leaf : undefined);
  if (!rules.checkRevocation || !issuer) return null;
  const listed = crls.filter(list => list.issuer === issuer.subject && list.criticalUnknown.length === 0);
  const signed = listed.filter(list => isSignedBy(list, issuer.certificate));
  // Whatever any of the CA's lists revokes is revoked, also one that has since run out.
  const since = signed.map(list => list.revoked.get(leaf.serialNumber)).find(each => each !== undefined);
  if (since !== undefined) return revoked(leaf, since);
  if (signed.some(list => list.thisUpdate <= now && now <= (list.nextUpdate ?? Infinity))) return null;
  return signed.length > 0
    ? staleList(leaf, issuer, signed, now, rules)
    : noList(leaf, issuer, listed.length > 0, rules);
}

function revoked(leaf: CertificateFacts, since: number): ClientVerdict {
  return {
    code: 'tls.client-certificate-revoked',
    reason: 'certificate revoked',
    log: `its certificate "${leaf.subject}" (serial ${leaf.serialNumber}) was revoked on ${timeText(since)}`,
    remedy: ['That is for good. If the client is to come back, issue it a new certificate with a new key.'],
  };
}

function staleList(
  leaf: CertificateFacts,
  issuer: CertificateFacts,
  lists: readonly RevocationList[],
  now: number,
  rules: ClientRules,
): ClientVerdict {
  const file = rules.crlfile ?? 'crlfile';
  const early = lists.every(list => list.thisUpdate > now);
  const until = Math.max(...lists.map(list => list.nextUpdate ?? Infinity));
  const state = early ? 'is dated in the future: check the clock' : `ran out on ${timeText(until)}`;
  return {
    code: early ? 'tls.crl-not-yet-valid' : 'tls.crl-expired',
    reason: 'revocation cannot be checked at present',
    log: `its certificate "${leaf.subject}" cannot be checked: the revocation list of "${issuer.subject}" in ${file} ${state}, so no certificate of that CA can be accepted`,
    remedy: [
      `This is no fault of the client. Let the CA write a new list (openssl ca -gencrl -out crl.pem), put it into`,
      `${file} and send the broker SIGHUP.`,
    ],
  };
}

function noList(
  leaf: CertificateFacts,
  issuer: CertificateFacts,
  namesakes: boolean,
  rules: ClientRules,
): ClientVerdict {
  const file = rules.crlfile ?? 'crlfile';
  const found = namesakes
    ? 'holds a list in its name that it did not sign or that cannot be used'
    : 'holds no list of it';
  return {
    code: 'tls.crl-missing',
    reason: 'revocation cannot be checked at present',
    log: `its certificate "${leaf.subject}" cannot be checked: crlfile is set, but ${file} ${found}: "${issuer.subject}", so no certificate of that CA can be accepted`,
    remedy: [
      'This is no fault of the client. Every CA that issues client certificates needs its list in the file:',
      `openssl ca -gencrl -out crl.pem, then cat crl.pem >> ${file} and send the broker SIGHUP.`,
    ],
  };
}
