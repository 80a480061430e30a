/**
 * Where devices get their certificates without anybody carrying a key to them. HTTP and MQTT are two doors to it.
 *
 *   redeem   token + request             ->  certificate of the name that was invited; the token is used up
 *   renew    old certificate + request   ->  certificate of the same name; good until a while after the old one ended
 *
 * Cheap questions come first: who has failed too often, is there such a token, and only then is the request read and
 * the CA opened. Under the CA's lock the token is looked at once more, so that of two who bring it one succeeds. The
 * line of the journal that says what was issued also says by which invitation: a power cut leaves the token unused,
 * or the certificate on record.
 *
 * Nothing of what a request claims to be is believed: the name is the invitation's, or that of the old certificate.
 */
import type { KeyObject, X509Certificate } from 'node:crypto';
import { AttemptLimit, type Finding, sourceOf } from '../../base/mod.ts';
import type { KeyKind } from '../keys.ts';
import { PkiError } from '../pki-error.ts';
import type { RegistryStore } from '../registry/journal.ts';
import { liveCertificates, stateOfInvite, type Invite, type Ledger } from '../registry/ledger.ts';
import { LedgerView } from '../registry/ledger-view.ts';
import { withRegistry, type ClientRequest, type Registry } from '../registry/registry.ts';
import { readRequest } from '../request.ts';
import { timeText } from '../time-text.ts';
import { isInRange } from './address-range.ts';
import { EnrolmentRefusal } from './refusal.ts';
import { standingOf, type Standing } from './renewal.ts';
import { sameHash, tokenHash } from './token.ts';

export interface OfficeOptions {
  folder: string;
  store: RegistryStore;
  /** How long after its end a certificate may still be exchanged for a new one. */
  graceDays: () => number;
  /** Throws a PkiError where the name or the template may not be used. The CA is locked. */
  admit: (registry: Registry, name: string, template: string) => void;
  /** Something was issued; the CA is still locked. */
  issued: (registry: Registry) => void;
  /** Resolves when what was issued may do what its template says. */
  inForce: () => Promise<void>;
}

/** Who is asking. */
export interface Applicant {
  address: string;
  /** Unix time in milliseconds. */
  now: number;
}

export interface Enrolled {
  name: string;
  certificate: X509Certificate;
  /** What stands between the certificate and the root: the issuing CA. */
  chain: X509Certificate[];
  /** What the device recognises the broker by. */
  root: X509Certificate;
}

/** Each keeps the CA locked for some 10 ms; who comes later is told to try again. */
const waitingMax = 100;
const busySeconds = 5;

/** By address: five free, then 2 s, 4 s, 8 s ... 10 min. */
const attemptRules = { freeFailures: 5, firstWaitMs: 2000, waitMsMax: 600_000, forgetMs: 600_000 };

export class EnrolmentOffice {
  /** Of all doors together. */
  readonly attempts = new AttemptLimit(attemptRules);
  readonly #options: OfficeOptions;
  readonly #view: LedgerView;
  #waiting = 0;

  constructor(options: OfficeOptions) {
    this.#options = options;
    this.#view = new LedgerView(options.folder);
  }

  /** The invitation that a token stands for; nothing is used up. A wrong one counts as a failure of the address. */
  inviteFor(token: string, applicant: Applicant): Invite | EnrolmentRefusal {
    const wait = this.tooSoon(applicant);
    if (wait !== null) return wait;
    const found = findInvite(this.#view.read(), token, applicant);
    if (found instanceof EnrolmentRefusal) this.attempts.failed(sourceOf(applicant.address), applicant.now);
    return found;
  }

  /** What a certificate that was shown, and whose key was proved, is good for. */
  standing(certificate: Uint8Array, now: number): Standing | EnrolmentRefusal {
    return standingOf(this.#view.read(), certificate, now, this.#options.graceDays());
  }

  /** `request`: PKCS #10, DER or PEM. */
  async redeem(token: string, request: Uint8Array, applicant: Applicant): Promise<Enrolled | EnrolmentRefusal> {
    const invite = this.inviteFor(token, applicant);
    if (invite instanceof EnrolmentRefusal) return invite;
    return this.#issue(request, applicant, (registry, key) => {
      const present = findInvite(registry.ledger, token, applicant);
      if (present instanceof EnrolmentRefusal) return present;
      return invitedRequest(registry, present, key);
    });
  }

