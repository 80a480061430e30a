/**
 * What a certificate says, in plain values: for the doctor, for explanations, for deciding what to renew.
 *
 * node:crypto parses the certificate first and answers most questions; der.ts reads what it does not show: version,
 * key usage, key identifiers, whether an extension is there at all.
 */
import { X509Certificate, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { children, content, DerError, encoded, expect, oidText, tag, timeMs, whole, type Element } from './der.ts';
import { nameParts, nameText } from './distinguished-name.ts';
import { readPem } from './pem.ts';

export interface SubjectAltName {
  kind: 'dns' | 'ip' | 'email' | 'uri' | 'other';
  value: string;
}

export interface CertificateFacts {
  certificate: X509Certificate;
  /** RFC 2253, most specific part first. */
  subject: string;
  issuer: string;
  /** Least specific first, as the certificate has them. */
  subjectParts: { type: string; value: string }[];
  subjectDer: Buffer;
  issuerDer: Buffer;
  serialNumber: string;
  version: number;
  notBefore: number;
  notAfter: number;
  key: KeyFacts;
  /** In the order of the certificate; empty when there is no such extension. */
  names: SubjectAltName[];
  /** Dotted identifiers; null when there is no such extension. */
  extendedKeyUsage: string[] | null;
  /** Names of RFC 5280; null when there is no such extension. */
  keyUsage: string[] | null;
  isCa: boolean;
  pathLengthMax: number | null;
  subjectKeyId: string | null;
  authorityKeyId: string | null;
  /** Signed with its own key, not merely named alike. */
  selfSigned: boolean;
  /** Issuer and subject are the same name. */
  sameNames: boolean;
  fingerprint256: string;
}

interface KeyFacts {
  /** `rsa`, `ec`, `ed25519`, ... as Node names them. */
  type: string;
  /** Modulus of RSA, field of a curve; 0 when unknown. */
  bits: number;
  /** OpenSSL's name of the curve. */
  curve: string | null;
}

/** Names for what stands in 2.5.29.37. */
export const purposes: Record<string, string> = {
  '1.3.6.1.5.5.7.3.1': 'serverAuth',
  '1.3.6.1.5.5.7.3.2': 'clientAuth',
  '1.3.6.1.5.5.7.3.3': 'codeSigning',
  '1.3.6.1.5.5.7.3.4': 'emailProtection',
  '1.3.6.1.5.5.7.3.8': 'timeStamping',
  '1.3.6.1.5.5.7.3.9': 'OCSPSigning',
  '2.5.29.37.0': 'anyExtendedKeyUsage',
};

/** Bits of 2.5.29.15, from the first (RFC 5280, 4.2.1.3). */
const keyUsageBits = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
];

/** Every certificate of a PEM text, in its order. Throws what node:crypto throws on a broken one. */
export function certificatesOf(pemText: string): X509Certificate[] {
  const labels = ['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE'];
  const { blocks } = readPem(pemText);
  return blocks.filter(block => labels.includes(block.label)).map(block => new X509Certificate(block.text));
}

export function factsOf(certificate: X509Certificate): CertificateFacts {
  const der = certificate.raw;
  const parts = certificateParts(der);
  const extensions = extensionsOf(der, parts.extensions);
  const subjectParts = nameParts(der, parts.subject);
  const subjectDer = encoded(der, parts.subject);
  const issuerDer = encoded(der, parts.issuer);
  const [notBefore, notAfter] = children(der, parts.validity);
  return {
    certificate,
    subject: nameText(subjectParts),
    issuer: nameText(nameParts(der, parts.issuer)),
    subjectParts,
    subjectDer,
    issuerDer,
    serialNumber: certificate.serialNumber,
    version: parts.version,
    notBefore: timeMs(der, required(notBefore)),
    notAfter: timeMs(der, required(notAfter)),
    key: keyFacts(certificate.publicKey),
    ...readExtensions(extensions),
    selfSigned: subjectDer.equals(issuerDer) && signedBy(certificate, certificate.publicKey),
    sameNames: subjectDer.equals(issuerDer),
    fingerprint256: certificate.fingerprint256,
  };
}

function keyFacts(key: KeyObject): KeyFacts {
  const type = key.asymmetricKeyType ?? 'unknown';
  const details = key.asymmetricKeyDetails ?? {};
  const curve = details.namedCurve ?? null;
  const curveBits = curve === null ? 0 : Number(/\d{3}/.exec(curve)?.[0] ?? 0);
  return { type, bits: details.modulusLength ?? curveBits, curve };
}

/** False instead of the exceptions that keys of the wrong kind provoke. */
export function signedBy(certificate: X509Certificate, key: KeyObject): boolean {
  try {
    return certificate.verify(key);
  } catch {
    return false;
  }
}

interface CertificateParts {
  version: number;
  issuer: Element;
  validity: Element;
  subject: Element;
  extensions: Element | null;
}

