/**
 * A CA that was made elsewhere, to be taken over: certificate and key in, an Issuer out, or the reason why not.
 * The checks are rows, asked in order; the first "no" is the answer.
 */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import type { Finding } from '../base/mod.ts';
import { certificatesOf, factsOf, signedBy, type CertificateFacts } from './inspect.ts';
import type { Issuer } from './issue.ts';
import { shellWord } from './openssl-commands.ts';
import { PkiError } from './pki-error.ts';
import { daysText, timeText } from './time-text.ts';

export interface ForeignCaFiles {
  certificate: { file: string; bytes: Buffer };
  key: { file: string; bytes: Buffer };
  passphrase: string | null;
  /** Unix time in milliseconds. */
  now: number;
}

/** Below this there is nothing to take over: an issuing CA is to be signed, and devices to be moved in time. */
const restDaysMin = 30;
const rsaBitsMin = 2048;

interface Foreign {
  facts: CertificateFacts;
  key: KeyObject;
  files: ForeignCaFiles;
}

type Refusal = Pick<Finding, 'code' | 'saw' | 'why' | 'remedy'> | null;

const checks: ((ca: Foreign) => Refusal)[] = [isAuthority, keyFits, isRoot, isStrong, isCurrent, mayHaveIssuing];

export function readForeignCa(files: ForeignCaFiles): { issuer: Issuer; remarks: Finding[] } {
  const certificate = readCertificate(files);
  const foreign = { facts: factsOf(certificate), key: readForeignKey(files), files };
  for (const check of checks) {
    const refusal = check(foreign);
    if (refusal) throw new PkiError({ ...refusal, where: files.certificate.file });
  }
  return { issuer: { certificate, key: foreign.key }, remarks: remarksOn(foreign) };
}

/** PEM, or DER as some tools write it. */
function readCertificate({ certificate: { file, bytes } }: ForeignCaFiles): X509Certificate {
  try {
    const [first] = bytes.includes('-----BEGIN')
      ? certificatesOf(bytes.toString('utf8'))
      : [new X509Certificate(bytes)];
    if (first) return first;
  } catch {
    // Said below, as for a file without any certificate.
  }
  throw new PkiError({
    code: 'pki.no-certificate',
    where: file,
    saw: 'there is no certificate in it that can be read',
    why: 'A CA is taken over with its certificate, in PEM or DER form, and its private key.',
    remedy: [`Look at it: openssl x509 -in ${shellWord(file)} -noout -text. Are certificate and key swapped?`],
  });
}

function readForeignKey({ key: { file, bytes }, passphrase }: ForeignCaFiles): KeyObject {
  const text = bytes.toString('latin1');
  try {
    if (!text.includes('-----BEGIN')) return createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' });
    return createPrivateKey({ key: text, ...(passphrase === null ? {} : { passphrase }) });
  } catch {
    throw unreadableKey(file, isEncrypted(text), passphrase !== null);
  }
}

export function isEncrypted(keyText: string): boolean {
  return /BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(keyText);
}

function unreadableKey(file: string, encrypted: boolean, tried: boolean): PkiError {
  const saw = !encrypted
    ? 'there is no private key in it'
    : tried
      ? 'the passphrase is wrong'
      : 'the key has a passphrase';
  return new PkiError({
    code: encrypted ? 'pki.passphrase' : 'pki.no-key',
    where: file,
    saw,
    why: 'Only with the key of the CA can certificates be issued that its devices trust.',
    remedy: encrypted
      ? ['Write the passphrase into a file that only you can read, and name it: --passphrase-file FILE']
      : [`Look at it: openssl pkey -in ${shellWord(file)} -noout -check`],
  });
}

function isAuthority({ facts }: Foreign): Refusal {
  const cannotSign = facts.keyUsage !== null && !facts.keyUsage.includes('keyCertSign');
  if (facts.isCa && !cannotSign) return null;
  const saw =
    facts.version < 3
      ? `"${facts.subject}" is a version ${facts.version} certificate, which cannot say that it is a CA`
      : facts.isCa
        ? `"${facts.subject}" may not sign certificates (keyUsage ${facts.keyUsage?.join(', ')})`
        : `"${facts.subject}" is not a CA (no basicConstraints CA:TRUE)`;
  return {
    code: 'pki.not-a-ca',
    saw,
    why: 'Clients refuse what it signs.',
    remedy: ['Import the certificate that signed this one, or let Zancudo make a CA: zancudo ca init'],
  };
}

