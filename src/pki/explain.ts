/**
 * Why a listener's TLS files do not work, or will not work for somebody: the files, the error Node gave when it loaded
 * them (or none), and out come findings, errors first.
 *
 *   certfile ─┐                       can it be read?   what is in it?   do they fit together?
 *   keyfile  ─┼─> read ─> parse ─> certificate checks ─> findings
 *   cafile   ─┤                    authority checks   ─>
 *   crlfile  ─┘                    revocation lists   ─>
 *
 * Only reads, never throws: it is called when something has gone wrong already.
 */
import type { KeyObject } from 'node:crypto';
import type { Finding, Severity } from '../base/mod.ts';
import { explainAuthorities, explainCaKeys, explainCrls } from './explain-authorities.ts';
import { certificateChecks } from './explain-certificate.ts';
import { readOrExplain } from './explain-files.ts';
import { intendedNames } from './explain-names.ts';
import { certificatesOf, factsOf, type CertificateFacts } from './inspect.ts';
import { readKey } from './keys.ts';
import { shellWord } from './openssl-commands.ts';
import { readPem } from './pem.ts';
import type { ServerFiles } from './server-files.ts';
import { caKeysBeside, extensionFilesBeside } from './surroundings.ts';

export interface TlsFiles {
  certificates: readonly { certFile: string; keyFile: string }[];
  caFile: string | null;
  crlFile: string | null;
}

export interface ExplainRequest {
  files: TlsFiles;
  /** What Node threw when it loaded them; null when nothing went wrong. */
  error: unknown;
  /** Unix time in milliseconds. */
  now: number;
  /** The existing path that a missing one was probably meant to be. */
  nearest?: (file: string) => string | null;
}

export const order: Record<Severity, number> = { error: 0, warning: 1, note: 2 };

export function explainTlsFiles(request: ExplainRequest): Finding[] {
  const findings: Finding[] = [];
  try {
    collect(request, findings);
  } catch (error) {
    findings.push(loadFailed(request.files, error));
  }
  const unexplained = request.error !== null && !findings.some(explainsLoading);
  if (unexplained) findings.push(loadFailed(request.files, request.error));
  return unique(findings).sort((a, b) => order[a.severity] - order[b.severity]);
}

/** OpenSSL loads what is out of date without a word, so dates are not why it failed. */
function explainsLoading({ code, severity }: Finding): boolean {
  return severity === 'error' && !/expired|not-yet-valid/.test(code);
}

function collect({ files, error, now, nearest = () => null }: ExplainRequest, findings: Finding[]): void {
  const take = (option: string, file: string): string | null => {
    const { text, finding } = readOrExplain(option, file, nearest);
    if (finding) findings.push(finding);
    return text;
  };
  const cas =
    files.caFile === null ? [] : certificatesIn('cafile', files.caFile, take('cafile', files.caFile), findings);
  const caKeys = caKeysBeside(
    pathsOf(files),
    cas.map(ca => ca.certificate),
  );
  for (const { certFile, keyFile } of files.certificates) {
    const [leaf, ...sent] = certificatesIn('certfile', certFile, take('certfile', certFile), findings);
    const key = keyIn(keyFile, take('keyfile', keyFile), findings);
    if (!leaf) continue;
    const server = { certFile, keyFile, caFile: files.caFile, caKey: caKeys[0] ?? null, leaf, sent, key, cas, now };
    findings.push(...checkServer(server, codeOf(error)));
  }
  if (files.caFile !== null) findings.push(...explainAuthorities(files.caFile, cas, now));
  findings.push(...explainCaKeys(caKeys, pathsOf(files), files.caFile));
  const crl = files.crlFile === null ? null : take('crlfile', files.crlFile);
  if (files.crlFile !== null && crl !== null) findings.push(...explainCrls(files.crlFile, crl, cas, now));
}

/** What is known of a server's certificate before it is checked. */
export type ServerCertificate = Omit<ServerFiles, 'extensionFiles' | 'names' | 'errorCode'>;

export function checkServer(
  server: ServerCertificate,
  errorCode = '',
  extensionFiles = extensionFilesBeside(server.certFile),
): Finding[] {
  const names = intendedNames(server.leaf, extensionFiles);
  const files = { ...server, extensionFiles, names, errorCode };
  return certificateChecks.map(check => check(files)).filter(each => each !== null);
}

function pathsOf({ certificates, caFile }: TlsFiles): string[] {
  const all = certificates.flatMap(({ certFile, keyFile }) => [certFile, keyFile]);
  return caFile === null ? all : [...all, caFile];
}

