/**
 * Makes certificates. The X.509 library costs 100 ms and 20 MB, so it is loaded by the first certificate that is
 * issued and never by a broker that only uses what it has.
 */
import { createPublicKey, randomBytes, X509Certificate, type KeyObject, type webcrypto } from 'node:crypto';
import type * as X509 from '@peculiar/x509';
import { canonicalAddress, factsOf, type SubjectAltName } from './inspect.ts';
import { pem } from './pem.ts';
import { PkiError } from './pki-error.ts';
import { profiles, type KeyUsage, type Profile, type ProfileName } from './profiles.ts';

export interface Issuer {
  certificate: X509Certificate;
  key: KeyObject;
}

export interface CertificateRequest {
  profile: ProfileName;
  /** Least specific part first: `[{ O: 'Home' }, { CN: 'broker' }]`. */
  subject: readonly Record<string, string>[];
  names?: readonly SubjectAltName[];
  /** The key being certified; a private key stands for its public half. */
  key: KeyObject;
  /** Null: the key signs its own certificate. */
  issuer: Issuer | null;
  /** Unix time in milliseconds. */
  now: number;
  /** Instead of the profile's. */
  lifetimeDays?: number;
}

const dayMs = 86_400_000;

let loading: Promise<typeof X509> | undefined;

export function library(): Promise<typeof X509> {
  loading ??= import('reflect-metadata').then(() => import('@peculiar/x509'));
  return loading;
}

/** Starts loading the library, for callers that have other work to do meanwhile. */
export function warmUp(): void {
  void library().catch(() => undefined);
}

export async function issue(request: CertificateRequest): Promise<X509Certificate> {
  const x509 = await library();
  const profile = profiles[request.profile];
  const publicKey = publicHalf(request.key);
  const subject = new x509.Name(request.subject.map(part => mapValues(part, value => [value])));
  const issuer = request.issuer ? new x509.Name(factsOf(request.issuer.certificate).subjectDer) : subject;
  if (request.issuer && subject.toString() === issuer.toString()) throw sameSubject(subject.toString());
  const { notBefore, notAfter } = validity(profile, request);
  const made = await x509.X509CertificateGenerator.create({
    // RFC 5280, 4.1.2.2: at most 20 octets; 128 random bits leave no room for guessing or for a journal to keep.
    serialNumber: randomBytes(16).toString('hex'),
    subject,
    issuer,
    notBefore,
    notAfter,
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
    ...signer(request.issuer?.key ?? request.key),
    extensions: await extensions(x509, profile, request, publicKey),
  });
  return new X509Certificate(pem('CERTIFICATE', new Uint8Array(made.rawData)));
}

/**
 * A day back, so that a device whose clock is slow, or in another time zone, accepts it at once; a tenth of its life
 * for what lives for less than ten days.
 */
function validity(
  profile: Profile,
  { now, issuer, lifetimeDays }: CertificateRequest,
): { notBefore: Date; notAfter: Date } {
  const lifetimeMs = (lifetimeDays ?? profile.lifetimeDays) * dayMs;
  const notBefore = wholeSeconds(now - Math.min(dayMs, lifetimeMs / 10));
  // 398 days include the day before and the last second (RFC 5280, 4.1.2.5: both ends belong to the period).
  const wanted = notBefore + lifetimeMs - 1000;
  const limit = issuer ? issuer.certificate.validToDate.getTime() : wanted;
  return { notBefore: new Date(notBefore), notAfter: new Date(Math.min(wanted, limit)) };
}

