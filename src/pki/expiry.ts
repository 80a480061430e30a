/**
 * What ends when: everything with a date that a broker lives by, from its files and from the journal of its CA.
 * Files that cannot be read are passed over here; loading them says why.
 */
import fs from 'node:fs';
import { readCrls } from './crl.ts';
import { certificatesOf, factsOf } from './inspect.ts';
import type { TlsFiles } from './explain.ts';
import { readJournal } from './registry/journal.ts';
import { ledgerOf, liveCertificates } from './registry/ledger.ts';

export interface Expiry {
  /** `certificate`, `ca`, `revocation-list` or `device`. */
  kind: string;
  /** The file, or the name of the device. */
  name: string;
  /** Subject of the certificate, issuer of the list. */
  subject: string;
  /** Unix time in milliseconds. */
  ends: number;
}

export function expiriesOf({ certificates, caFile, crlFile }: TlsFiles): Expiry[] {
  return [
    ...certificates.flatMap(({ certFile }) => inCertificates('certificate', certFile)),
    ...inCertificates('ca', caFile),
    ...inLists(crlFile),
  ];
}

/** Each with the certificate that lasts longest; one that has ended is no news. */
export function expiriesOfDevices(folder: string, now: number): Expiry[] {
  return [...ledgerOf(readJournal(folder)).identities.values()].flatMap(identity => {
    const ends = Math.max(...liveCertificates(identity, now).map(each => each.ends));
    return Number.isFinite(ends) ? [{ kind: 'device', name: identity.name, subject: `CN=${identity.name}`, ends }] : [];
  });
}

function inCertificates(kind: string, file: string | null): Expiry[] {
  return inFile(file, text =>
    certificatesOf(text).map(certificate => {
      const { subject, notAfter } = factsOf(certificate);
      return { kind, name: file ?? '', subject, ends: notAfter };
    }),
  );
}

function inLists(file: string | null): Expiry[] {
  return inFile(file, text =>
    readCrls(text).lists.flatMap(({ issuer, nextUpdate }) =>
      nextUpdate === null ? [] : [{ kind: 'revocation-list', name: file ?? '', subject: issuer, ends: nextUpdate }],
    ),
  );
}

function inFile(file: string | null, read: (text: string) => Expiry[]): Expiry[] {
  if (file === null) return [];
  try {
    return read(fs.readFileSync(file, 'utf8'));
  } catch {
    return [];
  }
}
