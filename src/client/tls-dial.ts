/**
 * TLS on a socket that is already connected. The verdict on the server's certificate is read here and not left to Node
 * to destroy the socket with, so that a refusal can be explained with the certificate in hand; without `authorized` no
 * byte of MQTT is sent.
 */
import { isIP, type Socket } from 'node:net';
import { connect, type ConnectionOptions, getCACertificates, type TLSSocket } from 'node:tls';
import { ClientError } from './client-error.ts';
import { hostOf } from './dial.ts';
import type { Endpoint, TlsOptions } from './options.ts';

/** A list of TLS 1.2 ciphers must not switch TLS 1.3 off, which Node does when no suite of it is named. */
const suitesOfTls13 = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256';
/** External keys of TLS 1.3 go with SHA-256. */
const pskCiphers = 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:PSK';

export async function secure(socket: Socket, endpoint: Endpoint, options: TlsOptions): Promise<Socket> {
  const name = options.serverName ?? hostOf(endpoint);
  const secured = start({ socket, host: name, ...(isIP(name) ? {} : { servername: name }), ...tlsSettings(options) });
  if (options.onSecret !== undefined) secured.on('keylog', options.onSecret);
  const staple = options.judgeStaple === undefined ? null : stapleOf(secured);
  await handshake(secured, endpoint, options);
  await judge(secured, endpoint, name, options);
  if (staple !== null) await requireStaple(secured, staple(), options.judgeStaple!);
  return secured;
}

function start(options: ConnectionOptions): TLSSocket {
  try {
    return connect(options);
  } catch (error) {
    throw new ClientError({
      code: 'tls.options',
      kind: 'tls',
      message: `The TLS settings cannot be used: ${error instanceof Error ? error.message : String(error)}.`,
      remedy: ['Check certificate, key and ciphers: does the key belong to the certificate?'],
    });
  }
}

/** What does not depend on the connection. */
export function tlsSettings(options: TlsOptions): ConnectionOptions {
  return {
    rejectUnauthorized: false,
    minVersion: options.minVersion ?? 'TLSv1.2',
    ...(options.cert === undefined ? {} : { cert: options.cert }),
    ...(options.key === undefined ? {} : { key: options.key }),
    ...(options.passphrase === undefined ? {} : { passphrase: options.passphrase }),
    ...(options.judgeStaple === undefined ? {} : { requestOCSP: true }),
    ...(options.alpn === undefined ? {} : { ALPNProtocols: [options.alpn] }),
    ...(options.anyName === true ? { checkServerIdentity: () => undefined } : {}),
    ...trust(options),
    ...ciphers(options),
  };
}

function trust(options: TlsOptions): ConnectionOptions {
  const { psk } = options;
  if (psk !== undefined) {
    return { pskCallback: () => ({ psk: psk.key, identity: psk.identity }), checkServerIdentity: () => undefined };
  }
  if (options.ca !== undefined) return { ca: [...options.ca] };
  const system = getCACertificates('system');
  return system.length === 0 ? {} : { ca: system };
}

function ciphers(options: TlsOptions): ConnectionOptions {
  if (options.ciphers !== undefined) {
    return { ciphers: options.ciphers.includes('TLS_') ? options.ciphers : `${suitesOfTls13}:${options.ciphers}` };
  }
  return options.psk === undefined ? {} : { ciphers: pskCiphers };
}

function handshake(secured: TLSSocket, endpoint: Endpoint, options: TlsOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error | null): void => {
      void import('./tls-alerts.ts').then(({ handshakeFailed }) => reject(handshakeFailed(endpoint, options, error)));
    };
    const onClose = (): void => fail(null);
    secured.once('close', onClose);
    secured.once('error', fail);
    secured.once('secureConnect', () => {
      secured.off('close', onClose);
      secured.off('error', fail);
      resolve();
    });
  });
}

async function judge(secured: TLSSocket, endpoint: Endpoint, name: string, options: TlsOptions): Promise<void> {
  if (options.psk !== undefined) return judgePsk(secured);
  if (secured.authorized || options.insecure === true) return;
  const { certificateRefused } = await import('./tls-diagnosis.ts');
  const verdict: unknown = secured.authorizationError;
  const error = certificateRefused(endpoint, name, options, verdictCode(verdict), secured);
  secured.destroy();
  throw error;
}

/** What has come with the certificate by the end of the handshake, if anything. */
function stapleOf(secured: TLSSocket): () => Buffer | null {
  let staple: Buffer | null = null;
  secured.once('OCSPResponse', response => (staple = response));
  return () => staple;
}

async function requireStaple(
  secured: TLSSocket,
  staple: Buffer | null,
  judge: NonNullable<TlsOptions['judgeStaple']>,
): Promise<void> {
  const { X509Certificate } = await import('node:crypto');
  // It finds an issuer among the trusted, too, which servers need not send.
  const { raw, issuerCertificate } = secured.getPeerCertificate(true);
  const objection =
    staple === null || staple.length === 0
      ? 'it has stapled no answer (OCSP)'
      : await judge(staple, new X509Certificate(raw), new X509Certificate(issuerCertificate.raw));
  if (objection === null) return;
  secured.destroy();
  throw new ClientError({
    code: 'tls.ocsp',
    kind: 'tls',
    message: `The broker does not show that its certificate is not revoked: ${objection}.`,
    remedy: ['It has to fetch an answer from its CA every few days and staple it to its certificate.'],
  });
}

/** Typed as an Error by Node's types, and a code in fact. */
function verdictCode(verdict: unknown): string {
  if (verdict instanceof Error) return (verdict as NodeJS.ErrnoException).code ?? verdict.message;
  return typeof verdict === 'string' ? verdict : 'UNSPECIFIED';
}

/** With a wrong key TLS 1.3 falls back to the server's certificate, which nobody has checked here. */
function judgePsk(secured: TLSSocket): void {
  if (secured.getCipher().name.includes('PSK') || secured.isSessionReused()) return;
  secured.destroy();
  throw new ClientError({
    code: 'tls.psk-not-used',
    kind: 'tls',
    message: 'The broker did not use the pre-shared key.',
    remedy: ['Do the identity and the key stand in its psk_file, and does the listener have psk_hint?'],
  });
}