async function extensions(
  x509: typeof X509,
  profile: Profile,
  request: CertificateRequest,
  publicKey: KeyObject,
): Promise<X509.Extension[]> {
  const subjectKey = publicKey.export({ type: 'spki', format: 'der' });
  const issuerKey = request.issuer
    ? publicHalf(request.issuer.key).export({ type: 'spki', format: 'der' })
    : subjectKey;
  const issuerKeyId = request.issuer ? factsOf(request.issuer.certificate).subjectKeyId : null;
  const list: X509.Extension[] = [
    new x509.BasicConstraintsExtension(profile.isCa, profile.pathLengthMax ?? undefined, true),
    new x509.KeyUsagesExtension(keyUsageFlags(x509, profile, publicKey), true),
    await x509.SubjectKeyIdentifierExtension.create(subjectKey),
    issuerKeyId === null
      ? await x509.AuthorityKeyIdentifierExtension.create(issuerKey)
      : new x509.AuthorityKeyIdentifierExtension(issuerKeyId),
  ];
  if (profile.extendedKeyUsage.length > 0) list.push(new x509.ExtendedKeyUsageExtension([...profile.extendedKeyUsage]));
  if (request.names?.length) list.push(subjectAltName(x509, request.names));
  return list;
}

/** All names in one extension: a second one would replace the first. */
function subjectAltName(x509: typeof X509, names: readonly SubjectAltName[]): X509.Extension {
  return new x509.SubjectAlternativeNameExtension(
    names.map(({ kind, value }) => {
      if (kind !== 'dns' && kind !== 'ip') throw unusableName(value);
      return { type: kind, value: kind === 'ip' ? canonicalAddress(value) : value };
    }),
  );
}

function keyUsageFlags(x509: typeof X509, profile: Profile, publicKey: KeyObject): number {
  const flags = x509.KeyUsageFlags;
  const usages: KeyUsage[] = [...profile.keyUsage];
  if (!profile.isCa && publicKey.asymmetricKeyType === 'rsa') usages.push('keyEncipherment');
  return usages.reduce((sum, usage) => sum | flags[usage], 0);
}

/** WebCrypto's names of OpenSSL's curves. */
const curves: Record<string, string> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };

/** The key in the form the library signs with, and the algorithm that goes with it. */
function signer(key: KeyObject): Pick<X509.X509CertificateCreateWithKeyParams, 'signingKey' | 'signingAlgorithm'> {
  const algorithm = algorithmOf(key);
  const signingKey: webcrypto.CryptoKey = key.toCryptoKey(algorithm, false, ['sign']);
  return { signingKey, signingAlgorithm: { ...algorithm, hash: 'SHA-256' } };
}

function algorithmOf(key: KeyObject): { name: string; hash?: string; namedCurve?: string } {
  if (key.asymmetricKeyType === 'rsa') return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  if (key.asymmetricKeyType === 'ed25519') return { name: 'Ed25519' };
  const namedCurve = curves[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (namedCurve === undefined)
    throw unusableKey(key.asymmetricKeyDetails?.namedCurve ?? String(key.asymmetricKeyType));
  return { name: 'ECDSA', namedCurve };
}

function publicHalf(key: KeyObject): KeyObject {
  return key.type === 'public' ? key : createPublicKey(key);
}

function mapValues<A, B>(record: Record<string, A>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

function unusableKey(kind: string): PkiError {
  return new PkiError({
    code: 'pki.key-kind',
    where: `a key of kind ${kind}`,
    saw: 'certificates cannot be signed with it',
    why: 'RSA, ECDSA on P-256, P-384 and P-521, and Ed25519 are what clients understand.',
    remedy: ['Use a CA with a key of one of these kinds.'],
  });
}

function sameSubject(subject: string): PkiError {
  return new PkiError({
    code: 'pki.subject-of-issuer',
    where: subject,
    saw: 'the certificate would carry the same name as the CA that signs it',
    why: 'Clients take such a certificate for one that signed itself and refuse it.',
    remedy: ['Give it another common name (CN).'],
  });
}

function unusableName(value: string): PkiError {
  return new PkiError({
    code: 'pki.unusable-name',
    where: value,
    saw: 'neither a host name nor an IP address',
    why: 'A server is reached by host name or by address; nothing else belongs into its certificate.',
    remedy: ['Name a host (broker.example.org) or an address (192.168.1.20).'],
  });
}
