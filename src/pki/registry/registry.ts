/**
 * The registry of a home: its CA, opened for writing, with everything that was ever issued.
 *
 *   withRegistry(home, work)    lock -> mend what a power cut left -> work -> publish -> unlock
 *
 * Whatever is issued is in the journal before it is returned; whatever is revoked is in the journal before it is
 * published. So after a power cut at any moment the next call makes the published files fit the journal again.
 */
import type { KeyObject, X509Certificate } from 'node:crypto';
import { authorityFiles, ensureAuthority, type Authority, type AuthorityFolder } from '../authority.ts';
import { prepareFolders, sensibleTime } from '../certificate-home.ts';
import { factsOf, type SubjectAltName } from '../inspect.ts';
import { issue } from '../issue.ts';
import { readIfThere } from '../key-store.ts';
import { withLock } from '../lock.ts';
import { PkiError } from '../pki-error.ts';
import type { ClientProfileName } from '../profiles.ts';
import type { Issued, JournalEntry, RegistryStore } from './journal.ts';
import { LedgerView } from './ledger-view.ts';
import type { Ledger } from './ledger.ts';
import { publishTrust } from './published.ts';

export interface RegistryHome {
  folder: string;
  store: RegistryStore;
  /** Unix time in milliseconds. */
  now: number;
  /** Of whoever opens the registry often; the journal is read anew otherwise. */
  view?: LedgerView;
}

export interface ClientRequest {
  name: string;
  profile: ClientProfileName;
  /** A public key will do. */
  key: KeyObject;
  template: string;
  lifetimeDays?: number;
  /** The invitation that is used up with it. */
  invite?: string;
}

export interface ServerRequest {
  commonName: string;
  names: readonly SubjectAltName[];
  key: KeyObject;
  lifetimeDays?: number;
}

/** Runs `work` on a CA that exists; `create` makes one where there is none. */
export async function withRegistry<T>(
  home: RegistryHome,
  work: (registry: Registry) => Promise<T>,
  { create = false } = {},
): Promise<T> {
  const there = readIfThere(authorityFiles(home.folder).anchor) !== null;
  if (!there && !create) throw noCa(home.folder);
  home.store.makeFolder(home.folder);
  return withLock(home.folder, async () => {
    const folder = { ...home, now: sensibleTime(home.now) };
    prepareFolders(folder);
    const registry = new Registry(folder, await ensureAuthority(folder));
    registry.publish();
    const result = await work(registry);
    registry.publish();
    return result;
  });
}

/** What was issued, without touching anything: for lists, and beside a running broker. */
export function readLedger(folder: string): Ledger {
  if (readIfThere(authorityFiles(folder).anchor) === null) throw noCa(folder);
  return new LedgerView(folder).read();
}

export class Registry {
  readonly folder: string;
  readonly now: number;
  /** Where the CA lives, as the functions that make one want it. */
  readonly home: AuthorityFolder;
  authority: Authority;
  /** Whether the broker has something new to load. */
  changed = false;
  private readonly store: RegistryStore;
  private readonly view: LedgerView;

  constructor(home: RegistryHome, authority: Authority) {
    this.home = home;
    this.folder = home.folder;
    this.now = home.now;
    this.store = home.store;
    this.authority = authority;
    this.view = home.view ?? new LedgerView(home.folder);
  }

  get ledger(): Ledger {
    return this.view.read();
  }

  /** One certificate per request, in their order; one flush to the disk for all of them. */
  async issueClients(requests: readonly ClientRequest[]): Promise<X509Certificate[]> {
    const made: X509Certificate[] = [];
    for (const request of requests) {
      checkName(request.name);
      made.push(await this.#issue(request.profile, request.name, [], request));
    }
    const issued = requests.map((request, i) => ({
      ...this.#entry(request, made[i]!, request.template),
      ...(request.invite === undefined ? {} : { invite: request.invite }),
    }));
    this.record(issued);
    return made;
  }

  async issueServer(request: ServerRequest): Promise<X509Certificate> {
    const certificate = await this.#issue('server', request.commonName, request.names, request);
    this.record([this.#entry({ name: request.commonName, profile: 'server' }, certificate, null)]);
    return certificate;
  }

  /** Serial numbers in hexadecimal. Those that are revoked already stay as they are. */
  revoke(serials: readonly string[], because: string): void {
    const fresh = serials.filter(serial => !this.ledger.revocations.has(serial));
    this.record(fresh.map(serial => ({ event: 'revoked', at: this.now, serial, because })));
  }

  setTemplate(name: string, template: string): void {
    this.record([{ event: 'template', at: this.now, name, template }]);
  }

  record(entries: readonly JournalEntry[]): void {
    this.view.append(this.store, entries);
  }

  publish(): void {
    if (publishTrust(this.home, this.authority, this.ledger.revocations)) this.changed = true;
  }

  /** What a client or server has to send: its certificate and the CA that issued it, in PEM. */
  chainOf(certificate: X509Certificate): string {
    return `${certificate.toString()}${this.authority.issuer.certificate.toString()}`;
  }

  get rootIsHere(): boolean {
    return readIfThere(authorityFiles(this.folder).rootKey) !== null;
  }

  #issue(
    profile: Issued['profile'],
    commonName: string,
    names: readonly SubjectAltName[],
    { key, lifetimeDays }: { key: KeyObject; lifetimeDays?: number },
  ): Promise<X509Certificate> {
    return issue({
      profile,
      subject: [{ CN: commonName.slice(0, nameLengthMax) }],
      names,
      key,
      issuer: this.authority.issuer,
      now: this.now,
      ...(lifetimeDays === undefined ? {} : { lifetimeDays }),
    });
  }

  #entry(
    { name, profile }: { name: string; profile: Issued['profile'] },
    certificate: X509Certificate,
    template: string | null,
  ): Issued {
    return {
      event: 'issued',
      at: this.now,
      name,
      profile,
      serial: certificate.serialNumber,
      ends: factsOf(certificate).notAfter,
      root: this.authority.root.fingerprint256,
      certificate: certificate.raw.toString('base64'),
      template,
    };
  }
}

/** X.520's bound for a common name. */
const nameLengthMax = 64;

/**
 * A name becomes a user name, a level of topics, a file name and a word in a shell: letters, digits and three marks
 * are the same in all of them. Wildcards and separators would let one device stand for many.
 */
export function checkName(name: string): void {
  if (name.length <= nameLengthMax && /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) return;
  throw new PkiError({
    code: 'pki.unusable-name',
    where: JSON.stringify(name),
    saw: 'a name has letters a-z, digits, ".", "_" and "-", begins with a letter or digit, and is 64 long at most',
    why: 'It becomes a user name, a part of topics and the name of files.',
    remedy: ['Choose another one, such as kitchen-lamp.'],
  });
}

function noCa(folder: string): PkiError {
  return new PkiError({
    code: 'pki.no-ca',
    where: folder,
    saw: 'there is no CA here',
    why: 'The first start of the broker makes one.',
    remedy: ['zancudo, or without starting a broker: zancudo ca init', `Another folder: --home DIR or ZANCUDO_HOME.`],
  });
}
