/**
 * What a failed TLS handshake means, in plain words. OpenSSL says what it saw; these rows say what it was and what to
 * do. The first row whose pattern matches the error's code counts.
 */
import type { LogCode } from '../base/mod.ts';

export interface TlsErrorMeaning {
  code: LogCode;
  /** OpenSSL's name for it, as Node gives it. */
  matches: RegExp;
  means: string;
  remedy: string;
}

type Meaning = Omit<TlsErrorMeaning, 'matches'>;

export const TLS_ERRORS: readonly TlsErrorMeaning[] = [
  {
    code: 'tls.no-client-certificate',
    matches: /PEER_DID_NOT_RETURN_A_CERTIFICATE/,
    means: 'this listener requires a client certificate and the client sent none.',
    remedy:
      'Give the client a certificate and key signed by our CA (mosquitto_sub: --cert and --key), or set require_certificate false.',
  },
  {
    code: 'tls.client-distrusts-ca',
    matches: /ALERT_UNKNOWN_CA/,
    means: 'the client does not trust the CA that signed our certificate.',
    remedy: 'Give the client our CA certificate (mosquitto_sub: --cafile).',
  },
  {
    code: 'tls.client-says-expired',
    matches: /ALERT_CERTIFICATE_EXPIRED/,
    means: 'the client says that our certificate has expired.',
    remedy: "Renew the server certificate; if it is still valid, set the client's clock.",
  },
  {
    code: 'tls.client-says-revoked',
    matches: /ALERT_CERTIFICATE_REVOKED/,
    means: 'the client says that our certificate is revoked.',
    remedy: 'Issue a new server certificate.',
  },
  {
    code: 'tls.client-broke-off',
    matches: /TLSV1_ALERT_INTERNAL_ERROR/,
    means:
      'the client broke off by itself; mosquitto clients do so when the name or address they connect to is not in our certificate.',
    remedy: 'Connect by a name or address that the certificate holds in subjectAltName, or issue it with that name.',
  },
  {
    code: 'tls.client-rejects-certificate',
    matches: /ALERT_(BAD|UNSUPPORTED)_CERTIFICATE|ALERT_CERTIFICATE_UNKNOWN|ALERT_ACCESS_DENIED/,
    means:
      'the client does not accept our certificate: it is not trusted there, its key is too weak, or it does not hold the name the client connects to.',
    remedy: 'Give the client our CA certificate; check key size (RSA 2048 or more, or ECDSA P-256) and subjectAltName.',
  },
  {
    code: 'tls.client-cannot-verify',
    matches: /ALERT_(DECRYPT_ERROR|DECODE_ERROR|ILLEGAL_PARAMETER)/,
    means: 'the client could not verify what we sent: often another CA with the same name as ours.',
    remedy: 'Copy the present CA certificate to the client.',
  },
  {
    code: 'tls.client-agrees-on-nothing',
    matches: /ALERT_(PROTOCOL_VERSION|HANDSHAKE_FAILURE|INSUFFICIENT_SECURITY|NO_RENEGOTIATION)/,
    means: 'the client found nothing it can agree on with us: TLS version, ciphers, groups or kind of certificate.',
    remedy: "Update the client's TLS library, or loosen its settings (TLS 1.2 or 1.3 is needed).",
  },
  {
    code: 'tls.client-gave-up',
    matches: /ALERT_(CLOSE_NOTIFY|USER_CANCELLED)/,
    means: 'the client gave up the handshake.',
    remedy: "Look at the client's own log.",
  },
  {
    code: 'tls.version-too-old',
    matches: /UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|WRONG_SSL_VERSION/,
    means: 'the client offers only TLS versions that this listener does not (TLS 1.1 or older, or below tls_version).',
    remedy: "Update the client's TLS library: TLS 1.2 or 1.3 is needed.",
  },
  {
    code: 'tls.no-common-cipher',
    matches: /NO_SHARED_CIPHER/,
    means:
      'client and listener have no cipher in common; a client that knows only RSA cannot use an ECDSA certificate, and a listener with psk_hint serves pre-shared keys alone.',
    remedy:
      'Check ciphers, the kind of certificate (a second chain can be given with certfile_rsa and keyfile_rsa), and psk settings on both sides.',
  },
  {
    code: 'tls.no-common-signature',
    matches: /NO_SUITABLE_SIGNATURE_ALGORITHM|NO_SHARED_SIGNATURE/,
    means: 'the client accepts no signature that our certificate can make.',
    remedy: 'Add a chain of the other kind: ECDSA in certfile and keyfile, RSA in certfile_rsa and keyfile_rsa.',
  },
  {
    code: 'tls.no-common-group',
    matches: /NO_SUITABLE_KEY_SHARE|NO_SHARED_GROUP|NO_SUITABLE_GROUPS/,
    means: 'client and listener have no key exchange group in common.',
    remedy: 'Remove tls_groups, or add a group that the client knows (X25519, P-256).',
  },
  {
    code: 'tls.no-common-protocol',
    matches: /NO_APPLICATION_PROTOCOL/,
    means: 'the client asks by ALPN for a protocol that is not spoken here.',
    remedy: 'Let the client offer "mqtt" (or "http/1.1" for WebSocket), or no ALPN at all.',
  },
  {
    code: 'tls.psk-unknown-identity',
    matches: /PSK_IDENTITY_NOT_FOUND/,
    means: "the client's PSK identity is not in psk_file.",
    remedy: 'Add a line identity:hexkey to psk_file and reload, or correct the identity on the client.',
  },
  {
    code: 'tls.psk-wrong-key',
    matches: /DECRYPTION_FAILED_OR_BAD_RECORD_MAC|BINDER_DOES_NOT_VERIFY|BAD_RECORD_MAC/,
    means:
      'what the client sent does not decrypt: with pre-shared keys its key is not the one in psk_file; otherwise the bytes were changed on the way.',
    remedy: 'Compare the key on both sides.',
  },
  {
    code: 'tls.http-on-tls-port',
    matches: /HTTP_REQUEST/,
    means: 'the client speaks HTTP without TLS to a TLS port.',
    remedy: 'Use https:// or wss://, on a listener with protocol websockets.',
  },
  {
    code: 'tls.not-tls',
    matches:
      /WRONG_VERSION_NUMBER|UNEXPECTED_MESSAGE|RECORD_TOO_(LARGE|SMALL)|LENGTH_(MISMATCH|TOO_SHORT)|BAD_(LENGTH|EXTENSION|PACKET)|NO_PROTOCOLS_AVAILABLE/,
    means: 'what the client sent is not a TLS handshake.',
    remedy: 'Check that the client is meant to use TLS on this port.',
  },
  {
    code: 'tls.client-key-not-proved',
    matches: /CERTIFICATE_VERIFY_FAILED|BAD_SIGNATURE/,
    means: 'the client could not prove that the key of its certificate is its own.',
    remedy: "Check that the client's certificate and key belong together.",
  },
];

const UNKNOWN: Meaning = {
  code: 'tls.handshake-failed',
  means: 'the TLS handshake failed.',
  remedy: "OpenSSL's words are in the line above.",
};

export function meaningOf(code: string): Meaning {
  return TLS_ERRORS.find(row => row.matches.test(code)) ?? UNKNOWN;
}

/** OpenSSL's error as mosquitto prints it: number, library and reason, without function and source file. */
export function opensslText(error: Error): string {
  const found = /error:([0-9A-F]{8}):([^:]*):[^:]*:([^:]*)/.exec(error.message);
  return found === null ? error.message.trim() : `error:${found[1]}:${found[2]}::${found[3]!.trim()}`;
}
