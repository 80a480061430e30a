/**
 * The certificates of a home, all of them: what is there and good is left alone, what is missing, about to end or
 * short of a name is made. The same call serves the first start, every later one and the daily look.
 */
import type { X509Certificate } from 'node:crypto';
import path from 'node:path';
import type { Finding } from '../base/mod.ts';
import { authorityFiles, ensureAuthority, ensureKey, type AuthorityFolder } from './authority.ts';
import { warmUp } from './issue.ts';
import { readIfThere, sweep, type FileStore } from './key-store.ts';
import type { MachineNames } from './machine-names.ts';
import { publishTrust } from './registry/published.ts';
import { readJournal } from './registry/journal.ts';
import { ledgerOf } from './registry/ledger.ts';
import { ensureServerCertificate, serverPairs, type ServerPair } from './server-certificates.ts';
import { finishTogether } from './write-together.ts';

export interface CertificateHome {
  root: X509Certificate;
  /** File to give to clients. */
  anchor: string;
  /** Files for a listener: the CAs whose clients are let in, and what was taken back. */
  trusted: string;
  revoked: string;
  pairs: ServerPair[];
  findings: Finding[];
  /** Files that were written; empty when nothing had to be. */
  written: string[];
}

export interface HomeRequest {
  folder: string;
  store: FileStore;
  machine: MachineNames;
  /** Unix time in milliseconds. */
  now: number;
}

/**
 * No certificate of ours is older than this program. A machine that starts in 1970 for want of a battery would
 * otherwise make a CA that has expired by the time its clock is set.
 */
const clockFloor = Date.UTC(2026, 0, 1);

export function sensibleTime(now: number): number {
  return Math.max(now, clockFloor);
}

/** The caller holds the folder's lock. */
export async function ensureCertificates(request: HomeRequest): Promise<CertificateHome> {
  const { folder, machine } = request;
  const written: string[] = [];
  const home: AuthorityFolder = { folder, store: recording(request.store, written), now: sensibleTime(request.now) };
  prepareFolders(home);
  const pairs = serverPairs(folder);
  // RSA keys take 0.1 to 0.4 s on another thread, the library 0.1 s on this one: neither waits for the other.
  const missing = pairs.filter(pair => readIfThere(pair.key) === null);
  const keys = Promise.all(missing.map(pair => ensureKey(home, pair.key, pair.kind)));
  keys.catch(() => undefined);
  if (readIfThere(authorityFiles(folder).anchor) === null) warmUp();
  const authority = await ensureAuthority(home);
  publishTrust(home, authority, ledgerOf(readJournal(folder)).revocations);
  await keys;
  const findings = [...authority.findings];
  for (const pair of pairs) {
    const finding = await ensureServerCertificate(home, authority, pair, machine);
    if (finding) findings.push(finding);
  }
  const { anchor, trusted, revoked } = authorityFiles(folder);
  return { root: authority.root, anchor, trusted, revoked, pairs, findings, written };
}

export function prepareFolders({ folder, store }: AuthorityFolder): void {
  sweep(folder);
  finishTogether(folder, store);
  for (const name of ['root', 'ca', 'server', 'clients']) {
    // A root that was moved away must not leave an empty folder behind that looks like a loss.
    if (name !== 'root' || readIfThere(authorityFiles(folder).anchor) === null)
      store.makeFolder(path.join(folder, name));
    sweep(path.join(folder, name));
  }
}

function recording(store: FileStore, written: string[]): FileStore {
  return {
    makeFolder: folder => store.makeFolder(folder),
    remove: file => store.remove(file),
    write(file, text) {
      store.write(file, text);
      written.push(file);
    },
  };
}
