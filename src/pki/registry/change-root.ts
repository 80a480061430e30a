/**
 * Another root for a CA that has devices already: a new one (rollover) or one that was made elsewhere (import).
 *
 *   before   root 1  ->  issuing CA  ->  leaf
 *   between  root 2  ->  issuing CA  ->  leaf     the issuing CA keeps its key and name, so what it issued stays good
 *            root 1  ->  root 2 as root 1 vouches for it (cross.crt), sent by the server with its chain
 *   after    root 2  ->  issuing CA  ->  leaf
 *
 * Between, devices that trust root 1 and devices that trust root 2 both connect. All files of a step are written
 * together or not at all.
 */
import type { X509Certificate } from 'node:crypto';
import path from 'node:path';
import { authorityFiles, certifyIssuing, ensureAuthority, newRoot } from '../authority.ts';
import { factsOf, type CertificateFacts } from '../inspect.ts';
import { issue, type Issuer } from '../issue.ts';
import { readIfThere } from '../key-store.ts';
import { keyPem, readKey, type KeyKind } from '../keys.ts';
import { PkiError } from '../pki-error.ts';
import { writeTogether, type FileChange } from '../write-together.ts';
import type { Registry } from './registry.ts';

export interface RootChange {
  /** Whether devices that trust the old root go on working. */
  crossSigned: boolean;
  root: X509Certificate;
}

export async function rollOver(registry: Registry, kind: KeyKind, vouch: boolean): Promise<RootChange> {
  return changeRoot(registry, await newRoot(registry.home, kind), { how: 'new', keepKey: true, vouch });
}

/** `keepKey` false: the key was encrypted, and stays where it is. */
export async function adoptRoot(registry: Registry, root: Issuer, keepKey: boolean): Promise<RootChange> {
  return changeRoot(registry, root, { how: 'imported', keepKey, vouch: needsVoucher(registry) });
}

/** Nobody trusts the root of a CA that has issued nothing to anybody but its own broker. */
function needsVoucher({ ledger }: Registry): boolean {
  return ledger.certificates.length > 0;
}

interface HowToChange {
  how: 'imported' | 'new';
  keepKey: boolean;
  vouch: boolean;
}

async function changeRoot(registry: Registry, next: Issuer, { how, keepKey, vouch }: HowToChange): Promise<RootChange> {
  const { home, authority } = registry;
  const files = authorityFiles(home.folder);
  if (authority.previous !== null) throw notSettled(files.previous);
  if (authority.root.fingerprint256 === next.certificate.fingerprint256) throw sameRoot(files.anchor);
  const old = vouch ? oldRoot(registry) : null;
  const cross = old ? await vouchFor(registry, old, next) : null;
  const issuing = await certifyIssuing(home, authority.issuer.key, next);
  writeTogether(home.folder, home.store, [
    ...(needsVoucher(registry) ? setAside(registry) : []),
    { file: files.rootKey, text: keepKey ? keyPem(next.key) : null },
    { file: files.rootCertificate, text: next.certificate.toString() },
    { file: files.issuingCertificate, text: issuing.toString() },
    { file: files.previous, text: old ? authority.root.toString() : null },
    { file: files.cross, text: cross?.toString() ?? null },
    { file: files.anchor, text: next.certificate.toString() },
  ]);
  registry.record([{ event: 'root', at: registry.now, fingerprint: next.certificate.fingerprint256, how }]);
  registry.authority = await ensureAuthority(home);
  registry.changed = true;
  return { crossSigned: cross !== null, root: next.certificate };
}

/** The old root's files get another name: a key is never overwritten. */
function setAside({ home, authority }: Registry): FileChange[] {
  const files = authorityFiles(home.folder);
  const key = readIfThere(files.rootKey);
  if (key === null) return [];
  const mark = authority.root.fingerprint256.replaceAll(':', '').slice(0, 8).toLowerCase();
  const aside = (name: string): string => path.join(home.folder, 'root', `${mark}-${name}`);
  return [
    { file: aside('root.key'), text: key },
    { file: aside('root.crt'), text: authority.root.toString() },
  ];
}

function oldRoot({ home, authority }: Registry): Issuer {
  const { rootKey } = authorityFiles(home.folder);
  const key = readKey(readIfThere(rootKey) ?? '');
  if (key && authority.root.checkPrivateKey(key)) return { certificate: authority.root, key };
  throw new PkiError({
    code: 'pki.key-away',
    where: rootKey,
    saw: 'the key of the present root is not here',
    why: 'It has to vouch for the new root; otherwise every device must be visited before it can connect again.',
    remedy: [
      `Bring the folder back: cp -r /path/to/your/copy/. ${path.dirname(rootKey)}`,
      'If it is lost for good: zancudo ca rollover --without-old-root, and give every device the new ca.crt.',
    ],
  });
}

/** The new root's name and key, certified by the old one, for as long as the old one lives. */
async function vouchFor({ now }: Registry, old: Issuer, next: Issuer): Promise<X509Certificate> {
  const facts = factsOf(old.certificate);
  if (facts.pathLengthMax !== null && facts.pathLengthMax < 2) throw noRoom(facts);
  const subject = factsOf(next.certificate).subjectParts.map(({ type, value }) => ({ [type]: value }));
  return issue({ profile: 'root', subject, key: next.key, issuer: old, now });
}

/** The last device has moved: the old root is no longer vouched for, and its clients are no longer let in. */
export async function settleRoot(registry: Registry): Promise<void> {
  const { home, authority } = registry;
  const files = authorityFiles(home.folder);
  if (authority.previous === null) throw nothingToSettle(home.folder);
  writeTogether(home.folder, home.store, [
    { file: files.previous, text: null },
    { file: files.cross, text: null },
  ]);
  registry.record([{ event: 'root-settled', at: registry.now, fingerprint: authority.previous.fingerprint256 }]);
  registry.authority = await ensureAuthority(home);
  registry.changed = true;
}

function noRoom({ subject, pathLengthMax }: CertificateFacts): PkiError {
  return new PkiError({
    code: 'pki.ca-path-length',
    where: subject,
    saw: `the present root allows ${pathLengthMax} CA below itself; to vouch for another root it needs two`,
    why: 'Devices that trust it would refuse the chain.',
    remedy: ['Give every device the new ca.crt at once: zancudo ca rollover --without-old-root'],
  });
}

function notSettled(file: string): PkiError {
  return new PkiError({
    code: 'pki.rollover-open',
    where: file,
    saw: 'the last change of root is not finished: some devices may still trust the one before',
    why: 'A chain of three roots is more than small devices can follow.',
    remedy: ['See who has not moved: zancudo ca list', 'Then: zancudo ca rollover --finish'],
  });
}

function sameRoot(file: string): PkiError {
  return new PkiError({
    code: 'pki.same-root',
    where: file,
    saw: 'this CA is the root already',
    why: 'There is nothing to change.',
    remedy: ['zancudo ca show'],
  });
}

function nothingToSettle(folder: string): PkiError {
  return new PkiError({
    code: 'pki.no-rollover',
    where: folder,
    saw: 'no change of root is under way',
    why: 'There is nothing to finish.',
    remedy: ['zancudo ca rollover begins one.'],
  });
}
