/**
 * Certificate, key, CA and CRL files of one listener in, a SecureContext and the trust it was made from out.
 *
 * Everything is read and checked anew each time, so a reload either gets a complete new state or an error and keeps
 * the old one. The context is never given ticket keys: sessions that were begun under an older CA or CRL cannot be
 * resumed under a newer one.
 */
import { X509Certificate, constants, createPrivateKey, randomBytes } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { systemErrorText } from '../transport/mod.ts';
import type { CertificatePair, TlsOptions, Trust } from './options.ts';

export interface LoadedTls {
  options: TlsOptions;
  context: SecureContext;
  trust: Trust;
  /** What is odd about the files though they load. */
  remarks: readonly string[];
}

/** The lines to print; `cause` is the error about a file, null when the lines say everything. */
export class TlsLoadError extends Error {
  readonly lines: readonly string[];
  override readonly cause: Error | null;

  constructor(lines: readonly string[], cause: Error | null) {
    super(lines[0]);
    this.name = 'TlsLoadError';
    this.lines = lines;
    this.cause = cause;
  }
}

/** tls_version is the oldest version accepted. What is older than TLS 1.2 is not offered to anyone. */
const OLDEST_VERSION: Record<string, 'TLSv1.2' | 'TLSv1.3'> = {
  'tlsv1.3': 'TLSv1.3',
  'tlsv1.2': 'TLSv1.2',
  'tlsv1.1': 'TLSv1.2',
  'tlsv1.0': 'TLSv1.2',
  tlsv1: 'TLSv1.2',
};

/** Forward secrecy first; suites with a certificate beside the key (RSA-PSK) have none to show. */
const PSK_CIPHERS = 'kECDHEPSK:kPSK:!eNULL:!kRSAPSK';

/** Mosquitto's list. Node's own has RSA before ECDSA, so that of two chains the RSA one would serve everybody. */
const MOSQUITTO_CIPHERS = 'DEFAULT:!aNULL:!eNULL:!LOW:!EXPORT:!SSLv2:@STRENGTH';

/**
 * OpenSSL would put AES-256 with SHA-384 first. A handshake hashes some dozens of times, and processors have instructions
 * for SHA-256 alone: SHA-384 took 4 % of the broker's CPU for a handshake. Go, Chrome and Cloudflare choose as we do; 128
 * bits are out of reach for a quantum computer, too, and who must have 256 says so with ciphers_tls1.3.
 */
const SUITES = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256';

const MISMATCH = 'error:05800074:x509 certificate routines::key values mismatch';
const NO_CERTIFICATE = 'error:05800088:x509 certificate routines::no certificate or crl found';

export function loadTls(options: TlsOptions): LoadedTls {
  const minVersion = oldestVersion(options.minVersion);
  const ciphers = cipherList(options);
  checkGroups(options.groups);
  const remarks: string[] = [];
  const cas = [...casOfFile(options.caFile), ...casOfDirectory(options.caPath, remarks)];
  const pairs = options.certificates.map(loadPair);
  const crls = loadCrls(options.crlFile);
  const trust: Trust = { cas, crls: crls === null ? null : crls.join('\n'), forgiveDates: options.forgiveDates };
  const secure: SecureContextOptions = {
    // An empty list trusts nobody; leaving it out would trust every public CA.
    ca: cas.map(ca => ca.toString()),
    minVersion,
    ciphers,
    honorCipherOrder: true,
    // Without it a session of a client with a certificate could not be resumed, only refused.
    sessionIdContext: randomBytes(16).toString('hex'),
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | suiteOptions(options),
    cert: pairs.map(pair => pair.cert),
    key: pairs.map(pair => ({ pem: pair.key })),
  };
  if (crls !== null) secure.crl = crls;
  if (options.groups !== null) secure.ecdhCurve = options.groups.join(':');
  if (options.psk !== null) restrictToPsk(secure, options);
  return { options, context: createSecureContext(secure), trust, remarks };
}

/**
 * In TLS 1.3 a client with the wrong key falls back to a certificate handshake and a resumed session has no identity:
 * pre-shared keys are served in TLS 1.2 alone, without certificate and without tickets.
 */
function restrictToPsk(secure: SecureContextOptions, options: TlsOptions): void {
  delete secure.cert;
  delete secure.key;
  secure.minVersion = 'TLSv1.2';
  secure.maxVersion = 'TLSv1.2';
  secure.ciphers = options.ciphers ?? PSK_CIPHERS;
  secure.secureOptions = constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION;
}

function oldestVersion(text: string | null): 'TLSv1.2' | 'TLSv1.3' {
  if (text === null) return 'TLSv1.2';
  const version = OLDEST_VERSION[text];
  if (version === undefined) {
    const hint = '  tls_version is the oldest version to accept: write tlsv1.2 or tlsv1.3.';
    throw new TlsLoadError([`Error: Unsupported tls_version "${text}".`, hint], null);
  }
  return version;
}

/** Node takes one list for both generations, and turns a generation off that the list does not name. */
function cipherList(options: TlsOptions): string {
  tryCiphers(options.ciphers, `Error: Unable to set TLS ciphers. Check cipher list "${options.ciphers}".`);
  const modern = options.ciphersTls13;
  tryCiphers(modern, `Error: Unable to set TLS 1.3 ciphersuites. Check cipher_tls13 list "${modern}".`);
  return `${modern ?? SUITES}:${options.ciphers ?? MOSQUITTO_CIPHERS}`;
}

/**
 * A device that lists ChaCha20 first has no instructions for AES and is given what it can do fast; we can do either. An
 * order that the configuration states is kept.
 */
