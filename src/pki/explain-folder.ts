/**
 * A folder, or a few files, of certificates and keys that nobody has explained: what belongs together is found by what
 * is in the files, and each thing is checked as what it is.
 *
 *   certificates ─┬─ CAs      strong, dated, allowed to sign?
 *                 ├─ servers  with their key and the CA that signed them: all checks of a listener
 *                 └─ clients  does the certificate hold, and does its key belong to it?
 *   keys            whose? readable by others?      lists      current?     extension files      as meant?
 */
import type { KeyObject } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { Finding } from '../base/mod.ts';
import { verdictOnClientCertificate } from './client-verdict.ts';
import { explainAccess } from './explain-access.ts';
import { explainAuthorities, explainCrls } from './explain-authorities.ts';
import { explainExtensionFile } from './explain-extensions.ts';
import { certificatesIn, checkServer, codeOf, order, unique } from './explain.ts';
import { purposes, signedBy, type CertificateFacts } from './inspect.ts';
import { readKey } from './keys.ts';
import { loadErrorOf } from './load-error.ts';
import { shellWord } from './openssl-commands.ts';
import { extensionFilesBeside } from './surroundings.ts';

interface CertificateFile {
  file: string;
  leaf: CertificateFacts;
  sent: CertificateFacts[];
}

interface KeyFile {
  file: string;
  key: KeyObject;
}

interface Collection {
  certificates: CertificateFile[];
  keys: KeyFile[];
  lists: { file: string; text: string }[];
  now: number;
}

/** Larger files are no certificates. */
const fileBytesMax = 1_048_576;

/** `files` are looked at, whatever they are; those that are neither certificate, key nor list are passed over. */
export function explainCertificateFiles(files: readonly string[], now: number): Finding[] {
  const findings: Finding[] = [];
  const found = collect(files, now, findings);
  const cas = found.certificates.filter(isAuthority);
  for (const each of found.certificates) findings.push(...explainOne(each, found, cas));
  for (const { file, leaf } of cas)
    findings.push(...explainAuthorities(file, [leaf], now), ...weakAuthority(file, leaf));
  findings.push(...explainKeys(found, cas));
  const trusted = cas.map(({ leaf }) => leaf);
  for (const { file, text } of found.lists) findings.push(...explainCrls(file, text, trusted, now));
  for (const folder of new Set(files.map(file => path.dirname(file)))) {
    const beside = extensionFilesBeside(path.join(folder, 'any')).filter(({ file }) => files.includes(file));
    findings.push(...beside.flatMap(explainExtensionFile));
  }
  return unique(findings).sort((a, b) => order[a.severity] - order[b.severity]);
}

function collect(files: readonly string[], now: number, findings: Finding[]): Collection {
  const found: Collection = { certificates: [], keys: [], lists: [], now };
  for (const file of files) {
    const text = textOf(file);
    if (text === null) continue;
    if (/-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----/.test(text)) {
      const [leaf, ...sent] = certificatesIn('the name of the file', file, text, findings);
      if (leaf) found.certificates.push({ file, leaf, sent });
    }
    if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
      const key = readKey(text);
      if (key) found.keys.push({ file, key });
    }
    if (text.includes('-----BEGIN X509 CRL-----')) found.lists.push({ file, text });
  }
  return found;
}

/** Null for what cannot be read or is no plain file of a sensible size. */
function textOf(file: string): string | null {
  try {
    const stats = fs.statSync(file);
    return stats.isFile() && stats.size <= fileBytesMax ? fs.readFileSync(file, 'utf8') : null;
  } catch {
    return null;
  }
}

/** A root of version 1 cannot say that it is one: nothing but its own signature speaks for it. */
function isAuthority({ leaf }: CertificateFile): boolean {
  return leaf.isCa || (leaf.version === 1 && leaf.selfSigned);
}

function explainOne(each: CertificateFile, found: Collection, cas: readonly CertificateFile[]): Finding[] {
  if (isAuthority(each)) return [];
  const signer = cas.find(ca => signedBy(each.leaf.certificate, ca.leaf.certificate.publicKey));
  if (isForClients(each.leaf)) return explainClient(each, found, cas);
  const key = keyOf(each.leaf, found.keys) ?? namesake(each.file, found.keys);
  const caKey = signer ? keyOf(signer.leaf, found.keys) : undefined;
  const keyFile = key?.file ?? each.file.replace(/\.[^./]+$/, '.key');
  const error = key ? loadErrorOf({ certificates: [{ certFile: each.file, keyFile }], caFile: null }, null) : null;
  const server = {
    certFile: each.file,
    keyFile,
    caFile: signer?.file ?? null,
    caKey: caKey?.file ?? null,
    leaf: each.leaf,
    sent: each.sent,
    key: key?.key ?? null,
    cas: signer ? [signer.leaf] : [],
    now: found.now,
  };
  return checkServer(server, codeOf(error));
}

