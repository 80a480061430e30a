/**
 * What the journal adds up to: every certificate with its state, and the identities they belong to.
 * A fold over the entries; it reads no file and asks no clock but the one it is given.
 */
import { X509Certificate } from 'node:crypto';
import type { ClientProfileName, ProfileName } from '../profiles.ts';
import type { Invited, Issued, JournalEntry } from './journal.ts';

export interface IssuedCertificate {
  name: string;
  profile: ProfileName;
  serial: string;
  issuedAt: number;
  ends: number;
  /** Fingerprint of the root that its owner was given. */
  root: string;
  revokedAt: number | null;
  revokedBecause: string | null;
  /** In DER. Parsed only where it is asked for: a list of thousands does not need it. */
  der: Buffer;
}

/** Somebody with a certificate: a device or an operator. */
export interface RegisteredIdentity {
  name: string;
  template: string;
  profile: ClientProfileName;
  /** In the order they were issued; the last is the current one. */
  certificates: IssuedCertificate[];
}

/** An invitation and what became of it. */
export interface Invite extends Omit<Invited, 'event'> {
  usedAt: number | null;
  /** Serial number of the certificate that it was used for. */
  usedFor: string | null;
  withdrawnAt: number | null;
}

export interface Ledger {
  certificates: IssuedCertificate[];
  bySerial: Map<string, IssuedCertificate>;
  identities: Map<string, RegisteredIdentity>;
  /** Times by serial number; those of certificates that others issued under an imported CA as well. */
  revocations: Map<string, number>;
  /** By their short names, in the order they were made. */
  invites: Map<string, Invite>;
}

export function ledgerOf(entries: readonly JournalEntry[]): Ledger {
  const ledger: Ledger = {
    certificates: [],
    bySerial: new Map(),
    identities: new Map(),
    revocations: new Map(),
    invites: new Map(),
  };
  addEntries(ledger, entries);
  return ledger;
}

/** What the journal has more than the ledger knew. */
export function addEntries(ledger: Ledger, entries: readonly JournalEntry[]): void {
  for (const entry of entries) {
    if (entry.event === 'issued') addIssued(ledger, entry);
    else if (entry.event === 'revoked') addRevoked(ledger, entry);
    else if (entry.event === 'template') setTemplate(ledger, entry.name, entry.template);
    else if (entry.event === 'invited') addInvite(ledger, entry);
    else if (entry.event === 'invite-withdrawn') markInvite(ledger, entry.invite, { withdrawnAt: entry.at });
  }
}

function addIssued(ledger: Ledger, entry: Issued): void {
  const { name, profile, serial, ends, root, template } = entry;
  const der = Buffer.from(entry.certificate, 'base64');
  const issued = { name, profile, serial, issuedAt: entry.at, ends, root, revokedAt: null, revokedBecause: null, der };
  ledger.certificates.push(issued);
  ledger.bySerial.set(serial, issued);
  if (entry.invite !== undefined) markInvite(ledger, entry.invite, { usedAt: entry.at, usedFor: serial });
  if (template === null || !isClientProfile(profile)) return;
  const identity = ledger.identities.get(name);
  if (identity === undefined) ledger.identities.set(name, { name, template, profile, certificates: [issued] });
  else {
    identity.certificates.push(issued);
    Object.assign(identity, { template, profile });
  }
}

function addInvite(ledger: Ledger, { event: _, ...invited }: Invited): void {
  ledger.invites.set(invited.invite, { ...invited, usedAt: null, usedFor: null, withdrawnAt: null });
}

function markInvite(ledger: Ledger, name: string, mark: Partial<Invite>): void {
  const invite = ledger.invites.get(name);
  if (invite !== undefined) Object.assign(invite, mark);
}

function addRevoked(ledger: Ledger, { serial, at, because }: { serial: string; at: number; because: string }): void {
  const issued = ledger.bySerial.get(serial);
  if (issued?.revokedAt === null) Object.assign(issued, { revokedAt: at, revokedBecause: because });
  if (!ledger.revocations.has(serial)) ledger.revocations.set(serial, at);
}

function setTemplate(ledger: Ledger, name: string, template: string): void {
  const identity = ledger.identities.get(name);
  if (identity !== undefined) identity.template = template;
}

export function isClientProfile(profile: ProfileName): profile is ClientProfileName {
  return profile === 'device' || profile === 'device-without-updates' || profile === 'operator';
}

export function certificateOf({ der }: IssuedCertificate): X509Certificate {
  return new X509Certificate(der);
}

export type CertificateState = 'valid' | 'revoked' | 'expired' | 'replaced';

/** `replaced`: still good, but its owner has been given a later one. */
export function stateOf(
  certificate: IssuedCertificate,
  identity: RegisteredIdentity | null,
  now: number,
): CertificateState {
  if (certificate.revokedAt !== null) return 'revoked';
  if (certificate.ends < now) return 'expired';
  const later = identity?.certificates.at(-1);
  return later !== undefined && later !== certificate && later.revokedAt === null ? 'replaced' : 'valid';
}

export type InviteState = 'open' | 'used' | 'withdrawn' | 'expired';

export function stateOfInvite({ usedAt, withdrawnAt, until }: Invite, now: number): InviteState {
  if (usedAt !== null) return 'used';
  if (withdrawnAt !== null) return 'withdrawn';
  return until < now ? 'expired' : 'open';
}

/** Certificates of an identity that still let somebody in. */
export function liveCertificates(identity: RegisteredIdentity, now: number): IssuedCertificate[] {
  return identity.certificates.filter(each => each.revokedAt === null && each.ends >= now);
}
