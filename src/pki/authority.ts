/**
 * A root and an issuing CA in a folder:
 *
 *   root/root.key, root/root.crt    signs the issuing CA and nothing else; may be moved to a stick and brought back
 *   ca.crt                          a copy of root.crt: what clients are given
 *   ca/issuing.key, ca/issuing.crt  signs everything else
 *
 * There is no journal: every step looks at what is there and makes what is missing, key before certificate, so a
 * stop between any two writes is repaired by taking the same steps again. A root is made only where no trace of one is
 * left, for a new root means visiting every device.
 */
import { randomBytes, X509Certificate, type KeyObject } from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import type { Finding } from '../base/mod.ts';
import { factsOf, signedBy } from './inspect.ts';
import { issue, type Issuer } from './issue.ts';
import { readIfThere, type FileStore } from './key-store.ts';
import { keyPem, makeKey, readKey, type KeyKind } from './keys.ts';
import { PkiError } from './pki-error.ts';
import { timeText } from './time-text.ts';

export interface AuthorityFolder {
  folder: string;
  store: FileStore;
  /** Unix time in milliseconds. */
  now: number;
}

export interface Authority {
  root: X509Certificate;
  issuer: Issuer;
  /** While a new root is being handed out: the root before it, and the new one as the old one vouches for it. */
  previous: X509Certificate | null;
  cross: X509Certificate | null;
  findings: Finding[];
}

/** A leaf lives 398 days: an issuing CA with less ahead of it would cut the leaves short. */
const renewIssuingBeforeMs = 430 * 86_400_000;

export function authorityFiles(folder: string) {
  return {
    rootKey: path.join(folder, 'root', 'root.key'),
    rootCertificate: path.join(folder, 'root', 'root.crt'),
    anchor: path.join(folder, 'ca.crt'),
    issuingKey: path.join(folder, 'ca', 'issuing.key'),
    issuingCertificate: path.join(folder, 'ca', 'issuing.crt'),
    previous: path.join(folder, 'ca', 'previous.crt'),
    cross: path.join(folder, 'ca', 'cross.crt'),
    trusted: path.join(folder, 'clients', 'trusted.crt'),
    revoked: path.join(folder, 'clients', 'revoked.crl'),
  };
}

export function hasAuthority(folder: string): boolean {
  return readIfThere(authorityFiles(folder).anchor) !== null;
}

/** What somebody needs who is to trust this CA, the root first. Public; no key is read. */
export function certificatesOfAuthority(folder: string): X509Certificate[] {
  const { anchor, issuingCertificate, previous, cross } = authorityFiles(folder);
  return [anchor, issuingCertificate, previous, cross].flatMap(file => readCertificate(file) ?? []);
}

export async function ensureAuthority(home: AuthorityFolder): Promise<Authority> {
  const files = authorityFiles(home.folder);
  const root = readCertificate(files.anchor);
  const issuer = readIssuer(files.issuingCertificate, files.issuingKey);
  if (!root || !issuer || !signedBy(issuer.certificate, root.publicKey)) return createAuthority(home);
  const ends = issuer.certificate.validToDate.getTime();
  if (ends - home.now > renewIssuingBeforeMs) return authority(files, root, issuer, []);
  if (readIfThere(files.rootKey) !== null) return createAuthority(home);
  return authority(files, root, issuer, [rootNeeded(files.rootKey, ends)]);
}

function authority(
  files: ReturnType<typeof authorityFiles>,
  root: X509Certificate,
  issuer: Issuer,
  findings: Finding[],
): Authority {
  return { root, issuer, previous: readCertificate(files.previous), cross: readCertificate(files.cross), findings };
}

async function createAuthority(home: AuthorityFolder): Promise<Authority> {
  const files = authorityFiles(home.folder);
  const root = await ensureRoot(home);
  if (readCertificate(files.anchor)?.fingerprint256 !== root.certificate.fingerprint256) {
    home.store.write(files.anchor, root.certificate.toString());
  }
  const issuer = await issueIssuing(home, root);
  return authority(files, root.certificate, issuer, []);
}

async function ensureRoot(home: AuthorityFolder): Promise<Issuer> {
  const files = authorityFiles(home.folder);
  const anchor = readCertificate(files.anchor);
  const certificate = readCertificate(files.rootCertificate) ?? anchor;
  if (!certificate && readIfThere(files.issuingCertificate) !== null) requireFile(files.rootKey);
  if (anchor && certificate && anchor.fingerprint256 !== certificate.fingerprint256) throw twoRoots(files);
  const key = certificate ? existingKey(files.rootKey) : await ensureKey(home, files.rootKey, 'ec');
  if (certificate && !certificate.checkPrivateKey(key)) throw foreignKey(files.rootKey, files.anchor);
  const made = certificate ?? (await issueNamed(home, 'root', key, null));
  if (readIfThere(files.rootCertificate) === null) home.store.write(files.rootCertificate, made.toString());
  return { certificate: made, key };
}

