/**
 * OpenSSL's verdicts on a client certificate in plain words, for the cases in which it refuses what
 * client-verdict.ts let pass (a weak key, an old signature) or in which there is nothing else to go by.
 * Codes as `socket.ssl.verifyError()` and X509_verify_cert_error_string know them.
 */
import type { ClientVerdict } from './client-verdict.ts';

interface Words {
  code: string;
  reason: string;
  says: string;
  remedy: string;
}

const unknownCa: Words = {
  code: 'tls.client-certificate-unknown-ca',
  reason: 'certificate not issued by a CA that is trusted here',
  says: 'leads to no CA that this listener trusts',
  remedy: 'Issue the client a certificate from the CA in cafile; an intermediate CA needs its root in cafile too.',
};

const crl: Words = {
  code: 'tls.crl-unusable',
  reason: 'revocation cannot be checked at present',
  says: 'cannot be checked: the revocation list in crlfile is missing, out of date or not signed by its CA',
  remedy: 'Let the CA write a new list, put it into crlfile and send the broker SIGHUP.',
};

const weak: Words = {
  code: 'tls.client-certificate-weak',
  reason: 'certificate too weak',
  says: 'has, or has above it, a key or a signature below what OpenSSL accepts (RSA under 2048 bits, MD5, SHA-1)',
  remedy: 'Make the client a new key of 2048 bits or more (or P-256) and a certificate signed with SHA-256.',
};

const notBecause = (code: string, reason: string, says: string, remedy: string): Words => ({
  code,
  reason,
  says,
  remedy,
});

const words: Record<string, Words> = {
  UNABLE_TO_GET_ISSUER_CERT: unknownCa,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownCa,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownCa,
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownCa,
  SELF_SIGNED_CERT_IN_CHAIN: unknownCa,
  CERT_UNTRUSTED: unknownCa,
  CERT_HAS_EXPIRED: notBecause(
    'tls.client-certificate-expired',
    'certificate expired',
    'or a CA above it has expired',
    'Issue the client a new certificate.',
  ),
  CERT_NOT_YET_VALID: notBecause(
    'tls.client-certificate-not-yet-valid',
    'certificate not yet valid',
    'or a CA above it is not valid yet',
    'Check the clock of this machine, and of the one that issued the certificate.',
  ),
  CERT_REVOKED: notBecause(
    'tls.client-certificate-revoked',
    'certificate revoked',
    'was revoked',
    'Issue the client a new certificate with a new key.',
  ),
  INVALID_PURPOSE: notBecause(
    'tls.client-certificate-purpose',
    'certificate is not a client certificate',
    'is not made for a client',
    'Issue the client a certificate with extendedKeyUsage=clientAuth.',
  ),
  INVALID_CA: notBecause(
    'tls.client-certificate-issuer-no-ca',
    'certificate issued by something that is not a CA',
    'was issued by something that is not a CA',
    'A CA carries basicConstraints=critical,CA:TRUE. Issue the client a certificate from a proper CA.',
  ),
  CERT_SIGNATURE_FAILURE: notBecause(
    'tls.client-certificate-forged',
    'certificate damaged',
    'does not bear the signature of the CA it names: it is damaged or forged',
    'Copy the certificate to the client again, or issue it anew.',
  ),
  CRL_HAS_EXPIRED: crl,
  CRL_NOT_YET_VALID: crl,
  UNABLE_TO_GET_CRL: crl,
  CRL_SIGNATURE_FAILURE: crl,
  EE_KEY_TOO_SMALL: weak,
  CA_KEY_TOO_SMALL: weak,
  CA_MD_TOO_WEAK: weak,
  CERT_CHAIN_TOO_LONG: notBecause(
    'tls.client-certificate-chain-too-long',
    'certificate chain too long',
    'has too many CAs above it',
    'Issue the client a certificate from a CA nearer to the root.',
  ),
};

/** `code` is OpenSSL's; `subject` null when no certificate could be read. */
export function verdictOfOpenSsl(code: string, subject: string | null): ClientVerdict {
  const known = words[code];
  const certificate = subject === null ? 'its certificate' : `its certificate "${subject}"`;
  return {
    code: known?.code ?? 'tls.client-certificate-refused',
    reason: known?.reason ?? 'certificate refused',
    log: `${certificate} ${known?.says ?? `was refused by OpenSSL`} (${code})`,
    remedy: [known?.remedy ?? `Look at it with: openssl verify -purpose sslclient -CAfile CAFILE CERTIFICATE`],
  };
}
