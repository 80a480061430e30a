/**
 * Reads certificate revocation lists (RFC 5280, 5), for which Node has no class.
 *
 * readCrls() only reads; a list says nothing until isSignedBy() has found the CA's signature on it, and the one
 * place that asks (client-verdict.ts) does so before it looks at a single serial number.
 */
import { verify, type KeyObject, type X509Certificate } from 'node:crypto';
import {
  children,
  content,
  DerError,
  encoded,
  expect,
  integerHex,
  oidText,
  tag,
  timeMs,
  whole,
  type Element,
} from './der.ts';
import { nameParts, nameText } from './distinguished-name.ts';
import { extensionsOf, readAuthorityKeyId } from './inspect.ts';
import { readPem } from './pem.ts';

export interface RevocationList {
  /** RFC 2253. */
  issuer: string;
  issuerDer: Buffer;
  authorityKeyId: string | null;
  thisUpdate: number;
  /** Null when the list does not say when the next one comes. */
  nextUpdate: number | null;
  /** Upper-case hexadecimal serial numbers, with the time of revocation. */
  revoked: ReadonlyMap<string, number>;
  /** Identifiers of critical extensions that are not understood: such a list must not be relied on (RFC 5280, 5.2). */
  criticalUnknown: string[];
  /** What was signed, by which algorithm, and the signature. */
  signed: Signed;
}

export interface Signed {
  bytes: Buffer;
  algorithm: string;
  signature: Buffer;
}

export interface CrlFile {
  lists: RevocationList[];
  problems: { line: number; saw: string }[];
}

const hashes: Record<string, string | null> = {
  '1.2.840.113549.1.1.5': 'sha1',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.1': 'sha1',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.3.101.112': null,
  '1.3.101.113': null,
};

const authorityKeyIdentifier = '2.5.29.35';

/** Every list of a PEM text. `BEGIN CRL` is accepted as well: some libraries write that label. */
export function readCrls(pemText: string): CrlFile {
  const { blocks, problems } = readPem(pemText);
  const lists: RevocationList[] = [];
  for (const block of blocks.filter(each => each.label === 'X509 CRL' || each.label === 'CRL')) {
    try {
      lists.push(readCrl(block.der));
    } catch (error) {
      if (!(error instanceof DerError)) throw error;
      problems.push({ line: block.line, saw: `a revocation list that cannot be read (${error.message})` });
    }
  }
  return { lists, problems };
}

/** CertificateList ::= { tbs { [version], algorithm, issuer, thisUpdate, [nextUpdate], [revoked], [0] extensions } ... } */
export function readCrl(der: Buffer): RevocationList {
  const [tbs, algorithm, signature] = children(der, whole(der, tag.sequence));
  const fields = children(der, expect(tbs, tag.sequence));
  if (fields[0]?.tag === tag.integer) fields.shift();
  const [, issuer, thisUpdate, ...rest] = fields;
  const nextUpdate = isTime(rest[0]) ? rest.shift() : undefined;
  const revoked = rest[0]?.tag === tag.sequence ? rest.shift() : undefined;
  const extensions = extensionsOf(der, rest[0]?.tag === tag.context0 ? rest[0] : null);
  const keyId = extensions.get(authorityKeyIdentifier);
  const name = expect(issuer, tag.sequence);
  return {
    issuer: nameText(nameParts(der, name)),
    issuerDer: encoded(der, name),
    authorityKeyId: keyId ? readAuthorityKeyId(keyId.value) : null,
    thisUpdate: timeMs(der, present(thisUpdate)),
    nextUpdate: nextUpdate ? timeMs(der, nextUpdate) : null,
    revoked: revoked ? readRevoked(der, revoked) : new Map<string, number>(),
    criticalUnknown: [...extensions].filter(([, each]) => each.critical).map(([oid]) => oid),
    signed: {
      bytes: encoded(der, expect(tbs, tag.sequence)),
      algorithm: oidText(der, present(children(der, expect(algorithm, tag.sequence))[0])),
      signature: content(der, expect(signature, tag.bitString)).subarray(1),
    },
  };
}

function readRevoked(der: Buffer, list: Element): Map<string, number> {
  const revoked = new Map<string, number>();
  for (const entry of children(der, list)) {
    const [serial, since] = children(der, expect(entry, tag.sequence));
    revoked.set(integerHex(der, present(serial)), timeMs(der, present(since)));
  }
  return revoked;
}

function isTime(element: Element | undefined): boolean {
  return element?.tag === tag.utcTime || element?.tag === tag.generalizedTime;
}

function present(element: Element | undefined): Element {
  if (!element) throw new DerError('a field is missing');
  return element;
}

/** Checked once per list and key: a signature costs 0.1 ms, a handshake should not pay it again. */
const checked = new WeakMap<RevocationList, Map<string, boolean>>();

export function isSignedBy(list: RevocationList, ca: X509Certificate): boolean {
  const known = checked.get(list) ?? new Map<string, boolean>();
  checked.set(list, known);
  const answer = known.get(ca.fingerprint256) ?? signatureHolds(list.signed, ca.publicKey);
  known.set(ca.fingerprint256, answer);
  return answer;
}

/** False also for algorithms that are not known here. */
export function signatureHolds(signed: Signed, key: KeyObject): boolean {
  const hash = hashes[signed.algorithm];
  if (hash === undefined) return false;
  try {
    return verify(hash, signed.bytes, key, signed.signature);
  } catch {
    return false;
  }
}
