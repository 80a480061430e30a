/**
 * Why the certificate of a broker does not hold, in one line, and what to do about it. Loaded only when it does not.
 *
 *   certificate <- what it sent of its chain <- the CA here that really signed the last of them, if there is one
 *   '--------------------------- chain ---------------------------------------------------------'
 *
 * Only what is in the chain can be guilty: a file of CAs may hold others that are old and weak.
 */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { ClientError } from './client-error.ts';
import { placeOf } from './dial.ts';
import type { Endpoint, TlsOptions } from './options.ts';

/** RSA below this is refused by OpenSSL's default security level. */
const rsaBitsMin = 2048;

interface Finding {
  code: string;
  message: string;
  remedy: string[];
}

export function certificateRefused(
  endpoint: Endpoint,
  name: string,
  options: TlsOptions,
  verdict: string,
  secured: TLSSocket,
): ClientError {
  const trusted = readTrusted(options);
  const sent = sentBy(secured, trusted ?? []);
  const found =
    sent.length === 0 ? unexplained(endpoint, verdict) : explain(caseOf(endpoint, name, verdict, sent, trusted));
  return new ClientError({ ...found, kind: 'tls', systemCode: verdict });
}

function caseOf(
  endpoint: Endpoint,
  name: string,
  verdict: string,
  sent: X509Certificate[],
  trusted: X509Certificate[] | null,
): Case {
  const certificate = sent[0]!;
  const signer = trusted?.find(ca => hasSigned(ca, sent.at(-1)!));
  return { endpoint, name, verdict, certificate, trusted, chain: signer === undefined ? sent : [...sent, signer] };
}

function hasSigned(ca: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.issuer === ca.subject && !ca.raw.equals(certificate.raw) && certificate.verify(ca.publicKey);
}

interface Case {
  endpoint: Endpoint;
  name: string;
  verdict: string;
  certificate: X509Certificate;
  chain: readonly X509Certificate[];
  /** Null: the operating system's. */
  trusted: readonly X509Certificate[] | null;
}

/** In the order in which a reader would want to know; the last one always has something to say. */
const causes: readonly ((found: Case) => Finding | null)[] = [
  wrongName,
  outOfTime,
  weakKey,
  twins,
  weakSignature,
  wrongPurpose,
  notACa,
  certificateAsCa,
  otherCauseUnderKnownCa,
];

function explain(found: Case): Finding {
  for (const cause of causes) {
    const finding = cause(found);
    if (finding !== null) return finding;
  }
  return unknownCa(found);
}

function wrongName({ endpoint, name, certificate, verdict }: Case): Finding | null {
  if (verdict !== 'ERR_TLS_CERT_ALTNAME_INVALID') return null;
  const names = namesOf(certificate);
  const where = isIP(name) ? 'address' : 'name';
  return {
    code: 'tls.wrong-name',
    message: `The certificate of ${placeOf(endpoint)} is not for '${name}'; it is for ${names.join(', ') || 'no name at all'}.`,
    remedy: [
      names.length > 0 ? `Connect to one of these names (-h), or` : `Connect by a name, and`,
      `have the certificate made again with subjectAltName ${isIP(name) ? 'IP' : 'DNS'}:${name}, all names and addresses in one line.`,
      `--insecure would also stop checking who issued it, not only the ${where}.`,
    ],
  };
}

function namesOf(certificate: X509Certificate): string[] {
  const inSan = (certificate.subjectAltName ?? '').split(/, /).filter(part => /^(DNS|IP Address):/.test(part));
  if (inSan.length > 0) return inSan.map(part => part.replace(/^(DNS|IP Address):/, ''));
  const commonName = /^CN=(.*)$/m.exec(certificate.subject)?.[1];
  return commonName === undefined ? [] : [`${commonName} (only as CN, which few clients accept)`];
}

function outOfTime(found: Case): Finding | null {
  const { verdict, chain, certificate } = found;
  if (verdict !== 'CERT_HAS_EXPIRED' && verdict !== 'CERT_NOT_YET_VALID') return null;
  const guilty = chain.find(isOutOfTime) ?? certificate;
  const whose = ownerOf(guilty, found);
  const expired = verdict === 'CERT_HAS_EXPIRED';
  return {
    code: expired ? 'tls.expired' : 'tls.not-yet-valid',
    message: expired
      ? `${whose} expired on ${guilty.validTo}; here it is ${new Date().toUTCString()}.`
      : `${whose} is valid only from ${guilty.validFrom} on; here it is ${new Date().toUTCString()}.`,
    remedy: [
      expired
        ? 'It must be renewed on the broker (a Zancudo home does that at its start), or the clock here is wrong.'
        : 'Check both clocks.',
    ],
  };
}

