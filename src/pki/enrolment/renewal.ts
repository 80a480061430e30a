/**
 * May this certificate be exchanged for a new one? It must be one of ours, byte for byte as the journal has it; then
 * no signature needs to be checked again. The caller knows that its owner has the key: a TLS handshake proved it.
 *
 *   issued ──────────── ends ─────── grace ─────── over
 *          valid: yes        yes             no: an invitation is needed
 */
import { X509Certificate } from 'node:crypto';
import { factsOf } from '../inspect.ts';
import { profiles, type ClientProfileName } from '../profiles.ts';
import { isClientProfile, type IssuedCertificate, type Ledger, type RegisteredIdentity } from '../registry/ledger.ts';
import { timeText } from '../time-text.ts';
import { EnrolmentRefusal } from './refusal.ts';

export interface Standing {
  state: 'valid' | 'grace';
  name: string;
  profile: ClientProfileName;
  template: string;
  /** Where it is another one than the profile's: the new certificate gets the same. */
  lifetimeDays: number | null;
  ends: number;
}

const dayMs = 86_400_000;
/** A device that renews in a circle would fill the journal; one that is set up again and again needs fewer. */
const renewalsPerDayMax = 20;

export function standingOf(
  ledger: Ledger,
  der: Uint8Array,
  now: number,
  graceDays: number,
): Standing | EnrolmentRefusal {
  const issued = issuedAs(ledger, der);
  const identity = issued === null ? undefined : ledger.identities.get(issued.name);
  if (issued === null || identity === undefined || !isClientProfile(issued.profile)) return unknown();
  const { name, ends, revokedAt, serial } = issued;
  if (revokedAt !== null || ledger.revocations.has(serial)) {
    return new EnrolmentRefusal('certificate-revoked', 'the certificate is revoked', `the certificate of ${name} was revoked on ${timeText(revokedAt ?? 0)}`); // prettier-ignore
  }
  if (ends + graceDays * dayMs < now) return tooLate(name, ends, graceDays);
  if (renewedToday(identity, now) >= renewalsPerDayMax) return tooOften(name);
  const { profile, template } = identity;
  const state = ends < now ? 'grace' : 'valid';
  return { state, name, profile, template, lifetimeDays: ownLifetime(issued, profile), ends };
}

function issuedAs({ certificates }: Ledger, der: Uint8Array): IssuedCertificate | null {
  return certificates.find(each => each.der.equals(der)) ?? null;
}

function ownLifetime({ der }: IssuedCertificate, profile: ClientProfileName): number | null {
  const { notBefore, notAfter } = factsOf(new X509Certificate(der));
  const days = (notAfter - notBefore + 1000) / dayMs;
  return Number.isInteger(days) && days !== profiles[profile].lifetimeDays ? days : null;
}

function renewedToday({ certificates }: RegisteredIdentity, now: number): number {
  return certificates.filter(({ issuedAt }) => issuedAt > now - dayMs).length;
}

function unknown(): EnrolmentRefusal {
  const log = 'its certificate is none that this CA has issued to a device';
  return new EnrolmentRefusal('certificate-unknown', 'the certificate was not issued here', log);
}

function tooLate(name: string, ends: number, graceDays: number): EnrolmentRefusal {
  const log = `the certificate of ${name} ended on ${timeText(ends)}, more than ${graceDays} days ago. Let it enrol anew: zancudo device invite ${name} --again`;
  return new EnrolmentRefusal('certificate-expired', 'the certificate ended too long ago to be renewed', log);
}

function tooOften(name: string): EnrolmentRefusal {
  const log = `${name} was given ${renewalsPerDayMax} certificates within a day: it renews in a circle. See to the device; zancudo device revoke ${name} stops it`;
  return new EnrolmentRefusal('too-many', 'too many renewals within a day', log, dayMs / 1000 / 4);
}