function isForClients({ extendedKeyUsage }: CertificateFacts): boolean {
  const names = extendedKeyUsage?.map(oid => purposes[oid]) ?? [];
  return names.includes('clientAuth') && !names.includes('serverAuth');
}

function keyOf({ certificate }: CertificateFacts, keys: readonly KeyFile[]): KeyFile | undefined {
  return keys.find(({ key }) => certificate.checkPrivateKey(key));
}

/** `broker.key` beside `broker.crt`: meant to belong to it, whether it does or not. */
function namesake(file: string, keys: readonly KeyFile[]): KeyFile | undefined {
  const bare = (name: string): string => name.replace(/\.[^./]+$/, '');
  return keys.find(key => bare(key.file) === bare(file));
}

function explainClient(
  { file, leaf, sent }: CertificateFile,
  found: Collection,
  cas: readonly CertificateFile[],
): Finding[] {
  const findings: Finding[] = [];
  const chain = [leaf, ...sent].map(each => each.certificate);
  const authorities = cas.map(ca => ca.leaf.certificate);
  const verdict = cas.length === 0 ? null : verdictOnClientCertificate(chain, authorities, [], found.now, {});
  if (verdict) {
    findings.push({
      code: verdict.code,
      severity: 'error',
      where: file,
      saw: verdict.log,
      why: 'A broker that asks for client certificates refuses it.',
      remedy: verdict.remedy,
    });
  }
  const key = namesake(file, found.keys);
  if (key && !leaf.certificate.checkPrivateKey(key.key)) findings.push(clientKeyMismatch(file, key.file));
  return findings;
}

function clientKeyMismatch(file: string, keyFile: string): Finding {
  return {
    code: 'tls.key-mismatch',
    severity: 'error',
    where: keyFile,
    saw: `the key does not belong to the certificate in ${file}`,
    why: 'A client has to prove that it holds the key of the certificate it shows.',
    remedy: [
      'Find the key from which the certificate was requested: these two must print the same,',
      `openssl x509 -in ${shellWord(file)} -noout -pubkey`,
      `openssl pkey -in ${shellWord(keyFile)} -pubout`,
    ],
  };
}

/** A server's check says it of the CA it has; this is for a CA alone. */
function weakAuthority(file: string, { key, subject }: CertificateFacts): Finding[] {
  if (key.type !== 'rsa' || key.bits >= 2048) return [];
  return [
    {
      code: 'tls.ca-key-too-small',
      severity: 'warning',
      where: file,
      saw: `the CA "${subject}" has an RSA key of ${key.bits} bits`,
      why: 'Clients with a current OpenSSL refuse everything it signs ("CA certificate key too weak").',
      remedy: ['Make a new CA: zancudo ca init. It makes keys that every device of today accepts.'],
    },
  ];
}

function explainKeys({ keys, certificates }: Collection, cas: readonly CertificateFile[]): Finding[] {
  const servers = certificates.filter(each => !isAuthority(each) && !isForClients(each.leaf));
  return keys.flatMap(({ file, key }) => {
    const access = explainAccess({ option: 'keyfile', file, reader: null, isSecret: true });
    const isOfCa = cas.some(ca => ca.leaf.certificate.checkPrivateKey(key));
    const neighbour = servers.find(each => path.dirname(each.file) === path.dirname(file) && keyOf(each.leaf, keys));
    return isOfCa && neighbour ? [...access, caKeyBeside(file, neighbour.file)] : access;
  });
}

function caKeyBeside(file: string, neighbour: string): Finding {
  return {
    code: 'tls.ca-key-on-broker',
    severity: 'warning',
    where: file,
    saw: `the private key of the CA, without a passphrase, lies beside the server's files (${path.basename(neighbour)})`,
    why: 'A broker never uses it. Whoever gets hold of it can issue certificates that all your devices trust.',
    remedy: [`Give the broker the server's files and the CA's certificate only; keep this one elsewhere, on a stick.`],
  };
}
