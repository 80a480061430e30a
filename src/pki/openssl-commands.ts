/**
 * The openssl lines that mend a certificate, filled in for the files at hand, so that they can be pasted.
 * They work with OpenSSL 1.1.1 and later.
 */
import type { NamePart } from './distinguished-name.ts';
import type { CertificateFacts, SubjectAltName } from './inspect.ts';

/** For a POSIX shell. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The subject as `-subj` takes it: `/C=ES/O=Mi Casa/CN=futro-s450`, blanks at the ends of a value removed. */
function subjOption(parts: readonly NamePart[]): string {
  const value = (text: string) =>
    text
      .replace(/\p{Cc}/gu, '')
      .trim()
      .replace(/[\\/+]/g, '\\$&');
  return shellWord(parts.map(part => `/${part.type}=${value(part.value)}`).join(''));
}

/** As openssl writes them: `DNS:broker,IP:192.168.1.20`. */
export function altNameText(names: readonly SubjectAltName[]): string {
  const known = names.filter(({ kind, value }) => (kind === 'dns' || kind === 'ip') && /^[\x21-\x7e]+$/.test(value));
  return known.map(({ kind, value }) => `${kind === 'dns' ? 'DNS' : 'IP'}:${value}`).join(',');
}

interface NewCertificate {
  certFile: string;
  keyFile: string;
  caFile: string | null;
  /** Null when it is not known where the CA's private key lies. */
  caKey: string | null;
  subject: readonly NamePart[];
  names: readonly SubjectAltName[];
  /** True to make a new key of 2048 bits, false to keep the one in keyFile. */
  newKey: boolean;
}

/** A new server certificate under the CA that is there: proper key, all names in one line, right usage. */
export function reissueCommands(wanted: NewCertificate): string[] {
  const certFile = shellWord(wanted.certFile);
  const keyFile = shellWord(wanted.keyFile);
  const request = shellWord(`${wanted.certFile.replace(/\.[^./]+$/, '')}.csr`);
  const names = altNameText(wanted.names);
  const key = wanted.newKey ? `-newkey rsa:2048 -nodes -keyout ${keyFile}` : `-new -key ${keyFile}`;
  const ca = `-CA ${shellWord(wanted.caFile ?? 'CA.crt')} -CAkey ${shellWord(wanted.caKey ?? 'CA.key')}`;
  const lines = [`subjectAltName=${names}`, 'extendedKeyUsage=serverAuth', 'keyUsage=digitalSignature,keyEncipherment'];
  return [
    `openssl req ${key} -subj ${subjOption(wanted.subject)} -out ${request}`,
    `printf '%s\\n' ${lines.map(shellWord).join(' ')} > server.ext`,
    `openssl x509 -req -in ${request} ${ca} -CAcreateserial -days 397 -sha256 -extfile server.ext -out ${certFile}`,
    ...placeholders(wanted),
  ];
}

function placeholders({ caFile, caKey }: NewCertificate): string[] {
  const open = [];
  if (caFile === null) open.push('CA.crt is the certificate of your CA');
  if (caKey === null) open.push('CA.key is the private key of your CA');
  return open.length > 0 ? [`(${open.join('; ')})`] : [];
}

/** A new self-signed CA with the old one's name, for a CA whose own key is too small. */
export function newCaCommand(caFile: string, caKey: string | null, ca: CertificateFacts): string {
  return (
    `openssl req -newkey rsa:2048 -nodes -x509 -days 3650 -sha256 -subj ${subjOption(ca.subjectParts)} ` +
    `-addext keyUsage=critical,keyCertSign,cRLSign -keyout ${shellWord(caKey ?? 'CA.key')} -out ${shellWord(caFile)}`
  );
}