/** Certificate ::= { tbs { [0] version, serial, algorithm, issuer, validity, subject, key, ... [3] extensions } ... } */
function certificateParts(der: Uint8Array): CertificateParts {
  const [tbs] = children(der, whole(der, tag.sequence));
  const fields = children(der, expect(tbs, tag.sequence));
  const versioned = fields[0]?.tag === tag.context0;
  const versionField = versioned && fields[0] ? children(der, fields[0])[0] : undefined;
  const [, , issuer, validity, subject] = versioned ? fields.slice(1) : fields;
  return {
    version: versionField ? (content(der, expect(versionField, tag.integer)).at(-1) ?? 0) + 1 : 1,
    issuer: expect(issuer, tag.sequence),
    validity: expect(validity, tag.sequence),
    subject: expect(subject, tag.sequence),
    extensions: fields.find(field => field.tag === tag.context3) ?? null,
  };
}

export interface Extension {
  critical: boolean;
  /** What the OCTET STRING holds. */
  value: Buffer;
}

/** Extensions by dotted identifier, from the element that carries the tag [0] or [3]. */
export function extensionsOf(der: Uint8Array, carrier: Element | null): Map<string, Extension> {
  const found = new Map<string, Extension>();
  const list = carrier ? children(der, carrier)[0] : undefined;
  for (const each of list ? children(der, expect(list, tag.sequence)) : []) {
    const [oid, ...rest] = children(der, expect(each, tag.sequence));
    const critical = rest[0]?.tag === tag.boolean && content(der, rest[0])[0] !== 0;
    found.set(oidText(der, expect(oid, tag.oid)), {
      critical,
      value: content(der, expect(rest.at(-1), tag.octetString)),
    });
  }
  return found;
}

type ExtensionFacts = Pick<
  CertificateFacts,
  'names' | 'extendedKeyUsage' | 'keyUsage' | 'isCa' | 'pathLengthMax' | 'subjectKeyId' | 'authorityKeyId'
>;

function readExtensions(extensions: Map<string, Extension>): ExtensionFacts {
  const read = <T>(oid: string, reader: (value: Buffer) => T, absent: T): T => {
    const extension = extensions.get(oid);
    return extension ? reader(extension.value) : absent;
  };
  return {
    names: read('2.5.29.17', readNames, []),
    extendedKeyUsage: read<string[] | null>('2.5.29.37', readPurposes, null),
    keyUsage: read<string[] | null>('2.5.29.15', readKeyUsage, null),
    ...read('2.5.29.19', readBasicConstraints, { isCa: false, pathLengthMax: null }),
    subjectKeyId: read<string | null>('2.5.29.14', value => hex(content(value, whole(value, tag.octetString))), null),
    authorityKeyId: read<string | null>('2.5.29.35', readAuthorityKeyId, null),
  };
}

function readNames(value: Buffer): SubjectAltName[] {
  return children(value, whole(value, tag.sequence)).map(name => {
    const bytes = content(value, name);
    if (name.tag === 0x81) return { kind: 'email', value: bytes.toString('latin1') };
    if (name.tag === 0x82) return { kind: 'dns', value: bytes.toString('latin1') };
    if (name.tag === 0x86) return { kind: 'uri', value: bytes.toString('latin1') };
    if (name.tag === 0x87) return { kind: 'ip', value: addressText(bytes) };
    return { kind: 'other', value: hex(bytes) };
  });
}

function readPurposes(value: Buffer): string[] {
  return children(value, whole(value, tag.sequence)).map(each => oidText(value, each));
}

function readKeyUsage(value: Buffer): string[] {
  const bits = content(value, whole(value, tag.bitString)).subarray(1);
  return keyUsageBits.filter((_, bit) => ((bits[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0);
}

function readBasicConstraints(value: Buffer): { isCa: boolean; pathLengthMax: number | null } {
  const fields = children(value, whole(value, tag.sequence));
  const isCa = fields[0]?.tag === tag.boolean && content(value, fields[0])[0] !== 0;
  const path = fields.find(field => field.tag === tag.integer);
  return { isCa, pathLengthMax: path ? (content(value, path).at(-1) ?? 0) : null };
}

export function readAuthorityKeyId(value: Buffer): string | null {
  const keyId = children(value, whole(value, tag.sequence)).find(field => field.tag === 0x80);
  return keyId ? hex(content(value, keyId)) : null;
}

/** IPv6 in the form that os.networkInterfaces() and people use (RFC 5952). */
function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return hex(bytes);
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16));
  return canonicalAddress(groups.join(':'));
}

/** One spelling per address, without a zone: `FE80:0::1%eth0` becomes `fe80::1`. */
export function canonicalAddress(address: string): string {
  const [bare = ''] = address.split('%');
  if (isIP(bare) !== 6) return bare;
  return new URL(`http://[${bare}]`).hostname.slice(1, -1);
}

function required(element: Element | undefined): Element {
  if (!element) throw new DerError('a field is missing');
  return element;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex').toUpperCase();
}