function keyFits({ facts, key, files }: Foreign): Refusal {
  if (facts.certificate.checkPrivateKey(key)) return null;
  return {
    code: 'pki.key-mismatch',
    saw: `the key in ${files.key.file} belongs to another certificate`,
    why: 'What it signs would be refused by every client.',
    remedy: ['Find the key that was made together with this certificate.'],
  };
}

function isRoot({ facts }: Foreign): Refusal {
  if (facts.sameNames && signedBy(facts.certificate, facts.certificate.publicKey)) return null;
  return {
    code: 'pki.not-a-root',
    saw: `"${facts.subject}" was issued by "${facts.issuer}"; it is not a root`,
    why: 'Devices trust roots. Below an intermediate CA there would be one level more than small devices accept.',
    remedy: ['Import the root.'],
  };
}

function isStrong({ facts }: Foreign): Refusal {
  const { type, bits, curve } = facts.key;
  const weak = type === 'rsa' && bits < rsaBitsMin;
  const small = type === 'ec' && bits < 256;
  if (!weak && !small && ['rsa', 'ec', 'ed25519'].includes(type)) return null;
  const what = type === 'rsa' ? `RSA with ${bits} bits` : (curve ?? type);
  return {
    code: 'pki.ca-weak',
    saw: `the key of "${facts.subject}" is ${what}`,
    why: `OpenSSL, Python, Node, Apple and Android refuse CA keys below ${rsaBitsMin} bits (RSA), and kinds they do not know: nothing that it signs will work.`,
    remedy: [
      'Such a CA cannot be mended, its key is too small. Make a new one and give its ca.crt to your devices:',
      'zancudo ca init',
    ],
  };
}

function isCurrent({ facts, files: { now } }: Foreign): Refusal {
  const rest = facts.notAfter - now;
  if (facts.notBefore <= now && rest > restDaysMin * 86_400_000) return null;
  const saw =
    facts.notBefore > now
      ? `it is valid from ${timeText(facts.notBefore)} on`
      : rest > 0
        ? `it ends on ${timeText(facts.notAfter)}, in ${daysText(rest)}`
        : `it expired on ${timeText(facts.notAfter)}, ${daysText(-rest)} ago`;
  return {
    code: 'pki.ca-dates',
    saw,
    why: `Nothing that it signs outlives it. The clock of this machine says ${timeText(now)}.`,
    remedy: ['Make a new CA and give its ca.crt to your devices: zancudo ca init'],
  };
}

function mayHaveIssuing({ facts }: Foreign): Refusal {
  if (facts.pathLengthMax === null || facts.pathLengthMax > 0) return null;
  return {
    code: 'pki.ca-path-length',
    saw: `"${facts.subject}" allows no CA below itself (pathlen:0)`,
    why: 'The key of a root does not belong on a broker; an issuing CA below it signs the certificates.',
    remedy: ['Keep this CA for the devices that have it, and hand out a new one: zancudo ca rollover'],
  };
}

function remarksOn({ facts, files }: Foreign): Finding[] {
  const remarks: Finding[] = [];
  const say = (code: string, saw: string, why: string, remedy: string) =>
    remarks.push({ code, severity: 'warning', where: files.certificate.file, saw, why, remedy: [remedy] });
  if (facts.keyUsage === null)
    say(
      'pki.ca-without-key-usage',
      'the CA has no keyUsage extension',
      'Python 3.13 and later refuse such a CA ("CA cert does not include key usage extension").',
      'Clients in Python need their own context without VERIFY_X509_STRICT, or a newer CA: zancudo ca rollover',
    );
  if (facts.key.type === 'ed25519')
    say(
      'pki.ca-ed25519',
      'the key of the CA is Ed25519',
      'mbedTLS does not know it: ESP32, Mongoose OS and Tasmota cannot connect.',
      'For such devices use a CA with a P-256 key.',
    );
  return remarks;
}
