/**
 * Writes a certificate revocation list (RFC 5280, 5), version 2, with the authority's key identifier and a number.
 *
 * Our own list is made anew whenever something is revoked and otherwise stands: its next update is the end of the CA
 * itself, so that no forgotten renewal locks everybody out.
 */
import { sign, type KeyObject } from 'node:crypto';
import { bits, contextBytes, context, integer, integerOfHex, octets, oid, sequence, time } from './der-write.ts';
import { factsOf } from './inspect.ts';
import type { Issuer } from './issue.ts';
import { pem } from './pem.ts';
import { PkiError } from './pki-error.ts';

const authorityKeyIdentifier = '2.5.29.35';
const crlNumber = '2.5.29.20';

/** `revocations`: times by serial number in hexadecimal. */
export function writeCrl(issuer: Issuer, revocations: ReadonlyMap<string, number>, now: number): string {
  const facts = factsOf(issuer.certificate);
  const algorithm = signatureAlgorithm(issuer.key);
  const entries = [...revocations].map(([serial, since]) => sequence(integerOfHex(serial), time(since)));
  const list = sequence(
    integer(1),
    algorithm.der,
    facts.subjectDer,
    time(now),
    time(facts.notAfter),
    ...(entries.length > 0 ? [sequence(...entries)] : []),
    context(0, sequence(...extensions(facts.subjectKeyId, now))),
  );
  const signature = sign(algorithm.hash, list, issuer.key);
  return pem('X509 CRL', sequence(list, algorithm.der, bits(signature)));
}

/** The number grows from list to list: the time does, as long as nobody sets the clock back. */
function extensions(keyId: string | null, now: number): Buffer[] {
  const number = sequence(oid(crlNumber), octets(integer(Math.floor(now))));
  if (keyId === null) return [number];
  const identifier = sequence(contextBytes(0, Buffer.from(keyId, 'hex')));
  return [sequence(oid(authorityKeyIdentifier), octets(identifier)), number];
}

interface SignatureAlgorithm {
  hash: string | null;
  der: Buffer;
}

export function signatureAlgorithm(key: KeyObject): SignatureAlgorithm {
  const type = key.asymmetricKeyType;
  if (type === 'rsa') {
    // The parameters are NULL for RSA and absent for the others (RFC 4055, 5; RFC 5758, 3.2; RFC 8410, 3).
    return { hash: 'sha256', der: sequence(oid('1.2.840.113549.1.1.11'), Buffer.from([0x05, 0x00])) };
  }
  if (type === 'ed25519') return { hash: null, der: sequence(oid('1.3.101.112')) };
  if (type === 'ec') return { hash: 'sha256', der: sequence(oid('1.2.840.10045.4.3.2')) };
  throw new PkiError({
    code: 'pki.key-kind',
    where: `a key of kind ${type ?? 'unknown'}`,
    saw: 'revocation lists cannot be signed with it',
    why: 'RSA, ECDSA and Ed25519 are what clients and other programs understand.',
    remedy: ['Use a CA with a key of one of these kinds.'],
  });
}
