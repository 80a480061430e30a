/**
 * What is wrong with a server's certificate, by its true cause: a table of checks, each of which looks at one thing
 * and says nothing or one finding. The order is that of importance to whoever reads them.
 */
import type { Finding } from '../base/mod.ts';
import { chainOf } from './chain.ts';
import { nameChecks } from './explain-names.ts';
import { purposes, type CertificateFacts } from './inspect.ts';
import { newCaCommand } from './openssl-commands.ts';
import { reissue, type Check, type ServerFiles } from './server-files.ts';
import { daysText, timeText } from './time-text.ts';

const rsaBitsMin = 2048;
const appleDaysMax = 825;
const dayMs = 86_400_000;

export const certificateChecks: readonly Check[] = [
  keyMatches,
  keyLargeEnough,
  caKeyLargeEnough,
  signatureStrong,
  leafComesFirst,
  notExpired,
  alreadyValid,
  namesDiffer,
  ...nameChecks,
  serverPurpose,
  chainComplete,
  lifetimeShort,
  subjectTidy,
];

function keyMatches({ leaf, key, keyFile, certFile, cas, sent }: ServerFiles): Finding | null {
  if (!key || leaf.certificate.checkPrivateKey(key)) return null;
  const owner = [...sent, ...cas].find(each => each.certificate.checkPrivateKey(key));
  return {
    code: 'tls.key-mismatch',
    severity: 'error',
    where: keyFile,
    saw: owner
      ? `this is the key of "${owner.subject}", not of "${leaf.subject}" in ${certFile}`
      : `the key does not belong to the certificate "${leaf.subject}" in ${certFile}`,
    why: 'A server has to prove that it holds the key of the certificate it shows.',
    remedy: [
      'Name the key from which the certificate was requested. Which belong together: these two must print the same,',
      `openssl x509 -in ${certFile} -noout -pubkey`,
      `openssl pkey -in ${keyFile} -pubout`,
    ],
  };
}

function keyLargeEnough(files: ServerFiles): Finding | null {
  const { leaf, certFile, errorCode, cas, caFile } = files;
  if (leaf.key.type !== 'rsa' || leaf.key.bits >= rsaBitsMin) return null;
  const weakCa = cas.find(isWeakRsa);
  return {
    code: 'tls.key-too-small',
    severity: errorCode.includes('KEY_TOO_SMALL') ? 'error' : 'warning',
    where: certFile,
    saw: `its RSA key has ${leaf.key.bits} bits`,
    why:
      `OpenSSL refuses RSA keys under ${rsaBitsMin} bits at its security level 2 (SECLEVEL), on servers and on clients: ` +
      'what was usual ten years ago can be broken today. --insecure does not help a client.',
    remedy: [
      `Make the key and the certificate again with ${rsaBitsMin} bits:`,
      ...(weakCa && caFile ? [newCaCommand(caFile, files.caKey, weakCa)] : []),
      ...reissue(files, true),
      'Only for devices that cannot be renewed: ciphers DEFAULT@SECLEVEL=1 lets the broker start with it all the same.',
    ],
  };
}

function isWeakRsa({ key }: CertificateFacts): boolean {
  return key.type === 'rsa' && key.bits < rsaBitsMin;
}

function caKeyLargeEnough({ leaf, cas, caFile, caKey }: ServerFiles): Finding | null {
  const weak = cas.find(isWeakRsa);
  // Said together with the leaf's when both are weak.
  if (!weak || !caFile || isWeakRsa(leaf)) return null;
  return {
    code: 'tls.ca-key-too-small',
    severity: 'warning',
    where: caFile,
    saw: `the CA "${weak.subject}" has an RSA key of ${weak.key.bits} bits`,
    why: `Clients with a current OpenSSL refuse everything it signs ("CA certificate key too weak").`,
    remedy: [newCaCommand(caFile, caKey, weak), 'Then issue the server and client certificates again.'],
  };
}

function signatureStrong(files: ServerFiles): Finding | null {
  const { leaf, certFile } = files;
  const algorithm = leaf.certificate.signatureAlgorithm ?? '';
  if (!/md5|sha1|sha-1/i.test(algorithm)) return null;
  return {
    code: 'tls.signature-weak',
    severity: files.errorCode.includes('MD_TOO_WEAK') ? 'error' : 'warning',
    where: certFile,
    saw: `it is signed with ${algorithm}`,
    why: 'Current clients refuse signatures over MD5 and SHA-1 ("ca md too weak").',
    remedy: reissue(files, false),
  };
}

function leafComesFirst({ leaf, sent, certFile }: ServerFiles): Finding | null {
  const own = leaf.isCa ? sent.find(each => !each.isCa) : undefined;
  if (!own) return null;
  return {
    code: 'tls.chain-order',
    severity: 'error',
    where: certFile,
    saw: `the first certificate is the CA "${leaf.subject}", the server's own "${own.subject}" comes later`,
    why: 'A server shows the first certificate of the file as its own.',
    remedy: [`cat SERVER.crt INTERMEDIATE.crt > ${certFile}   (the server's own first, then the CA that signed it)`],
  };
}

