/**
 * A TLS handshake that the peer, or something in between, ended: there is only OpenSSL's word for it, which this table
 * turns into the cause and the remedy. In TLS 1.3 the verdict on the client's certificate comes when the client takes
 * the handshake for done; then too.
 */
import { ClientError } from './client-error.ts';
import { placeOf } from './dial.ts';
import type { Endpoint, TlsOptions } from './options.ts';

interface AlertRow {
  matches: RegExp;
  code: string;
  says: (place: string, options: TlsOptions) => string;
  remedy: (options: TlsOptions) => string;
}

const always = (text: string) => () => text;

/** OpenSSL's words are the same in Node 20 and 24 but for a prefix: matched from the end. */
const alerts: readonly AlertRow[] = [
  {
    matches: /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|RECORD_OVERFLOW/,
    code: 'tls.plain-port',
    says: place => `${place} does not speak TLS.`,
    remedy: always('It is probably the plain port: 8883 is the usual one for TLS; or leave the TLS options out.'),
  },
  {
    matches: /ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/,
    code: 'tls.version',
    says: (place, { minVersion }) =>
      `${place} and this client have no TLS version in common: this client speaks ${minVersion === 'TLSv1.3' ? 'TLS 1.3 only' : 'TLS 1.2 and 1.3'}.`,
    remedy: ({ minVersion }) =>
      minVersion === 'TLSv1.3'
        ? 'Leave --tls-version out to allow TLS 1.2 as well.'
        : 'The broker has to allow one of them; TLS 1.1 and older are broken.',
  },
  {
    matches: /ALERT_CERTIFICATE_REQUIRED|ALERT_NO_CERTIFICATE/,
    code: 'tls.client-certificate-required',
    says: place => `${place} wants a client certificate.`,
    remedy: always('Give it one with --cert and --key.'),
  },
  {
    matches: /UNKNOWN_PSK_IDENTITY|DECRYPT_ERROR|BAD_RECORD_MAC|BINDER/,
    code: 'tls.psk-refused',
    says: place => `${place} does not know this identity, or its key is another.`,
    remedy: always(`Does 'identity:key' stand in the broker's psk_file?`),
  },
  {
    matches: /ALERT_UNKNOWN_CA/,
    code: 'tls.client-certificate-unknown-ca',
    says: place => `${place} does not trust the issuer of the client certificate.`,
    remedy: always('The certificate must be issued by a CA in the cafile of that listener.'),
  },
  {
    matches: /ALERT_CERTIFICATE_EXPIRED/,
    code: 'tls.client-certificate-expired',
    says: place => `${place} refused the client certificate: it has expired.`,
    remedy: always('Have it issued again, and check both clocks.'),
  },
  {
    matches: /ALERT_CERTIFICATE_REVOKED/,
    code: 'tls.client-certificate-revoked',
    says: place => `${place} refused the client certificate: it has been revoked.`,
    remedy: always('Have another one issued.'),
  },
  {
    matches: /ALERT_(BAD|UNSUPPORTED)_CERTIFICATE|ALERT_CERTIFICATE_UNKNOWN|ALERT_ACCESS_DENIED/,
    code: 'tls.client-certificate-refused',
    says: (place, { cert }) =>
      cert === undefined ? `${place} refused this client.` : `${place} refused the client certificate.`,
    remedy: always(`The broker's log says why.`),
  },
  {
    matches: /HANDSHAKE_FAILURE|NO_CIPHERS_AVAILABLE|NO_SHARED_CIPHER|INSUFFICIENT_SECURITY|ALERT_ILLEGAL_PARAMETER/,
    code: 'tls.handshake-failure',
    says: (place, options) => `${place} ended the handshake: ${nothingInCommon(options)}.`,
    remedy: wayIn,
  },
];

function nothingInCommon({ psk, cert }: TlsOptions): string {
  if (psk !== undefined) return 'it does not know this identity, its key is another, or it takes no pre-shared keys';
  if (cert !== undefined) return 'there is no cipher in common, or it takes pre-shared keys only';
  return 'it wants a client certificate or a pre-shared key, or there is no cipher in common';
}

function wayIn({ psk, cert, ciphers }: TlsOptions): string {
  if (psk !== undefined) return `Does 'identity:key' stand in its psk_file, and does the listener have psk_hint?`;
  const way = cert === undefined ? '--cert and --key, or --psk and --psk-identity' : '--psk and --psk-identity';
  return `The way in is ${way}${ciphers === undefined ? '' : '; or leave --ciphers out'}.`;
}

export interface SystemFault {
  code?: string | undefined;
  message: string;
}

/** Null: the link was closed without a word. */
export function handshakeFailed(endpoint: Endpoint, options: TlsOptions, error: SystemFault | null): ClientError {
  const { code: systemCode = '', message = '' } = error ?? {};
  const place = placeOf(endpoint);
  const words = `${systemCode} ${message}`.toUpperCase().replaceAll(' ', '_');
  const row = alerts.find(each => each.matches.test(words));
  if (row === undefined) return endedInSilence(place, error);
  const found = { code: row.code, message: row.says(place, options), remedy: [row.remedy(options)] };
  return new ClientError({ ...found, kind: 'tls', systemCode });
}

function endedInSilence(place: string, error: SystemFault | null): ClientError {
  const { code: systemCode = '' } = error ?? {};
  if (error !== null && systemCode !== 'ECONNRESET' && systemCode !== 'EPIPE') {
    const message = `TLS with ${place} failed: ${error.message}.`;
    return new ClientError({ code: 'tls.handshake', kind: 'tls', message, systemCode });
  }
  return new ClientError({
    code: 'tls.closed',
    kind: 'tls',
    message: `${place} closed the connection during the TLS handshake.`,
    remedy: ['Does the port speak TLS? A plain MQTT port does this. The log of the broker knows more.'],
    systemCode,
  });
}

/** An alert that came when TLS was up for this side already. The link was there and is lost: only the cause is new. */
export function alertAfterHandshake(endpoint: Endpoint, options: TlsOptions, lost: ClientError): ClientError {
  const { systemCode } = lost;
  const { code, message, remedy } = handshakeFailed(endpoint, options, { code: systemCode, message: lost.message });
  return new ClientError({ code, kind: lost.kind, message, remedy, systemCode: systemCode ?? '' });
}