  /** `certificate`: DER of what the applicant has proved, in TLS, to have the key of. */
  async renew(
    certificate: Uint8Array,
    request: Uint8Array,
    applicant: Applicant,
  ): Promise<Enrolled | EnrolmentRefusal> {
    const wait = this.tooSoon(applicant);
    if (wait !== null) return wait;
    const standing = this.standing(certificate, applicant.now);
    if (standing instanceof EnrolmentRefusal) {
      if (standing.code !== 'too-many') this.attempts.failed(sourceOf(applicant.address), applicant.now);
      return standing;
    }
    return this.#issue(request, applicant, (registry, key) => {
      const present = standingOf(registry.ledger, certificate, applicant.now, this.#options.graceDays());
      if (present instanceof EnrolmentRefusal) return present;
      const { name, profile, template, lifetimeDays } = present;
      return { name, profile, template, key, ...(lifetimeDays === null ? {} : { lifetimeDays }) };
    });
  }

  /** Null when the address may try; no failure is counted. */
  tooSoon({ address, now }: Applicant): EnrolmentRefusal | null {
    const seconds = Math.ceil(this.attempts.waitMs(sourceOf(address), now) / 1000);
    if (seconds === 0) return null;
    const log = 'too many failed attempts from this address';
    return new EnrolmentRefusal('too-many', `too many failed attempts; try again in ${seconds} s`, log, seconds);
  }

  async #issue(
    request: Uint8Array,
    applicant: Applicant,
    decide: (registry: Registry, key: KeyObject) => Wanted | EnrolmentRefusal,
  ): Promise<Enrolled | EnrolmentRefusal> {
    if (this.#waiting >= waitingMax) return busy();
    this.#waiting++;
    try {
      // One profile for all clients: what they may ask for is the same, their lifetimes are not in the request.
      const { key } = await readRequest(Buffer.from(request), 'the request', 'device');
      const { folder, store } = this.#options;
      const home = { folder, store, now: applicant.now, view: this.#view };
      const enrolled = await withRegistry(home, registry => this.#issueWith(registry, decide(registry, key)));
      if (enrolled instanceof EnrolmentRefusal) return enrolled;
      this.attempts.succeeded(sourceOf(applicant.address));
      await this.#options.inForce();
      return enrolled;
    } catch (error) {
      return this.#refusalFor(error, applicant);
    } finally {
      this.#waiting--;
    }
  }

  async #issueWith(registry: Registry, wanted: Wanted | EnrolmentRefusal): Promise<Enrolled | EnrolmentRefusal> {
    if (wanted instanceof EnrolmentRefusal) return wanted;
    const { replaces = [], ...request } = wanted;
    this.#options.admit(registry, request.name, request.template);
    const [certificate] = await registry.issueClients([request]);
    registry.revoke(replaces, 'replaced by one with a new key');
    this.#options.issued(registry);
    const { root, issuer } = registry.authority;
    return { name: request.name, certificate: certificate!, chain: [issuer.certificate], root };
  }

  #refusalFor(error: unknown, { address, now }: Applicant): EnrolmentRefusal {
    if (!(error instanceof PkiError)) return diskRefusal(error);
    const { finding } = error;
    if (finding.code === 'pki.name-taken') return new EnrolmentRefusal('name-taken', 'the name is taken', finding.saw);
    if (finding.code !== 'pki.request-refused') return unavailable(finding);
    this.attempts.failed(sourceOf(address), now);
    return new EnrolmentRefusal('request-refused', finding.saw);
  }
}

