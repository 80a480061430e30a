/**
 * Invitations, as their maker sees them: made, listed, withdrawn. What is kept is in the journal of the CA, under its
 * lock; the token leaves once, by the answer of createInvite().
 */
import { randomBytes } from 'node:crypto';
import type { KeyKind } from '../keys.ts';
import { PkiError } from '../pki-error.ts';
import type { ClientProfileName } from '../profiles.ts';
import { stateOfInvite, type Invite } from '../registry/ledger.ts';
import { checkName, type Registry } from '../registry/registry.ts';
import { checkRange } from './address-range.ts';
import { newToken, tokenHash } from './token.ts';

export interface InviteWish {
  name: string;
  template: string;
  profile?: ClientProfileName;
  lifetimeDays?: number;
  /** Kind of key that the device must bring; any good one when left out. */
  keyKind?: KeyKind;
  validMs?: number;
  /** `192.168.1.0/24`: who else comes is refused. */
  range?: string;
  /** The device exists: what it gets replaces its certificates, which are revoked then. */
  again?: boolean;
}

export interface NewInvite {
  /** Shown once; nobody can find it out again. */
  token: string;
  invite: Invite;
  /** Open invitations of the same name, which are no longer good. */
  withdrawn: Invite[];
}

const hourMs = 3_600_000;
export const inviteValidMs = 24 * hourMs;
/** A token is for a device that somebody is holding; what is valid for longer lies about. */
const inviteValidMsMax = 30 * 24 * hourMs;
/** More than a workshop prepares in a month. Each wrong token is held against all of them, 0.3 ms for 1,000. */
const openInvitesMax = 10_000;

/** The caller holds the lock (withRegistry) and has made sure that name and template are free to use. */
export function createInvite(registry: Registry, wish: InviteWish): NewInvite {
  const { name, template, validMs = inviteValidMs, again = false } = wish;
  checkName(name);
  if (!(validMs > 0 && validMs <= inviteValidMsMax)) throw badTime();
  const open = openInvites(registry);
  const withdrawn = open.filter(each => each.name === name);
  if (open.length - withdrawn.length >= openInvitesMax) throw tooMany(registry.folder);
  const token = newToken();
  const invite = randomBytes(4).toString('hex');
  registry.record([
    ...withdrawn.map(each => ({ event: 'invite-withdrawn' as const, at: registry.now, invite: each.invite })),
    {
      event: 'invited',
      at: registry.now,
      invite,
      name,
      hash: tokenHash(token) ?? '',
      profile: wish.profile ?? 'device',
      template,
      lifetimeDays: wish.lifetimeDays ?? null,
      keyKind: wish.keyKind ?? null,
      until: registry.now + validMs,
      range: wish.range === undefined ? null : checkRange(wish.range),
      again,
    },
  ]);
  return { token, invite: registry.ledger.invites.get(invite)!, withdrawn };
}

/** By short name or by the name of the device; what was withdrawn. The caller holds the lock. */
export function withdrawInvites(registry: Registry, which: string): Invite[] {
  const found = openInvites(registry).filter(each => each.invite === which || each.name === which);
  registry.record(found.map(({ invite }) => ({ event: 'invite-withdrawn', at: registry.now, invite })));
  return found;
}

function openInvites({ ledger, now }: Registry): Invite[] {
  return [...ledger.invites.values()].filter(each => stateOfInvite(each, now) === 'open');
}

function badTime(): PkiError {
  return new PkiError({
    code: 'enrolment.bad-time',
    where: 'the time that the token is to be valid',
    saw: 'it is more than 30 days, or nothing',
    why: 'A token lets its finder in: it is made shortly before the device is set up.',
    remedy: ['24h unless you say otherwise, for example --valid 2h.'],
  });
}

function tooMany(folder: string): PkiError {
  return new PkiError({
    code: 'enrolment.too-many-invites',
    where: folder,
    saw: `${openInvitesMax} invitations are open`,
    why: 'Each token is held against all of them.',
    remedy: [
      'Withdraw some: zancudo device invite revoke NAME',
      'Others end by themselves: zancudo device invite list',
    ],
  });
}