/** The certificates of a file that could be read; what is wrong with the rest goes into the findings. */
export function certificatesIn(
  option: string,
  file: string,
  text: string | null,
  findings: Finding[],
): CertificateFacts[] {
  if (text === null) return [];
  try {
    const found = certificatesOf(text).map(factsOf);
    if (found.length === 0) findings.push(notCertificates(option, file, text));
    return found;
  } catch (error) {
    findings.push(brokenPem(option, file, text, error));
    return [];
  }
}

function keyIn(file: string, text: string | null, findings: Finding[]): KeyObject | null {
  if (text === null) return null;
  const key = readKey(text);
  if (!key) findings.push(notKey(file, text));
  return key;
}

function notCertificates(option: string, file: string, text: string): Finding {
  const { blocks, problems } = readPem(text);
  const labels = [...new Set(blocks.map(block => block.label))];
  const problem = problems[0];
  const instead =
    labels.length > 0 ? `it holds ${labels.map(each => `"${each}"`).join(', ')}` : 'it holds no PEM block at all';
  const key = labels.some(label => label.includes('PRIVATE KEY'));
  return {
    code: 'tls.not-a-certificate',
    severity: 'error',
    where: file,
    saw: problem ? `line ${problem.line}: ${problem.saw}` : `there is no certificate in it: ${instead}`,
    why: `${option} has to name a file with "-----BEGIN CERTIFICATE-----".`,
    remedy: key
      ? ['This is a key. Are certfile and keyfile swapped?']
      : [`A certificate in DER form is turned into PEM by: openssl x509 -inform DER -in FILE -out ${shellWord(file)}`],
  };
}

function brokenPem(option: string, file: string, text: string, error: unknown): Finding {
  const problem = readPem(text).problems[0];
  return {
    code: 'tls.certificate-broken',
    severity: 'error',
    where: file,
    saw: problem ? `line ${problem.line}: ${problem.saw}` : `a certificate in it cannot be read (${messageOf(error)})`,
    why: `${option} names it. It was cut, or changed while it was copied.`,
    remedy: ['Copy it again from where it was made.'],
  };
}

function notKey(file: string, text: string): Finding {
  const encrypted = /ENCRYPTED/.test(text);
  const certificate = /BEGIN CERTIFICATE/.test(text) && !/PRIVATE KEY/.test(text);
  const saw = encrypted
    ? 'the key has a passphrase'
    : certificate
      ? 'this is a certificate, not a key'
      : 'there is no key in it';
  return {
    code: encrypted ? 'tls.key-encrypted' : 'tls.not-a-key',
    severity: 'error',
    where: file,
    saw,
    why: encrypted
      ? 'A broker starts without anybody there to type it.'
      : 'keyfile has to name a private key in PEM form ("-----BEGIN PRIVATE KEY-----").',
    remedy: encrypted
      ? [`(umask 077; openssl pkey -in ${shellWord(file)} -out ${shellWord(`${file}.plain`)})`, `keyfile ${file}.plain`]
      : [certificate ? 'Are certfile and keyfile swapped?' : 'Name the key from which the certificate was requested.'],
  };
}

/** What OpenSSL refuses for reasons that lie outside the files. */
const otherReasons: Record<string, { saw: string; remedy: string }> = {
  ERR_SSL_NO_CIPHER_MATCH: {
    saw: 'the line "ciphers" or "ciphers_tls1.3" names nothing that this OpenSSL knows',
    remedy: 'Leave the line out: the defaults are safe. To see what there is: openssl ciphers -v',
  },
};

function loadFailed(files: TlsFiles, error: unknown): Finding {
  const known = otherReasons[codeOf(error)];
  return {
    code: 'tls.load-failed',
    severity: 'error',
    where: files.certificates[0]?.certFile ?? files.caFile ?? 'TLS',
    saw:
      known?.saw ??
      `the files cannot be used together (${[codeOf(error), messageOf(error)].filter(Boolean).join(': ')})`,
    why: known
      ? 'A listener needs at least one cipher.'
      : 'OpenSSL refused them, and nothing that is known here explains it.',
    remedy: [
      known?.remedy ?? 'Look at each of them: openssl x509 -in FILE -noout -text; openssl pkey -in FILE -noout -check',
    ],
  };
}

export function codeOf(error: unknown): string {
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? '') : '';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : typeof error === 'string' ? error : '';
}

/** Two chains of one listener share their CA; what is wrong with it is said once. */
export function unique(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  return findings.filter(({ code, where, saw }) => {
    const mark = [code, where, saw].join('\n');
    return !seen.has(mark) && seen.add(mark);
  });
}
