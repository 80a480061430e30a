/**
 * Why TLS did not come about, in one line, and what to do about it. Loaded only when it did not.
 *
 *   certificateRefused   the handshake went through and the certificate does not hold: it is at hand
 *   handshakeFailed      the peer, or something in between, ended it: there is only OpenSSL's word
 */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
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
  certificate: X509Certificate | undefined,
): ClientError {
  const found =
    certificate === undefined
      ? unexplained(endpoint, verdict)
      : explain({ endpoint, name, verdict, certificate, trusted: readTrusted(options) });
  return new ClientError({ ...found, kind: 'tls', systemCode: verdict });
}

interface Case {
  endpoint: Endpoint;
  name: string;
  verdict: string;
  certificate: X509Certificate;
  trusted: X509Certificate[] | null;
}

function explain(found: Case): Finding {
  if (found.verdict === 'ERR_TLS_CERT_ALTNAME_INVALID') return wrongName(found);
  return outOfTime(found) ?? weakKey(found) ?? twins(found) ?? wrongPurpose(found) ?? unknownCa(found);
}

function wrongName({ endpoint, name, certificate }: Case): Finding {
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

function outOfTime({ endpoint, certificate, verdict, trusted }: Case): Finding | null {
  if (verdict !== 'CERT_HAS_EXPIRED' && verdict !== 'CERT_NOT_YET_VALID') return null;
  const guilty = [certificate, ...(trusted ?? [])].find(each => isOutOfTime(each)) ?? certificate;
  const whose = guilty === certificate ? `The certificate of ${placeOf(endpoint)}` : `The CA ${nameOf(guilty)}`;
  const expired = verdict === 'CERT_HAS_EXPIRED';
  return {
    code: expired ? 'tls.expired' : 'tls.not-yet-valid',
    message: expired
      ? `${whose} expired on ${guilty.validTo}.`
      : `${whose} is valid only from ${guilty.validFrom} on; here it is ${new Date().toUTCString()}.`,
    remedy: [
      expired ? 'It must be renewed on the broker (a Zancudo home does that at its start).' : 'Check both clocks.',
    ],
  };
}

function isOutOfTime(certificate: X509Certificate): boolean {
  const now = Date.now();
  return certificate.validToDate.getTime() < now || certificate.validFromDate.getTime() > now;
}

function weakKey({ endpoint, certificate, trusted }: Case): Finding | null {
  const weak = [certificate, ...(trusted ?? [])].find(each => rsaBits(each) < rsaBitsMin);
  if (weak === undefined) return null;
  const whose = weak === certificate ? `The certificate of ${placeOf(endpoint)}` : `The CA ${nameOf(weak)}`;
  return {
    code: 'tls.weak-key',
    message: `${whose} has an RSA key of ${rsaBits(weak)} bits; below ${rsaBitsMin} none is trusted today.`,
    remedy: ['Make it again with RSA 2048 or ECDSA P-256.'],
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
  if (verdict !== 'INVALID_PURPOSE') return null;
  return {
    code: 'tls.wrong-purpose',
    message: `The certificate of ${placeOf(endpoint)} (${nameOf(certificate)}) is not one of a server.`,
    remedy: ['It needs extendedKeyUsage serverAuth, or none.'],
  };
}

function unknownCa({ endpoint, verdict, certificate, trusted }: Case): Finding {
  const top = topOf(certificate);
  const self = top.issuer === top.subject;
  const signer = self ? nameOf(top) : oneLine(top.issuer);
  // A root is often not sent: then the highest that was is what can be compared.
  const seen = self ? ` (SHA-256 ${top.fingerprint256})` : ` (it sent ${nameOf(top)}, SHA-256 ${top.fingerprint256})`;
  const ours =
    trusted === null
      ? ['Trusted here: the CAs of the operating system. Name the CA of the broker with --cafile.']
      : trusted.map(ca => `Trusted here: ${nameOf(ca)} (SHA-256 ${ca.fingerprint256})`);
  const sameName = trusted?.some(ca => ca.subject === top.issuer || ca.subject === top.subject) === true;
  return {
    code: 'tls.unknown-ca',
    message: `The certificate of ${placeOf(endpoint)} is issued by ${signer}${seen}, which is not trusted here (${verdict}).`,
    remedy: [
      ...ours,
      sameName
        ? 'The names are the same and the keys are not: the CA was made again. Fetch its present certificate from the broker.'
        : 'Fetch the CA of this broker, and name it with --cafile.',
    ],
  };
}

function topOf(certificate: X509Certificate): X509Certificate {
  let top = certificate;
  // A chain that the peer made up could be a ring.
  for (let depth = 0; depth < 10; depth++) {
    const issuer = top.issuerCertificate;
    if (issuer === undefined || issuer.raw.equals(top.raw)) return top;
    top = issuer;
  }
  return top;
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

interface HandshakeRow {
  matches: RegExp;
  code: string;
  says: (place: string, options: TlsOptions) => string;
  remedy: string;
}

/** OpenSSL's words are the same in Node 20 and 24 but for a prefix: matched from the end. */
const handshakeTable: readonly HandshakeRow[] = [
  {
    matches: /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|RECORD_OVERFLOW/,
    code: 'tls.plain-port',
    says: place => `${place} does not speak TLS.`,
    remedy: 'It is probably the plain port: 8883 is the usual one for TLS; or leave the TLS options out.',
  },
  {
    matches: /ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/,
    code: 'tls.version',
    says: place => `${place} and this client have no TLS version in common.`,
    remedy: 'This client speaks TLS 1.2 and 1.3; --tls-version raises the least one.',
  },
  {
    matches: /ALERT_CERTIFICATE_REQUIRED|ALERT_NO_CERTIFICATE/,
    code: 'tls.client-certificate-required',
    says: place => `${place} wants a client certificate.`,
    remedy: 'Give it one with --cert and --key.',
  },
  {
    matches: /UNKNOWN_PSK_IDENTITY|DECRYPT_ERROR|BAD_RECORD_MAC|BINDER/,
    code: 'tls.psk-refused',
    says: place => `${place} does not know this identity, or its key is another.`,
    remedy: `Does 'identity:key' stand in the broker's psk_file?`,
  },
  {
    matches: /ALERT_UNKNOWN_CA/,
    code: 'tls.client-certificate-unknown-ca',
    says: place => `${place} does not trust the issuer of the client certificate.`,
    remedy: 'The certificate must be issued by a CA in the cafile of that listener.',
  },
  {
    matches: /ALERT_(BAD|UNSUPPORTED)_CERTIFICATE|ALERT_CERTIFICATE_(EXPIRED|REVOKED|UNKNOWN)|ALERT_ACCESS_DENIED/,
    code: 'tls.client-certificate-refused',
    says: (place, options) =>
      options.cert === undefined ? `${place} refused this client.` : `${place} refused the client certificate.`,
    remedy: `The broker's log says why.`,
  },
  {
    matches: /HANDSHAKE_FAILURE|NO_CIPHERS_AVAILABLE|NO_SHARED_CIPHER|INSUFFICIENT_SECURITY|ALERT_ILLEGAL_PARAMETER/,
    code: 'tls.handshake-failure',
    says: (place, options) =>
      options.psk !== undefined
        ? `${place} has no use for a pre-shared key, or does not know this identity.`
        : `${place} ended the handshake: no cipher in common, or a client certificate is wanted.`,
    remedy: 'If the listener has require_certificate true, give --cert and --key; otherwise leave --ciphers out.',
  },
];

export function handshakeFailed(endpoint: Endpoint, options: TlsOptions, error: Error | null): ClientError {
  const { code: systemCode = '', message = '' } = (error ?? {}) as NodeJS.ErrnoException;
  const place = placeOf(endpoint);
  const words = `${systemCode} ${message.toUpperCase().replaceAll(' ', '_')}`;
  const row = handshakeTable.find(each => each.matches.test(words));
  const found: Finding = row
    ? { code: row.code, message: row.says(place, options), remedy: [row.remedy] }
    : endedInSilence(place, error);
  return new ClientError({ ...found, kind: 'tls', systemCode });
}

function endedInSilence(place: string, error: Error | null): Finding {
  const { code = '' } = (error ?? {}) as NodeJS.ErrnoException;
  if (error === null || code === 'ECONNRESET' || code === 'EPIPE') {
    return {
      code: 'tls.closed',
      message: `${place} closed the connection during the TLS handshake.`,
      remedy: ['Does the port speak TLS? A plain MQTT port does this. The log of the broker knows more.'],
    };
  }
  return { code: 'tls.handshake', message: `TLS with ${place} failed: ${error.message}.`, remedy: [] };
}