function suiteOptions({ ciphers, ciphersTls13 }: TlsOptions): number {
  return ciphers === null && ciphersTls13 === null ? constants.SSL_OP_PRIORITIZE_CHACHA : 0;
}

function tryCiphers(list: string | null, line: string): void {
  if (list === null) return;
  const hint = `  OpenSSL knows no cipher of this list. What a list means is shown by: openssl ciphers -v '${list}'`;
  trySetting({ ciphers: list }, [line, hint]);
}

function checkGroups(groups: readonly string[] | null): void {
  if (groups === null) return;
  const list = groups.join(':');
  const hint = '  Names that OpenSSL knows are, among others, X25519MLKEM768, X25519, P-256, P-384 and P-521.';
  trySetting({ ecdhCurve: list }, [`Error: Unable to set TLS groups. Check tls_groups "${list}".`, hint]);
}

function trySetting(setting: SecureContextOptions, lines: readonly string[]): void {
  try {
    createSecureContext(setting);
  } catch {
    throw new TlsLoadError(lines, null);
  }
}

function casOfFile(file: string | null): X509Certificate[] {
  if (file === null) return [];
  const line = `Error: Unable to load CA certificates. Check cafile "${file}".`;
  const found = certificatesIn(readLookup(file, line), line);
  if (found.length === 0) throw fileError(line, [NO_CERTIFICATE], new Error('no certificate found'));
  return found;
}

/**
 * Only the links that `openssl rehash` makes count, as in OpenSSL: what else lies there is not meant as a CA. Without
 * any the directory adds nothing; that is not an error, since cafile may stand beside it.
 */
function casOfDirectory(directory: string | null, remarks: string[]): X509Certificate[] {
  if (directory === null) return [];
  const names = namesIn(directory).filter(name => /^[0-9a-f]{8}\.[0-9]+$/.test(name));
  if (names.length === 0) {
    remarks.push(`Warning: capath "${directory}" adds no CA: OpenSSL's links are missing there.`);
    remarks.push(`  Make them with: openssl rehash ${directory}`);
  }
  const line = `Error: Unable to load CA certificates. Check capath "${directory}".`;
  return names.flatMap(name => certificatesIn(readLookup(join(directory, name), line), line));
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function certificatesIn(text: string, line: string): X509Certificate[] {
  const blocks = text.match(/-----BEGIN ((?:TRUSTED |X509 )?CERTIFICATE)-----[^]*?-----END \1-----/g) ?? [];
  return blocks.map(block => attempt(() => new X509Certificate(block), line));
}

/** One text per list: Node reads only the first of each text it is given. */
function loadCrls(file: string | null): string[] | null {
  if (file === null) return null;
  const line = `Error: Unable to load certificate revocation file "${file}". Check crlfile.`;
  const blocks = readLookup(file, line).match(/-----BEGIN X509 CRL-----[^]*?-----END X509 CRL-----/g);
  if (blocks === null) throw fileError(line, [NO_CERTIFICATE], new Error('no revocation list found'));
  attempt(() => createSecureContext({ crl: blocks }), line);
  return blocks;
}

function loadPair(pair: CertificatePair): { cert: string; key: string } {
  const certLine = `Error: Unable to load server certificate "${pair.certFile}". Check certfile.`;
  const keyLine = `Error: Unable to load server key file "${pair.keyFile}". Check keyfile.`;
  const cert = readUse(pair.certFile, certLine);
  const leaf = attempt(() => new X509Certificate(cert), certLine, 'error:0A080009:SSL routines::PEM lib');
  const key = readUse(pair.keyFile, keyLine);
  const parsed = attempt(() => createPrivateKey(key), keyLine, 'error:0A080009:SSL routines::PEM lib');
  if (!leaf.checkPrivateKey(parsed))
    throw fileError(keyLine, [MISMATCH], withCode('ERR_OSSL_X509_KEY_VALUES_MISMATCH'));
  // What OpenSSL thinks of the pair itself, for example that the key is too small.
  attempt(() => createSecureContext({ cert, key }), certLine);
  return { cert, key };
}

function withCode(code: string): Error {
  return Object.assign(new Error('the key does not belong to the certificate'), { code });
}

/** OpenSSL names its own place last; it differs between the files it uses and those it looks things up in. */
const USE_TAIL = ['error:10080002:BIO routines::system lib', 'error:0A080002:SSL routines::system lib'];
const LOOKUP_TAIL = [
  'error:10000080:BIO routines::no such file',
  'error:05880002:x509 certificate routines::system lib',
];

function readUse(file: string, line: string): string {
  return readPem(file, line, USE_TAIL);
}

function readLookup(file: string, line: string): string {
  return readPem(file, line, LOOKUP_TAIL);
}

function readPem(file: string, line: string, tail: readonly string[]): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const number = Math.abs((error as NodeJS.ErrnoException).errno ?? 0);
    const code = (0x80000000 + number).toString(16).toUpperCase().padStart(8, '0');
    throw fileError(line, [`error:${code}:system library::${systemErrorText(error)}`, ...tail], error);
  }
}

function attempt<T>(action: () => T, line: string, ...tail: string[]): T {
  try {
    return action();
  } catch (error) {
    throw fileError(line, [...opensslWords(error), ...tail], error);
  }
}

function fileError(line: string, openssl: readonly string[], cause: unknown): TlsLoadError {
  const lines = [line, ...openssl.map((text, i) => `OpenSSL Error [${i}]: ${text}`)];
  return new TlsLoadError(lines, cause instanceof Error ? cause : new Error(String(cause)));
}

function opensslWords(error: unknown): string[] {
  const stack = (error as { opensslErrorStack?: unknown }).opensslErrorStack;
  if (Array.isArray(stack) && stack.length > 0) return stack.map(String);
  return [error instanceof Error ? error.message : String(error)];
}