function ownerOf(guilty: X509Certificate, { certificate, endpoint }: Case): string {
  return guilty === certificate ? `The certificate of ${placeOf(endpoint)}` : `The CA ${nameOf(guilty)}`;
}

function isOutOfTime(certificate: X509Certificate): boolean {
  const now = Date.now();
  return certificate.validToDate.getTime() < now || certificate.validFromDate.getTime() > now;
}

function weakKey(found: Case): Finding | null {
  const weak = found.chain.find(each => rsaBits(each) < rsaBitsMin);
  if (weak === undefined) return null;
  return {
    code: 'tls.weak-key',
    message: `${ownerOf(weak, found)} has an RSA key of ${rsaBits(weak)} bits; below ${rsaBitsMin} none is trusted today.`,
    remedy: ['Make it again with RSA 2048 or ECDSA P-256.'],
  };
}

/** The signature of a root is nobody's concern: it is trusted as it is. */
function weakSignature(found: Case): Finding | null {
  const algorithm = (each: X509Certificate) => (each as { signatureAlgorithm?: string }).signatureAlgorithm ?? '';
  const weak = found.chain.find(each => each.issuer !== each.subject && /sha1|md5/i.test(algorithm(each)));
  if (weak === undefined) return null;
  return {
    code: 'tls.weak-signature',
    message: `${ownerOf(weak, found)} is signed with ${algorithm(weak)}, which nobody trusts today.`,
    remedy: ['Have it signed again with SHA-256 (openssl: -sha256, or no option at all).'],
  };
}

function rsaBits(certificate: X509Certificate): number {
  return certificate.publicKey.asymmetricKeyDetails?.modulusLength ?? Infinity;
}

/** CA and server under one subject: the server's certificate looks as if it had signed itself. */
function twins({ endpoint, certificate, trusted }: Case): Finding | null {
  const twin = trusted?.find(ca => ca.subject === certificate.subject && !ca.raw.equals(certificate.raw));
  if (twin === undefined || certificate.issuer !== certificate.subject) return null;
  return {
    code: 'tls.same-subject',
    message: `The certificate of ${placeOf(endpoint)} and its CA have the same subject (${oneLine(twin.subject)}), so it looks self-signed.`,
    remedy: [
      `Make the server's certificate again with another subject, such as CN=${endpoint.host ?? 'its name'}, and with a subjectAltName.`,
    ],
  };
}

function wrongPurpose({ endpoint, verdict, certificate }: Case): Finding | null {
  if (verdict !== 'INVALID_PURPOSE' || purposes(certificate).includes(serverAuth)) return null;
  return {
    code: 'tls.wrong-purpose',
    message: `The certificate of ${placeOf(endpoint)} (${nameOf(certificate)}) is not one of a server.`,
    remedy: ['It needs extendedKeyUsage serverAuth, or none.'],
  };
}

const serverAuth = '1.3.6.1.5.5.7.3.1';

/** Node calls extendedKeyUsage so. A certificate without it serves every purpose. */
function purposes({ keyUsage }: X509Certificate): readonly string[] {
  return keyUsage ?? [serverAuth];
}

function notACa({ endpoint, verdict, chain }: Case): Finding | null {
  if (!['INVALID_CA', 'PATH_LENGTH_EXCEEDED', 'INVALID_PURPOSE'].includes(verdict)) return null;
  const guilty = chain.slice(1).find(each => !each.ca) ?? chain.at(-1)!;
  return {
    code: 'tls.not-a-ca',
    message: `The certificate of ${placeOf(endpoint)} is issued by ${nameOf(guilty)}, which may not issue certificates.`,
    remedy: [
      'A CA needs basicConstraints CA:TRUE (and with keyUsage: keyCertSign), and a pathlen that reaches so far.',
    ],
  };
}

