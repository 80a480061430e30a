/**
 * What the CA tells the broker and other software, in two files of the folder clients/ (which the broker reads, and which holds no key):
 *
 *   trusted.crt   the CAs whose clients are let in: the issuing one, the root, and during a change the root before
 *   revoked.crl   a list by the issuing CA, and one by each root that has issued client certificates itself
 *
 * Both are made from the certificates and the journal, so they are simply made again whenever they do not fit. A list
 * is signed anew only when it has to be: the broker would otherwise load new files every day.
 */
import type { X509Certificate } from 'node:crypto';
import { authorityFiles, type Authority, type AuthorityFolder } from '../authority.ts';
import { isSignedBy, readCrl } from '../crl.ts';
import type { Issuer } from '../issue.ts';
import { readIfThere } from '../key-store.ts';
import { readKey } from '../keys.ts';
import { readPem } from '../pem.ts';
import { writeCrl } from '../write-crl.ts';

type Revocations = ReadonlyMap<string, number>;

/** True when a file had to be written: a running broker should then load it. */
export function publishTrust(home: AuthorityFolder, authority: Authority, revocations: Revocations): boolean {
  const files = authorityFiles(home.folder);
  const cas = [authority.issuer.certificate, authority.root, ...(authority.previous ? [authority.previous] : [])];
  const trusted = cas.map(each => each.toString()).join('');
  const revoked = listsOf(home, authority, revocations);
  const written = [writeIfChanged(home, files.trusted, trusted), writeIfChanged(home, files.revoked, revoked)];
  return written.includes(true);
}

function writeIfChanged({ store }: AuthorityFolder, file: string, text: string): boolean {
  if (readIfThere(file) === text) return false;
  store.write(file, text);
  return true;
}

function listsOf(home: AuthorityFolder, authority: Authority, revocations: Revocations): string {
  const files = authorityFiles(home.folder);
  const before = readPem(readIfThere(files.revoked) ?? '').blocks;
  const standing = (ca: X509Certificate): string[] =>
    before.filter(each => isSignedBy(readCrl(each.der), ca)).map(each => each.text);
  const current = (issuer: Issuer): string[] => {
    const [text] = standing(issuer.certificate).filter(each => fits(each, issuer.certificate, revocations));
    return [text ?? writeCrl(issuer, revocations, home.now)];
  };
  // A root that is away signs nothing; the list it has left is kept.
  const rootKey = readKey(readIfThere(files.rootKey) ?? '');
  const { root, previous } = authority;
  const own = rootKey && root.checkPrivateKey(rootKey);
  return [
    ...current(authority.issuer),
    ...(own ? current({ certificate: root, key: rootKey }) : standing(root)),
    ...(previous ? standing(previous) : []),
  ].join('');
}

function fits(text: string, ca: X509Certificate, revocations: Revocations): boolean {
  const [block] = readPem(text).blocks;
  if (block === undefined) return false;
  const { revoked, nextUpdate } = readCrl(block.der);
  const complete = revoked.size === revocations.size && [...revocations.keys()].every(serial => revoked.has(serial));
  return complete && nextUpdate === ca.validToDate.getTime();
}
