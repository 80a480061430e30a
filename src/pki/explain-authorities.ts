/** What is wrong with the CAs and revocation lists that client certificates are held against. */
import type { Finding } from '../base/mod.ts';
import { isSignedBy, readCrls, type RevocationList } from './crl.ts';
import type { CertificateFacts } from './inspect.ts';
import { shellWord } from './openssl-commands.ts';
import { describe } from './explain-files.ts';
import { namesakeKey } from './surroundings.ts';
import { timeText } from './time-text.ts';

export function explainAuthorities(caFile: string, cas: readonly CertificateFacts[], now: number): Finding[] {
  const findings = cas.flatMap(ca => [caUsable(caFile, ca), caKeyUsage(caFile, ca), caDates(caFile, ca, now)]);
  return findings.filter(each => each !== null);
}

/** Version 1 roots are taken for CAs by OpenSSL; a version 3 certificate has to say that it is one. */
function caUsable(caFile: string, ca: CertificateFacts): Finding | null {
  if (ca.isCa || (ca.version === 1 && ca.selfSigned)) return null;
  return {
    code: 'tls.not-a-ca',
    severity: 'warning',
    where: caFile,
    saw: `"${ca.subject}" is not a CA`,
    why: 'Certificates that it signed are refused, for it does not say that it may sign any.',
    remedy: ['Put the certificate of the CA into this file. To look: openssl x509 -in FILE -noout -text'],
  };
}

function caKeyUsage(caFile: string, ca: CertificateFacts): Finding | null {
  if (!ca.isCa || ca.keyUsage?.includes('keyCertSign')) return null;
  return {
    code: 'tls.ca-no-key-usage',
    severity: ca.keyUsage === null ? 'note' : 'warning',
    where: caFile,
    saw:
      ca.keyUsage === null
        ? `the CA "${ca.subject}" has no keyUsage`
        : `the CA "${ca.subject}" may not sign certificates`,
    why: 'Strict clients, Python 3.13 and later among them, refuse it ("CA cert does not include key usage extension").',
    remedy: ['Make the CA with: openssl req -x509 ... -addext keyUsage=critical,keyCertSign,cRLSign'],
  };
}

function caDates(caFile: string, ca: CertificateFacts, now: number): Finding | null {
  if (ca.notBefore <= now && now <= ca.notAfter) return null;
  const expired = now > ca.notAfter;
  return {
    code: expired ? 'tls.ca-expired' : 'tls.ca-not-yet-valid',
    severity: 'error',
    where: caFile,
    saw: expired
      ? `the CA "${ca.subject}" expired on ${timeText(ca.notAfter)}`
      : `the CA "${ca.subject}" is valid from ${timeText(ca.notBefore)} on`,
    why: `Nothing it signed is accepted. The clock of this machine says ${timeText(now)}.`,
    remedy: [
      'If that is not the time, set the clock: timedatectl set-ntp true. Otherwise renew the CA with its own key.',
    ],
  };
}

/** A broker needs the CA's certificate only. Whoever steals the key makes certificates that every device trusts. */
export function explainCaKeys(proven: readonly string[], files: readonly string[], caFile: string | null): Finding[] {
  const likely = caFile === null ? null : namesakeKey(caFile);
  const certain = proven.map(file => ({ file, saw: 'the private key of the CA lies on the broker' }));
  const guessed =
    likely === null || proven.includes(likely) || files.includes(likely)
      ? []
      : [{ file: likely, saw: 'the private key of the CA seems to lie on the broker' }];
  return [...certain, ...guessed].map(({ file, saw }) => ({
    code: 'tls.ca-key-on-broker',
    severity: 'warning',
    where: file,
    saw: `${saw} (it ${describe(file)})`,
    why: 'The broker never uses it. Whoever gets hold of it can issue certificates that all your devices trust.',
    remedy: [`Keep it elsewhere: copy it to a stick, then shred -u ${shellWord(file)}`],
  }));
}

export function explainCrls(crlFile: string, text: string, cas: readonly CertificateFacts[], now: number): Finding[] {
  const { lists, problems } = readCrls(text);
  const findings = problems.map(({ line, saw }) => broken(crlFile, `line ${line}: ${saw}`));
  if (lists.length === 0 && problems.length === 0) findings.push(broken(crlFile, 'there is no revocation list in it'));
  return [...findings, ...lists.flatMap(list => listFindings(crlFile, list, cas, now))];
}

function listFindings(crlFile: string, list: RevocationList, cas: readonly CertificateFacts[], now: number): Finding[] {
  const findings: Finding[] = [];
  if (!cas.some(ca => ca.subject === list.issuer && isSignedBy(list, ca.certificate)))
    findings.push(unsigned(crlFile, list));
  if (list.nextUpdate !== null && now > list.nextUpdate) findings.push(stale(crlFile, list, list.nextUpdate));
  return findings;
}

function unsigned(crlFile: string, list: RevocationList): Finding {
  return {
    code: 'tls.crl-foreign',
    severity: 'warning',
    where: crlFile,
    saw: `the revocation list of "${list.issuer}" is not signed by any CA of cafile`,
    why: 'It is not used, and a CA without a list of its own has all its clients refused.',
    remedy: ['Put the list of the right CA into the file, or that CA into cafile.'],
  };
}

function stale(crlFile: string, list: RevocationList, ended: number): Finding {
  return {
    code: 'tls.crl-expired',
    severity: 'error',
    where: crlFile,
    saw: `the revocation list of "${list.issuer}" ran out on ${timeText(ended)}`,
    why: 'Until there is a new one, every client of that CA is refused.',
    remedy: [
      `Let the CA write a new list: openssl ca -gencrl -out ${shellWord(crlFile)}, then send the broker SIGHUP.`,
    ],
  };
}

function broken(crlFile: string, saw: string): Finding {
  return {
    code: 'tls.crl-unreadable',
    severity: 'error',
    where: crlFile,
    saw,
    why: 'crlfile has to hold lists in PEM form ("-----BEGIN X509 CRL-----").',
    remedy: [`A list in DER form is turned into PEM by: openssl crl -inform DER -in FILE -out ${shellWord(crlFile)}`],
  };
}