/** The file to trust was taken to be the broker's own certificate. */
function certificateAsCa({ endpoint, certificate, trusted }: Case): Finding | null {
  if (trusted?.some(ca => ca.raw.equals(certificate.raw)) !== true) return null;
  return {
    code: 'tls.certificate-as-ca',
    message: `The CA file holds the certificate of ${placeOf(endpoint)} itself, not that of the CA that issued it (${oneLine(certificate.issuer)}).`,
    remedy: ['Name the certificate of that CA with --cafile.'],
  };
}

/** The issuer is trusted here and did sign it: then the verdict has another reason, of which there is only the word. */
function otherCauseUnderKnownCa({ endpoint, verdict, chain, trusted }: Case): Finding | null {
  const root = chain.at(-1)!;
  if (trusted?.includes(root) !== true || trustVerdicts.includes(verdict)) return null;
  return {
    code: 'tls.verify',
    message: `The certificate of ${placeOf(endpoint)} is issued by ${nameOf(root)}, which is trusted here, and does not hold all the same (${verdict}).`,
    remedy: ['openssl verify -CAfile CA CERTIFICATE may know more.'],
  };
}

const trustVerdicts = [
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'CERT_SIGNATURE_FAILURE',
];

function unknownCa({ endpoint, verdict, chain, trusted }: Case): Finding {
  const top = chain.at(-1)!;
  const self = top.issuer === top.subject;
  const signer = self ? nameOf(top) : oneLine(top.issuer);
  // A root is often not sent: then the highest that was is what can be compared.
  const seen = self ? ` (SHA-256 ${top.fingerprint256})` : ` (it sent ${nameOf(top)}, SHA-256 ${top.fingerprint256})`;
  const ours =
    trusted === null
      ? ['Trusted here: the CAs of the operating system. Name the CA of the broker with --cafile.']
      : trusted.slice(0, shownMax).map(ca => `Trusted here: ${nameOf(ca)} (SHA-256 ${ca.fingerprint256})`);
  const more = (trusted?.length ?? 0) - shownMax;
  const sameName = trusted?.some(ca => ca.subject === (self ? top.subject : top.issuer)) === true;
  return {
    code: 'tls.unknown-ca',
    message: `The certificate of ${placeOf(endpoint)} is issued by ${signer}${seen}, which is not trusted here (${verdict}).`,
    remedy: [
      ...ours,
      ...(more > 0 ? [`... and ${more} more.`] : []),
      sameName
        ? 'The names are the same and the keys are not: the CA was made again. Fetch its present certificate from the broker.'
        : 'Fetch the CA of this broker, and name it with --cafile.',
    ],
  };
}

/** A file of the world's CAs has 140. */
const shownMax = 5;

/**
 * Its own certificate and what it sent behind that. Node adds what fits from our CAs, only by name: that is not theirs.
 * Not getPeerX509Certificate(), which never frees what was sent: a bridge that is refused tries again for months.
 */
function sentBy(secured: TLSSocket, trusted: readonly X509Certificate[]): X509Certificate[] {
  const sent: X509Certificate[] = [];
  let next: Partial<DetailedPeerCertificate> | undefined = secured.getPeerCertificate(true);
  // A chain that the peer made up could be a ring.
  while (next?.raw !== undefined && sent.length < 10) {
    const { raw, issuerCertificate }: Partial<DetailedPeerCertificate> = next;
    const isKnown = [...sent, ...(sent.length > 0 ? trusted : [])].some(each => each.raw.equals(raw));
    if (isKnown) break;
    sent.push(new X509Certificate(raw));
    next = issuerCertificate;
  }
  return sent;
}

function unexplained(endpoint: Endpoint, verdict: string): Finding {
  return {
    code: 'tls.verify',
    message: `The certificate of ${placeOf(endpoint)} does not hold: ${verdict}.`,
    remedy: [],
  };
}

function nameOf(certificate: X509Certificate): string {
  return `'${/^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? oneLine(certificate.subject)}'`;
}

function oneLine(name: string | undefined): string {
  return (name ?? '').replaceAll('\n', ', ');
}

/** Null: the operating system's. */
function readTrusted(options: TlsOptions): X509Certificate[] | null {
  if (options.ca === undefined) return null;
  const found: X509Certificate[] = [];
  for (const file of options.ca) {
    for (const [pem] of String(file).matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)) {
      try {
        found.push(new X509Certificate(pem));
      } catch {
        // What is no certificate is trusted by nobody, and cannot be the cause.
      }
    }
  }
  return found;
}
