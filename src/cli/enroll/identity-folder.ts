/**
 * Where a computer keeps who it is. A renewal is a folder of its own, and becomes the one in force by one rename, so
 * that key and certificate always belong together; the one before stays beside it.
 *
 *   FOLDER/2026-11-22T02-13-05Z/   client.key  client.crt  ca.crt      each 0600, the folder 0700
 *   FOLDER/2027-01-21T03-17-00Z/
 *   FOLDER/current -> 2027-01-21T03-17-00Z                             programs are told FOLDER/current/client.crt
 */
import fs from 'node:fs';
import path from 'node:path';
import { diskStore } from '../../pki/mod.ts';
import type { Issued } from './door.ts';

export interface IdentityFiles {
  certificate: string;
  key: string;
  ca: string;
}

const CURRENT = 'current';
const stamp = /^\d{4}-\d\d-\d\dT[\d-]+Z$/;
/** In force, and the one before. */
const generationsKept = 2;

export function currentFiles(folder: string): IdentityFiles {
  return filesIn(path.join(folder, CURRENT));
}

export function hasIdentity(folder: string): boolean {
  return fs.existsSync(currentFiles(folder).certificate);
}

function filesIn(folder: string): IdentityFiles {
  const file = (name: string): string => path.join(folder, name);
  return { certificate: file('client.crt'), key: file('client.key'), ca: file('ca.crt') };
}

/** A key that is on the disk before anybody is asked to certify it: what is issued then can be used. */
export class Generation {
  readonly files: IdentityFiles;
  private readonly folder: string;
  private readonly name: string;

  constructor(folder: string, now: number) {
    this.folder = folder;
    this.name = new Date(now).toISOString().replaceAll(':', '-').replace('.', '-');
    this.files = filesIn(path.join(folder, this.name));
  }

  keepKey(keyText: string): void {
    diskStore.makeFolder(this.folder);
    diskStore.makeFolder(path.join(this.folder, this.name));
    diskStore.write(this.files.key, keyText);
  }

  keepCertificate({ certificate, ca }: Issued): void {
    diskStore.write(this.files.ca, ca);
    diskStore.write(this.files.certificate, certificate);
  }

  /** Nothing was issued for the key. */
  discard(): void {
    fs.rmSync(path.join(this.folder, this.name), { recursive: true, force: true });
  }

  putInForce(): void {
    const link = path.join(this.folder, CURRENT);
    const unfinished = `${link}.tmp-${process.pid}`;
    fs.rmSync(unfinished, { force: true });
    fs.symlinkSync(this.name, unfinished);
    fs.renameSync(unfinished, link);
    this.forgetOld();
  }

  private forgetOld(): void {
    const names = fs.readdirSync(this.folder).filter(name => stamp.test(name));
    const others = names.filter(name => name !== this.name).sort();
    for (const name of others.slice(0, Math.max(0, others.length - generationsKept + 1))) {
      fs.rmSync(path.join(this.folder, name), { recursive: true, force: true });
    }
  }
}