/** What is to be issued, and the serial numbers that are revoked with it. */
type Wanted = ClientRequest & { replaces?: string[] };

function findInvite(ledger: Ledger, token: string, { address, now }: Applicant): Invite | EnrolmentRefusal {
  const hash = tokenHash(token) ?? '';
  const invite = [...ledger.invites.values()].find(each => sameHash(each.hash, hash));
  if (invite === undefined) {
    return new EnrolmentRefusal('token-unknown', 'no such token', 'its token is none that was ever given out');
  }
  return refusalOfInvite(invite, address, now) ?? invite;
}

function refusalOfInvite(invite: Invite, address: string, now: number): EnrolmentRefusal | null {
  const { name, usedAt, withdrawnAt, until, range } = invite;
  const another = `Another one: zancudo device invite ${name}`;
  switch (stateOfInvite(invite, now)) {
    case 'used':
      return new EnrolmentRefusal('token-used', 'the token has been used', `the token for ${name} was used on ${timeText(usedAt ?? 0)}. If that was not the device: zancudo device revoke ${name}. ${another} --again`); // prettier-ignore
    case 'withdrawn':
      return new EnrolmentRefusal('token-withdrawn', 'the token has been withdrawn', `the token for ${name} was withdrawn on ${timeText(withdrawnAt ?? 0)}. ${another}`); // prettier-ignore
    case 'expired':
      return new EnrolmentRefusal('token-expired', `the token was valid until ${timeText(until)}`, `the token for ${name} was valid until ${timeText(until)}. ${another}`); // prettier-ignore
    case 'open':
      if (range === null || isInRange(range, address)) return null;
      return new EnrolmentRefusal('address-not-allowed', 'the token may not be used from this address', `the token for ${name} may only be used from ${range}`); // prettier-ignore
  }
}

function invitedRequest(registry: Registry, invite: Invite, key: KeyObject): Wanted | EnrolmentRefusal {
  const { name, profile, template, lifetimeDays, keyKind, again } = invite;
  const { ledger, now } = registry;
  if (keyKind !== null && key.asymmetricKeyType !== keyKind) return wrongKey(keyKind);
  const taken = [...ledger.identities.keys()].find(each => each.toLowerCase() === name.toLowerCase());
  if (taken !== undefined && !(again && taken === name)) {
    return new EnrolmentRefusal('name-taken', `there is a device ${taken} already`, `the name ${name} was given to another device meanwhile. To let it enrol anew: zancudo device invite ${taken} --again`); // prettier-ignore
  }
  const identity = ledger.identities.get(name);
  const replaces = identity === undefined ? [] : liveCertificates(identity, now).map(each => each.serial);
  const lifetime = lifetimeDays === null ? {} : { lifetimeDays };
  return { name, profile, template, key, invite: invite.invite, replaces, ...lifetime };
}

function wrongKey(wanted: KeyKind): EnrolmentRefusal {
  return new EnrolmentRefusal('request-refused', `the invitation is for a key of kind ${wanted}`);
}

function busy(): EnrolmentRefusal {
  const log = `${waitingMax} requests are waiting for the CA`;
  return new EnrolmentRefusal('unavailable', 'too many at once; try again', log, busySeconds);
}

/** A full disk is an answer like others; what is no fault of the system is one of ours and goes on. */
function diskRefusal(error: unknown): EnrolmentRefusal {
  const { code, message } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string') throw error;
  return new EnrolmentRefusal('unavailable', 'no certificate can be issued at present', message, busySeconds);
}

/** The fault is on our side, and how is nobody's business out there. */
function unavailable({ where, saw, remedy }: Finding): EnrolmentRefusal {
  return new EnrolmentRefusal('unavailable', 'no certificate can be issued at present', `${where}: ${saw}. ${remedy.join(' ')}`); // prettier-ignore
}
