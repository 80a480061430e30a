/**
 * What a server staples to its certificate (OCSP, RFC 6960): the word of its CA, a few days old at most, that the
 * certificate is not revoked.
 *
 *   OCSPResponse { status, BasicOCSPResponse { ResponseData { SingleResponse { certificate, good | revoked, times } },
 *                                              signature, certificates of the responder } }
 *
 * Believed is what the CA of the certificate has signed itself, or a responder with a certificate of this CA for just
 * that. Everything else is no answer.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { signatureHolds, type Signed } from './crl.ts';
import {
  children,
  content,
  DerError,
  type Element,
  encoded,
  expect,
  integerHex,
  oidText,
  tag,
  timeMs,
  whole,
} from './der.ts';
import { factsOf } from './inspect.ts';
import { timeText } from './time-text.ts';

const basicResponse = '1.3.6.1.5.5.7.48.1.1';
const ocspSigning = '1.3.6.1.5.5.7.3.9';
const good = 0x80;
const revoked = 0xa1;
/** Clocks differ. */
const SKEW_MS = 300_000;
/** For an answer that does not say when the next one comes. */
const AGE_MAX_MS = 7 * 86_400_000;

const refusals: Record<number, string> = {
  1: 'malformed request',
  2: 'internal error',
  3: 'try later',
  5: 'signature required',
  6: 'unauthorized',
};

const hashes: Record<string, string> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

interface Answer {
  hash: string;
  issuerName: Buffer;
  issuerKey: Buffer;
  serial: string;
  status: Element;
  thisUpdate: number;
  nextUpdate: number | null;
}

interface BasicResponse {
  answers: Answer[];
  signed: Signed;
  certificates: X509Certificate[];
}

/** Null when the staple says that the certificate is good; otherwise why not, as a part of a sentence. */
export function objectionToStaple(
  staple: Buffer,
  leaf: X509Certificate,
  issuer: X509Certificate,
  now: number,
): string | null {
  try {
    const read = readStaple(staple);
    if (typeof read === 'string') return read;
    if (!isSignedFor(read, issuer, now))
      return 'the answer is not signed by the CA of the certificate, nor by a responder of that CA';
    const answer = read.answers.find(each => isAbout(each, leaf, issuer));
    return answer === undefined ? 'the answer is about another certificate' : objectionTo(answer, staple, now);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    return `the answer cannot be read (${error.message})`;
  }
}

function objectionTo({ status, thisUpdate, nextUpdate }: Answer, staple: Buffer, now: number): string | null {
  if (status.tag === revoked) {
    const since = children(staple, status)[0];
    return `it was revoked${since === undefined ? '' : ` on ${timeText(timeMs(staple, since))}`}`;
  }
  if (status.tag !== good) return 'its CA does not know it';
  if (thisUpdate > now + SKEW_MS)
    return `the answer is from the future (${timeText(thisUpdate)}): are both clocks right?`;
  const until = nextUpdate ?? thisUpdate + AGE_MAX_MS;
  return until < now - SKEW_MS ? `the answer is too old: it was good until ${timeText(until)}` : null;
}

/** The reason why there is no answer, or what there is. */
function readStaple(der: Buffer): BasicResponse | string {
  const [status, bytes] = children(der, whole(der, tag.sequence));
  const code = content(der, expect(status, tag.enumerated))[0] ?? -1;
  if (code !== 0) return `the responder gave no answer (${refusals[code] ?? `status ${code}`})`;
  const [type, response] = children(der, only(der, expect(bytes, tag.context0), tag.sequence));
  if (oidText(der, expect(type, tag.oid)) !== basicResponse) return 'the answer is of a kind that is not known here';
  const basic = only(der, expect(response, tag.octetString), tag.sequence);
  const [data, algorithm, signature, certificates] = children(der, basic);
  return {
    answers: readAnswers(der, expect(data, tag.sequence)),
    signed: {
      bytes: encoded(der, expect(data, tag.sequence)),
      algorithm: oidText(der, expect(children(der, expect(algorithm, tag.sequence))[0], tag.oid)),
      signature: content(der, expect(signature, tag.bitString)).subarray(1),
    },
    certificates: certificates === undefined ? [] : readCertificates(der, expect(certificates, tag.context0)),
  };
}

/** [0] version, responder, time, then the answers. */
function readAnswers(der: Buffer, data: Element): Answer[] {
  const list = children(der, data).find(({ tag: is }) => is === tag.sequence);
  return children(der, expect(list, tag.sequence)).map(each => readAnswer(der, each));
}

function readAnswer(der: Buffer, element: Element): Answer {
  const [id, status, thisUpdate, next] = children(der, expect(element, tag.sequence));
  const [algorithm, issuerName, issuerKey, serial] = children(der, expect(id, tag.sequence));
  if (status === undefined) throw new DerError('a field is missing');
  return {
    hash: oidText(der, expect(children(der, expect(algorithm, tag.sequence))[0], tag.oid)),
    issuerName: content(der, expect(issuerName, tag.octetString)),
    issuerKey: content(der, expect(issuerKey, tag.octetString)),
    serial: integerHex(der, expect(serial, tag.integer)),
    status,
    thisUpdate: timeMs(der, expect(thisUpdate, tag.generalizedTime)),
    nextUpdate: next?.tag === tag.context0 ? timeMs(der, only(der, next, tag.generalizedTime)) : null,
  };
}

function readCertificates(der: Buffer, wrapped: Element): X509Certificate[] {
  return children(der, only(der, wrapped, tag.sequence)).flatMap(each => {
    try {
      return [new X509Certificate(encoded(der, each))];
    } catch {
      return [];
    }
  });
}

/** What a wrapper holds. */
function only(der: Buffer, wrapper: Element, expected: number): Element {
  return expect(children(der, wrapper)[0], expected);
}

function isSignedFor({ signed, certificates }: BasicResponse, issuer: X509Certificate, now: number): boolean {
  if (signatureHolds(signed, issuer.publicKey)) return true;
  return certificates.some(each => isResponderOf(each, issuer, now) && signatureHolds(signed, each.publicKey));
}

/** RFC 6960, 4.2.2.2: a certificate of the very CA, for this purpose, in force. */
function isResponderOf(responder: X509Certificate, issuer: X509Certificate, now: number): boolean {
  const inForce =
    responder.validFromDate.getTime() <= now + SKEW_MS && responder.validToDate.getTime() >= now - SKEW_MS;
  return inForce && factsOf(responder).extendedKeyUsage?.includes(ocspSigning) === true && responder.checkIssued(issuer) && responder.verify(issuer.publicKey); // prettier-ignore
}

function isAbout(
  { hash, issuerName, issuerKey, serial }: Answer,
  leaf: X509Certificate,
  issuer: X509Certificate,
): boolean {
  const algorithm = hashes[hash];
  if (algorithm === undefined || serial !== leaf.serialNumber.replace(/^(00)+(?=..)/, '')) return false;
  const digest = (bytes: Buffer): Buffer => createHash(algorithm).update(bytes).digest();
  return digest(factsOf(issuer).subjectDer).equals(issuerName) && digest(keyOf(issuer)).equals(issuerKey);
}

/** The key without the algorithm around it. */
function keyOf(certificate: X509Certificate): Buffer {
  const der = certificate.publicKey.export({ type: 'spki', format: 'der' });
  const [, bits] = children(der, whole(der, tag.sequence));
  return content(der, expect(bits, tag.bitString)).subarray(1);
}