/** A fresh certificate for the issuing key that is there, or for a new one. */
async function issueIssuing(home: AuthorityFolder, root: Issuer): Promise<Issuer> {
  const files = authorityFiles(home.folder);
  const key = await ensureKey(home, files.issuingKey, 'ec');
  const certificate = await certifyIssuing(home, key, root);
  home.store.write(files.issuingCertificate, certificate.toString());
  return { certificate, key };
}

/**
 * An issuing CA keeps its name with its key: what it issued under its earlier certificate, or under an earlier root,
 * stays good.
 */
export async function certifyIssuing(home: AuthorityFolder, key: KeyObject, root: Issuer): Promise<X509Certificate> {
  const before = readCertificate(authorityFiles(home.folder).issuingCertificate);
  if (!before?.checkPrivateKey(key)) return issueNamed(home, 'issuing', key, root);
  const subject = factsOf(before).subjectParts.map(({ type, value }) => ({ [type]: value }));
  return issue({ profile: 'issuing', subject, key, issuer: root, now: home.now });
}

/** A new root that is not written anywhere yet. */
export async function newRoot(home: AuthorityFolder, kind: KeyKind): Promise<Issuer> {
  const key = await makeKey(kind);
  return { certificate: await issueNamed(home, 'root', key, null), key };
}

const caNames = { root: 'Zancudo Root CA', issuing: 'Zancudo Issuing CA' };

/** Names carry something random: a client that trusts two homes must be able to tell their CAs apart. */
async function issueNamed(
  { now }: AuthorityFolder,
  profile: 'root' | 'issuing',
  key: KeyObject,
  issuer: Issuer | null,
): Promise<X509Certificate> {
  const commonName = `${caNames[profile]} ${randomBytes(4).toString('hex')}`;
  const organisation = os.hostname().slice(0, 64) || 'localhost';
  return issue({ profile, subject: [{ O: organisation }, { CN: commonName }], key, issuer, now });
}

/** Whether a certificate bears the name of an issuing CA of ours, this one or an earlier one. */
export function isIssuedHere(certificate: X509Certificate): boolean {
  return factsOf(certificate).issuer.startsWith(`CN=${caNames.issuing} `);
}

/** The key in the file, made and written first if there is no such file. */
export async function ensureKey({ store }: AuthorityFolder, file: string, kind: KeyKind): Promise<KeyObject> {
  if (readIfThere(file) !== null) return existingKey(file);
  const key = await makeKey(kind);
  store.makeFolder(path.dirname(file));
  store.write(file, keyPem(key));
  return key;
}

function readIssuer(certificateFile: string, keyFile: string): Issuer | null {
  const certificate = readCertificate(certificateFile);
  const key = certificate ? readKey(readIfThere(keyFile) ?? '') : null;
  return certificate && key && certificate.checkPrivateKey(key) ? { certificate, key } : null;
}

/** Null when there is no such file; one that is there and cannot be read is never overwritten. */
export function readCertificate(file: string): X509Certificate | null {
  const text = readIfThere(file);
  if (text === null) return null;
  try {
    return new X509Certificate(text);
  } catch {
    throw unreadable(file, 'no certificate in PEM form');
  }
}

function existingKey(file: string): KeyObject {
  requireFile(file);
  const key = readKey(readIfThere(file) ?? '');
  if (!key) throw unreadable(file, 'no private key in PEM form, or one with a passphrase');
  return key;
}

function requireFile(file: string): void {
  if (readIfThere(file) !== null) return;
  throw new PkiError({
    code: 'pki.key-away',
    where: file,
    saw: 'the key is not here, and it is needed now',
    why: 'The CA that your devices trust must sign once more. A new one would lock all of them out.',
    remedy: [`Bring the folder back: cp -r /path/to/your/copy/. ${path.dirname(file)}`],
  });
}

function unreadable(file: string, saw: string): PkiError {
  return new PkiError({
    code: 'pki.file-unreadable',
    where: file,
    saw,
    why: 'It is left as it is: nothing of a CA is ever overwritten by guessing.',
    remedy: ['Restore it from a copy. If there is none, move the whole folder away and start afresh.'],
  });
}

function twoRoots(files: ReturnType<typeof authorityFiles>): PkiError {
  return new PkiError({
    code: 'pki.two-roots',
    where: files.anchor,
    saw: `it is another CA than ${files.rootCertificate}`,
    why: 'Clients that trust the one would refuse what the other signs.',
    remedy: ['Put back the folder root/ that belongs to this home, or its ca.crt.'],
  });
}

function foreignKey(keyFile: string, certificateFile: string): PkiError {
  return new PkiError({
    code: 'pki.key-mismatch',
    where: keyFile,
    saw: `the key does not belong to ${certificateFile}`,
    why: 'What it signs would be refused by every client.',
    remedy: ['Put back the folder root/ that belongs to this home.'],
  });
}

function rootNeeded(rootKey: string, ends: number): Finding {
  return {
    code: 'pki.root-needed',
    severity: 'warning',
    where: rootKey,
    saw: `the issuing CA ends on ${timeText(ends)}, and the root that renews it is not here`,
    why: 'Server certificates cannot outlive their CA: from then on no client can connect.',
    remedy: [`Bring the root back and start again: cp -r /path/to/your/copy/. ${path.dirname(rootKey)}`],
  };
}