function notExpired(files: ServerFiles): Finding | null {
  const { leaf, sent, certFile, now } = files;
  const outdated = [leaf, ...sent].find(each => now > each.notAfter);
  if (!outdated) return null;
  return {
    code: 'tls.certificate-expired',
    severity: 'error',
    where: certFile,
    saw: `"${outdated.subject}" expired on ${timeText(outdated.notAfter)}, ${daysText(now - outdated.notAfter)} ago`,
    why: `Clients refuse an expired certificate. The clock of this machine says ${timeText(now)}.`,
    remedy: [
      'If that is not the time, set the clock: timedatectl set-ntp true. Otherwise renew the certificate:',
      ...reissue(files, false),
    ],
  };
}

function alreadyValid({ leaf, certFile, now }: ServerFiles): Finding | null {
  if (now >= leaf.notBefore) return null;
  return {
    code: 'tls.certificate-not-yet-valid',
    severity: 'error',
    where: certFile,
    saw: `"${leaf.subject}" is valid from ${timeText(leaf.notBefore)} on`,
    why: `The clock of this machine says ${timeText(now)}. Clients refuse a certificate that is not valid yet.`,
    remedy: [
      'If that is not the time, set the clock: timedatectl set-ntp true',
      'If it is, the clock of the machine that issued the certificate is wrong: set that one and issue it again.',
    ],
  };
}

/** The third tutorial's fault: the same answers were given for the CA and for the server. */
function namesDiffer(files: ServerFiles): Finding | null {
  const { leaf, certFile } = files;
  if (!leaf.sameNames || leaf.selfSigned) return null;
  return {
    code: 'tls.same-subject',
    severity: leaf.authorityKeyId === null ? 'warning' : 'note',
    where: certFile,
    saw: `the server and the CA that signed it have the same name, "${leaf.subject}"`,
    why:
      'OpenSSL then takes the certificate for one that signed itself: mosquitto_sub, Python and Node will say ' +
      '"self-signed certificate" and refuse it, with --insecure too, while mbedTLS and GnuTLS accept it.',
    remedy: [
      'Answer the questions for the server differently from those for the CA, at least the Common Name:',
      ...reissue(files, false, anotherName(leaf)),
    ],
  };
}

function anotherName({ names, subjectParts }: CertificateFacts): string {
  const common = subjectParts.find(each => each.type === 'CN')?.value.trim() ?? 'broker';
  const named = names.find(each => each.kind === 'dns' && each.value !== common)?.value;
  return named ?? `${common} server`;
}

function serverPurpose({ leaf, certFile }: ServerFiles): Finding | null {
  const usage = leaf.extendedKeyUsage;
  const names = usage?.map(oid => purposes[oid] ?? oid) ?? [];
  if (names.includes('serverAuth') || names.includes('anyExtendedKeyUsage')) return null;
  if (usage === null && leaf.version < 3) return null;
  return {
    code: usage === null ? 'tls.no-extended-key-usage' : 'tls.not-a-server-certificate',
    severity: usage === null ? 'note' : 'warning',
    where: certFile,
    saw: usage === null ? 'it has no extendedKeyUsage' : `it is made for ${names.join(', ')}, not for a server`,
    why: usage === null ? 'iPhones and Macs refuse a server certificate without it.' : 'Clients refuse it as a server.',
    remedy: ['Issue it again with a line "extendedKeyUsage = serverAuth" in the extension file.'],
  };
}

function chainComplete({ leaf, sent, cas, caFile, certFile, now }: ServerFiles): Finding | null {
  if (leaf.selfSigned || leaf.sameNames) return null;
  const bare = (list: readonly CertificateFacts[]) => list.map(each => each.certificate);
  const { path } = chainOf(leaf.certificate, bare(sent), bare(cas), now);
  const top = path.at(-1);
  // Beyond an intermediate comes the root, which clients have and servers need not send.
  if (path.length > 1 || !top) return null;
  return {
    code: 'tls.chain-open',
    severity: 'note',
    where: certFile,
    saw: `it was issued by "${leaf.issuer}", which is neither in this file nor in ${caFile ?? 'a cafile'}`,
    why:
      'If that is an intermediate CA, the server has to send it; otherwise clients say ' +
      '"unable to get local issuer certificate". If it is a root that clients have, all is well.',
    remedy: [`cat INTERMEDIATE.crt >> ${certFile}`],
  };
}

function lifetimeShort({ leaf, certFile }: ServerFiles): Finding | null {
  const days = Math.round((leaf.notAfter - leaf.notBefore) / dayMs);
  if (days <= appleDaysMax || leaf.isCa) return null;
  return {
    code: 'tls.lifetime-long',
    severity: 'note',
    where: certFile,
    saw: `it is valid for ${days} days`,
    why: `iPhones and Macs refuse server certificates that are valid for more than ${appleDaysMax} days.`,
    remedy: ['Issue it again with -days 397.'],
  };
}

function subjectTidy({ leaf, cas, caFile, certFile }: ServerFiles): Finding | null {
  const untidy = [leaf, ...cas].find(each => each.subjectParts.some(({ value }) => value !== value.trim()));
  const part = untidy?.subjectParts.find(({ value }) => value !== value.trim());
  if (!untidy || !part) return null;
  return {
    code: 'tls.subject-blanks',
    severity: 'note',
    where: untidy === leaf ? certFile : (caFile ?? certFile),
    saw: `${part.type} is ${JSON.stringify(part.value)}, with a blank at the end that was typed before a "/" of -subj`,
    why: 'It does no harm to TLS, but it stays in the name, and in a user name taken from it.',
    remedy: ['Leave it out when the certificate is made the next time.'],
  };
}
